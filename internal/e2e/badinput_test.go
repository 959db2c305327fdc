package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// refusal is a request and how it must be answered.
type refusal struct {
	name         string
	method, path string
	body         any
	headers      []string
	status       int
	code         string
}

// TestBadRequests: what is wrong with a request is said at once.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	s := boot(t, fast, "MAX_UPLOAD_MB=1")
	u, other := register(t, s.url), register(t, s.url)
	api := published(t, s.url)
	foreign := other.succeeded(other.text("foreign", note("foreign")))
	own := u.succeeded(u.text("own", note("own")))
	unknown := uuid.NewString()
	u.must(http.StatusAccepted, "POST", "/v1/documents/text", object{"content": "first"}, "Idempotency-Key: used")

	cases := []refusal{
		{"wrong type", "POST", "/v1/documents/upload", file{"cv.pdf", []byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\xff\xff\x00")}, nil, 415, "unsupported_type"},
		{"empty file", "POST", "/v1/documents/upload", file{"cv.pdf", nil}, nil, 422, "empty_document"},
		{"empty text", "POST", "/v1/documents/text", object{"content": " \n\t"}, nil, 422, "empty_document"},
		{"oversized file", "POST", "/v1/documents/upload", file{"big.txt", []byte(strings.Repeat("a line of text\n", 1<<17))}, nil, 413, "too_large"},
		{"oversized text", "POST", "/v1/documents/text", object{"content": strings.Repeat("a line of text\n", 1<<17)}, nil, 413, "too_large"},
		{"no file", "POST", "/v1/documents/upload", "{}", nil, 415, "unsupported_type"},
		{"no address", "POST", "/v1/documents/url", object{"url": "a page"}, nil, 422, "url_invalid"},
		{"another scheme", "POST", "/v1/documents/url", object{"url": "file:///etc/passwd"}, nil, 422, "url_invalid"},
		{"cut JSON", "POST", "/v1/documents/text", `{"content": "half`, nil, 400, "invalid_request"},
		{"JSON of another shape", "POST", "/v1/documents/text", object{"content": 7}, nil, 422, "invalid_request"},
		{"missing field", "POST", "/v1/documents/text", object{"title": "only"}, nil, 422, "invalid_request"},
		{"NUL", "POST", "/v1/documents/text", "{\"content\": \"a\\u0000b\"}", nil, 400, "invalid_request"},
		{"bad cursor", "GET", "/v1/documents?cursor=AAAA", nil, nil, 400, "invalid_cursor"},
		{"bad limit", "GET", "/v1/documents?limit=100000", nil, nil, 422, "invalid_request"},
		{"not an id", "GET", "/v1/documents/seven", nil, nil, 422, "invalid_request"},
		{"empty query", "POST", "/v1/documents/search", object{"query": "  "}, nil, 422, "invalid_request"},
		{"long query", "POST", "/v1/documents/search", object{"query": strings.Repeat("word ", 1000)}, nil, 422, "invalid_request"},
		{"reused key", "POST", "/v1/documents/text", object{"content": "second"}, []string{"Idempotency-Key: used"}, 422, "idempotency_key_reused"},
		{"cancel what ended", "POST", "/v1/jobs/" + own.ID + "/cancel", nil, nil, 409, "not_cancellable"},
		{"retry what succeeded", "POST", "/v1/jobs/" + own.ID + "/retry", nil, nil, 409, "not_retryable"},
		{"match nothing", "POST", "/v1/cv-matcher/match", object{"employer_doc_ids": []string{}, "applicant_doc_ids": []string{}}, nil, 422, "invalid_request"},
		{"match by nobody", "POST", "/v1/cv-matcher/match", object{"employer_doc_ids": []string{own.Resource.ID}, "applicant_doc_ids": []string{own.Resource.ID}, "provider": "oracle"}, nil, 422, "provider_unknown"},
		{"match a foreign document", "POST", "/v1/cv-matcher/match", object{"employer_doc_ids": []string{own.Resource.ID}, "applicant_doc_ids": []string{foreign.Resource.ID}}, nil, 404, "not_found"},
		{"search a foreign document", "POST", "/v1/documents/search", object{"query": "kettle", "document_ids": []string{foreign.Resource.ID}}, nil, 404, "not_found"},
		{"unknown project", "POST", "/v1/documents/text", object{"content": "text", "project_id": unknown}, nil, 404, "not_found"},
		{"taken e-mail", "POST", "/v1/auth/register", object{"email": strings.ToUpper(other.email), "password": password}, nil, 409, "email_taken"},
		{"short password", "POST", "/v1/auth/register", object{"email": "short@example.com", "password": "short"}, nil, 422, "invalid_request"},
		{"wrong password", "POST", "/v1/auth/login", object{"email": u.email, "password": "wrong-horse-battery"}, nil, 401, "bad_credentials"},
		{"no such account", "POST", "/v1/auth/login", object{"email": "nobody@example.com", "password": password}, nil, 401, "bad_credentials"},
		{"no such address", "GET", "/v1/nowhere", nil, nil, 404, "not_found"},
		{"no such method", "DELETE", "/v1/auth/login", nil, nil, 405, "method_not_allowed"},
		{"no token", "GET", "/v1/documents", nil, []string{"Authorization: "}, 401, "unauthorized"},
		{"no bearer", "GET", "/v1/documents", nil, []string{"Authorization: Basic dTpw"}, 401, "unauthorized"},
		{"wrong token", "GET", "/v1/documents", nil, []string{"Authorization: Bearer " + u.token + "x"}, 401, "unauthorized"},
		{"expired token", "GET", "/v1/documents", nil, []string{"Authorization: Bearer " + u.forged(t, secretKey)}, 401, "token_expired"},
		{"expired token of another maker", "GET", "/v1/documents", nil, []string{"Authorization: Bearer " + u.forged(t, "another key")}, 401, "unauthorized"},
	}
	for _, address := range []string{
		"http://127.0.0.1/", "http://localhost:8000/", "http://[::1]/", "http://10.0.0.1/", "http://192.168.1.1/",
		"http://169.254.169.254/latest/meta-data/", "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "http://metadata.internal/",
	} {
		cases = append(cases, refusal{"private " + address, "POST", "/v1/documents/url", object{"url": address}, nil, 422, "url_forbidden"})
	}
	for _, id := range []string{unknown, foreign.Resource.ID} {
		for _, request := range []string{"GET ", "DELETE ", "GET /pages", "GET /file"} {
			method, rest, _ := strings.Cut(request, " ")
			cases = append(cases, refusal{"document " + request, method, "/v1/documents/" + id + rest, nil, nil, 404, "not_found"})
		}
	}
	for _, id := range []string{unknown, foreign.ID} {
		for _, request := range []string{"GET ", "GET /events", "POST /cancel", "POST /retry"} {
			method, rest, _ := strings.Cut(request, " ")
			cases = append(cases, refusal{"job " + request, method, "/v1/jobs/" + id + rest, nil, nil, 404, "not_found"})
		}
	}
	for _, c := range cases {
		u.isRefused(t, api, c)
	}
	other.must(http.StatusOK, "GET", "/v1/documents/"+foreign.Resource.ID, nil)
	u.isThrottled(t, api)
}

func (u *user) isRefused(t *testing.T, api contract, c refusal) {
	t.Run(c.name, func(t *testing.T) {
		r := u.as(t).send(c.method, c.path, c.body, c.headers...)
		p := r.problem(t)
		if r.status != c.status || p.Code != c.code {
			t.Errorf("status %d, code %s, want %d, %s: %s", r.status, p.Code, c.status, c.code, r.body)
		}
		if !api.lists(c.method, c.path, c.status, c.code) {
			t.Errorf("%s %s may answer %d %s, but its description does not say so", c.method, c.path, c.status, c.code)
		}
	})
}

// isThrottled: whoever guesses passwords is slowed down, and told for how long.
func (u *user) isThrottled(t *testing.T, api contract) {
	t.Helper()
	for range 50 {
		r := u.send("POST", "/v1/auth/login", object{"email": u.email, "password": fmt.Sprint("guess ", rand.Int())})
		if r.status != http.StatusTooManyRequests {
			continue
		}
		if p := r.problem(t); p.Code != "rate_limited" || r.header.Get("Retry-After") == "" {
			t.Errorf("throttled with %s, Retry-After %q", p.Code, r.header.Get("Retry-After"))
		}
		if !api.lists("POST", "/v1/auth/login", r.status, "rate_limited") {
			t.Error("that logging in is throttled is not described")
		}
		return
	}
	t.Error("50 wrong passwords were not throttled")
}

// forged is the user's token with an expiry in the past, signed with a key.
func (u *user) forged(t *testing.T, key string) string {
	t.Helper()
	parts := strings.Split(u.token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	claims["exp"] = time.Now().Add(-time.Hour).Unix()
	if payload, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// TestBadDocuments: what is wrong with a document shows when it is read. Its job
// fails with a code, once; a client that waits gets the same as its answer.
func TestBadDocuments(t *testing.T) {
	t.Parallel()
	s := boot(t, fast, "URL_ALLOW_PRIVATE=true", "EXTRACT_MAX_TEXT_MB=8")
	u := register(t, s.url)
	api := published(t, s.url)
	web := newSite(t)
	text := textStream([]string{"A page that nobody will read."})
	whole := pdfOf([]string{text}, "")
	for _, c := range []struct {
		name   string
		body   any
		status int
		code   string
	}{
		{"encrypted", file{"secret.pdf", encryptedPDF()}, 422, "document_encrypted"},
		{"corrupt PDF", file{"corrupt.pdf", []byte("%PDF-1.7\n" + strings.Repeat("garbage ", 100))}, 422, "document_malformed"},
		{"corrupt DOCX", file{"corrupt.docx", docx(t, "cut")[:300]}, 422, "document_malformed"},
		{"scan", file{"scan.pdf", scannedPDF(2)}, 422, "no_text_found"},
		{"blank", file{"blank.pdf", pdf([]string{})}, 422, "no_text_found"},
		{"bomb", file{"bomb.docx", bomb(t, 64<<20)}, 422, "document_too_complex"},
		{"redirect loop", object{"url": web.URL + "/loop"}, 422, "url_redirect_loop"},
		{"refused by the site", object{"url": web.URL + "/broken"}, 502, "url_bad_status"},
		{"refused by robots.txt", object{"url": web.URL + "/denied/page"}, 422, "url_robots_denied"},
		{"nobody there", object{"url": "http://127.0.0.1:9/"}, 502, "url_unreachable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := u.as(t)
			path := "/v1/documents/url"
			if _, ok := c.body.(file); ok {
				path = "/v1/documents/upload"
			}
			r := u.send("POST", path, c.body, "Prefer: wait=300")
			p := r.problem(t)
			if r.status != c.status || p.Code != c.code {
				t.Errorf("status %d, code %s, want %d, %s: %s", r.status, p.Code, c.status, c.code, r.body)
			}
			if !api.lists("POST", path, c.status, c.code) {
				t.Errorf("%s may answer %d %s, but its description does not say so", path, c.status, c.code)
			}
			id := strings.TrimPrefix(r.header.Get("Location"), "/v1/jobs/")
			if code := u.endsClearly(c.name, job{ID: id}); code != c.code {
				t.Errorf("the job ended with %s", code)
			}
		})
	}
	t.Run("a good one", func(t *testing.T) {
		u.as(t).must(http.StatusCreated, "POST", "/v1/documents/upload", file{"good.pdf", whole}, "Prefer: wait=300")
	})
}
