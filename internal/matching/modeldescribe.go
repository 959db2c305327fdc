package matching

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"generalbackend/internal/domain"
)

type describeAnswer struct {
	Summary                    string   `json:"summary"`
	Strengths                  []string `json:"strengths"`
	Gaps                       []string `json:"gaps"`
	Recommendations            []string `json:"recommendations"`
	RiskFactors                []string `json:"risk_factors"`
	MitigationStrategies       []string `json:"mitigation_strategies"`
	DevelopmentAreas           []string `json:"development_areas"`
	Timeline                   string   `json:"timeline"`
	DevelopmentRecommendations []string `json:"development_recommendations"`
}

// describe has the model write the texts from the verdict table alone. Grades
// and numbers stay those of the templates, and so do the texts when the model's
// answer is unusable: the verdicts are worth keeping, and the flag says so.
func (j *modelJudge) describe(ctx context.Context, c *domain.Candidate, posting domain.Posting, language string) error {
	Describe(c, posting, language)
	table := verdictTable(posting, c.Verdicts, textBudget(j.context))
	var answer describeAnswer
	err := j.ask(ctx, fmt.Sprintf(systemDescribe, languageName(language)), fence("TABLE", table), json.RawMessage(schemaDescribe), &answer)
	switch {
	case err != nil && !unusable(err):
		return err
	case err != nil || strings.TrimSpace(answer.Summary) == "":
		c.Flags = append(c.Flags, domain.FlagTemplateText)
		return nil
	}
	answer.writeTo(c)
	return nil
}

// unusable tells answers that will not get better from failures time can mend.
func unusable(err error) bool {
	switch domain.CodeOf(err) {
	case domain.CodeModelMalformed, domain.CodeModelRefused, domain.CodeContextTooLong:
		return true
	}
	return false
}

func (a describeAnswer) writeTo(c *domain.Candidate) {
	c.Summary = strings.TrimSpace(a.Summary)
	c.Strengths, c.Gaps = sentences(a.Strengths), sentences(a.Gaps)
	c.Recommendations = sentences(a.Recommendations)
	c.RiskAssessment.Factors = sentences(a.RiskFactors)
	c.RiskAssessment.MitigationStrategies = sentences(a.MitigationStrategies)
	c.DevelopmentPotential.Areas = sentences(a.DevelopmentAreas)
	c.DevelopmentPotential.Recommendations = sentences(a.DevelopmentRecommendations)
	if t := strings.TrimSpace(a.Timeline); t != "" {
		c.DevelopmentPotential.Timeline = t
	}
}

func sentences(list []string) []string {
	out := []string{}
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) && len(out) < maxPoints {
			out = append(out, s)
		}
	}
	return out
}

// verdictTable writes one line per verdict; in long tables the lines get
// shorter, none is left out.
func verdictTable(posting domain.Posting, verdicts []domain.Verdict, limit int) string {
	rows := table(posting.Requirements, verdicts)
	const fixed, least = 60, 40
	width := max(least, limit/max(1, len(rows))-fixed)
	var b strings.Builder
	fmt.Fprintf(&b, "Position: %s\n", posting.Title)
	for _, r := range rows {
		text := shorten(strings.Join(strings.Fields(r.req.Text), " "), min(width*2/3, 300))
		reason := shorten(strings.Join(strings.Fields(r.verdict.Reason), " "), min(width/3, 200))
		fmt.Fprintf(&b, "- %s, %s, confidence %d: %s | %s\n", r.req.Kind, r.verdict.Level, percent(r.verdict.Confidence), text, reason)
	}
	return b.String()
}
