package postgres_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

func execute(t *testing.T, store *postgres.Store, sql string, args ...any) {
	t.Helper()
	if _, err := store.Pool().Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func TestStatsCountWhatIsFew(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	insertJobs(t, store, user, 3, domain.StateFailed)
	insertJobs(t, store, user, 2, domain.StateSucceeded)
	stats, err := store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []postgres.JobCount{{domain.KindIngest, domain.StateFailed, 3}, {domain.KindIngest, domain.StateSucceeded, 2}}
	if !slices.Equal(stats.Jobs, want) || stats.Tables["documents"] != 5 || stats.Users != (postgres.UserCounts{Total: 1, Active: 1}) {
		t.Errorf("counted %+v", stats)
	}
	if len(stats.Estimated) > 0 || stats.Originals <= 0 || stats.Database <= stats.Originals {
		t.Errorf("stats %+v", stats)
	}
}

// TestStatsEstimateWhatIsMany within a few percent, and still count what an
// operator must know exactly.
func TestStatsEstimateWhatIsMany(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	execute(t, store, `ALTER TABLE jobs DISABLE TRIGGER USER`)
	execute(t, store, `
		INSERT INTO jobs (id, user_id, kind, stage, class, state, resource_id)
		SELECT gen_random_uuid(), $1, CASE WHEN i % 4 = 0 THEN 'match' ELSE 'ingest' END, 'extract', 'bulk',
		       CASE WHEN i <= 7 THEN 'failed' WHEN i <= 12 THEN 'queued' ELSE 'succeeded' END, $1
		FROM generate_series(1, 120000) i`, user)
	execute(t, store, `
		INSERT INTO users (id, email, password_hash, is_active, is_admin)
		SELECT gen_random_uuid(), i || '@example.org', 'x', i % 10 > 0, i <= 3 FROM generate_series(1, 110000) i`)
	execute(t, store, `ANALYZE jobs`)
	execute(t, store, `ANALYZE users`)
	stats, err := store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(stats.Estimated, []string{"jobs", "users"}) {
		t.Errorf("estimated %v", stats.Estimated)
	}
	near := func(what string, got, want int64) {
		t.Helper()
		if got < want*9/10 || got > want*11/10 {
			t.Errorf("%s: %d, not nearly %d", what, got, want)
		}
	}
	near("users", stats.Users.Total, 110_001)
	near("active users", stats.Users.Active, 99_001)
	if stats.Users.Admins != 3 {
		t.Errorf("%d administrators", stats.Users.Admins)
	}
	jobs := map[domain.Kind]map[domain.State]int64{domain.KindIngest: {}, domain.KindMatch: {}}
	for _, j := range stats.Jobs {
		jobs[j.Kind][j.State] = j.Jobs
	}
	near("ingested", jobs[domain.KindIngest][domain.StateSucceeded], 90_000)
	near("matched", jobs[domain.KindMatch][domain.StateSucceeded], 30_000)
	if jobs[domain.KindIngest][domain.StateFailed] != 6 || jobs[domain.KindMatch][domain.StateFailed] != 1 || jobs[domain.KindIngest][domain.StateQueued] != 3 {
		t.Errorf("jobs %+v", stats.Jobs)
	}
}

func TestNewUsersByDay(t *testing.T) {
	t.Parallel()
	store := open(t)
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	for i, made := range []time.Time{day(1), day(2), day(3).Add(-time.Microsecond), day(3), day(4)} {
		execute(t, store, `INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, 'x', $3)`,
			uuid.New(), string(rune('a'+i))+"@example.org", made)
	}
	days, err := store.NewUsersByDay(t.Context(), day(2), day(4))
	if err != nil || len(days) != 2 || days[day(2)] != 2 || days[day(3)] != 1 {
		t.Errorf("%v, %v", days, err)
	}
}
