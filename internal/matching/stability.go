package matching

import (
	"math"
	"slices"

	"generalbackend/internal/domain"
)

// median is the place of the middle score; of an even number, the lower one's.
func median(scores []int) int {
	places := make([]int, len(scores))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return scores[a] - scores[b] })
	return places[(len(places)-1)/2]
}

// stabilityOf compares repeated judgements of the same requirements.
func stabilityOf(reqs []domain.Requirement, runs [][]domain.Verdict, scores []int, temperature float64) *domain.Stability {
	s := &domain.Stability{
		Scores: scores, Min: slices.Min(scores), Max: slices.Max(scores), Temperature: temperature,
		Requirements: []domain.Agreement{},
	}
	s.Mean, s.Deviation = spread(scores)
	for i, req := range reqs {
		a := domain.Agreement{RequirementID: req.ID}
		counts := map[domain.Level]int{}
		for _, verdicts := range runs {
			a.Levels = append(a.Levels, verdicts[i].Level)
			counts[verdicts[i].Level]++
			a.Share = max(a.Share, float64(counts[verdicts[i].Level])/float64(len(runs)))
		}
		if a.Flips = len(counts) > 1; a.Flips {
			s.Flips++
		}
		s.Agreement += a.Share / float64(len(reqs))
		s.Requirements = append(s.Requirements, a)
	}
	s.Agreement = round(s.Agreement, 4)
	return s
}

// spread is the mean and the standard deviation of all there is.
func spread(scores []int) (mean, deviation float64) {
	for _, s := range scores {
		mean += float64(s) / float64(len(scores))
	}
	for _, s := range scores {
		deviation += (float64(s) - mean) * (float64(s) - mean) / float64(len(scores))
	}
	return round(mean, 2), round(math.Sqrt(deviation), 2)
}

func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}
