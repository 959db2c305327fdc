package matching

import (
	"strings"

	"generalbackend/internal/domain"
)

// Comparison is one verdict as both generations of clients read it.
type Comparison struct {
	Requirement    string `json:"requirement" example:"Three years of payroll experience"`
	ApplicantMatch string `json:"applicant_match" example:"Payroll Clerk, Riverside Mills"`
	Details        string `json:"details" example:"Ran the payroll for six years."`
	MatchLevel     string `json:"match_level" example:"full"` // "full", "partial", "missing"
	Confidence     int    `json:"confidence" example:"90"`    // 0 to 100
}

// Reply is a candidate's result under the names of both dialects. Lists are
// never null.
type Reply struct {
	MatchScore           int                         `json:"match_score" example:"83"`
	OverallScore         int                         `json:"overallScore" example:"83"`
	Summary              string                      `json:"summary" example:"Strong match for Payroll clerk: 83 of 100."`
	DetailedAnalysis     string                      `json:"detailedAnalysis" example:"Strong match for Payroll clerk: 83 of 100."`
	Strengths            []string                    `json:"strengths" example:"[\"Three years of payroll experience\"]"`
	Gaps                 []string                    `json:"gaps" example:"[\"Fluent German: only partly evidenced\"]"`
	Recommendations      []string                    `json:"recommendations" example:"[\"Talk it through in the interview: Fluent German\"]"`
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
