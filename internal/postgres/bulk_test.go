package postgres_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// insertJobs adds n jobs with the documents they make. Every second one has
// failed with worker_lost, the others with model_timeout, where they failed.
func insertJobs(t *testing.T, store *postgres.Store, user uuid.UUID, n int, state domain.State) []uuid.UUID {
	t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7())
	}
	_, err := store.Pool().Exec(t.Context(), `
		WITH added AS (SELECT id, n FROM unnest($1::uuid[]) WITH ORDINALITY AS a (id, n)),
		documents AS (INSERT INTO documents (id, user_id, type, state) SELECT id, $2, 'txt', 'pending' FROM added)
		INSERT INTO jobs (id, user_id, kind, stage, class, state, resource_id, attempt, error_code, error_detail, finished_at)
		SELECT id, $2, 'ingest', 'extract', 'bulk', $3::text, id, 5,
		       CASE WHEN $3 = 'failed' THEN CASE WHEN n % 2 = 0 THEN 'worker_lost' ELSE 'model_timeout' END END, 'The test wants it so.', now()
		FROM added`, ids, user, string(state))
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func countOf(t *testing.T, store *postgres.Store, sql string, args ...any) (n int) {
	t.Helper()
	if err := store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM "+sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// changes counts what an action hands on, and that no job comes twice.
type changes struct {
	t      *testing.T
	seen   map[uuid.UUID]bool
	states map[domain.State]int
}

func newChanges(t *testing.T) *changes {
	return &changes{t: t, seen: map[uuid.UUID]bool{}, states: map[domain.State]int{}}
}

func (c *changes) add(batch []domain.Job) {
	for _, j := range batch {
		if c.seen[j.ID] || j.UserID == uuid.Nil || j.Stage != domain.StageExtract || j.Class != domain.ClassBulk {
			c.t.Errorf("handed on %+v", j)
		}
		c.seen[j.ID] = true
		c.states[j.State]++
	}
}

// TestTwentyThousandDeadLetters are retried by one call, each with all its
// attempts, and what they make is pending again; those of others are left alone.
func TestTwentyThousandDeadLetters(t *testing.T) {
	t.Parallel()
	store := open(t)
	user, other := newUser(t, store), newUser(t, store)
	insertJobs(t, store, user, 20_000, domain.StateFailed)
	insertJobs(t, store, other, 100, domain.StateFailed)
	insertJobs(t, store, user, 100, domain.StateSucceeded)
	lost := postgres.JobSelection{UserID: &user, ErrorCode: domain.CodeWorkerLost}
	if n, err := store.CountJobs(t.Context(), postgres.DiscardJobs, lost); n != 10_000 || err != nil {
		t.Fatalf("%d to discard, %v", n, err)
	}
	discarded := newChanges(t)
	if n, err := store.ChangeJobs(t.Context(), postgres.DiscardJobs, lost, discarded.add); n != 10_000 || err != nil || discarded.states[domain.StateFailed] != 10_000 {
		t.Fatalf("%d discarded, %v", n, err)
	}
	if dead, err := store.DeadLetters(t.Context()); dead[domain.StageExtract] != 10_100 || err != nil {
		t.Errorf("dead letters %v, %v", dead, err)
	}
	retried := newChanges(t)
	if n, err := store.ChangeJobs(t.Context(), postgres.RetryJobs, postgres.JobSelection{UserID: &user}, retried.add); n != 10_000 || err != nil || retried.states[domain.StateQueued] != 10_000 {
		t.Fatalf("%d retried, %v", n, err)
	}
	for sql, want := range map[string]int{
		"jobs WHERE user_id = $1 AND state = 'queued' AND attempt = 0 AND error_code IS NULL AND finished_at IS NULL": 10_000,
		"jobs WHERE user_id = $1 AND state = 'failed' AND discarded_at IS NOT NULL":                                   10_000,
		"documents WHERE user_id = $1 AND state = 'pending' AND error_code IS NULL":                                   10_100, // 100 of the succeeded
		"documents WHERE user_id = $1 AND state = 'failed'":                                                           10_000,
		"job_events e JOIN jobs j ON j.id = e.job_id WHERE j.user_id = $1 AND e.seq = 2 AND e.type = 'state'":         10_000,
	} {
		if n := countOf(t, store, sql, user); n != want {
			t.Errorf("%d of %s, want %d", n, sql, want)
		}
	}
	if n := countOf(t, store, "jobs WHERE user_id = $1 AND state = 'failed' AND discarded_at IS NULL", other); n != 100 {
		t.Errorf("%d jobs of another user stayed failed", n)
	}
	again := newChanges(t)
	if n, err := store.ChangeJobs(t.Context(), postgres.RetryJobs, postgres.JobSelection{Discarded: new(true)}, again.add); n != 10_000 || err != nil {
		t.Errorf("%d of the discarded retried, %v", n, err)
	}
}

// TestTwentyThousandCancelled while workers claim some of them: each job is
// cancelled or asked to stop, and told of once.
func TestTwentyThousandCancelled(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	ids := insertJobs(t, store, user, 20_000, domain.StateQueued)
	var claiming sync.WaitGroup
	claimed := 0
	claiming.Go(func() {
		for batch := range slices.Chunk(ids, 50) {
			tasks, err := store.Claim(t.Context(), domain.StageExtract, batch[:5], "w", time.Minute)
			if err != nil {
				t.Error(err)
			}
			claimed += len(tasks)
		}
	})
	cancelled := newChanges(t)
	n, err := store.ChangeJobs(t.Context(), postgres.CancelJobs, postgres.JobSelection{Stage: domain.StageExtract}, cancelled.add)
	claiming.Wait()
	if n != 20_000 || err != nil || len(cancelled.seen) != 20_000 {
		t.Fatalf("%d cancelled, %v", n, err)
	}
	if cancelled.states[domain.StateRunning] != claimed {
		t.Errorf("%d running ones told of, %d claimed", cancelled.states[domain.StateRunning], claimed)
	}
	if left := countOf(t, store, "jobs WHERE cancel_requested_at IS NULL OR state NOT IN ('cancelled', 'running')"); left != 0 {
		t.Errorf("%d left", left)
	}
	if n := countOf(t, store, "documents WHERE state = 'failed' AND error_code = 'cancelled'"); n != cancelled.states[domain.StateCancelled] {
		t.Errorf("%d documents failed", n)
	}
	if n, err := store.ChangeJobs(t.Context(), postgres.CancelJobs, postgres.JobSelection{}, cancelled.add); n != 0 || err != nil {
		t.Errorf("%d cancelled twice, %v", n, err)
	}
}

// TestRetriedByTheirOwners, discarded jobs are no longer discarded.
func TestRetriedByTheirOwners(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	id := insertJobs(t, store, user, 1, domain.StateFailed)[0]
	if _, err := store.ChangeJobs(t.Context(), postgres.DiscardJobs, postgres.JobSelection{IDs: []uuid.UUID{id}}, func([]domain.Job) {}); err != nil {
		t.Fatal(err)
	}
	if j, err := store.AnyJob(t.Context(), id); err != nil || j.DiscardedAt == nil || j.Email == "" {
		t.Fatalf("%+v, %v", j, err)
	}
	if j, err := store.RetryJob(t.Context(), user, id); err != nil || j.DiscardedAt != nil || j.State != domain.StateQueued {
		t.Errorf("%+v, %v", j, err)
	}
}
