package matching

import (
	"math"
	"slices"

	"generalbackend/internal/domain"
)

// Credit is what a verdict earns of its requirement's weight, 0 to 1. The level
// decides the band, the confidence the place within it, so that a better level
// always earns more. What was never judged earns nothing.
func Credit(v domain.Verdict) float64 {
	if slices.Contains(v.Flags, domain.FlagUnjudged) {
		return 0
	}
	c := min(max(v.Confidence, 0), 1)
	switch v.Level {
	case domain.LevelFull:
		return 0.7 + 0.3*c
	case domain.LevelPartial:
		return 0.35 + 0.3*c
	default:
		return 0.3 * (1 - c)
	}
}

// Score is the share of the requirements' weight that the verdicts earn, 0 to
// 100. A requirement without a verdict earns nothing.
func Score(reqs []domain.Requirement, verdicts []domain.Verdict) int {
	credits := make(map[string]float64, len(verdicts))
	for _, v := range verdicts {
		credits[v.RequirementID] = Credit(v)
	}
	sum, total := 0.0, 0.0
	for _, r := range reqs {
		sum += r.Weight * credits[r.ID]
		total += r.Weight
	}
	if total == 0 {
		return 0
	}
	return int(math.Round(100 * sum / total))
}

// percent is a confidence as people read it.
func percent(confidence float64) int { return int(math.Round(100 * min(max(confidence, 0), 1))) }
