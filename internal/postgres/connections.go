package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The roles that statements for users and for workers run as. Row-level security
// holds for them, and not for the owner of the tables, who is the system.
const (
	userRole   = "general_backend_user"
	workerRole = "general_backend_worker"
)

// errNobody fails a statement whose context names nobody: better no answer than
// one that holds everybody's rows.
var errNobody = errors.New("a statement for nobody: its context comes from neither As, AsWorker nor AsSystem")

// connections hands out connections that are prepared for the actor of the
// context, or for the system whatever the context says.
type connections struct {
	pool   *pgxpool.Pool
	system bool
}

func (c *connections) whose(ctx context.Context) context.Context {
	if c.system {
		return AsSystem(ctx)
	}
	return ctx
}

// Exec, Query and QueryRow are dbsqlc.DBTX. There is no CopyFrom: Postgres does
// not copy into tables with row-level security.
func (c *connections) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return c.pool.Exec(c.whose(ctx), sql, args...)
}

func (c *connections) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return c.pool.Query(c.whose(ctx), sql, args...)
}

func (c *connections) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return c.pool.QueryRow(c.whose(ctx), sql, args...)
}

// Begin starts a transaction for the actor of ctx; it stays that actor's to its
// end, whoever the contexts of its statements name.
func (c *connections) Begin(ctx context.Context) (pgx.Tx, error) { return c.pool.Begin(c.whose(ctx)) }

// Acquire takes a connection for the actor of ctx until it is released.
func (c *connections) Acquire(ctx context.Context) (*pgxpool.Conn, error) {
	return c.pool.Acquire(c.whose(ctx))
}

// preparedFor is where a connection remembers its actor. A new connection is
// the system's.
const preparedFor = "general_backend.actor"

// prepare makes a connection that leaves the pool the one of the context's
// actor: one round trip, and none where it was the same actor's before. A
// connection that could not be prepared is closed.
func prepare(ctx context.Context, conn *pgx.Conn) (bool, error) {
	want, _ := ctx.Value(actorKey{}).(actor)
	if want == (actor{}) {
		return true, errNobody
	}
	have, known := conn.PgConn().CustomData()[preparedFor].(actor)
	if !known {
		have = system
	}
	if have == want {
		return true, nil
	}
	delete(conn.PgConn().CustomData(), preparedFor)
	if err := become(ctx, conn, want); err != nil {
		var refused *pgconn.PgError
		if ctx.Err() != nil || errors.As(err, &refused) {
			return false, fmt.Errorf("act for a user: %w", err)
		}
		return false, nil // the connection is broken; the pool tries another
	}
	conn.PgConn().CustomData()[preparedFor] = want
	return true, nil
}

const (
	becomeSystem = "SELECT set_config('role', 'none', false)"
	becomeUser   = "SELECT set_config('role', '" + userRole + "', false), set_config('app.user_id', $1, false)"
	// What a job is about is looked up by the system and stays the same for as
	// long as the job runs.
	becomeWorker = `SELECT set_config('app.user_id', $1, false), set_config('app.job_id', $2::text, false),
		set_config('app.job_project', coalesce(s.project::text, ''), false),
		set_config('app.job_resource', coalesce(s.resource::text, ''), false),
		set_config('app.job_documents', coalesce(s.documents::text, ''), false),
		set_config('role', '` + workerRole + `', false)
		FROM (SELECT 1) one LEFT JOIN job_scope($2::text::uuid) s ON true`
)

func become(ctx context.Context, conn *pgx.Conn, want actor) error {
	switch {
	case want.system:
		_, err := conn.Exec(ctx, becomeSystem)
		return err
	case want.job == uuid.Nil:
		_, err := conn.Exec(ctx, becomeUser, want.user.String())
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(becomeSystem)
	batch.Queue(becomeWorker, want.user.String(), want.job.String())
	return conn.SendBatch(ctx, batch).Close()
}
