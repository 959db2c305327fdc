package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

func (u *user) newKey(scopes ...string) api.MadeAPIKey {
	u.t.Helper()
	if scopes == nil {
		scopes = []string{}
	}
	var made api.MadeAPIKey
	u.must(201, "POST", "/v1/auth/api-keys", object{"name": "Nightly import", "scopes": scopes}).into(u.t, &made)
	return made
}

// with is the same user by an API key.
func (u *user) with(key api.MadeAPIKey) *user {
	return &user{system: u.system, id: u.id, email: u.email, token: key.Key}
}

// TestAPIKeys: a key is shown once, works until it is deleted or expires, and is
// stored as a hash.
func TestAPIKeys(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	made := u.newKey("documents:read", "documents:write", "documents:read")
	if !strings.HasPrefix(made.Key, made.Prefix) || len(made.Key) != 46 || len(made.Prefix) != 11 || len(made.Scopes) != 2 || made.LastUsedAt != nil {
		t.Errorf("made %+v", made)
	}
	program := u.with(made)
	program.must(202, "POST", "/v1/documents/text", object{"content": "About keys"})
	program.must(200, "GET", "/documents", nil)
	r := u.must(200, "GET", "/v1/auth/api-keys", nil)
	var listed api.Page[api.APIKey]
	r.into(t, &listed)
	if len(listed.Items) != 1 || listed.Items[0].Prefix != made.Prefix || listed.Items[0].LastUsedAt == nil || strings.Contains(string(r.body), made.Key[len(made.Prefix):]) {
		t.Errorf("listed %s", r.body)
	}
	if stored := program.one("SELECT api_keys::text FROM api_keys"); strings.Contains(stored, made.Key[len(made.Prefix):]) {
		t.Errorf("stored %s", stored)
	}
	program.refused(domain.CodeForbidden, 403, "GET", "/v1/jobs", nil)
	program.refused(domain.CodeUnauthorized, 401, "GET", "/v1/documents", nil, "Authorization: Bearer "+made.Key[:45]+"_")

	expiring := u.newKey("read")
	u.sql("UPDATE api_keys SET expires_at = now() WHERE id = $1", expiring.ID)
	u.with(expiring).refused(domain.CodeUnauthorized, 401, "GET", "/v1/documents", nil)
	u.must(204, "DELETE", "/v1/auth/api-keys/"+made.ID.String(), nil)
	u.refused(domain.CodeNotFound, 404, "DELETE", "/v1/auth/api-keys/"+made.ID.String(), nil)
	program.refused(domain.CodeUnauthorized, 401, "GET", "/v1/documents", nil)
	u.audited(u.id, "api_key.create")
	u.audited(made.ID, "api_key.delete")

	left := u.newKey("read")
	u.sql("UPDATE users SET is_active = false WHERE id = $1", u.id)
	u.with(left).refused(domain.CodeUnauthorized, 401, "GET", "/v1/documents", nil)
}

func TestAPIKeysAreChecked(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	for name, body := range map[string]object{
		"no name":       {"name": " ", "scopes": []string{}},
		"unknown scope": {"name": "a", "scopes": []string{"admin"}},
		"no scopes":     {"name": "a"},
		"past":          {"name": "a", "scopes": []string{}, "expires_at": time.Now().Add(-time.Minute)},
	} {
		if r := u.send("POST", "/v1/auth/api-keys", body); r.status != 422 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	var made api.MadeAPIKey
	u.must(201, "POST", "/v1/auth/api-keys", object{"name": "a", "scopes": []string{}, "expires_at": until}).into(t, &made)
	if made.ExpiresAt == nil || !made.ExpiresAt.Equal(until) {
		t.Errorf("expires %v, want %v", made.ExpiresAt, until)
	}
	u.sql("INSERT INTO api_keys (id, user_id, name, prefix, secret_hash, scopes) "+
		"SELECT gen_random_uuid(), $1, 'x', 'x', convert_to(n::text, 'UTF8'), '{}' FROM generate_series(1, 49) n", u.id)
	u.refused(domain.CodeConflict, 409, "POST", "/v1/auth/api-keys", object{"name": "one more", "scopes": []string{}})
	u.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/auth/api-keys?cursor=x", nil)
	var page api.Page[api.APIKey]
	u.must(200, "GET", "/v1/auth/api-keys?limit=49", nil).into(t, &page)
	u.must(200, "GET", "/v1/auth/api-keys?limit=49&cursor="+*page.NextCursor, nil).into(t, &page)
	if len(page.Items) != 1 || page.NextCursor != nil {
		t.Errorf("the last page has %d keys", len(page.Items))
	}
}

// accountTags are those of operations that no key opens.
var accountTags = []string{"accounts", "administration", "admin", "system"}

// TestKeysOpenWhatTheyNameOnly: a key without scopes opens no operation, one with
// "read" what changes nothing, and none an account or the administration.
func TestKeysOpenWhatTheyNameOnly(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	owner := s.newAdmin()
	var all []string
	for _, scope := range domain.Scopes() {
		all = append(all, string(scope))
	}
	none, read, every := owner.with(owner.newKey()), owner.with(owner.newKey("read")), owner.with(owner.newKey(all...))
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Scope       string `json:"x-scope"`
			Security    []any
			Tags        []string
		}
	}
	owner.must(200, "GET", "/openapi.json", nil).into(t, &d)
	walked := 0
	for path, operations := range d.Paths {
		for method, op := range operations {
			if len(op.Security) == 0 {
				continue
			}
			walked++
			account := slices.Contains(accountTags, op.Tags[0])
			if account != (op.Scope == "") {
				t.Errorf("%s has the scope %q", op.OperationID, op.Scope)
			}
			method = strings.ToUpper(method)
			reads := !account && (method == http.MethodGet || op.OperationID == "search-documents")
			for _, at := range []string{"/v1", ""} {
				address := at + fill(strings.TrimPrefix(path, "/v1"))
				none.refused(domain.CodeForbidden, 403, method, address, object{})
				if !reads {
					read.refused(domain.CodeForbidden, 403, method, address, object{})
				}
				if account {
					every.refused(domain.CodeForbidden, 403, method, address, object{})
				}
			}
			if !account && !strings.HasSuffix(path, "/events") {
				if r := every.send(method, fill(path), object{}); r.status == 403 || r.status == 401 {
					t.Errorf("%s %s: a key with all scopes got %s", method, path, r.body)
				}
			}
			if reads && !strings.HasSuffix(path, "/events") {
				if r := read.send(method, fill(path), object{}); r.status == 403 || r.status == 401 {
					t.Errorf("%s %s: a key that may read got %s", method, path, r.body)
				}
			}
		}
	}
	if walked < 60 {
		t.Errorf("only %d operations", walked)
	}
}

// fill puts ids of nothing into an address.
func fill(path string) string {
	for strings.Contains(path, "{") {
		from, to := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:from] + uuid.NewString() + path[to+1:]
	}
	return path
}

// TestStreamsEndWithTheirKey as they do with their session.
func TestStreamsEndWithTheirKey(t *testing.T) {
	t.Parallel()
	u := newSystem(t, func(o *api.Options) { o.Heartbeat = 20 * time.Millisecond }).newUser()
	key := u.newKey("jobs")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.url+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key.Key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buffer := make([]byte, 1<<10)
	for got := ""; !strings.Contains(got, "snapshot"); {
		n, err := resp.Body.Read(buffer)
		if err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		got += string(buffer[:n])
	}
	u.must(204, "DELETE", fmt.Sprintf("/v1/auth/api-keys/%s", key.ID), nil)
	for err == nil { // a stream that went on would fail by the test's time
		_, err = resp.Body.Read(buffer)
	}
}
