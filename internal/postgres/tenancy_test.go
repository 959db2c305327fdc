package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// nobodys are the tables that hold nothing of a user: their rows are the
// system's, and what is granted of them is for everybody to know.
var nobodys = map[string]bool{
	"goose_db_version": true, "embedding_spaces": true, "reembeddings": true, "job_resources": true, "workers": true,
	"audit_log": true, "llm_config": true, "stage_pauses": true, "throttles": true,
	"mails": true, // to addresses that may belong to no account
}

// TestTablesAreProtected fails for a table that was made without protect.
func TestTablesAreProtected(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	for _, table := range x.tables("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace") {
		var secured bool
		var policies, grants int
		err := x.admin.QueryRow(t.Context(), `SELECT relrowsecurity,
			(SELECT count(*) FROM pg_policy WHERE polrelid = c.oid AND polroles = ARRAY['general_backend_user'::regrole::oid]),
			(SELECT count(*) FROM aclexplode(relacl) a WHERE a.privilege_type <> 'SELECT'
				AND a.grantee IN (0, 'general_backend_user'::regrole, 'general_backend_worker'::regrole))
			FROM pg_class c WHERE oid = to_regclass($1)`, table).Scan(&secured, &policies, &grants)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case nobodys[table] && grants > 0:
			t.Errorf("%s belongs to nobody, and users or workers may change it", table)
		case !nobodys[table] && (!secured || policies == 0):
			t.Errorf("%s is open: its migration lacks SELECT protect('%s')", table, table)
		}
	}
}

// TestRowsOfOthers tries everything at every table as one user, with nothing but
// a table's name, and must reach no row of the other.
func TestRowsOfOthers(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	self, victim := x.add(), x.add()
	ctx := postgres.As(t.Context(), self)
	seen := 0
	for _, table := range x.secure {
		own, foreign := x.count(ctx, table, self), x.count(ctx, table, victim)
		if foreign > 0 || own == 0 {
			t.Errorf("%s: sees %d own rows and %d of another", table, own, foreign)
		}
		seen += max(own, 0)
		x.attack(ctx, table, self, victim)
		if left := x.count(postgres.AsSystem(t.Context()), table, victim); left != 1 {
			t.Errorf("%s: the other user has %d rows left, not 1", table, left)
		}
	}
	if seen < 10 {
		t.Errorf("the user saw %d own rows in all: the test proves nothing", seen)
	}
}

// TestForgottenFilter asks without a WHERE, as a query might that forgot it.
func TestForgottenFilter(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	users := []uuid.UUID{x.add(), x.add()}
	for _, user := range users {
		var documents, jobs, chunks int
		err := x.store.Pool().QueryRow(postgres.As(t.Context(), user), `SELECT
			(SELECT count(*) FROM documents), (SELECT count(*) FROM jobs JOIN job_events ON true),
			(SELECT count(*) FROM chunks, embeddings)`).Scan(&documents, &jobs, &chunks)
		if err != nil || documents != 1 || jobs != 1 || chunks != 1 {
			t.Errorf("%d documents, %d jobs, %d chunks, %v; want what is the user's", documents, jobs, chunks, err)
		}
	}
}

// TestNobodySeesNothing holds for statements whose context names no actor.
func TestNobodySeesNothing(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	user := x.add()
	if _, err := x.store.Documents(t.Context(), user, postgres.DocumentFilter{Limit: 1}); err == nil {
		t.Error("a statement for nobody was answered")
	}
	if _, err := x.store.Documents(postgres.As(t.Context(), uuid.Nil), user, postgres.DocumentFilter{Limit: 1}); err == nil {
		t.Error("a statement for the user of id zero was answered")
	}
	if found, err := x.store.Documents(postgres.As(t.Context(), user), user, postgres.DocumentFilter{Limit: 1}); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// TestConnectionsChangeHands lets many users share few connections, with
// statements, batches and transactions, failing ones among them.
func TestConnectionsChangeHands(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	dsn := x.dsn + "&pool_max_conns=2"
	store, err := postgres.Open(t.Context(), dsn, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	var all sync.WaitGroup
	for range 8 {
		user := x.add()
		all.Go(func() {
			for turn := range 40 {
				if err := onlyOwn(postgres.As(t.Context(), user), store, user, turn); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Go(func() {
		for range 40 {
			var users int
			err := store.System().Pool().QueryRow(t.Context(), "SELECT count(DISTINCT user_id) FROM documents").Scan(&users)
			if err != nil || users != 8 {
				t.Errorf("the system sees %d users, %v", users, err)
			}
		}
	})
	all.Wait()
}

// onlyOwn asks for all documents in one of several ways.
func onlyOwn(ctx context.Context, store *postgres.Store, user uuid.UUID, turn int) error {
	const all = "SELECT count(*), count(*) FILTER (WHERE user_id = $1) FROM documents"
	var seen, own int
	var err error
	switch turn % 4 {
	case 0:
		err = store.Pool().QueryRow(ctx, all, user).Scan(&seen, &own)
	case 1:
		err = pgx.BeginFunc(ctx, store.Pool(), func(tx pgx.Tx) error { return tx.QueryRow(ctx, all, user).Scan(&seen, &own) })
	case 2: // an aborted transaction
		err = pgx.BeginFunc(ctx, store.Pool(), func(tx pgx.Tx) error {
			if err := tx.QueryRow(ctx, all, user).Scan(&seen, &own); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "SELECT 1 / 0")
			return err
		})
		if err != nil && strings.Contains(err.Error(), "division by zero") {
			err = nil
		}
	case 3: // a connection taken, and a statement that is cut off
		cut, cancel := context.WithCancel(ctx)
		cancel()
		_, _ = store.Pool().Exec(cut, "SELECT pg_sleep(1)")
		err = store.Pool().QueryRow(ctx, all, user).Scan(&seen, &own)
	}
	if err == nil && (seen != 1 || own != 1) {
		err = fmt.Errorf("%d documents seen, %d of them own", seen, own)
	}
	return err
}

// TestUsersCannotRaiseThemselves holds for columns of users.
func TestUsersCannotRaiseThemselves(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	user := x.add()
	ctx := postgres.As(t.Context(), user)
	for _, statement := range []string{
		"SELECT password_hash FROM users",
		"UPDATE users SET is_admin = true",
		"UPDATE users SET is_active = true, is_verified = true",
		"UPDATE users SET password_hash = ''",
		"UPDATE users SET email = 'admin@example.org'",
		"DELETE FROM users",
		"INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), 'a@example.org', '')",
		"SELECT * FROM audit_log",
		"SELECT * FROM sessions",
		"SELECT * FROM job_scope(gen_random_uuid())",
		"TRUNCATE documents",
		"ALTER TABLE documents DISABLE ROW LEVEL SECURITY",
		"CREATE TABLE mine (id int)",
	} {
		if !denied(x.exec(ctx, statement)) {
			t.Errorf("not denied: %s", statement)
		}
	}
	if n, err := x.affected(ctx, "UPDATE users SET name = 'n'"); err != nil || n != 1 {
		t.Errorf("%d accounts renamed, %v; want the own one", n, err)
	}
}

// TestSearchIsForTheOwner holds for the functions that run as the owner of the
// tables.
func TestSearchIsForTheOwner(t *testing.T) {
	t.Parallel()
	x := newTenancy(t)
	user, other := x.add(), x.add()
	for _, call := range []string{
		"SELECT * FROM probe_chunks(1, $1, NULL, NULL, ARRAY['a'::tsquery], 10)",
		"SELECT * FROM nearest_chunks(1, $1, NULL, NULL, '[1,2,3]'::halfvec, 2, 10, false)",
		"SELECT * FROM cached_vectors(1, $1, '{}')",
	} {
		if err := x.exec(postgres.As(t.Context(), user), call, user); err != nil {
			t.Errorf("%s: %v", call, err)
		}
		if !denied(x.exec(postgres.As(t.Context(), user), call, other)) {
			t.Errorf("answered for another user: %s", call)
		}
		if !denied(x.exec(postgres.AsWorker(t.Context(), domain.Job{ID: uuid.New(), UserID: user}), call, other)) {
			t.Errorf("answered a worker for another user: %s", call)
		}
	}
}
