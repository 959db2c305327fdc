package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction/mupdf"
	"generalbackend/internal/report"
)

func created() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

// subject is a match of n requirements and as many candidates as asked for.
func subject(n, candidates int, language string) report.Subject {
	s := report.Subject{
		Match: domain.Match{
			JobTitle: "Lohnbuchhalter", EmployerDocuments: []uuid.UUID{{1}}, State: domain.MatchReady, Language: language,
			Provider: "ollama", Model: "llama3.2", Judge: domain.JudgeLLM, UpdatedAt: created(),
		},
		Names: map[uuid.UUID]string{{1}: "stellenanzeige.pdf"}, Language: language, Created: created(),
	}
	for i := range n {
		r := domain.Requirement{
			ID: fmt.Sprintf("r%d", i+1), Weight: 1, Category: domain.CategorySkill, Kind: domain.RequirementMust,
			Text: fmt.Sprintf("Kenntnisse im Bereich %d, sicher angewandt in der täglichen Arbeit", i+1),
		}
		if i%3 == 2 {
			r.Kind = domain.RequirementNice
		}
		s.Match.Requirements = append(s.Match.Requirements, r)
	}
	for i := range candidates {
		document := uuid.UUID{2, byte(i)}
		s.Names[document] = fmt.Sprintf("Lebenslauf_Bewerbung_%02d.pdf", i+1)
		s.Match.ApplicantDocuments = append(s.Match.ApplicantDocuments, document)
		s.Match.Candidates = append(s.Match.Candidates, candidate(s.Match.Requirements, document, 93-i*7))
	}
	return s
}

func candidate(reqs []domain.Requirement, document uuid.UUID, score int) domain.Candidate {
	c := domain.Candidate{
		Documents: []uuid.UUID{document}, Score: max(score, 0), JudgedAt: created(),
		JudgedBy:        []domain.Judged{{Provider: "ollama", Model: "llama3.2"}},
		Summary:         "Übereinstimmung in fast allen Punkten: Größe, Maß und Genauigkeit überzeugen. Offen bleibt die Führungserfahrung.",
		Strengths:       []string{"Lohnabrechnung für 280 Beschäftigte („jeden Monat pünktlich“)", "Sicherer Umgang mit DATEV"},
		Gaps:            []string{"Führung eines Teams: nicht belegt"},
		Recommendations: []string{"Zum Gespräch einladen", "Zeugnisse anfordern"},
		RiskAssessment: domain.RiskAssessment{
			OverallRisk: domain.RiskMedium, Factors: []string{"Gefordert, aber nicht belegt: Führung"}, MitigationStrategies: []string{"Im Gespräch klären"},
		},
		DevelopmentPotential: domain.DevelopmentPotential{Score: 95, Areas: []string{"Führung"}, Timeline: "6 bis 12 Monate", Recommendations: []string{"Mentoring"}},
	}
	for i, r := range reqs {
		v := domain.Verdict{RequirementID: r.ID, Confidence: 0.8, Reason: fmt.Sprintf("Begründung %d nennt die Stelle.", i+1)}
		switch i % 4 {
		case 0, 1:
			v.Level = domain.LevelFull
		case 2:
			v.Level = domain.LevelPartial
		case 3:
			v.Level = domain.LevelMissing
		}
		if v.Level != domain.LevelMissing {
			v.Evidence = []domain.Evidence{{DocumentID: document, Page: i%3 + 1, Verified: true, Quote: fmt.Sprintf("Zitat %d: führte die Löhne für Grün & Söhne", i+1)}}
		}
		c.Verdicts = append(c.Verdicts, v)
	}
	return c
}

// render writes a report and reads its pages back. With KEEP_PDF set to a
// directory, it is kept there to be looked at.
func render(t *testing.T, s report.Subject) []string {
	t.Helper()
	data, err := report.Match(s)
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("KEEP_PDF"); dir != "" {
		name := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	doc, err := mupdf.Open(data, ".pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Close()
	count, err := doc.Pages()
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for n := range count {
		text, damaged, err := doc.Text(n)
		if err != nil || damaged {
			t.Fatalf("page %d: %v, damaged %v", n+1, err, damaged)
		}
		pages = append(pages, text)
	}
	return pages
}

// squeeze drops white space, which line breaks add.
func squeeze(text string) string { return strings.Join(strings.Fields(text), "") }

func wantAll(t *testing.T, pages []string, texts ...string) {
	t.Helper()
	all := squeeze(strings.Join(pages, ""))
	for _, text := range texts {
		if !strings.Contains(all, squeeze(text)) {
			t.Errorf("the report does not say %q", text)
		}
	}
}

// everything a report on a subject must say.
func everything(s report.Subject) []string {
	c := s.Match.Candidates[s.Candidate]
	out := []string{c.Summary}
	for _, r := range s.Match.Requirements {
		out = append(out, r.Text)
	}
	for _, v := range c.Verdicts {
		out = append(out, v.Reason)
		for _, e := range v.Evidence {
			out = append(out, e.Quote)
		}
	}
	for _, list := range [][]string{
		c.Strengths, c.Gaps, c.Recommendations, c.RiskAssessment.Factors, c.RiskAssessment.MitigationStrategies,
		c.DevelopmentPotential.Areas, c.DevelopmentPotential.Recommendations,
	} {
		out = append(out, list...)
	}
	return out
}

func TestReportSaysEverything(t *testing.T) {
	t.Parallel()
	for language, words := range map[string][]string{
		"de": {
			"BEWERBERBEWERTUNG", "Erfüllt", "Teilweise erfüllt", "Nicht belegt", "S. 2", "Stärken", "Lücken", "Empfehlungen", "Risiko: mittel",
			"Entwicklungspotenzial", "Alle 3 Zitate", "ollama · llama3.2 (04.05.2026)", "80 % sicher", "Muss", "Wunsch", "stellenanzeige.pdf",
		},
		"en": {
			"CANDIDATE ASSESSMENT", "Met", "Partly met", "Not evidenced", "p. 2", "Strengths", "Gaps", "Recommendations", "Risk: medium",
			"Development potential", "All 3 quotes", "ollama · llama3.2 (4 May 2026)", "80 % sure", "Must", "Nice to have",
		},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := subject(4, 1, language)
			pages := render(t, s)
			wantAll(t, pages, append(everything(s), words...)...)
			if all := strings.Join(pages, ""); strings.Contains(all, "%!") || strings.Contains(all, "□") {
				t.Errorf("a sentence is broken: %s", all)
			}
		})
	}
}

// TestReportOfSixtyRequirements: the head of the table is on each of its pages
// and no row is torn.
func TestReportOfSixtyRequirements(t *testing.T) {
	t.Parallel()
	s := subject(60, 1, "de")
	pages := render(t, s)
	wantAll(t, pages, everything(s)...)
	for i, r := range s.Match.Requirements {
		torn := true
		for _, page := range pages {
			if strings.Contains(squeeze(page), squeeze(r.Text)) && strings.Contains(squeeze(page), squeeze(fmt.Sprintf("Begründung %d nennt die Stelle.", i+1))) {
				torn = false
				if !strings.Contains(page, "Zitat und Begründung") {
					t.Errorf("the page of requirement %d has no head of the table", i+1)
				}
			}
		}
		if torn {
			t.Errorf("the row of requirement %d is torn", i+1)
		}
	}
	for i, page := range pages {
		if want := fmt.Sprintf("Seite %d von %d", i+1, len(pages)); !strings.Contains(page, want) {
			t.Errorf("page %d does not say %q", i+1, want)
		}
	}
}

// TestReportOfLongTexts: long words are broken, a row longer than a page goes
// on, nothing is lost.
func TestReportOfLongTexts(t *testing.T) {
	t.Parallel()
	s := subject(3, 1, "de")
	word := strings.Repeat("Donaudampfschifffahrtsgesellschaftskapitänsmütze", 6)
	var parts []string
	many := func(what string, n int) string {
		var b strings.Builder
		for i := range n {
			part := fmt.Sprintf("%s-%03d-Öl", what, i)
			parts = append(parts, part)
			b.WriteString(part + " und so fort über Maß und Ziel. ")
		}
		return b.String()
	}
	c := &s.Match.Candidates[0]
	s.Match.JobTitle = "Stellvertretende Leitung der Abteilung für " + word
	s.Match.Requirements[0].Text = word
	s.Match.Requirements[1].Text = many("Anforderung", 90)
	c.Verdicts[1].Evidence[0].Quote = many("Zitat", 120)
	c.Summary = many("Satz", 80)
	c.Gaps = []string{many("Lücke", 120)}
	wantAll(t, render(t, s), append(parts, word, c.Verdicts[2].Reason)...)
}

// TestReportRanksSeveral, marks what could not be verified and names masks and
// stability.
func TestReportRanksSeveral(t *testing.T) {
	t.Parallel()
	s := subject(12, 14, "de")
	s.Candidate, s.Match.Masked, s.Match.Stability = 1, true, 3
	c := &s.Match.Candidates[1]
	c.Masks = []domain.Mask{{Kind: domain.MaskName, Count: 2}, {Kind: domain.MaskEmail, Count: 1}}
	c.Verdicts[0].Evidence = []domain.Evidence{{Quote: "Steht nirgends"}}
	c.Verdicts[0].Flags = []domain.Flag{domain.FlagUnverifiedQuote, domain.FlagDowngraded}
	c.Verdicts[1].Flags = []domain.Flag{domain.FlagRelated}
	c.Flags = []domain.Flag{domain.FlagInstructions, domain.FlagOtherModel}
	c.Stability = &domain.Stability{
		Scores: []int{80, 86, 89}, Mean: 85, Min: 80, Max: 89, Deviation: 3.7, Agreement: 0.95,
		Requirements: []domain.Agreement{{RequirementID: "r1", Flips: true}},
	}
	wantAll(t, render(t, s), append(everything(s), "Rangfolge", "Lebenslauf Bewerbung 14", "Nr. 4, 8", "8 von 9 Zitaten", "in den Unterlagen nicht gefunden",
		"Namen, E-Mail-Adressen", "3 Bewertungen: Mittel 85,0, von 80 bis 89, Standardabweichung 3,7. 95 % Übereinstimmung", "Nr. 1",
		"beruht auf verwandter Arbeit", "an die bewertende Stelle", "Ein anderer Anbieter")...)
}

// TestReportOfAnything: names and texts of any script make a report.
func TestReportOfAnything(t *testing.T) {
	t.Parallel()
	s := subject(2, 2, "fr")
	s.Match.JobTitle, s.Names = "Инженер Łódź Ωμέγα 日本", nil
	s.Match.Candidates[0].Name = "ملف.pdf"
	s.Match.Candidates[0].Summary = ""
	s.Match.Candidates[0].Strengths, s.Match.Candidates[0].Gaps = nil, nil
	wantAll(t, render(t, s), "Инженер Łódź Ωμέγα", "None.")
}
