package postgres_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// job stores a job of a kind about a resource and returns it.
func (x *tenancy) job(kind domain.Kind, user, resource uuid.UUID, project *uuid.UUID) domain.Job {
	x.t.Helper()
	job := domain.Job{ID: uuid.Must(uuid.NewV7()), UserID: user}
	x.must(`INSERT INTO jobs (id, user_id, project_id, kind, stage, class, resource_id) VALUES ($1, $2, $3, $4, 'extract', 'bulk', $5)`,
		job.ID, user, project, kind, resource)
	return job
}

// document stores a document with a page, a part and a chunk.
func (x *tenancy) document(user uuid.UUID, project *uuid.UUID) uuid.UUID {
	x.t.Helper()
	id := uuid.Must(uuid.NewV7())
	x.must("INSERT INTO documents (id, user_id, project_id, type, state) VALUES ($1, $2, $3, 'txt', 'ready')", id, user, project)
	x.must("INSERT INTO document_pages (document_id, user_id, page, text, quality) VALUES ($1, $2, 1, 'text', '{}')", id, user)
	x.must("INSERT INTO document_parts (document_id, user_id, ordinal, bytes) VALUES ($1, $2, 0, 'text')", id, user)
	x.must(`INSERT INTO chunks (space_id, document_id, user_id, project_id, ordinal, page_from, page_to, char_from, char_to, content, content_hash, tsv)
		VALUES ((SELECT min(id) FROM embedding_spaces), $1, $2, $3, 0, 1, 1, 0, 4, 'text', '\x00', 'text')`, id, user, project)
	return id
}

// TestWorkersSeeWhatTheirJobIsAbout counts what the worker of each kind of job
// sees of a user with much more, and of a user who is none of its business.
func TestWorkersSeeWhatTheirJobIsAbout(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	user, other := x.add(), x.add()
	project := uuid.MustParse(x.rows[user]["projects"]["id"].(string))
	free, inProject, posting := x.document(user, nil), x.document(user, &project), x.document(user, nil)
	match := uuid.MustParse(x.rows[user]["matches"]["id"].(string))
	x.must("UPDATE matches SET employer_doc_ids = ARRAY[$2::uuid], applicant_doc_ids = ARRAY[$3::uuid] WHERE id = $1", match, posting, free)
	x.must("UPDATE documents SET project_id = NULL WHERE project_id = $1 AND id <> $2", project, inProject)
	x.must("UPDATE chunks SET project_id = NULL WHERE project_id = $1 AND document_id <> $2", project, inProject)
	foreign := uuid.MustParse(x.rows[other]["documents"]["id"].(string))
	for _, tc := range []struct {
		name string
		job  domain.Job
		want map[string]int // rows; -1 is no right to look
	}{
		{"ingest", x.job(domain.KindIngest, user, free, nil), map[string]int{
			"documents": 1, "document_pages": 1, "document_parts": 1, "chunks": 1, "matches": 0, "projects": 0, "jobs": 1, "chats": 0,
		}},
		{"match", x.job(domain.KindMatch, user, match, nil), map[string]int{
			"documents": 2, "document_pages": 2, "document_parts": 2, "chunks": 2, "matches": 1, "projects": 0, "jobs": 1, "chats": 0,
		}},
		{"chat", x.job(domain.KindChat, user, uuid.New(), &project), map[string]int{
			"documents": 1, "document_pages": 1, "document_parts": 0, "chunks": 1, "matches": 0, "projects": 1, "jobs": 1, "chats": 1,
		}},
		{"of a foreign document", x.job(domain.KindIngest, user, foreign, nil), map[string]int{
			"documents": 0, "document_pages": 0, "document_parts": 0, "chunks": 0, "matches": 0, "projects": 0, "jobs": 1, "chats": 0,
		}},
		{"that is gone", domain.Job{ID: uuid.New(), UserID: user}, map[string]int{
			"documents": 0, "document_pages": 0, "document_parts": 0, "chunks": 0, "matches": 0, "projects": 0, "jobs": 0, "chats": 0,
		}},
	} {
		ctx, seen := postgres.AsWorker(t.Context(), tc.job), map[string]int{}
		for table := range tc.want {
			n := 0
			if err := x.store.Pool().QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			seen[table] = n
		}
		if diff := cmp.Diff(tc.want, seen); diff != "" {
			t.Errorf("the worker of a job %s sees: %s", tc.name, diff)
		}
	}
}

// TestWorkersCannotReadSecrets holds for everything that proves who somebody is,
// whatever columns come to it.
func TestWorkersCannotReadSecrets(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	user := x.add()
	ctx := postgres.AsWorker(t.Context(), x.job(domain.KindIngest, user, uuid.New(), nil))
	for _, table := range []string{
		"reembeddings", "users", "sessions", "user_tokens", "api_keys", "audit_log", "mails", "throttles", "llm_config", "llm_limits", "job_resources", "goose_db_version",
	} {
		for _, statement := range []string{"SELECT 1 FROM %s", "DELETE FROM %s", "INSERT INTO %s DEFAULT VALUES"} {
			if statement = fmt.Sprintf(statement, table); !denied(x.exec(ctx, statement)) {
				t.Errorf("not denied: %s", statement)
			}
		}
	}
	for _, statement := range []string{
		"UPDATE jobs SET user_id = gen_random_uuid()", "DELETE FROM jobs", "SELECT job_scope(gen_random_uuid())", "DELETE FROM documents",
	} {
		if !denied(x.exec(ctx, statement)) {
			t.Errorf("not denied: %s", statement)
		}
	}
	// A column that sounds like a secret belongs to a table that workers cannot read.
	names := `SELECT DISTINCT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
		  AND a.attname ~ '(password|secret|refresh|token)' AND a.attname !~ 'tokens$'`
	for _, table := range x.tables(names) {
		if !denied(x.exec(ctx, "SELECT 1 FROM "+table)) {
			t.Errorf("%s holds secrets, and workers can read it", table)
		}
	}
}

// TestWorkersStayWithTheirUser tries every table as a worker.
func TestWorkersStayWithTheirUser(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	self, victim := x.add(), x.add()
	ctx := postgres.AsWorker(t.Context(), x.job(domain.KindIngest, self, uuid.MustParse(x.rows[self]["documents"]["id"].(string)), nil))
	for _, table := range x.secure {
		if foreign := x.count(ctx, table, victim); foreign > 0 {
			t.Errorf("%s: sees %d rows of another user", table, foreign)
		}
		x.attack(ctx, table, self, victim)
		if left := x.count(postgres.AsSystem(t.Context()), table, victim); left != 1 {
			t.Errorf("%s: the other user has %d rows left, not 1", table, left)
		}
	}
}
