package matching_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/matching"
)

// secrets of a made CV: none of them may be seen by a judge.
type maskedCV struct {
	filename string
	text     string
	secrets  []string // no part of what the judge sees
	kept     []string // still there
	kinds    []domain.MaskKind
}

func maskedCVs() map[string]maskedCV {
	return map[string]maskedCV{
		"german": {
			filename: "Lebenslauf_Änne_Großmüller.pdf",
			text: "Lebenslauf\n\nÄnne Großmüller\nLindenstraße 12a\n80331 München\nTel.: +49 (0)89 / 123 456-78\nMobil: 0171 2345678\n" +
				"E-Mail: aenne.grossmueller@beispiel.example\nhttps://www.linkedin.com/in/aenne-grossmueller-4711\n\n" +
				"Persönliche Daten\nGeburtsdatum: 12.03.1985, Geburtsort: Görlitz\nFamilienstand: verheiratet, zwei Kinder\n" +
				"Staatsangehörigkeit: deutsch\nKonfession: evangelisch\nGeschlecht: weiblich\nBewerbungsfoto\n\n" +
				"Berufserfahrung\n04/2012 – 12/2019 Buchhalterin, Mühlenwerke GmbH, Dresden\nFrau Großmüller buchte 1.200.000 Euro im Jahr.\n" +
				"Grossmuellers Abschlüsse waren pünktlich; GROSSMÜLLER prüfte sie.\n2015 - 2019 Leitung von 4 Mitarbeitern\n\n" +
				"Kenntnisse: SAP, DATEV, Node.js, ASP.NET\n\nMit freundlichen Grüßen\n\nÄnne Großmüller\n",
			secrets: []string{
				"änne", "aenne", "großmüller", "grossmueller", "grossmüller", "lindenstraße", "80331", "123 456", "2345678", "@", "beispiel.example",
				"linkedin", "12.03.1985", "görlitz", "verheiratet", "kinder", "staatsangehörigkeit: deutsch", "evangelisch", "weiblich", "bewerbungsfoto", "frau",
			},
			kept: []string{
				"Buchhalterin", "Mühlenwerke GmbH", "04/2012 – 12/2019", "1.200.000 Euro", "2015 - 2019", "SAP, DATEV, Node.js, ASP.NET", "Leitung von 4 Mitarbeitern",
			},
			kinds: []domain.MaskKind{
				domain.MaskAddress, domain.MaskBirth, domain.MaskEmail, domain.MaskGender, domain.MaskMarital, domain.MaskName,
				domain.MaskNationality, domain.MaskPhone, domain.MaskPhoto, domain.MaskReligion, domain.MaskSocial,
			},
		},
		"english": {
			filename: "resume.docx",
			text: "Jonathan P. O'Sullivan, MBA\n742 Evergreen Terrace, Springfield, IL 62704 | (217) 555-0113 | jp.osullivan@mail.example\n" +
				"Portfolio: www.osullivan-builds.example | GitHub: jposullivan\nDate of birth: March 4, 1990\nNationality: Irish\nMarital status: Single\nGender: male\n[Photo]\n\n" +
				"Experience\nSoftware Engineer, Acme Corp, Boston, MA\nJan 2015 to Present\nO'Sullivan led a team of 5 in Go and Kubernetes.\n" +
				"Reported to Mrs. Abernathy and to Peter Schmidt.\nWorked with the Robert Bosch GmbH.\nSkills: C#, C++, Photo editing, 2012-2014 PHP\n",
			secrets: []string{
				"jonathan", "sullivan", "evergreen", "62704", "555-0113", "@mail", "mail.example", "www.", "jposullivan", "march 4", "1990", "irish", "single",
				"male", "abernathy", "peter schmidt",
			},
			kept: []string{"Software Engineer, Acme Corp, Boston, MA", "Jan 2015 to Present", "team of 5 in Go and Kubernetes", "Robert Bosch GmbH", "C#, C++, Photo editing, 2012-2014 PHP"},
			kinds: []domain.MaskKind{
				domain.MaskAddress, domain.MaskBirth, domain.MaskEmail, domain.MaskGender, domain.MaskLink, domain.MaskMarital, domain.MaskName,
				domain.MaskNationality, domain.MaskPhone, domain.MaskPhoto, domain.MaskSocial,
			},
		},
		"name that is a trade": {
			filename: "Bewerbung Anna Koch.pdf",
			text:     "Anna Koch\nanna.koch@beispiel.example\n\nBerufserfahrung\n2010 - 2018 Koch im Hotel Adler\nAls Koch für 40 Gäste gearbeitet.\nAnna Koch leitete die Küche.\n",
			secrets:  []string{"anna", "anna koch", "leitete die küche anna"},
			kept:     []string{"Koch im Hotel Adler", "Als Koch für 40 Gäste"},
			kinds:    []domain.MaskKind{domain.MaskEmail, domain.MaskName},
		},
		"name in no list": {
			filename: "scan0001.pdf",
			text:     "Xhevahire Qorraj-Zymberi\nProgrammiererin\nxq.zymberi (at) beispiel (punkt) example\n0351/4711-08\n\nProjekte\nQorraj schrieb eine Suche in Go.\n",
			secrets:  []string{"xhevahire", "qorraj", "zymberi", "4711"},
			kept:     []string{"Programmiererin", "schrieb eine Suche in Go"},
			kinds:    []domain.MaskKind{domain.MaskEmail, domain.MaskName, domain.MaskPhone},
		},
		"spaced capitals, table": {
			filename: "cv.pdf",
			text:     "C U R R I C U L U M  V I T A E\nM A R T H A  W E I N G A R T\nGeburtsdatum\n1. Mai 1979\nNationalität\tösterreichisch\nName:\tWeingart\n\nErfahrung\nWeingart & Partner: Buchhaltung seit 2001\nmartha weingart\n",
			secrets:  []string{"w e i n g a r t", "weingart &", "mai 1979", "österreichisch"},
			kept:     []string{"Buchhaltung seit 2001"},
			kinds:    []domain.MaskKind{domain.MaskBirth, domain.MaskName, domain.MaskNationality},
		},
		"job title in the head": {
			filename: "10182582.pdf",
			text:     "ACCOUNTANT\nSummary\nGrace Manager of accounts with Art Director duties. Mark Sheets filed. Will Lead.\nExperience\nJanuary 2010 to May 2014\nCompany Name: City, State\nPrepared 1099 forms, 401(k) and 12/2012 ledgers; budget of $1,200,000.00.\n",
			secrets:  nil,
			kept:     []string{"ACCOUNTANT", "Grace Manager", "Art Director", "Mark Sheets", "Will Lead", "January 2010 to May 2014", "City, State", "1099 forms, 401(k) and 12/2012", "$1,200,000.00"},
			kinds:    nil,
		},
	}
}

// TestMaskingHidesWhoTheApplicantIs: every request that reaches the model is
// searched for the planted traits.
func TestMaskingHidesWhoTheApplicantIs(t *testing.T) {
	t.Parallel()
	for name, cv := range maskedCVs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, asked := bakery(cv.text), baker()
			id := store.match.ApplicantDocuments[0]
			doc := store.documents[id]
			doc.Filename, doc.Title = cv.filename, strings.TrimSuffix(cv.filename, ".pdf")
			store.documents[id], store.match.Masked = doc, true
			if err := work(t, store, asked, matching.Options{}); err != nil {
				t.Fatal(err)
			}
			seen := asked.everything()
			for _, secret := range cv.secrets {
				if strings.Contains(strings.ToLower(seen), secret) {
					t.Errorf("the model sees %q in\n%s", secret, asked.shown(t))
				}
			}
			for _, kept := range cv.kept {
				if !strings.Contains(seen, kept) {
					t.Errorf("the model does not see %q in\n%s", kept, asked.shown(t))
				}
			}
			var kinds []domain.MaskKind
			for _, m := range store.last(t).Candidates[0].Masks {
				kinds = append(kinds, m.Kind)
			}
			if strings.Join(strs(kinds), " ") != strings.Join(strs(cv.kinds), " ") {
				t.Errorf("masked %v, want %v in\n%s", kinds, cv.kinds, asked.shown(t))
			}
		})
	}
}

func strs[T ~string](list []T) (out []string) {
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

// everything the model was sent.
func (m *model) everything() string {
	var b strings.Builder
	for _, r := range m.requests {
		for _, message := range r.Messages {
			b.WriteString(message.Content + "\n")
		}
	}
	return b.String()
}

// shown is the applicant's text as the model saw it.
func (m *model) shown(t *testing.T) string {
	t.Helper()
	for _, r := range m.requests {
		if _, text, ok := strings.Cut(r.Messages[1].Content, "<<<APPLICANT"); ok {
			return text
		}
	}
	t.Fatal("the model saw no applicant")
	return ""
}

// TestMaskedQuotesPointIntoTheSource: what the model quotes is found although
// it saw marks, and marks alone prove nothing.
func TestMaskedQuotesPointIntoTheSource(t *testing.T) {
	t.Parallel()
	const first = "Lebenslauf\nJürgen Weißmann\n"
	const second = "Beruf\nHerr Weißmann arbeitete als Bäcker, Jürgen Weißmann war Geselle.\n"
	store, asked := bakery(first, second), baker()
	store.match.Masked = true
	asked.verdicts = func(user string) string {
		return verdictsFor(user, map[string]said{
			"r1": {Level: "full", Confidence: 90, Quote: "[Name] arbeitete als Bäcker, [Name] war Geselle"},
			"r2": {Level: "full", Confidence: 90, Quote: "[Name]"},
			"r3": {Level: "full", Confidence: 90, Quote: "war Geselle"},
			"r4": {Level: "full", Confidence: 90, Quote: "Jürgen Weißmann"},
		})
	}
	if err := work(t, store, asked, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	verdicts := store.last(t).Candidates[0].Verdicts
	text := []rune(first + domain.PageSeparator + second)
	if e := verdicts[0].Evidence; len(e) != 1 || !e[0].Verified || e[0].Page != 2 ||
		e[0].Quote != "Herr Weißmann arbeitete als Bäcker, Jürgen Weißmann war Geselle" || string(text[e[0].CharFrom:e[0].CharTo]) != e[0].Quote {
		t.Errorf("evidence = %+v", e)
	}
	if e := verdicts[2].Evidence; len(e) != 1 || string(text[e[0].CharFrom:e[0].CharTo]) != "war Geselle" {
		t.Errorf("evidence = %+v", e)
	}
	for _, i := range []int{1, 3} {
		if verdicts[i].Level != domain.LevelPartial || verdicts[i].Evidence[0].Verified {
			t.Errorf("a mark or what it hides is evidence: %+v", verdicts[i])
		}
	}
}

// TestMaskingCoversAllDocumentsOfAPerson, and a posting's contacts.
func TestMaskingCoversAllDocumentsOfAPerson(t *testing.T) {
	t.Parallel()
	store, asked := bakery("Lebenslauf\nRüdiger Quastenberg\nBäcker\n"), baker()
	store.match.ApplicantDocuments = append(store.match.ApplicantDocuments, store.add("zeugnis.pdf", "Arbeitszeugnis\nQuastenberg war stets pünktlich.\n"))
	store.match.EmployerDocuments = []uuid.UUID{store.add("posting.txt", "Baker\n\nRequirements\n- Two years in a bakery\nApply to jobs@bakery.example or 030 1234567\n")}
	store.match.Combine, store.match.Masked = true, true
	if err := work(t, store, asked, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Quastenberg", "Rüdiger", "bakery.example", "1234567"} {
		if strings.Contains(asked.everything(), secret) {
			t.Errorf("the model sees %q", secret)
		}
	}
}

// TestMaskingOfTheRules: the judge without a model sees no masked word either.
func TestMaskingOfTheRules(t *testing.T) {
	t.Parallel()
	store := payrollMatch()
	store.match.Masked = true
	cv := "Petra Gutenberger\npetra@beispiel.example\nNationality: German\n" + payrollCV
	store.match.ApplicantDocuments = []uuid.UUID{store.add("x.pdf", cv, payrollCVPage2)}
	if err := work(t, store, offline(), matching.Options{}); err != nil {
		t.Fatal(err)
	}
	m := store.last(t)
	for i, v := range m.Candidates[0].Verdicts {
		for _, e := range v.Evidence {
			if strings.Contains(e.Quote, "Nationality") {
				t.Errorf("%q is proven by %q", m.Requirements[i].Text, e.Quote)
			}
		}
	}
}

var (
	leakedMail  = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}`)
	leakedURL   = regexp.MustCompile(`(?i)https?://\S+|www\.\S+`)
	leakedPhone = regexp.MustCompile(`\(\d{3}\) ?\d{3}[-. ]\d{4}|\b\d{3}[-.]\d{3}[-.]\d{4}\b|\+\d[\d ()/-]{7,}\d`)
)

// TestMaskingOfTheCorpus: of real CVs no mail address, telephone number or
// address of the web reaches the model.
func TestMaskingOfTheCorpus(t *testing.T) {
	t.Parallel()
	cvs, _ := corpus(t)
	var before, after [3]int
	masked := map[domain.MaskKind]int{}
	for _, cv := range cvs {
		store, asked := bakery(cv.text), baker()
		store.match.Masked = true
		if err := work(t, store, asked, matching.Options{ContextTokens: 1 << 17}); err != nil {
			t.Fatal(err)
		}
		seen := asked.everything()
		for i, leak := range []*regexp.Regexp{leakedMail, leakedURL, leakedPhone} {
			before[i] += len(leak.FindAllString(cv.text, -1))
			if found := leak.FindAllString(seen, -1); len(found) > 0 {
				after[i] += len(found)
				t.Errorf("%s: the model sees %q", cv.file, found)
			}
		}
		for _, m := range store.last(t).Candidates[0].Masks {
			masked[m.Kind] += m.Count
		}
	}
	t.Logf("%d CVs: mail addresses %d -> %d, web %d -> %d, telephone %d -> %d; masked %v",
		len(cvs), before[0], after[0], before[1], after[1], before[2], after[2], masked)
}
