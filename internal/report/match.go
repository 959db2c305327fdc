package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/pdf"
)

// Subject is what a report is about.
type Subject struct {
	Match     domain.Match // ready, with its candidates
	Candidate int          // place in Match.Candidates, from 0
	Names     map[uuid.UUID]string
	Language  string // of the report: "de", else English
	Created   time.Time
}

// Match writes the report on one candidate of a match.
func Match(s Subject) ([]byte, error) {
	w := &writer{Subject: s, candidate: s.Match.Candidates[s.Candidate], words: wordingIn(s.Language)}
	options := pdf.Options{
		Size: pdf.A4, Margins: pdf.Margins{Top: 24, Bottom: 22, Inner: margin, Outer: margin},
		Title: w.words.kind + ": " + w.title() + " – " + w.person(w.candidate), Author: "General Backend",
		Language: cmp.Or(s.Language, "en"), Created: s.Created, Furniture: w.furniture,
	}
	return pdf.Render(options, func(d *pdf.Document) error {
		w.d = d
		w.cover()
		w.ranking()
		w.requirements()
		w.findings()
		w.prospects()
		return nil
	})
}

// writer lays out one report.
type writer struct {
	Subject
	candidate domain.Candidate
	words     wording
	d         *pdf.Document
}

// title of the position.
func (w *writer) title() string {
	if w.Match.JobTitle != "" {
		return w.Match.JobTitle
	}
	return w.named(w.Match.EmployerDocuments)
}

// person is how a candidate is called: as the documents are.
func (w *writer) person(c domain.Candidate) string {
	name := cmp.Or(w.named(c.Documents), c.Name)
	if extension := filepath.Ext(name); len(extension) > 1 && len(extension) <= 5 && !strings.ContainsAny(name, ",/") {
		name = strings.TrimSuffix(name, extension)
	}
	return strings.TrimSpace(strings.ReplaceAll(name, "_", " "))
}

func (w *writer) named(documents []uuid.UUID) string {
	var out []string
	for _, id := range documents {
		if name := w.Names[id]; name != "" {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// furniture is what every page carries.
func (w *writer) furniture(d *pdf.Document, page int) {
	size := d.Size()
	if page > 1 {
		d.Box(0, 0, size.Width, 3, accent)
		d.TextAt(margin, 11, d.Width(), clip(w.title()+" – "+w.person(w.candidate), 110), small)
		d.Rule(margin, 17, d.Width(), 0.2, rule)
	}
	y := size.Height - 14
	d.Rule(margin, y-2, d.Width(), 0.2, rule)
	d.TextAt(margin, y, d.Width()/2, w.words.kind+" · "+w.Created.Format(w.words.date), small)
	right := small
	right.Align = pdf.Right
	d.TextAt(margin, y, d.Width(), fmt.Sprintf(w.words.of, page, max(page, d.Total())), right)
}

func clip(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return strings.TrimSpace(string(runes[:limit-1])) + "…"
	}
	return text
}

// rows joins requirements and verdicts, must-haves first.
func (w *writer) rows(c domain.Candidate) []row {
	var out []row
	for i, r := range w.Match.Requirements {
		for _, v := range c.Verdicts {
			if v.RequirementID == r.ID {
				out = append(out, row{i + 1, r, v})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b row) int { return cmp.Compare(a.requirement.Kind, b.requirement.Kind) })
	return out
}

type row struct {
	number      int
	requirement domain.Requirement
	verdict     domain.Verdict
}

func count(rows []row, ok func(row) bool) int {
	n := 0
	for _, r := range rows {
		if ok(r) {
			n++
		}
	}
	return n
}

func atLevel(level domain.Level) func(row) bool {
	return func(r row) bool { return r.verdict.Level == level }
}

func isMust(r row) bool { return r.requirement.Kind == domain.RequirementMust }
