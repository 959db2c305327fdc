package api_test

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/client"
)

// TestPublishedDescription: the committed contract is what the code publishes.
func TestPublishedDescription(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../schema/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("schema/openapi.yaml is not what the code publishes; run `make generate`")
	}
	u := &user{system: newSystem(t, func(o *api.Options) { o.MaxUploadBytes = 1 << 30 })}
	if served := u.must(200, "GET", "/openapi.yaml", nil); !bytes.Equal(served.body, want) {
		t.Error("what is served is not schema/openapi.yaml")
	}
}

// TestOperationsAreDescribed with their errors, and those that are not public
// say so.
func TestOperationsAreDescribed(t *testing.T) {
	t.Parallel()
	u := &user{system: newSystem(t)}
	public := []string{
		"login", "register", "refresh", "health", "ready", "verify", "request-verify-token",
		"forgot-password", "reset-password", "check-verify-link", "check-reset-link",
	}
	for path, operations := range u.description().Paths {
		for method, op := range operations {
			var codes []string
			for status, response := range op.Responses {
				codes = append(codes, response.Codes...)
				if strings.Compare(status, "400") >= 0 && status != "503" && response.Content["application/problem+json"] == nil {
					t.Errorf("%s %s: status %s has no problem", method, path, status)
				}
			}
			want := []string{"invalid_request"}
			if !slices.Contains(public, op.OperationID) {
				want = append(want, "internal", "unavailable", "timeout", "unauthorized", "token_expired")
				if len(op.Security) == 0 {
					t.Errorf("%s %s needs a token and does not say so", method, path)
				}
			}
			if strings.Contains(path, "{") {
				want = append(want, "not_found")
			}
			for _, code := range want {
				if !slices.Contains(codes, code) {
					t.Errorf("%s %s does not describe code %s, only %v", method, path, code, slices.Sorted(slices.Values(codes)))
				}
			}
		}
	}
}

// TestCodesAreExplained: the guide lists every code with every status.
func TestCodesAreExplained(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[string]string{}
	for line := range strings.Lines(string(guide)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			statuses[strings.Trim(cells[1], " `")] = cells[2]
		}
	}
	u := &user{system: newSystem(t)}
	for path, operations := range u.description().Paths {
		for _, op := range operations {
			for status, response := range op.Responses {
				for _, code := range response.Codes {
					if !strings.Contains(statuses[code], status) {
						t.Errorf("docs/api.md does not say that %s is %s, as at %s", code, status, path)
					}
				}
			}
		}
	}
}

// TestEverythingNeedsALogin but for what is public.
func TestEverythingNeedsALogin(t *testing.T) {
	t.Parallel()
	u := &user{system: newSystem(t)}
	for path, operations := range u.description().Paths {
		for method, op := range operations {
			if len(op.Security) == 0 {
				continue
			}
			address := path
			for _, name := range []string{"project_id", "document_id", "match_id", "job_id", "user_id"} {
				address = strings.ReplaceAll(address, "{"+name+"}", uuid.NewString())
			}
			address = strings.ReplaceAll(address, "{stage}", "extract")
			u.refused("unauthorized", 401, strings.ToUpper(method), address, nil)
			u.refused("unauthorized", 401, strings.ToUpper(method), strings.TrimPrefix(address, "/v1"), nil)
		}
	}
}

// TestGeneratedClient: the client made from the contract speaks to the server.
func TestGeneratedClient(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	c, err := client.NewClientWithResponses(u.url, client.WithRequestEditorFn(u.authorize))
	if err != nil {
		t.Fatal(err)
	}
	key, wait := uuid.NewString(), "wait=300"
	added, err := c.AddTextWithResponse(t.Context(), &client.AddTextParams{Prefer: &wait, IdempotencyKey: &key}, client.NewText{Content: "About clients"})
	if err != nil || added.JSON201 == nil || added.JSON201.State != client.DocumentStateReady {
		t.Fatalf("added %s, %v", added.Body, err)
	}
	got, err := c.GetDocumentWithResponse(t.Context(), added.JSON201.ID)
	if err != nil || got.JSON200 == nil || !strings.HasPrefix(got.JSON200.Content, "About") {
		t.Errorf("got %s, %v", got.Body, err)
	}
	missing, err := c.GetJobWithResponse(t.Context(), uuid.New(), nil)
	if err != nil || missing.ApplicationProblemJSON404 == nil || missing.ApplicationProblemJSON404.Code != "not_found" {
		t.Errorf("missing %s, %v", missing.Body, err)
	}
}

// TestDocumentationIsSelfContained: its pages load nothing from elsewhere.
func TestDocumentationIsSelfContained(t *testing.T) {
	t.Parallel()
	u := &user{system: newSystem(t)}
	for path, kind := range map[string]string{
		"/docs": "text/html", "/redoc": "text/html", "/openapi.json": "application/openapi+json",
		"/docs/assets/swagger-ui-bundle.js": "text/javascript", "/docs/assets/swagger-ui.css": "text/css",
		"/docs/assets/swagger-init.js": "text/javascript", "/docs/assets/redoc.standalone.js": "text/javascript",
	} {
		r := u.must(200, "GET", path, nil)
		if !strings.HasPrefix(r.header.Get("Content-Type"), kind) || len(r.body) == 0 {
			t.Errorf("%s: %d bytes of %s", path, len(r.body), r.header.Get("Content-Type"))
		}
		policy := r.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "http") {
			t.Errorf("%s: policy %q", path, policy)
		}
		u.must(304, "GET", path, nil, "If-None-Match: "+r.header.Get("ETag"))
		u.must(200, "HEAD", path, nil)
	}
	u.refused("not_found", 404, "GET", "/docs/assets/docs.html", nil)
	paths := slices.Sorted(maps.Keys(u.description().Paths))
	if len(paths) < 25 || !slices.Contains(paths, "/v1/documents/upload") {
		t.Errorf("described: %v", paths)
	}
}

// authorize signs the requests of the generated client.
func (u *user) authorize(_ context.Context, req *http.Request) error {
	req.Header.Set("Authorization", "Bearer "+u.token)
	return nil
}
