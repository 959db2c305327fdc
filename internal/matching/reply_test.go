package matching_test

import (
	"encoding/json"
	"strings"
	"testing"

	"generalbackend/internal/domain"
	"generalbackend/internal/matching"
)

func TestReplySpeaksBothDialects(t *testing.T) {
	t.Parallel()
	store := payrollMatch()
	if err := work(t, store, offline(), matching.Options{}); err != nil {
		t.Fatal(err)
	}
	m := store.last(t)
	raw, err := json.Marshal(matching.NewReply(m.Candidates[0], m.Requirements))
	if err != nil {
		t.Fatal(err)
	}
	var reply struct {
		MatchScore                       *int `json:"match_score"`
		OverallScore                     *int `json:"overallScore"`
		Summary, DetailedAnalysis        string
		Strengths, Gaps, Recommendations []string
		Comparison                       []struct {
			Requirement, Details string
			ApplicantMatch       string `json:"applicant_match"`
			MatchLevel           string `json:"match_level"`
			Confidence           int
		}
		RiskAssessment struct {
			OverallRisk string `json:"overall_risk"`
			Factors     []string
		}
		DevelopmentPotential struct{ Score int }
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		t.Fatalf("reply does not decode: %v", err)
	}
	if reply.MatchScore == nil || reply.OverallScore == nil || *reply.MatchScore != *reply.OverallScore {
		t.Errorf("scores = %v and %v, want two equal numbers", reply.MatchScore, reply.OverallScore)
	}
	if reply.Summary == "" || reply.DetailedAnalysis == "" || reply.RiskAssessment.OverallRisk == "" || len(reply.Strengths) == 0 {
		t.Errorf("reply lacks texts: %s", raw)
	}
	if len(reply.Comparison) != len(m.Requirements) {
		t.Fatalf("%d comparisons, want %d", len(reply.Comparison), len(m.Requirements))
	}
	for _, c := range reply.Comparison {
		if c.Confidence < 0 || c.Confidence > 100 || c.Requirement == "" || c.MatchLevel == "" {
			t.Errorf("comparison = %+v", c)
		}
		if c.MatchLevel != "missing" && c.ApplicantMatch == "" {
			t.Errorf("%q is %s without the applicant's words", c.Requirement, c.MatchLevel)
		}
	}
}

func TestReplyOfNothingHasNoNulls(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(matching.NewReply(domain.Candidate{}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "null") {
		t.Errorf("reply = %s, want empty lists", raw)
	}
}
