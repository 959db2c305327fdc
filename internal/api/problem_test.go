package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

// TestBadRequests: each kind of bad request has its code and status, and the
// answer can be read by a browser of an allowed origin.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	pending := u.text("waiting").Document.ID.String()
	large, largeType := form(t, field{"file", "large.txt", strings.Repeat("words ", 1<<20)})
	empty, emptyType := form(t, field{"file", "empty.pdf", ""})
	binary, binaryType := form(t, field{"file", "program.pdf", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00"})
	nofile, nofileType := form(t, field{"project_id", "", ""})
	two, twoType := form(t, field{"file", "a.pdf", pdf}, field{"file", "b.pdf", pdf})
	badProject, badProjectType := form(t, field{"project_id", "", "seven"}, field{"file", "a.pdf", pdf})
	cut, cutType := form(t, field{"file", "a.pdf", pdf})
	cut = cut[:len(cut)-40]
	unknown := uuid.NewString()

	for _, tc := range []struct {
		name         string
		code         domain.Code
		status       int
		method, path string
		body         any
		headers      []string
	}{
		{"bad JSON", domain.CodeInvalid, 400, "POST", "/v1/projects", `{"name":`, nil},
		{"no JSON", domain.CodeInvalid, 400, "POST", "/v1/projects", "", nil},
		{"wrong type", domain.CodeInvalid, 422, "POST", "/v1/projects", `{"name": 7}`, nil},
		{"missing field", domain.CodeInvalid, 422, "POST", "/v1/projects", `{}`, nil},
		{"blank name", domain.CodeInvalid, 422, "POST", "/v1/projects", object{"name": " \t"}, nil},
		{"NUL", domain.CodeInvalid, 400, "POST", "/v1/projects", `{"name": "a\u0000b"}`, nil},
		{"bad UTF-8", domain.CodeInvalid, 400, "POST", "/v1/projects", "{\"name\": \"a\xff\"}", nil},
		{"NUL in the query", domain.CodeInvalid, 400, "GET", "/v1/documents/search?query=%00", nil, nil},
		{"bad query", domain.CodeInvalid, 400, "GET", "/v1/documents?limit=%zz", nil, nil},
		{"large JSON", domain.CodeTooLarge, 413, "POST", "/v1/projects", object{"name": strings.Repeat("x", 2<<20)}, nil},
		{"large config", domain.CodeInvalid, 422, "POST", "/v1/projects", object{"name": "x", "config": object{"x": strings.Repeat("x", 65<<10)}}, nil},
		{"not JSON", domain.CodeUnsupportedType, 415, "POST", "/v1/projects", `<x/>`, []string{"Content-Type: application/xml"}},
		{"bad limit", domain.CodeInvalid, 422, "GET", "/v1/projects?limit=0", nil, nil},
		{"bad state", domain.CodeInvalid, 422, "GET", "/v1/jobs?state=lost", nil, nil},
		{"bad id", domain.CodeInvalid, 422, "GET", "/v1/jobs/seven", nil, nil},
		{"bad cursor", domain.CodeInvalidCursor, 400, "GET", "/v1/jobs?cursor=seven", nil, nil},
		{"unknown id", domain.CodeNotFound, 404, "GET", "/v1/jobs/" + unknown, nil, nil},
		{"unknown address", domain.CodeNotFound, 404, "GET", "/v1/jobz", nil, nil},
		{"wrong method", domain.CodeMethodNotAllowed, 405, "PATCH", "/v1/jobs", nil, nil},
		{"no token", domain.CodeUnauthorized, 401, "GET", "/v1/jobs", nil, []string{"Authorization: "}},
		{"other scheme", domain.CodeUnauthorized, 401, "GET", "/v1/jobs", nil, []string{"Authorization: Basic " + u.token}},
		{"no file", domain.CodeInvalid, 422, "POST", "/v1/documents/upload", nofile, []string{nofileType}},
		{"two files", domain.CodeInvalid, 422, "POST", "/v1/documents/upload", two, []string{twoType}},
		{"bad project", domain.CodeInvalid, 422, "POST", "/v1/documents/upload", badProject, []string{badProjectType}},
		{"empty file", domain.CodeEmptyDocument, 422, "POST", "/v1/documents/upload", empty, []string{emptyType}},
		{"large file", domain.CodeTooLarge, 413, "POST", "/v1/documents/upload", large, []string{largeType}},
		{"binary", domain.CodeUnsupportedType, 415, "POST", "/v1/documents/upload", binary, []string{binaryType}},
		{"cut off", domain.CodeInvalid, 400, "POST", "/v1/documents/upload", cut, []string{cutType}},
		{"no form", domain.CodeUnsupportedType, 415, "POST", "/v1/documents/upload", `{}`, nil},
		{"empty text", domain.CodeEmptyDocument, 422, "POST", "/v1/documents/text", object{"content": " \n"}, nil},
		{"large text", domain.CodeTooLarge, 413, "POST", "/v1/documents/text", object{"content": strings.Repeat("x", 2<<20+1)}, nil},
		{"no URL", domain.CodeURLInvalid, 422, "POST", "/v1/documents/url", object{"url": "example"}, nil},
		{"other scheme of URL", domain.CodeURLInvalid, 422, "POST", "/v1/documents/url", object{"url": "file:///etc/passwd"}, nil},
		{"user in URL", domain.CodeURLInvalid, 422, "POST", "/v1/documents/url", object{"url": "https://me:secret@example.org"}, nil},
		{"local name", domain.CodeURLForbidden, 422, "POST", "/v1/documents/url", object{"url": "http://localhost:5432/"}, nil},
		{"private address", domain.CodeURLForbidden, 422, "POST", "/v1/documents/url", object{"url": "http://[::ffff:10.0.0.1]/"}, nil},
		{"metadata address", domain.CodeURLForbidden, 422, "POST", "/v1/documents/url", object{"url": "http://169.254.169.254/latest"}, nil},
		{"match of nothing", domain.CodeInvalid, 422, "POST", "/v1/cv-matcher/match", object{"employer_documents": []string{pending}}, nil},
		{"match of unknown", domain.CodeNotFound, 404, "POST", "/v1/cv-matcher/match", object{"employer_documents": []string{pending}, "applicant_documents": []string{unknown}}, nil},
		{"match too early", domain.CodeNotReady, 409, "POST", "/v1/cv-matcher/match", object{"employer_documents": []string{pending}, "applicant_documents": []string{pending}}, nil},
		{"unknown provider", domain.CodeProviderUnknown, 422, "POST", "/v1/cv-matcher/match", object{"employer_documents": []string{pending}, "applicant_documents": []string{pending}, "provider": "oracle"}, nil},
		{"unknown provider's models", domain.CodeProviderUnknown, 422, "GET", "/v1/llm/models?provider=oracle", nil, nil},
		{"empty search", domain.CodeInvalid, 422, "POST", "/v1/documents/search", object{"query": " "}, nil},
		{"bad event id", domain.CodeInvalid, 422, "GET", "/v1/jobs/" + unknown + "/events", nil, []string{"Last-Event-ID: seven"}},
		{"taken address", domain.CodeEmailTaken, 409, "POST", "/v1/auth/register", object{"email": strings.ToUpper(u.email), "password": password}, nil},
		{"short password", domain.CodeInvalid, 422, "POST", "/v1/auth/register", object{"email": "short@example.org", "password": "short"}, nil},
		{"no address", domain.CodeInvalid, 422, "POST", "/v1/auth/register", object{"email": "nobody", "password": password}, nil},
		{"wrong password", domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": "incorrect"}, nil},
		{"unknown account", domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": "who@example.org", "password": "incorrect"}, nil},
		{"login without password", domain.CodeInvalid, 422, "POST", "/v1/auth/login", object{"email": u.email}, nil},
		{"login with bad JSON", domain.CodeInvalid, 400, "POST", "/v1/auth/login", `{`, nil},
		{"login with XML", domain.CodeUnsupportedType, 415, "POST", "/v1/auth/login", `<x/>`, []string{"Content-Type: text/xml"}},
		{"made-up refresh token", domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": unknown + ".c2VjcmV0"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := *u
			s := *u.system
			s.t = t
			v.system = &s
			r := v.refused(tc.code, tc.status, tc.method, tc.path, tc.body, append(tc.headers, "Origin: "+origin)...)
			if r.header.Get("Access-Control-Allow-Origin") != origin {
				t.Error("no CORS header")
			}
			if strings.Contains(string(r.body), "secret") {
				t.Errorf("the answer repeats what was sent: %s", r.body)
			}
		})
	}
}

// TestProblemsSayWhatToDo: the sentences are for people, not of parsers.
func TestProblemsSayWhatToDo(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	for _, tc := range []struct {
		method, path, body, contentType, detail, hint string
	}{
		{"GET", "/v1/jobs/seven", "", "", "The request is not valid: path.job_id must be an id such as 3f0c2a9e-8f57-4d0e-9a53-6f3f0f9e2d11.", ""},
		{
			"POST", "/v1/cv-matcher/match", `{"employer_documents": ["seven"]}`, "application/json",
			"The request is not valid: body.employer_documents[0] must be an id such as 3f0c2a9e-8f57-4d0e-9a53-6f3f0f9e2d11.", "",
		},
		{
			"POST", "/v1/auth/register", `{"email": "nobody", "password": "long enough"}`, "application/json",
			"The request is not valid: body.email must be an e-mail address.", "",
		},
		{
			"POST", "/v1/projects", `<x/>`, "application/xml",
			"The Content-Type of the request is not one this operation reads.", "Send JSON, with `Content-Type: application/json`.",
		},
	} {
		var p api.Problem
		u.send(tc.method, tc.path, tc.body, "Content-Type: "+tc.contentType).into(t, &p)
		if p.Detail != tc.detail || p.Hint != tc.hint {
			t.Errorf("%s %s: %q, %q; want %q, %q", tc.method, tc.path, p.Detail, p.Hint, tc.detail, tc.hint)
		}
	}
}

// TestBadTokens: only tokens of our own making, for us, in time, of a session
// that holds.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	var good jwt.MapClaims
	if _, err := jwt.ParseWithClaims(u.token, &good, func(*jwt.Token) (any, error) { return secret, nil }); err != nil {
		t.Fatal(err)
	}
	sign := func(method jwt.SigningMethod, key any, changes jwt.MapClaims) string {
		claims := jwt.MapClaims{}
		for _, source := range []jwt.MapClaims{good, changes} {
			for name, value := range source {
				claims[name] = value
			}
		}
		for name, value := range claims {
			if value == nil {
				delete(claims, name)
			}
		}
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	hs256 := jwt.SigningMethodHS256
	past := time.Now().Add(-time.Hour).Unix()
	for name, tc := range map[string]struct {
		code  domain.Code
		token string
	}{
		"expired":           {domain.CodeTokenExpired, sign(hs256, secret, jwt.MapClaims{"exp": past})},
		"expired, forged":   {domain.CodeUnauthorized, sign(hs256, []byte("another key"), jwt.MapClaims{"exp": past})},
		"forged":            {domain.CodeUnauthorized, sign(hs256, []byte("another key"), nil)},
		"unsigned":          {domain.CodeUnauthorized, sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)},
		"another algorithm": {domain.CodeUnauthorized, sign(jwt.SigningMethodHS512, secret, nil)},
		"no expiry":         {domain.CodeUnauthorized, sign(hs256, secret, jwt.MapClaims{"exp": nil})},
		"another audience":  {domain.CodeUnauthorized, sign(hs256, secret, jwt.MapClaims{"aud": "fastapi-users:auth"})},
		"another issuer":    {domain.CodeUnauthorized, sign(hs256, secret, jwt.MapClaims{"iss": "elsewhere"})},
		"another user":      {domain.CodeUnauthorized, sign(hs256, secret, jwt.MapClaims{"sub": uuid.NewString()})},
		"unknown session":   {domain.CodeUnauthorized, sign(hs256, secret, jwt.MapClaims{"sid": uuid.NewString()})},
		"no token":          {domain.CodeUnauthorized, "seven"},
	} {
		r := u.refused(tc.code, 401, "GET", "/v1/users/me", nil, "Authorization: Bearer "+tc.token)
		if t.Failed() {
			t.Fatalf("%s: %s", name, r.body)
		}
		if r.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: no WWW-Authenticate", name)
		}
	}
	u.must(200, "GET", "/v1/users/me", nil, "Authorization: bearer "+sign(hs256, secret, nil))
}

// TestOurFaults are told without their cause, also to a browser.
func TestOurFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		code   domain.Code
		status int
		fault  func(api.SearchQuery) (api.SearchResult, error)
	}{
		"panic": {domain.CodeInternal, 500, func(api.SearchQuery) (api.SearchResult, error) { panic("the password is hunter2") }},
		"unknown error": {domain.CodeInternal, 500, func(api.SearchQuery) (api.SearchResult, error) {
			return api.SearchResult{}, http.ErrServerClosed
		}},
		"unavailable": {domain.CodeUnavailable, 503, func(api.SearchQuery) (api.SearchResult, error) {
			return api.SearchResult{}, domain.Errorf(domain.CodeUnavailable, "Try again later.").WithCause(http.ErrServerClosed)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newSystem(t).newUser()
			u.search.answer = tc.fault
			r := u.refused(tc.code, tc.status, "GET", "/v1/documents/search?query=x", nil, "Origin: "+origin)
			if r.header.Get("Access-Control-Allow-Origin") != origin {
				t.Error("no CORS header")
			}
			for _, cause := range []string{"hunter2", "Server closed"} {
				if strings.Contains(string(r.body), cause) {
					t.Errorf("the cause is told: %s", r.body)
				}
			}
			if (tc.status == 503) != (r.header.Get("Retry-After") != "") {
				t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
			}
		})
	}
}
