package matching_test

import (
	"math"
	"testing"

	"generalbackend/internal/domain"
	"generalbackend/internal/matching"
)

func verdict(id string, level domain.Level, confidence float64, flags ...domain.Flag) domain.Verdict {
	return domain.Verdict{RequirementID: id, Level: level, Confidence: confidence, Flags: flags}
}

func TestScore(t *testing.T) {
	t.Parallel()
	reqs := []domain.Requirement{{ID: "a", Weight: 3}, {ID: "b", Weight: 1}}
	tests := map[string]struct {
		verdicts []domain.Verdict
		want     int
	}{
		"all met":            {[]domain.Verdict{verdict("a", domain.LevelFull, 1), verdict("b", domain.LevelFull, 1)}, 100},
		"nothing met":        {[]domain.Verdict{verdict("a", domain.LevelMissing, 1), verdict("b", domain.LevelMissing, 1)}, 0},
		"weights count":      {[]domain.Verdict{verdict("a", domain.LevelFull, 1), verdict("b", domain.LevelMissing, 1)}, 75},
		"partial":            {[]domain.Verdict{verdict("a", domain.LevelPartial, 0.5), verdict("b", domain.LevelPartial, 0.5)}, 50},
		"without verdict":    {[]domain.Verdict{verdict("a", domain.LevelFull, 1)}, 75},
		"unknown ids":        {[]domain.Verdict{verdict("z", domain.LevelFull, 1)}, 0},
		"never judged":       {[]domain.Verdict{verdict("a", domain.LevelMissing, 0, domain.FlagUnjudged)}, 0},
		"confidence too big": {[]domain.Verdict{verdict("a", domain.LevelFull, 90), verdict("b", domain.LevelFull, math.Inf(1))}, 100},
		"no verdicts at all": {nil, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := matching.Score(reqs, tt.verdicts); got != tt.want {
				t.Errorf("score = %d, want %d", got, tt.want)
			}
		})
	}
	if got := matching.Score(nil, nil); got != 0 {
		t.Errorf("score without requirements = %d, want 0", got)
	}
}

func TestCreditNeverPrefersALowerLevel(t *testing.T) {
	t.Parallel()
	levels := []domain.Level{domain.LevelMissing, domain.LevelPartial, domain.LevelFull}
	for i := 1; i < len(levels); i++ {
		for _, low := range []float64{0, 0.5, 1} {
			for _, high := range []float64{0, 0.5, 1} {
				a, b := matching.Credit(verdict("r", levels[i-1], low)), matching.Credit(verdict("r", levels[i], high))
				if a >= b {
					t.Errorf("%s at %v earns %v, %s at %v earns %v", levels[i-1], low, a, levels[i], high, b)
				}
			}
		}
	}
}
