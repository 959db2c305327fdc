package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

// TestWait: a submit answers with the job, or after waiting with the resource,
// or with the job's failure.
func TestWait(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	body := func(title string) object { return object{"title": title, "content": "About " + title} }

	r := u.must(202, "POST", "/v1/documents/text", body("one"))
	var a accepted
	r.into(t, &a)
	if r.header.Get("Location") != "/v1/jobs/"+a.Job.ID.String() || r.header.Get("Retry-After") == "" || r.header.Get("Preference-Applied") != "" {
		t.Errorf("accepted with %v", r.header)
	}
	r = u.must(201, "POST", "/v1/documents/text", body("two"), "Prefer: respond-later, wait=300")
	var d api.Document
	r.into(t, &d)
	if d.State != "ready" || d.Content != "About two" || r.header.Get("Preference-Applied") != "wait=300" || r.header.Get("Location") == "" {
		t.Errorf("done as %+v with %v", d, r.header)
	}
	r = u.refused(domain.CodeDocumentEncrypted, 422, "POST", "/v1/documents/text", body("document_encrypted"), "Prefer: wait=300")
	u.must(200, "GET", r.header.Get("Location"), nil)
	r = u.must(202, "POST", "/v1/documents/text", body("slow"), "Prefer: wait=1")
	if r.header.Get("Preference-Applied") != "wait=1" {
		t.Errorf("waited with %v", r.header)
	}
	r.into(t, &a)
	u.must(200, "POST", "/v1/jobs/"+a.Job.ID.String()+"/cancel", nil)
}

// TestRootWaits, as the previous system did; it can be told not to.
func TestRootWaits(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	var d api.Document
	u.must(201, "POST", "/documents/text", object{"title": "one", "content": "About one"}).into(t, &d)
	if d.Content != "About one" {
		t.Errorf("done as %+v", d)
	}
	u.must(202, "POST", "/documents/text", object{"title": "two", "content": "About two"}, "Prefer: respond-async")
	r := u.refused(domain.CodeTimeout, 504, "POST", "/documents/text", object{"title": "slow", "content": "Slow"}, "Prefer: wait=1")
	location := r.header.Get("Location")
	u.must(200, "GET", location, nil)
	u.must(200, "POST", location+"/cancel", nil)
}

// TestWaitEndsWhenTheProcessStops, with what is known then.
func TestWaitEndsWhenTheProcessStops(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	close(stopping)
	u := newSystem(t, func(o *api.Options) { o.Stopping = stopping }).newUser()
	u.must(202, "POST", "/v1/documents/text", object{"content": "text"}, "Prefer: wait=300")
}

// TestIdempotencyKey: the same key and request have the same job; another
// request under the key is refused, another user's key is another key.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u, other := s.newUser(), s.newUser()
	ready := u.ready("ready").ID
	upload, contentType := form(t, field{"file", "a.pdf", pdf})
	changed, changedType := form(t, field{"file", "a.pdf", pdf + "x"})
	match := object{"employer_documents": []uuid.UUID{ready}, "applicant_documents": []uuid.UUID{ready}}
	for _, tc := range []struct {
		path        string
		body, other any
		headers     []string
		otherType   string
	}{
		{"/v1/documents/text", object{"content": "one"}, object{"content": "two"}, nil, ""},
		{"/v1/documents/url", object{"url": "https://example.org/1"}, object{"url": "https://example.org/2"}, nil, ""},
		{"/v1/documents/upload", upload, changed, []string{contentType}, changedType},
		{"/v1/cv-matcher/match", match, object{"employer_documents": []uuid.UUID{ready}, "applicant_documents": []uuid.UUID{ready}, "combine": true}, nil, ""},
	} {
		key := "Idempotency-Key: " + uuid.NewString()
		var first, second accepted
		u.must(202, "POST", tc.path, tc.body, append(tc.headers, key)...).into(t, &first)
		u.must(202, "POST", tc.path, tc.body, append(tc.headers, key)...).into(t, &second)
		if first.Job.ID != second.Job.ID || first.Document.ID != second.Document.ID || first.Match.ID != second.Match.ID {
			t.Errorf("%s: job %s, then %s", tc.path, first.Job.ID, second.Job.ID)
		}
		otherHeaders := []string{key}
		if tc.otherType != "" {
			otherHeaders = append(otherHeaders, tc.otherType)
		}
		u.refused(domain.CodeIdempotencyReused, 422, "POST", tc.path, tc.other, otherHeaders...)
		if !strings.Contains(tc.path, "match") {
			var foreign accepted
			other.must(202, "POST", tc.path, tc.body, append(tc.headers, key)...).into(t, &foreign)
			if foreign.Job.ID == first.Job.ID {
				t.Errorf("%s: another user has the same job", tc.path)
			}
		}
	}
}

// TestMatch: the result has the names of both generations of clients.
func TestMatch(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	document := u.ready("someone").ID
	m := u.matched(document)
	if m.State != "ready" || m.LLMType != "offline" || m.MatchScore == nil || *m.MatchScore != 83 || m.OverallScore == nil || *m.OverallScore != 83 {
		t.Fatalf("the match is %+v", m)
	}
	var old struct {
		EmployerDocIDs []uuid.UUID `json:"employer_doc_ids"`
		Candidates     []struct {
			OverallScore int   `json:"overallScore"`
			Strengths    []any `json:"strengths"`
			Verdicts     []struct{ Evidence, Flags []any }
		}
	}
	r := u.must(200, "GET", "/cv-matcher/matches/"+m.ID.String(), nil)
	r.into(t, &old)
	if len(old.EmployerDocIDs) != 1 || len(old.Candidates) != 1 || old.Candidates[0].OverallScore != 83 ||
		old.Candidates[0].Strengths == nil || old.Candidates[0].Verdicts[0].Evidence == nil || old.Candidates[0].Verdicts[0].Flags == nil {
		t.Errorf("the match is %s", r.body)
	}
	var byOldNames accepted
	u.must(202, "POST", "/v1/cv-matcher/match", object{
		"employer_doc_ids": []uuid.UUID{document}, "applicant_doc_ids": []uuid.UUID{document, document},
	}).into(t, &byOldNames)
	if got := byOldNames.Match.ApplicantDocuments; len(got) != 1 || got[0] != document {
		t.Errorf("applicants %v", got)
	}
	var listed api.Page[api.Match]
	u.must(200, "GET", "/v1/cv-matcher/matches", nil).into(t, &listed)
	if len(listed.Items) != 2 || listed.Items[1].ID != m.ID {
		t.Errorf("listed %+v", listed)
	}
	u.must(204, "DELETE", "/v1/cv-matcher/matches/"+m.ID.String(), nil)
	u.refused(domain.CodeNotFound, 404, "GET", "/v1/cv-matcher/matches/"+m.ID.String(), nil)
}

// TestClientThatHangsUp loses nothing that was accepted.
func TestClientThatHangsUp(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newUser()
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	req, err := http.NewRequestWithContext(ctx, "POST", u.url+"/documents/text", strings.NewReader(`{"content": "text", "title": "hasty"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+u.token)
	req.Header.Set("Content-Type", "application/json")
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("answered %s", resp.Status)
		}
	}()
	var page api.Page[api.Job]
	s.until(func() bool {
		u.must(200, "GET", "/v1/jobs", nil).into(t, &page)
		return len(page.Items) > 0
	})
	hangUp()
	<-gone
	s.work()
	s.until(func() bool {
		u.must(200, "GET", "/v1/jobs", nil).into(t, &page)
		return domain.State(page.Items[0].State).Terminal()
	})
	if page.Items[0].State != "succeeded" {
		t.Errorf("the job %+v", page.Items[0])
	}
}
