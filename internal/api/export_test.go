package api_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// exported unpacks a user's export.
func (u *user) exported() map[string]string {
	u.t.Helper()
	r := u.must(200, "GET", "/v1/users/me/export", nil)
	if kind := r.header.Get("Content-Type"); kind != "application/zip" {
		u.t.Errorf("the export came as %s", kind)
	}
	archive, err := zip.NewReader(bytes.NewReader(r.body), int64(len(r.body)))
	if err != nil {
		u.t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		file, err := f.Open()
		if err != nil {
			u.t.Fatal(err)
		}
		content, err := io.ReadAll(file)
		if err != nil {
			u.t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	return files
}

// TestExport: everything of a user is in it, originals to the byte, and nothing of
// anybody else, and no secret.
func TestExport(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u, other := s.newUser(), s.newUser()
	u.owned()
	other.owned()
	key := u.newKey("read")
	large := strings.Repeat("Größe. ", 400_000) // more than two parts, and pieces that umlauts begin
	var added api.Document
	u.must(201, "POST", "/v1/documents/text", object{"title": "large", "content": large[:1<<21-1]}, "Prefer: wait=300").into(t, &added)
	files := u.exported()
	if files["documents/"+added.ID.String()+"/original.txt"] != large[:1<<21-1] {
		t.Error("the original is not what was sent")
	}
	var document api.Document
	u.must(200, "GET", "/v1/documents/"+added.ID.String(), nil).into(t, &document)
	if got := files["documents/"+added.ID.String()+"/text.txt"]; got != document.Content || got == "" {
		t.Errorf("the text has %d bytes, want %d", len(got), len(document.Content))
	}
	var account api.User
	if err := json.Unmarshal([]byte(files["account.json"]), &account); err != nil || account.ID != u.id {
		t.Errorf("account %s, %v", files["account.json"], err)
	}
	photos := 0
	all := new(strings.Builder)
	for name, content := range files {
		all.WriteString(content)
		if strings.HasPrefix(name, "photos/") && strings.HasPrefix(content, "\xff\xd8") {
			photos++
		}
		for line := range strings.Lines(content) {
			if strings.HasSuffix(name, ".jsonl") && !json.Valid([]byte(line)) {
				t.Errorf("%s: not JSON: %.100q", name, line)
			}
		}
	}
	if photos != 1 {
		t.Errorf("%d photos", photos)
	}
	for what, secret := range map[string]string{
		"another user": other.id.String(), "another address": other.email, "a key": key.Key[len(key.Prefix):], "a hash": "argon2id", "bytes": `"\\x`,
	} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%s is in the export", what)
		}
	}
	for _, name := range []string{
		"sessions", "api_keys", "projects", "documents", "matches", "chats", "stories", "memories", "photos", "jobs",
	} {
		if !strings.Contains(files[name+".jsonl"], u.id.String()) {
			t.Errorf("no %s of the user: %.200q", name, files[name+".jsonl"])
		}
	}
}

// TestExportIsComplete: each table whose rows have an owner is exported, or is
// named here as one that is not; and no column that sounds secret is in it.
func TestExportIsComplete(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	files := s.newUser().exported()
	left := []string{"user_tokens", "mails", "chunks", "embeddings", "photo_bytes"}
	tables := strings.Fields(s.one("SELECT string_agg(DISTINCT c.table_name, ' ') FROM information_schema.columns c JOIN information_schema.tables t " +
		"USING (table_schema, table_name) WHERE c.table_schema = 'public' AND c.column_name = 'user_id' AND t.table_type = 'BASE TABLE'"))
	for _, table := range tables {
		_, exported := files[table+".jsonl"]
		if exported == slices.Contains(left, table) {
			t.Errorf("%s: exported is %v", table, exported)
		}
	}
	if len(tables) < 15 {
		t.Errorf("only %v", tables)
	}
	// What is not binary and has such a name has to be looked at.
	known := []string{"api_keys.prefix", "jobs.idempotency_key", "match_candidates.cache_key", "user_tokens.password_hash"}
	for _, column := range strings.Fields(s.one("SELECT coalesce(string_agg(c.table_name || '.' || c.column_name, ' '), '') FROM information_schema.columns c " +
		"WHERE c.table_schema = 'public' AND c.data_type <> 'bytea' AND c.column_name ~ '(hash|secret|password|_key$)' " +
		"AND c.table_name IN (SELECT table_name FROM information_schema.columns WHERE column_name = 'user_id')")) {
		if !slices.Contains(known, column) {
			t.Errorf("%s would be exported", column)
		}
	}
}

// heldExports says that exports begin, and lets them wait.
type heldExports struct {
	api.AccountStore
	begun, release chan struct{}
}

func (h heldExports) BeginExport(ctx context.Context, user uuid.UUID) (*postgres.Export, error) {
	h.begun <- struct{}{}
	<-h.release
	return h.AccountStore.BeginExport(ctx, user)
}

// TestFewExportsAtOnce: whoever comes while others export is told when to come back.
func TestFewExportsAtOnce(t *testing.T) {
	t.Parallel()
	const path = "/v1/users/me/export"
	s := newSystem(t)
	held := heldExports{begun: make(chan struct{}), release: make(chan struct{})}
	release := sync.OnceFunc(func() { close(held.release) })
	defer release()
	u := s.newUser().as(s.variant(func(o *api.Options) {
		held.AccountStore = o.Own
		o.Own = held
	}))
	statuses := make(chan int, 2)
	for range cap(statuses) {
		go func() { statuses <- u.send("GET", path, nil).status }()
		<-held.begun
	}
	if after := u.refused(domain.CodeRateLimited, 429, "GET", path, nil).header.Get("Retry-After"); after != "60" {
		t.Errorf("to be asked again after %q seconds", after)
	}
	release()
	for range cap(statuses) {
		if status := <-statuses; status != 200 {
			t.Errorf("an export that had begun ended with %d", status)
		}
	}
}

// TestExportIsOnesOwn: it takes a login.
func TestExportIsOnesOwn(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.visitor().refused(domain.CodeUnauthorized, 401, "GET", "/v1/users/me/export", nil)
}
