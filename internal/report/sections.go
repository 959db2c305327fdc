package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/pdf"
)

// heading begins a section and keeps follow millimetres with it.
func (w *writer) heading(text string, follow float64) {
	w.d.Space(6)
	w.d.Heading(text, section, text, 0, follow)
}

// ranking shows all candidates where there are several.
func (w *writer) ranking() {
	all := w.Match.Candidates
	if len(all) < 2 {
		return
	}
	w.heading(w.words.ranking, 20)
	widths := []float64{13, 58, 40, 63}
	top := w.header(widths, w.words.rank, w.words.name, w.words.score, w.words.open)
	top()
	for i, c := range all {
		style, fill := cell, (*pdf.Color)(nil)
		if i == w.Candidate {
			style.Bold, fill = true, &pale
		}
		score := style
		score.Color, score.Bold = colorOf(c.Score), true
		w.d.Row(widths, []pdf.Cell{
			{Text: strconv.Itoa(i + 1), Style: style, Fill: fill},
			{Text: w.person(c), Style: style, Fill: fill},
			{Text: strconv.Itoa(c.Score), Style: score, Fill: fill},
			{Text: w.openMusts(c), Style: cell, Fill: fill},
		}, 1.6, rule, top)
		w.barInRow(widths, c, style)
	}
}

// barInRow draws a candidate's bar beside the score of the row just written.
func (w *writer) barInRow(widths []float64, c domain.Candidate, name pdf.Style) {
	sum := 0.0
	for _, width := range widths {
		sum += width
	}
	unit := w.d.Width() / sum
	height := 3.2 + max(w.d.HeightOf(w.person(c), name, widths[1]*unit-3.2), w.d.HeightOf(w.openMusts(c), cell, widths[3]*unit-3.2))
	if y := w.d.Y() - height; y > 0 {
		w.bar(margin+(widths[0]+widths[1])*unit+11, y+2.3, widths[2]*unit-14, 2.2, c.Score)
	}
}

// openMusts are the must-haves a candidate does not evidence, by number.
func (w *writer) openMusts(c domain.Candidate) string {
	var out []string
	for _, r := range w.rows(c) {
		if isMust(r) && r.verdict.Level == domain.LevelMissing {
			out = append(out, strconv.Itoa(r.number))
		}
	}
	if len(out) == 0 {
		return w.words.none
	}
	return w.words.number + " " + strings.Join(out, ", ")
}

// header draws the head of a table, also on top of its next pages.
func (w *writer) header(widths []float64, names ...string) func() {
	cells := make([]pdf.Cell, len(names))
	for i, name := range names {
		cells[i] = pdf.Cell{Text: name, Style: head, Fill: &accent}
	}
	return func() { w.d.Row(widths, cells, 1.6, accent, nil) }
}

// requirements is the table of verdicts.
func (w *writer) requirements() {
	w.heading(w.words.requirements, 35)
	widths := []float64{11, 50, 30, 70, 13}
	top := w.header(widths, w.words.number, w.words.requirement, w.words.verdict, w.words.evidence, w.words.pages)
	top()
	for _, r := range w.rows(w.candidate) {
		words, fill := colorsOf(r.verdict.Level)
		level := cell
		level.Bold, level.Color = true, words
		w.d.Row(widths, []pdf.Cell{
			{Text: strconv.Itoa(r.number), Style: cell},
			{Text: r.requirement.Text + "\n(" + w.words.kinds[r.requirement.Kind] + ")", Style: cell},
			{Text: w.verdict(r.verdict), Style: level, Fill: &fill},
			{Text: w.evidence(r.verdict), Style: cell},
			{Text: w.pagesOf(r.verdict), Style: cell},
		}, 1.6, rule, top)
	}
}

func (w *writer) verdict(v domain.Verdict) string {
	lines := []string{w.words.levels[v.Level], strings.ReplaceAll(w.words.sure, "%d", strconv.Itoa(int(100*v.Confidence+0.5)))}
	if slices.Contains(v.Flags, domain.FlagRelated) {
		lines = append(lines, w.words.related)
	}
	return strings.Join(lines, "\n")
}

// evidence is the quotes, as they stand in the documents, and the reason.
func (w *writer) evidence(v domain.Verdict) string {
	var out []string
	for _, e := range v.Evidence {
		quote := w.words.quote + strings.Join(strings.Fields(e.Quote), " ") + w.words.unquote
		if !e.Verified {
			quote += " (" + w.words.unverified + ")"
		}
		out = append(out, quote)
	}
	if v.Reason != "" {
		out = append(out, v.Reason)
	}
	if len(out) == 0 {
		return w.words.none
	}
	return strings.Join(out, "\n")
}

func (w *writer) pagesOf(v domain.Verdict) string {
	var out []string
	for _, e := range v.Evidence {
		if page := fmt.Sprintf(w.words.page, e.Page); e.Verified && !slices.Contains(out, page) {
			out = append(out, page)
		}
	}
	if len(out) == 0 {
		return w.words.none
	}
	return strings.Join(out, "\n")
}

// findings are what speaks for and against the candidate, and what to do.
func (w *writer) findings() {
	w.list(w.words.strengths, w.candidate.Strengths)
	w.list(w.words.gaps, w.candidate.Gaps)
	w.list(w.words.recommendations, w.candidate.Recommendations)
}

// prospects are risk and development.
func (w *writer) prospects() {
	risk := w.candidate.RiskAssessment
	w.heading(w.words.risk+": "+w.words.risks[risk.OverallRisk], 20)
	w.points(w.words.factors, risk.Factors)
	w.points(w.words.mitigation, risk.MitigationStrategies)
	p := w.candidate.DevelopmentPotential
	w.heading(w.words.potential, 20)
	w.d.Text(fmt.Sprintf("%s: %d %s\n%s: %s", w.words.reachable, p.Score, w.words.score, w.words.timeline, p.Timeline), body)
	w.points(w.words.areas, p.Areas)
	w.points(w.words.advice, p.Recommendations)
}

func (w *writer) list(title string, items []string) {
	w.heading(title, 15)
	if len(items) == 0 {
		items = []string{w.words.nothing}
	}
	w.bullets(items)
}

func (w *writer) points(title string, items []string) {
	if len(items) == 0 {
		return
	}
	w.d.Heading(title, minor, "", 0, 10)
	w.bullets(items)
}

func (w *writer) bullets(items []string) {
	style := body
	style.After = 0
	for _, item := range items {
		w.d.Row([]float64{5, 169}, []pdf.Cell{{Text: "•", Style: style}, {Text: item, Style: style}}, 0.7, paper, nil)
	}
	w.d.Space(2)
}
