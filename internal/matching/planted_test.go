package matching_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction/archive"
	"generalbackend/internal/extraction/mupdf"
	"generalbackend/internal/extraction/ooxml"
	"generalbackend/internal/matching"
	"generalbackend/internal/pdf"
)

// fact is what a judge must find out about one requirement.
type fact struct {
	asked string // part of the requirement
	level domain.Level
	quote string // part of the evidence, as the document writes it
	page  int
}

// person is a made applicant whose facts are known.
type person struct {
	name, format string // format: "pdf", "docx" or "text"
	language     string
	posting      string
	pages        []string // a line with tabs is a row of a table
	plan         []fact
}

const (
	full    = domain.LevelFull
	partial = domain.LevelPartial
	missing = domain.LevelMissing
)

const engineerPosting = "Data Engineer\n\nRequirements\n- Five years of experience in Python development\n- Experience with PostgreSQL\n" +
	"- Knowledge of Kubernetes\n- Knowledge of Terraform\n- Bachelor degree in computer science\n- Fluent German\n- Driver's license\n\n" +
	"Nice to have\n- Experience with Kafka\n- Knowledge of Snowflake\n- Experience with Tableau\n"

const carePosting = "Pflegefachkraft (m/w/d)\n\nIhr Profil\n- Abgeschlossene Ausbildung zur Pflegefachkraft\n- Mindestens drei Jahre Berufserfahrung in der Altenpflege\n" +
	"- Erfahrung in der Wundversorgung\n- Kenntnisse in Palliativpflege\n- Führerschein Klasse B\n- Deutschkenntnisse auf Niveau C1\n- Sicherer Umgang mit Excel\n\n" +
	"Von Vorteil\n- Erfahrung als Praxisanleiter\n- Polnischkenntnisse\n"

const accountantPosting = "Senior Accountant\n\nRequirements\n- Ten years of accounting experience\n- Certified public accountant (CPA)\n- Experience with month end close\n" +
	"- Knowledge of SAP\n- Fluent French\n- Experience supervising a team\n"

func people() []person {
	return []person{
		{
			name: "engineer with seven years", format: "pdf", language: "en", posting: engineerPosting,
			pages: []string{
				"Data Engineer\nExperience\nData Engineer\n03/2016 - 12/2023 Northwind Analytics\nBuilt data pipelines in Python for seven years.\n" +
					"Designed and tuned PostgreSQL databases.\nNo experience with Kubernetes.\nWilling to learn Terraform.",
				"Education\nBachelor of Science in Computer Science, 2015\nLanguages\nEnglish (native), German (fluent)\nDriver's license class B\n" +
					"My colleague maintained Snowflake.\nOperated Apache Kafka clusters.",
			},
			plan: []fact{
				{"Python", full, "Python", 1},
				{"PostgreSQL", full, "PostgreSQL", 1},
				{"Kubernetes", missing, "", 0},
				{"Terraform", missing, "", 0},
				{"Bachelor", full, "Bachelor of Science in Computer Science", 2},
				{"German", full, "German (fluent)", 2},
				{"license", full, "Driver's license", 2},
				{"Kafka", full, "Apache Kafka", 2},
				{"Snowflake", missing, "", 0},
				{"Tableau", missing, "", 0},
			},
		},
		{
			name: "analyst with two years", format: "docx", language: "en", posting: engineerPosting,
			pages: []string{
				"Data Analyst\nExperience\nData Analyst\n01/2022 - 12/2023 Blue Harbor\nWrote reports in Python.\nSkill\tLevel\nTableau\texpert\nPostgreSQL\tgood",
				"Languages\nGerman: basic (A2)\nEducation\nHigh school diploma\nI do not hold a driver's license.\nI have never worked with Kafka.\nInterested in learning Kubernetes.",
			},
			plan: []fact{
				{"Python", partial, "Python", 1},
				{"PostgreSQL", full, "PostgreSQL", 1},
				{"Kubernetes", missing, "", 0},
				{"Terraform", missing, "", 0},
				{"Bachelor", missing, "", 0},
				{"German", partial, "German: basic", 2},
				{"license", missing, "", 0},
				{"Kafka", missing, "", 0},
				{"Snowflake", missing, "", 0},
				{"Tableau", full, "Tableau", 1},
			},
		},
		{
			name: "nurse", format: "pdf", language: "de", posting: carePosting,
			pages: []string{
				"Pflegefachfrau\nBerufserfahrung\n04/2017 – 03/2024\nPflegefachfrau in der Altenpflege, Haus Abendruh\n" +
					"Wundversorgung und Verbandswechsel bei 24 Bewohnern.\nNoch keine Erfahrung in der Palliativpflege.",
				"Ausbildung\n2014 – 2017 Ausbildung zur Pflegefachfrau, Examen\nSprachen: Deutsch (Muttersprache), Polnisch (Grundkenntnisse)\n" +
					"Führerschein Klasse B\nIch bin bereit, mich in Excel einzuarbeiten.\nPraxisanleiterin seit 2020",
			},
			plan: []fact{
				{"Ausbildung", full, "Ausbildung zur Pflegefachfrau", 2},
				{"drei Jahre", full, "Altenpflege", 1},
				{"Wundversorgung", full, "Wundversorgung", 1},
				{"Palliativ", missing, "", 0},
				{"Führerschein", full, "Führerschein Klasse B", 2},
				{"Deutsch", full, "Deutsch (Muttersprache)", 2},
				{"Excel", missing, "", 0},
				{"Praxisanleiter", full, "Praxisanleiterin", 2},
				{"Polnisch", partial, "Polnisch (Grundkenntnisse)", 2},
			},
		},
		{
			name: "kitchen help", format: "text", language: "de", posting: carePosting,
			pages: []string{
				"Küchenhilfe\nBerufserfahrung\n2019 – 2023 Küchenhilfe, Kantine am Hafen\nMeine Schwester arbeitet in der Altenpflege.\n" +
					"Kein Führerschein.\nDeutsch B1\nExcel: sehr gut\nOhne Kenntnisse in Polnisch.",
			},
			plan: []fact{
				{"Ausbildung", missing, "", 0},
				{"drei Jahre", missing, "", 0},
				{"Wundversorgung", missing, "", 0},
				{"Palliativ", missing, "", 0},
				{"Führerschein", missing, "", 0},
				{"Deutsch", partial, "Deutsch B1", 1},
				{"Excel", full, "Excel", 1},
				{"Praxisanleiter", missing, "", 0},
				{"Polnisch", missing, "", 0},
			},
		},
		{
			name: "accountant with four years", format: "text", language: "en", posting: accountantPosting,
			pages: []string{
				"Accountant\nExperience\nAccountant\n2018 to 2022 Harbor Goods\nClosed the books every month and reconciled the ledger.\n" +
					"Preparing for the CPA exam; not yet certified.\nMy supervisor was an expert in SAP.\nFrench: B2\nSupervised a team of four clerks.",
			},
			plan: []fact{
				{"Ten years", partial, "Accountant", 1},
				{"CPA", missing, "", 0},
				{"month end close", full, "Closed the books every month", 1},
				{"SAP", missing, "", 0},
				{"French", partial, "French: B2", 1},
				{"team", full, "Supervised a team", 1},
			},
		},
		{
			name: "German accountant for an English posting", format: "docx", language: "de", posting: accountantPosting,
			pages: []string{
				"Buchhalterin\nBerufserfahrung\n01/2008 – 12/2022 Buchhalterin, Werft am Kai\nMonatsabschluss und Jahresabschluss mit SAP.\nTeamleitung mit fünf Mitarbeitern.",
				"Sprachen\nFranzösisch\tverhandlungssicher",
			},
			plan: []fact{
				{"Ten years", full, "Buchhalterin", 1},
				{"CPA", missing, "", 0},
				{"month end close", full, "Monatsabschluss", 1},
				{"SAP", full, "SAP", 1},
				{"French", full, "Französisch", 2},
				{"team", full, "Teamleitung", 1},
			},
		},
		{
			name: "electrician", format: "pdf", language: "de",
			posting: "Elektroniker\n\nIhr Profil\n- Abgeschlossene Ausbildung als Elektroniker\n- Erfahrung mit SPS-Programmierung\n- Kenntnisse in KNX\n" +
				"- Englischkenntnisse\n- Führerschein Klasse B\n- Fünf Jahre Berufserfahrung in der Instandhaltung\n",
			pages: []string{
				"Elektroniker für Betriebstechnik\nBerufserfahrung\n2014 – 2016 Instandhaltung im Stahlwerk Nord\nSPS-Programmierung von Förderanlagen\n" +
					"Mit KNX habe ich bisher nicht gearbeitet.",
				"2010 – 2014 Ausbildung zum Elektroniker\nEnglisch: Grundkenntnisse\nFührerschein: nein",
			},
			plan: []fact{
				{"Ausbildung", full, "Ausbildung zum Elektroniker", 2},
				{"SPS", full, "SPS-Programmierung", 1},
				{"KNX", missing, "", 0},
				{"Englisch", partial, "Englisch: Grundkenntnisse", 2},
				{"Führerschein", missing, "", 0},
				{"Fünf Jahre", partial, "Instandhaltung", 1},
			},
		},
		{
			name: "seller", format: "text", language: "en",
			posting: "Sales Manager\n\nRequirements\n- Experience in key account management\n- Knowledge of Salesforce\n- Fluent Spanish\n" +
				"- Bachelor degree in business administration\n- Forklift license\n",
			pages: []string{
				"Sales Representative\nExperience\n2012 - 2022 Sales Representative, Pier Nine Trading\nManaged key accounts worth 4 million a year.\n" +
					"I know HubSpot; Salesforce is new to me.\nSpanish (conversational, A2)\nBachelor of Business Administration, 2011\nHolds no forklift license.",
			},
			plan: []fact{
				{"key account", full, "key accounts", 1},
				{"Salesforce", missing, "", 0},
				{"Spanish", partial, "Spanish", 1},
				{"Bachelor", full, "Bachelor of Business Administration", 1},
				{"Forklift", missing, "", 0},
			},
		},
	}
}

// read makes the document and reads it back as the product does.
func (p person) read(t *testing.T) []string {
	t.Helper()
	switch p.format {
	case "pdf":
		return pagesOfPDF(t, p.pdf(t))
	case "docx":
		a, err := archive.Open(p.docx(t), archive.Limits{Entries: 10, Bytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := ooxml.Read(a, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return doc.Pages
	}
	return p.pages
}

func (p person) pdf(t *testing.T) []byte {
	t.Helper()
	data, err := pdf.Render(pdf.Options{Size: pdf.A4, Margins: pdf.Margins{Top: 20, Bottom: 20, Inner: 20, Outer: 20}}, func(d *pdf.Document) error {
		for _, page := range p.pages {
			d.NewPage()
			d.Text(page, pdf.Style{})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func pagesOfPDF(t *testing.T, data []byte) (pages []string) {
	t.Helper()
	doc, err := mupdf.Open(data, ".pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Close()
	n, err := doc.Pages()
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		text, damaged, err := doc.Text(i)
		if err != nil || damaged {
			t.Fatalf("page %d: %v", i+1, err)
		}
		pages = append(pages, text)
	}
	return pages
}

func (p person) docx(t *testing.T) []byte {
	t.Helper()
	var body strings.Builder
	for i, page := range p.pages {
		if i > 0 {
			body.WriteString(`<w:p><w:r><w:br w:type="page"/></w:r></w:p>`)
		}
		for line := range strings.Lines(page) {
			cells := strings.Split(html.EscapeString(strings.TrimSpace(line)), "\t")
			if len(cells) == 1 {
				fmt.Fprintf(&body, `<w:p><w:r><w:t>%s</w:t></w:r></w:p>`, cells[0])
				continue
			}
			body.WriteString(`<w:tbl><w:tr>`)
			for _, cell := range cells {
				fmt.Fprintf(&body, `<w:tc><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:tc>`, cell)
			}
			body.WriteString(`</w:tr></w:tbl>`)
		}
	}
	const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range [][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="` + office + `/officeDocument" Target="word/document.xml"/></Relationships>`},
		{"word/document.xml", `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>` + body.String() + `</w:body></w:document>`},
	} {
		w, err := z.Create(f[0])
		if err == nil {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// judged runs the worker over a person's documents.
func (p person) judged(t *testing.T, by *model, pages []string) domain.Match {
	t.Helper()
	store := newMemory()
	store.match = domain.Match{
		ID: uuid.New(), UserID: uuid.New(), Provider: by.name, Language: p.language, CreatedAt: now(),
		EmployerDocuments:  []uuid.UUID{store.add("posting.txt", p.posting)},
		ApplicantDocuments: []uuid.UUID{store.add("cv."+p.format, pages...)},
	}
	if err := work(t, store, by, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	return store.last(t)
}

// tally counts verdicts against the plan.
type tally struct{ all, exact, claimed, rightly, due, found, quoted int }

func (c *tally) add(t *testing.T, p person, m domain.Match) {
	t.Helper()
	for _, f := range p.plan {
		v := find(t, domain.Posting{Requirements: m.Requirements}, m.Candidates[0].Verdicts, f.asked)
		c.all++
		if v.Level == f.level {
			c.exact++
		} else {
			t.Logf("%s: %s is %s, planned %s (%s): %+v", p.name, f.asked, v.Level, f.level, v.Reason, v.Evidence)
		}
		claimed, due := v.Level != missing, f.level != missing
		c.claimed, c.due = c.claimed+count(claimed), c.due+count(due)
		if !claimed || !due {
			continue
		}
		c.rightly, c.found = c.rightly+1, c.found+1
		quoted := false
		for _, e := range v.Evidence {
			text := strings.Join(strings.Fields(e.Quote), " ")
			quoted = quoted || e.Verified && e.Page == f.page && strings.Contains(strings.ReplaceAll(text, "’", "'"), f.quote)
		}
		c.quoted += count(quoted)
		if !quoted {
			t.Logf("%s: %s is evidenced by %+v, planned page %d with %q", p.name, f.asked, v.Evidence, f.page, f.quote)
		}
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (c *tally) check(t *testing.T, precision, recall, exact, quoted float64) {
	t.Helper()
	got := [4]float64{
		float64(c.rightly) / float64(c.claimed), float64(c.found) / float64(c.due),
		float64(c.exact) / float64(c.all), float64(c.quoted) / float64(c.rightly),
	}
	t.Logf("%d planted facts: precision %.3f, recall %.3f, exact level %.3f, planned quote and page %.3f", c.all, got[0], got[1], got[2], got[3])
	for i, floor := range []float64{precision, recall, exact, quoted} {
		if got[i] < floor {
			t.Errorf("%s is %.3f, want at least %.3f", []string{"precision", "recall", "exactness", "the share of planned quotes"}[i], got[i], floor)
		}
	}
}

// TestEvalPlantedFactsWithRules holds the judge without a model against the plan.
func TestEvalPlantedFactsWithRules(t *testing.T) {
	t.Parallel()
	var c tally
	for _, p := range people() {
		c.add(t, p, p.judged(t, offline(), p.read(t)))
	}
	c.check(t, 0.97, 0.97, 0.95, 0.97)
}

// TestEvalPlantedFactsWithAModel that knows the plan: what it says comes through
// whole, with quotes found on their pages.
func TestEvalPlantedFactsWithAModel(t *testing.T) {
	t.Parallel()
	var c tally
	for _, p := range people() {
		c.add(t, p, p.judged(t, p.faithful(), p.read(t)))
	}
	c.check(t, 1, 1, 1, 1)
}

// faithful is a model that answers by the plan, with quotes in other typography.
func (p person) faithful() *model {
	return &model{
		name: "ollama", describe: same(describeBaker),
		read: func(string) string { return p.requirements() },
		verdicts: func(user string) string {
			table := map[string]said{}
			for _, line := range askedLines(user) {
				table[line[0]] = p.answer(line[1])
			}
			return verdictsFor(user, table)
		},
	}
}

func (p person) answer(asked string) said {
	for _, f := range p.plan {
		if strings.Contains(asked, f.asked) {
			quote := strings.ReplaceAll(strings.ReplaceAll(f.quote, "'", "’"), " ", "\u00a0 ")
			return said{Level: string(f.level), Confidence: 90, Quote: quote, Reason: "As planned."}
		}
	}
	return said{Level: "missing", Confidence: 90, Reason: "Not planned."}
}

// askedLines are the ids and texts of the requirements asked for.
func askedLines(user string) (lines [][2]string) {
	for line := range strings.Lines(user) {
		if id := askedID.FindString(line); id != "" {
			lines = append(lines, [2]string{strings.TrimSuffix(id, ": "), strings.TrimSpace(strings.TrimPrefix(line, id))})
		}
	}
	return lines
}

// requirements is what a model reads from the posting.
func (p person) requirements() string {
	type requirement struct {
		Text     string `json:"text"`
		Kind     string `json:"kind"`
		Category string `json:"category"`
	}
	var out []requirement
	kind := "must"
	for line := range strings.Lines(p.posting) {
		if strings.HasPrefix(line, "Nice") || strings.HasPrefix(line, "Von Vorteil") {
			kind = "nice"
		}
		if text, ok := strings.CutPrefix(line, "- "); ok {
			out = append(out, requirement{strings.TrimSpace(text), kind, "skill"})
		}
	}
	raw, err := json.Marshal(map[string]any{"title": "", "requirements": out})
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
