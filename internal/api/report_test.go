package api_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/extraction/mupdf"
)

func textOfPDF(t *testing.T, data []byte) string {
	t.Helper()
	doc, err := mupdf.Open(data, ".pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Close()
	pages, err := doc.Pages()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range pages {
		text, damaged, err := doc.Text(n)
		if err != nil || damaged {
			t.Fatalf("page %d: %v", n+1, err)
		}
		b.WriteString(text)
	}
	return b.String()
}

// TestReport is a PDF of the candidate asked for, in the language asked for, and
// an error where there is nothing to report: never an empty success.
func TestReport(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.workWith(s.matcher())
	u := s.newUser()
	body := object{
		"employer_documents":  []uuid.UUID{u.content("bakery", bakerPosting)},
		"applicant_documents": []uuid.UUID{u.content("nurse", nurseCV), u.content("Bäckerin Größe", bakerCV)}, "language": "de",
	}
	var match api.Match
	u.must(201, "POST", "/v1/cv-matcher/match", body, "Prefer: wait=300").into(t, &match)
	path := "/v1/cv-matcher/matches/" + match.ID.String() + "/report"
	for query, want := range map[string][]string{
		"":                         {"Bäckerin Größe", "Erfüllt", "Rangfolge", "Journeyman certificate as a baker, 2012", "Regeln und Suche"},
		"?language=en":             {"Met", "Ranking", "rules and retrieval"},
		"?candidate=2":             {"nurse", "Nicht belegt"},
		"?candidate=2&language=en": {"Not evidenced"},
	} {
		r := u.must(200, "GET", path+query, nil)
		if r.header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(r.body, []byte("%PDF-")) {
			t.Fatalf("%q: %d bytes of %s", query, len(r.body), r.header.Get("Content-Type"))
		}
		text := textOfPDF(t, r.body)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q: the report does not say %q", query, w)
			}
		}
	}
	u.refused(domain.CodeNotFound, 404, "GET", path+"?candidate=3", nil)
	u.refused(domain.CodeInvalid, 422, "GET", path+"?candidate=0", nil)
	u.refused(domain.CodeInvalid, 422, "GET", path+"?language=fr", nil)
	body["employer_documents"] = []uuid.UUID{u.content("empty", "-")}
	u.refused(domain.CodeInvalid, 422, "POST", "/v1/cv-matcher/match", body, "Prefer: wait=300")
	var list api.Page[api.Match]
	u.must(200, "GET", "/v1/cv-matcher/matches", nil).into(t, &list)
	u.refused(domain.CodeConflict, 409, "GET", "/v1/cv-matcher/matches/"+list.Items[0].ID.String()+"/report", nil)
}

func TestReportOfAPendingMatch(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.workWith(workerFunc(func(ctx context.Context, _ domain.Task) error {
		<-ctx.Done()
		return ctx.Err()
	}))
	u := s.newUser()
	document := u.content("posting", bakerPosting)
	var a accepted
	u.must(202, "POST", "/v1/cv-matcher/match", object{"employer_documents": []uuid.UUID{document}, "applicant_documents": []uuid.UUID{document}}).into(t, &a)
	u.refused(domain.CodeConflict, 409, "GET", "/v1/cv-matcher/matches/"+a.Match.ID.String()+"/report", nil)
}
