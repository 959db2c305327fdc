package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

func TestPreflight(t *testing.T) {
	t.Parallel()
	u := &user{system: newSystem(t)}
	for _, path := range []string{"/v1/documents", "/auth/login", "/nowhere"} {
		r := u.must(204, "OPTIONS", path, nil, "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
		h := r.header
		if h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Max-Age") == "" ||
			!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "PATCH") {
			t.Errorf("%s: %v", path, h)
		}
		r = u.must(204, "OPTIONS", path, nil, "Origin: https://elsewhere.example.org")
		if r.header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(strings.Join(r.header.Values("Vary"), ","), "Origin") {
			t.Errorf("%s allows another origin: %v", path, r.header)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	u := &user{system: newSystem(t)}
	for given, kept := range map[string]bool{"client-chosen:1": true, "short": false, "no <script> please": false, strings.Repeat("x", 200): false} {
		r := u.must(200, "GET", "/health", nil, "X-Request-ID: "+given)
		if got := r.header.Get("X-Request-ID"); (got == given) != kept || got == "" {
			t.Errorf("%q became %q", given, got)
		}
	}
}

// lines collects a log.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

// TestLogHasNoContent: a request is logged with who and how, not with what.
func TestLogHasNoContent(t *testing.T) {
	t.Parallel()
	log := &lines{}
	u := newSystem(t, func(o *api.Options) { o.Log = slog.New(slog.NewJSONHandler(log, nil)) }).newUser()
	r := u.must(202, "POST", "/v1/documents/text", object{"content": "confidential", "title": "confidential"})
	u.must(200, "GET", "/v1/documents/search?query=confidential", nil)
	text := log.text()
	for _, hidden := range []string{"confidential", password, u.token, u.email} {
		if strings.Contains(text, hidden) {
			t.Errorf("the log holds %q", hidden)
		}
	}
	for line := range strings.Lines(text) {
		var entry struct {
			RequestID string `json:"request_id"`
			UserID    string `json:"user_id"`
			Route     string
			Status    int
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.RequestID == r.header.Get("X-Request-ID") {
			if entry.UserID != u.id.String() || entry.Route != "/v1/documents/text" || entry.Status != 202 {
				t.Errorf("logged as %s", line)
			}
			return
		}
	}
	t.Errorf("the request was not logged: %s", text)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	u := newSystem(t, func(o *api.Options) { o.Metrics = prometheus.NewRegistry() }).newUser()
	u.must(200, "GET", "/v1/documents", nil)
	u.refused(domain.CodeMethodNotAllowed, 405, "BREW", "/v1/documents", nil)
	r := u.must(200, "GET", "/metrics", nil)
	for _, want := range []string{
		`http_request_duration_seconds_count{method="GET",route="/v1/documents",status="200"} 1`,
		`http_request_duration_seconds_count{method="other",route="none",status="405"} 1`,
		`http_requests_in_flight 1`,
	} {
		if !strings.Contains(string(r.body), want) {
			t.Errorf("no %s in %s", want, r.body)
		}
	}
}

// adrift is an engine that has lost its broker.
type adrift struct{ api.Engine }

func (adrift) Ready(context.Context) error { return errors.New("no servers") }

func TestReadiness(t *testing.T) {
	t.Parallel()
	var ready api.Readiness
	u := &user{system: newSystem(t)}
	u.must(200, "GET", "/health", nil)
	u.must(200, "HEAD", "/health", nil)
	u.isReady().into(t, &ready)
	if ready.Status != "ready" || ready.Checks["postgres"] != "ok" || ready.Checks["nats"] != "ok" || len(ready.Providers) != 1 || ready.Providers[0].Error != nil {
		t.Errorf("ready as %+v", ready)
	}
	lost := &user{system: newSystem(t, func(o *api.Options) { o.Engine = adrift{o.Engine} })}
	lost.must(200, "GET", "/health", nil)
	u.system.until(func() bool {
		lost.must(503, "GET", "/ready", nil).into(t, &ready)
		return ready.Checks["postgres"] == "ok"
	})
	if ready.Status != "unavailable" || ready.Checks["nats"] != "unavailable" {
		t.Errorf("not ready as %+v", ready)
	}
}

// isReady waits until the system says so: it gives its checks a few seconds, which
// may be too few for a busy machine.
func (u *user) isReady() (r reply) {
	u.t.Helper()
	u.system.until(func() bool {
		r = u.send("GET", "/ready", nil)
		return r.status == http.StatusOK
	})
	return r
}

func TestModels(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	var models api.Models
	u.must(200, "GET", "/v1/llm/models?provider=offline", nil).into(t, &models)
	if models.Total != len(models.Models) || models.Total == 0 || models.Default != "offline" || models.Models[0].Provider != "offline" {
		t.Errorf("models %+v", models)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	document := u.text("searched").Document.ID
	u.search.answer = func(q api.SearchQuery) (api.SearchResult, error) {
		if q.UserID != u.id || q.Text != "what" || q.Limit != 10 || len(q.Documents) != 1 || q.Documents[0] != document {
			t.Errorf("asked %+v", q)
		}
		return api.SearchResult{Mode: "hybrid", Provider: "offline", Model: "m", Passages: []domain.Passage{{DocumentID: document, Content: "this"}}}, nil
	}
	for _, r := range []reply{
		u.must(200, "POST", "/v1/documents/search", object{"query": "what", "document_ids": []any{document}}),
		u.must(200, "GET", "/v1/documents/search?query=what&document_ids="+document.String(), nil),
	} {
		var found api.SearchReply
		r.into(t, &found)
		if found.Mode != "hybrid" || found.Provider != "offline" || len(found.Results) != 1 || found.Results[0].Content != "this" {
			t.Errorf("found %s", r.body)
		}
	}
	var old []api.Passage
	u.must(200, "GET", "/documents/search?query=what&document_ids="+document.String(), nil).into(t, &old)
	if len(old) != 1 {
		t.Errorf("found %+v at the root", old)
	}
}

func TestProjects(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	var p api.Project
	u.must(201, "POST", "/v1/projects", object{"name": " Hiring ", "type": "cv_matcher", "description": nil, "config": object{"a": []int{1}}}).into(t, &p)
	path := "/v1/projects/" + p.ID.String()
	if p.Name != "Hiring" || p.Type != "cv_matcher" || p.UserID != u.id {
		t.Errorf("made %+v", p)
	}
	u.must(200, "GET", path, nil)
	u.must(200, "PATCH", path, object{"description": "for the team"}).into(t, &p)
	if p.Name != "Hiring" || p.Description != "for the team" || !strings.Contains(string(p.Config.RawMessage), `"a"`) {
		t.Errorf("changed to %+v", p)
	}
	u.must(200, "PUT", path, object{"name": "New"}).into(t, &p)
	if p.Name != "New" || p.Type != "other" || p.Description != "" || string(p.Config.RawMessage) != "{}" {
		t.Errorf("replaced by %+v", p)
	}
	u.refused(domain.CodeInvalid, 422, "PATCH", path, object{"type": "novel"})
	var array []api.Project
	u.must(200, "GET", "/projects", nil).into(t, &array)
	if len(array) != 1 || array[0].ID != p.ID {
		t.Errorf("listed %+v", array)
	}
	u.must(204, "DELETE", path, nil)
	u.refused(domain.CodeNotFound, 404, "GET", path, nil)
}
