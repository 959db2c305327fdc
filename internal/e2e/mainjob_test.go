package e2e_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"generalbackend/internal/domain"
)

// TestMainJob is what the product is for, over separate processes and in one.
func TestMainJob(t *testing.T) {
	t.Parallel()
	t.Run("split", func(t *testing.T) {
		mainJob(t, boot(t, fast, "URL_ALLOW_PRIVATE=true"))
	})
	t.Run("standalone", func(t *testing.T) {
		mainJob(t, bootStandalone(t, "URL_ALLOW_PRIVATE=true"))
	})
}

// mainJob takes documents in, and search results and a match out.
func mainJob(t *testing.T, s *system) {
	u := register(t, s.url)
	original := pdf(vera...)
	web := newSite(t)
	jobs := map[string]job{
		"vera":    u.upload("vera.pdf", original),
		"otto":    u.upload("otto.docx", docx(t, otto...)),
		"posting": u.text("Backend Engineer", strings.Join(posting, "\n")),
		"page":    u.web(web.page("ferry")),
	}
	documents := map[string]document{}
	for name, j := range jobs {
		documents[name] = u.followed(j)
	}
	u.readsAsWritten(documents, original)
	u.searches(documents)
	u.matches(documents)
	u.isAlone(documents)
	oracle{t, s}.historiesWhole()
	oracle{t, s}.documentsWhole()
	for _, d := range documents {
		u.must(http.StatusNoContent, "DELETE", "/v1/documents/"+d.ID, nil)
	}
	s.nothingLeft()
}

// document is as much of a document as tests look at.
type document struct {
	ID, Type, Title, Content, State, Language string
	PageCount                                 int `json:"page_count"`
	Error                                     *struct{ Code, Detail string }
}

func (u *user) document(id string) document {
	u.t.Helper()
	var d document
	u.must(http.StatusOK, "GET", "/v1/documents/"+id, nil).into(u.t, &d)
	return d
}

// page is the text of one page.
type page struct {
	Page int
	Text string
}

func (u *user) pages(id string) []page {
	u.t.Helper()
	var pages []page
	u.must(http.StatusOK, "GET", "/v1/documents/"+id+"/pages", nil).into(u.t, &pages)
	return pages
}

// followed watches a job to its end over SSE, once in one go and once again from
// the middle, and returns its document.
func (u *user) followed(j job) document {
	u.t.Helper()
	events := u.follow(j.ID, 0, never)
	for i, e := range events {
		if e.id != int64(i+1) {
			u.t.Fatalf("event %d of job %s has the id %d", i+1, j.ID, e.id)
		}
	}
	if n := len(events); n < 4 || !strings.Contains(string(events[n-1].data), `"succeeded"`) {
		u.t.Fatalf("job %s ended its stream after %d events", j.ID, n)
	}
	again := u.follow(j.ID, 2, never)
	if !slices.EqualFunc(events[2:], again, func(a, b event) bool { return a.id == b.id && bytes.Equal(a.data, b.data) }) {
		u.t.Errorf("the replay of job %s after its second event differs", j.ID)
	}
	return u.document(u.succeeded(j).Resource.ID)
}

func (u *user) readsAsWritten(documents map[string]document, original []byte) {
	u.t.Helper()
	for name, text := range map[string]string{
		"vera": "Ran three production clusters", "otto": "grand hotel", "posting": "Experience with PostgreSQL", "page": "summer timetable",
	} {
		d := documents[name]
		if d.State != "ready" || !strings.Contains(strings.ToLower(d.Content), strings.ToLower(text)) && name != "vera" {
			u.t.Errorf("%s is %s and says %q", name, d.State, d.Content)
		}
	}
	if d := documents["vera"]; d.Type != "pdf" || d.PageCount != 2 || len(u.pages(d.ID)) != 2 || d.Language != "en" {
		u.t.Errorf("the PDF came out as %+v", d)
	}
	file := u.must(http.StatusOK, "GET", "/v1/documents/"+documents["vera"].ID+"/file", nil)
	if !bytes.Equal(file.body, original) {
		u.t.Error("the original came back changed")
	}
}

// found is the reply of a search.
type found struct {
	Mode, Provider string
	Results        []struct {
		DocumentID string `json:"document_id"`
		PageFrom   int    `json:"page_from"`
		Content    string
	}
}

func (u *user) search(query string) found {
	u.t.Helper()
	var f found
	u.must(http.StatusOK, "POST", "/v1/documents/search", object{"query": query}).into(u.t, &f)
	return f
}

// hybrid searches until the query's vector comes in time, for which a search does
// not wait long.
func (u *user) hybrid(query string) (f found) {
	u.t.Helper()
	eventually(u.t, workDeadline, "search is hybrid", func() bool {
		f = u.search(query)
		return f.Mode == "hybrid"
	})
	return f
}

func (u *user) searches(documents map[string]document) {
	u.t.Helper()
	for query, name := range map[string]string{
		"production clusters Kubernetes": "vera", "sourdough baker": "otto", "ferry bicycle ticket": "page",
	} {
		f := u.hybrid(query)
		if f.Provider != "offline" || len(f.Results) == 0 {
			u.t.Errorf("%q: by %s with %d results", query, f.Provider, len(f.Results))
			continue
		}
		if best := f.Results[0]; best.DocumentID != documents[name].ID || !strings.Contains(documents[name].Content, best.Content) {
			u.t.Errorf("%q: the best passage is %+v", query, best)
		}
	}
}

// matched is as much of a match as tests look at.
type matched struct {
	State, Judge string
	LLMType      string `json:"llm_type"`
	Requirements []domain.Requirement
	Candidates   []struct {
		Documents []string
		Score     int `json:"match_score"`
		Old       int `json:"overallScore"`
		Verdicts  []domain.Verdict
	}
}

// matches compares two applicants with the posting and checks each quote
// against the page it claims to be from.
func (u *user) matches(documents map[string]document) {
	u.t.Helper()
	judging := u.match(documents["posting"].ID, documents["otto"].ID, documents["vera"].ID)
	var m matched
	u.must(http.StatusOK, "GET", "/v1/cv-matcher/matches/"+u.succeeded(judging).Resource.ID, nil).into(u.t, &m)
	if m.State != "ready" || m.Judge != "offline" || m.LLMType != "offline" || len(m.Candidates) != 2 || len(m.Requirements) < 4 {
		u.t.Fatalf("the match came out as %+v", m)
	}
	best, worst := m.Candidates[0], m.Candidates[1]
	if best.Documents[0] != documents["vera"].ID || best.Score <= worst.Score || best.Old != best.Score {
		u.t.Errorf("Vera must rank first: %+v", m.Candidates)
	}
	quotes := 0
	for _, c := range m.Candidates {
		if len(c.Verdicts) != len(m.Requirements) {
			u.t.Errorf("%d verdicts on %d requirements", len(c.Verdicts), len(m.Requirements))
		}
		for _, v := range c.Verdicts {
			if v.Level != domain.LevelMissing && len(v.Evidence) == 0 {
				u.t.Errorf("a verdict is %s without a quote: %+v", v.Level, v)
			}
			for _, e := range v.Evidence {
				u.isQuoted(e)
				quotes++
			}
		}
	}
	if quotes < 3 {
		u.t.Errorf("only %d quotes for a candidate who meets everything", quotes)
	}
}

func (u *user) isQuoted(e domain.Evidence) {
	u.t.Helper()
	id := e.DocumentID.String()
	content := []rune(u.document(id).Content)
	if !e.Verified || e.CharTo > len(content) || string(content[e.CharFrom:e.CharTo]) != e.Quote {
		u.t.Errorf("not in the document at its place: %+v", e)
	}
	for _, p := range u.pages(id) {
		if p.Page == e.Page && strings.Contains(p.Text, e.Quote) {
			return
		}
	}
	u.t.Errorf("page %d does not say %q", e.Page, e.Quote)
}

// isAlone: another user sees nothing of all this.
func (u *user) isAlone(documents map[string]document) {
	u.t.Helper()
	other := register(u.t, u.base)
	for _, d := range documents {
		other.must(http.StatusNotFound, "GET", "/v1/documents/"+d.ID, nil)
		other.must(http.StatusNotFound, "DELETE", "/v1/documents/"+d.ID, nil)
	}
	if f := other.search("Kubernetes PostgreSQL ferry"); len(f.Results) > 0 {
		u.t.Errorf("another user found %+v", f.Results)
	}
}

// nothingLeft: of deleted documents only the history of their jobs remains,
// which holds no content.
func (s *system) nothingLeft() {
	s.t.Helper()
	history := []string{
		"users", "sessions", "jobs", "job_events", "job_attempts", "workers", "embedding_spaces", "goose_db_version",
		"job_resources", "audit_log", "throttles", "llm_usage", "llm_months", "llm_rates",
	}
	for _, table := range s.ids("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'") {
		if slices.Contains(history, table) {
			continue
		}
		if n := s.count(`SELECT count(*) FROM "` + table + `"`); n > 0 {
			s.t.Errorf("%d rows are left in %s", n, table)
		}
	}
}
