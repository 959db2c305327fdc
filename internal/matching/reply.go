package matching

import (
	"strings"

	"generalbackend/internal/domain"
)

// Comparison is one verdict as both generations of clients read it.
type Comparison struct {
	Requirement    string `json:"requirement"`
	ApplicantMatch string `json:"applicant_match"`
	Details        string `json:"details"`
	MatchLevel     string `json:"match_level"` // "full", "partial", "missing"
	Confidence     int    `json:"confidence"`  // 0 to 100
}

// Reply is a candidate's result under the names of both dialects. Lists are
// never null.
type Reply struct {
	MatchScore           int                         `json:"match_score"`
	OverallScore         int                         `json:"overallScore"`
	Summary              string                      `json:"summary"`
	DetailedAnalysis     string                      `json:"detailedAnalysis"`
	Strengths            []string                    `json:"strengths"`
	Gaps                 []string                    `json:"gaps"`
	Recommendations      []string                    `json:"recommendations"`
	Comparison           []Comparison                `json:"comparison"`
	RiskAssessment       domain.RiskAssessment       `json:"riskAssessment"`
	DevelopmentPotential domain.DevelopmentPotential `json:"developmentPotential"`
}

// NewReply puts a candidate's result into both dialects.
func NewReply(c domain.Candidate, reqs []domain.Requirement) Reply {
	r := Reply{
		MatchScore: c.Score, OverallScore: c.Score, Summary: c.Summary, DetailedAnalysis: c.Analysis,
		Strengths: list(c.Strengths), Gaps: list(c.Gaps), Recommendations: list(c.Recommendations),
		Comparison: compare(reqs, c.Verdicts), RiskAssessment: c.RiskAssessment, DevelopmentPotential: c.DevelopmentPotential,
	}
	r.RiskAssessment.Factors = list(r.RiskAssessment.Factors)
	r.RiskAssessment.MitigationStrategies = list(r.RiskAssessment.MitigationStrategies)
	r.DevelopmentPotential.Areas = list(r.DevelopmentPotential.Areas)
	r.DevelopmentPotential.Recommendations = list(r.DevelopmentPotential.Recommendations)
	return r
}

func compare(reqs []domain.Requirement, verdicts []domain.Verdict) []Comparison {
	out := []Comparison{}
	for _, row := range table(reqs, verdicts) {
		out = append(out, Comparison{
			Requirement: row.req.Text, ApplicantMatch: applicantMatch(row.verdict), Details: row.verdict.Reason,
			MatchLevel: string(row.verdict.Level), Confidence: percent(row.verdict.Confidence),
		})
	}
	return out
}

// applicantMatch is what the applicant's documents say: the verified quotes.
func applicantMatch(v domain.Verdict) string {
	var quotes []string
	for _, e := range v.Evidence {
		if e.Verified {
			quotes = append(quotes, strings.Join(strings.Fields(e.Quote), " "))
		}
	}
	return strings.Join(quotes, " … ")
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
