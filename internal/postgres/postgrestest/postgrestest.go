// Package postgrestest gives each test a database of its own on a real server.
//
// All tests on the machine share one private cluster, which is started by the
// first and ends itself soon after the last; each database is cloned from a
// template that was migrated once. TEST_DATABASE_URL names a server to use
// instead; its user must be allowed to create databases and extensions.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"generalbackend/internal/postgres"
)

// setupTimeout bounds making the cluster and the template.
const setupTimeout = 3 * time.Minute

// server is shared by all tests of the process: what it stands for is a lock
// that the process holds until it ends.
var server = sync.OnceValues(func() (*template, error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	if dsn := os.Getenv("TEST_DATABASE_URL"); dsn != "" {
		return prepareTemplate(ctx, dsn)
	}
	dsn, users, err := sharedCluster(ctx)
	if err != nil {
		return nil, err
	}
	tmpl, err := prepareTemplate(ctx, dsn)
	if err != nil {
		return nil, errors.Join(err, users.Close())
	}
	tmpl.users = users
	return tmpl, nil
})

var databases atomic.Int64

// NewDatabase returns the address of an empty, migrated database that is dropped
// when the test ends. Without a server the test fails.
func NewDatabase(t testing.TB) string {
	t.Helper()
	tmpl, err := server()
	if err != nil {
		t.Fatalf("no PostgreSQL for tests (run `make setup`): %v", err)
	}
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), databases.Add(1))
	if err := tmpl.clone(context.Background(), name); err != nil {
		t.Fatalf("make test database: %v", err)
	}
	t.Cleanup(func() {
		if err := tmpl.drop(context.Background(), name); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return address(tmpl.admin, name)
}

// NewStore returns a store over a new database, closed when the test ends. Its
// statements are the system's.
func NewStore(t testing.TB) *postgres.Store {
	t.Helper()
	return Open(t, NewDatabase(t)).System()
}

// Open returns a store over a database, closed when the test ends. As in the
// processes, its statements are for whom their context names.
func Open(t testing.TB, dsn string) *postgres.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	for {
		store, err := postgres.Open(ctx, dsn, 8)
		if err == nil {
			t.Cleanup(store.Close)
			return store
		}
		if !busy(err) || ctx.Err() != nil {
			t.Fatalf("open store: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// busy reports whether the server starts, or has no connection to spare.
func busy(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == tooManyConnections || pg.Code == cannotConnectNow)
}

// address is dsn with another database, and with patience for a busy machine.
func address(dsn, database string) string {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		return dsn + " connect_timeout=30 dbname=" + database
	}
	u.Path = "/" + database
	query := u.Query()
	query.Set("connect_timeout", "30")
	u.RawQuery = query.Encode()
	return u.String()
}

// connect waits while the server starts or has no connection to spare.
func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if !busy(err) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

const (
	tooManyConnections = "53300"
	cannotConnectNow   = "57P03"
	objectInUse        = "55006"
)

// run executes statements on a connection of its own; CREATE DATABASE allows no
// transaction around it.
func run(ctx context.Context, dsn string, statements ...string) error {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range statements {
		if err := patiently(ctx, conn, sql); err != nil {
			return fmt.Errorf("%s: %w", strings.Fields(sql)[0], err)
		}
	}
	return nil
}

// patiently executes a statement about a database. Postgres gives whoever else is
// in it a few seconds to leave, such as a session that it told to end or an
// autovacuum of the template; on a busy machine they take longer.
func patiently(ctx context.Context, conn *pgx.Conn, sql string) error {
	for deadline := time.Now().Add(setupTimeout); ; {
		_, err := conn.Exec(ctx, sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != objectInUse || time.Now().After(deadline) {
			return err
		}
	}
}
