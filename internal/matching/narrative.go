package matching

import (
	"fmt"
	"slices"
	"strings"

	"generalbackend/internal/domain"
)

// Score bands shown to people.
const (
	strongFrom = 70
	mediumFrom = 40
)

const (
	maxPoints    = 8   // entries of a list people read
	requirementW = 140 // runes of a requirement in a sentence
)

// row is one line of the verdict table.
type row struct {
	req     domain.Requirement
	verdict domain.Verdict
}

// table joins requirements and verdicts, heaviest first.
func table(reqs []domain.Requirement, verdicts []domain.Verdict) []row {
	byID := map[string]domain.Verdict{}
	for _, v := range verdicts {
		byID[v.RequirementID] = v
	}
	var rows []row
	for _, r := range reqs {
		if v, ok := byID[r.ID]; ok {
			rows = append(rows, row{r, v})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		switch {
		case a.req.Weight > b.req.Weight:
			return -1
		case a.req.Weight < b.req.Weight:
			return 1
		}
		return 0
	})
	return rows
}

// Describe writes a candidate's texts from the verdict table by templates.
func Describe(c *domain.Candidate, posting domain.Posting, language string) {
	w, rows := wordingIn(language), table(posting.Requirements, c.Verdicts)
	c.Summary = w.summarize(posting.Title, c.Score, rows)
	c.Analysis = w.analyse(c.Summary, rows)
	c.Strengths = pick(rows, func(r row) string {
		if r.verdict.Level != domain.LevelFull {
			return ""
		}
		return r.short() + w.quoted(r.verdict)
	})
	c.Gaps = w.gaps(rows)
	c.Recommendations = w.advise(rows)
	c.RiskAssessment = w.risk(rows)
	c.DevelopmentPotential = w.potential(c.Score, rows)
}

func (r row) short() string { return shorten(r.req.Text, requirementW) }

func (w wording) quoted(v domain.Verdict) string {
	for _, e := range v.Evidence {
		if e.Verified {
			return fmt.Sprintf(" ("+w.quote+")", shorten(strings.Join(strings.Fields(e.Quote), " "), requirementW))
		}
	}
	return ""
}

// pick collects what say makes of the rows, without empties and repeats.
func pick(rows []row, say func(row) string) []string {
	out := []string{}
	for _, r := range rows {
		if s := say(r); s != "" && !slices.Contains(out, s) && len(out) < maxPoints {
			out = append(out, s)
		}
	}
	return out
}

func count(rows []row, level domain.Level) int {
	n := 0
	for _, r := range rows {
		if r.verdict.Level == level {
			n++
		}
	}
	return n
}

func (w wording) summarize(title string, score int, rows []row) string {
	band := w.weak
	switch {
	case score >= strongFrom:
		band = w.strong
	case score >= mediumFrom:
		band = w.medium
	}
	return fmt.Sprintf(w.summary, band, title, score, len(rows),
		count(rows, domain.LevelFull), count(rows, domain.LevelPartial), count(rows, domain.LevelMissing))
}

func (w wording) analyse(summary string, rows []row) string {
	parts := []string{summary}
	for _, kind := range []domain.RequirementKind{domain.RequirementMust, domain.RequirementNice} {
		head := w.analysisMust
		if kind == domain.RequirementNice {
			head = w.analysisNice
		}
		var lines []string
		for _, r := range rows {
			if r.req.Kind == kind {
				lines = append(lines, fmt.Sprintf("- %s: %s. %s", r.short(), w.levels[r.verdict.Level], r.verdict.Reason))
			}
		}
		if len(lines) > 0 {
			parts = append(parts, head+"\n"+strings.Join(lines, "\n"))
		}
	}
	if n := len(withFlag(rows, domain.FlagRelated)); n > 0 {
		parts = append(parts, fmt.Sprintf(w.analysisRelated, n))
	}
	return strings.Join(parts, "\n\n")
}

func withFlag(rows []row, flags ...domain.Flag) []row {
	var out []row
	for _, r := range rows {
		if slices.ContainsFunc(r.verdict.Flags, func(f domain.Flag) bool { return slices.Contains(flags, f) }) {
			out = append(out, r)
		}
	}
	return out
}

func (w wording) gaps(rows []row) []string {
	out := pick(rows, func(r row) string {
		if r.verdict.Level != domain.LevelMissing {
			return ""
		}
		return fmt.Sprintf(w.gapMissing, r.short())
	})
	partial := pick(rows, func(r row) string {
		if r.verdict.Level != domain.LevelPartial {
			return ""
		}
		return fmt.Sprintf(w.gapPartial, r.short())
	})
	return append(out, partial[:min(len(partial), maxPoints-len(out))]...)
}

func (w wording) advise(rows []row) []string {
	out := pick(rows, func(r row) string {
		switch {
		case r.verdict.Level == domain.LevelFull:
			return ""
		case r.req.Category == domain.CategoryLicence || r.req.Category == domain.CategoryEducation:
			return fmt.Sprintf(w.adviceProve, r.short())
		case r.verdict.Level == domain.LevelMissing:
			return fmt.Sprintf(w.adviceLearn, r.short())
		}
		return fmt.Sprintf(w.adviceInterview, r.short())
	})
	const enough = 5
	if len(out) == 0 {
		return []string{w.adviceNone}
	}
	return out[:min(len(out), enough)]
}

// risk grades by how much of what is required is not evidenced.
func (w wording) risk(rows []row) domain.RiskAssessment {
	must, missing := 0.0, 0.0
	for _, r := range rows {
		if r.req.Kind == domain.RequirementMust {
			must += r.req.Weight
			if r.verdict.Level == domain.LevelMissing {
				missing += r.req.Weight
			}
		}
	}
	out := domain.RiskAssessment{OverallRisk: riskLevel(must, missing), MitigationStrategies: []string{}}
	out.Factors = pick(rows, w.riskFactor)
	if len(out.Factors) == 0 {
		out.Factors = []string{w.riskNone}
		return out
	}
	out.MitigationStrategies = []string{w.mitigateInterview, w.mitigateProof}
	if missing > 0 {
		out.MitigationStrategies = append(out.MitigationStrategies, w.mitigateTraining)
	}
	return out
}

func riskLevel(must, missing float64) domain.RiskLevel {
	const low, high = 0.2, 0.5 // share of what is required
	switch {
	case must > 0 && missing/must >= high:
		return domain.RiskHigh
	case must > 0 && missing/must >= low:
		return domain.RiskMedium
	}
	return domain.RiskLow
}

func (w wording) riskFactor(r row) string {
	one := []row{r}
	switch {
	case r.req.Kind == domain.RequirementMust && r.verdict.Level == domain.LevelMissing:
		return fmt.Sprintf(w.riskMust, r.short())
	case len(withFlag(one, domain.FlagUnverifiedQuote, domain.FlagNoEvidence)) > 0:
		return fmt.Sprintf(w.riskUnverified, r.short())
	case r.req.Kind == domain.RequirementMust && len(withFlag(one, domain.FlagRelated)) > 0:
		return fmt.Sprintf(w.riskRelated, r.short())
	}
	return ""
}

// potential is how much of the open weight is already begun: what is partly
// there is learnt sooner than what is not there at all.
func (w wording) potential(score int, rows []row) domain.DevelopmentPotential {
	partial, missing := 0.0, 0.0
	for _, r := range rows {
		switch r.verdict.Level {
		case domain.LevelPartial:
			partial += r.req.Weight
		case domain.LevelMissing:
			missing += r.req.Weight
		}
	}
	out := domain.DevelopmentPotential{Score: score, Timeline: w.potentialFast}
	if open := partial + missing; open > 0 {
		out.Score = min(100, score+int(float64(100-score)*partial/open/2))
	}
	switch {
	case score < mediumFrom:
		out.Timeline = w.potentialSlow
	case score < strongFrom:
		out.Timeline = w.potentialMedium
	}
	out.Areas = pick(rows, func(r row) string {
		if r.verdict.Level == domain.LevelFull {
			return ""
		}
		return r.short()
	})
	out.Recommendations = pick(rows, func(r row) string {
		if r.verdict.Level != domain.LevelPartial {
			return ""
		}
		return fmt.Sprintf(w.potentialFor, r.short())
	})
	return out
}
