package postgrestest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"generalbackend/internal/postgres/postgrestest"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestDatabasesAreMigratedAndApart(t *testing.T) {
	t.Parallel()
	one := connect(t, postgrestest.NewDatabase(t))
	two := connect(t, postgrestest.NewDatabase(t))
	if _, err := one.Exec(t.Context(), "CREATE TABLE apart (v vector(2))"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		conn  *pgx.Conn
		table string
		want  bool
	}{
		{one, "users", true},
		{two, "users", true},
		{one, "apart", true},
		{two, "apart", false},
	} {
		var got bool
		if err := tc.conn.QueryRow(t.Context(), "SELECT to_regclass($1) IS NOT NULL", tc.table).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != tc.want {
			t.Errorf("table %s: there is %v, want %v", tc.table, got, tc.want)
		}
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	t.Parallel()
	var dsn string
	t.Run("user", func(t *testing.T) {
		dsn = postgrestest.NewDatabase(t)
		// A connection left open does not keep the database.
		if _, err := pgx.Connect(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
	})
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the database outlived its test")
	}
}

func TestStoreAnswers(t *testing.T) {
	t.Parallel()
	if err := postgrestest.NewStore(t).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func BenchmarkNewDatabase(b *testing.B) {
	for b.Loop() {
		postgrestest.NewDatabase(b)
	}
}
