// Package postgres holds all SQL of the product. Rows never leave it: methods
// take and return domain types, and errors are translated at its edge.
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxvec "github.com/pgvector/pgvector-go/pgx"

	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Store reads and writes the truth.
type Store struct {
	pool    *connections
	queries *dbsqlc.Queries
}

// Open connects to a migrated database. maxConns bounds the pool; 0 leaves
// pgx's default. Every statement is for the actor that its context names, and
// fails where that is nobody; see As, AsWorker, AsSystem and System. Connecting
// may take 5 s where dsn has no connect_timeout.
func Open(ctx context.Context, dsn string, maxConns int) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("parse DATABASE_URL: %w", hideDSN(err))
	}
	if maxConns > 0 {
		cfg.MaxConns = int32(maxConns)
	}
	if cfg.ConnConfig.ConnectTimeout == 0 { // the address names none
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	cfg.ConnConfig.DialFunc = dial
	probeClients(cfg.ConnConfig.RuntimeParams)
	cfg.ConnConfig.RuntimeParams["application_name"] = "general-backend"
	cfg.ConnConfig.RuntimeParams["statement_timeout"] = "60000"
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	cfg.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithDisableSQLStatementInAttributes())
	cfg.AfterConnect = pgxvec.RegisterTypes
	cfg.PrepareConn = prepare
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open pool: %w", err)
	}
	store := newStore(&connections{pool: pool})
	if err := store.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach Postgres: %w", err)
	}
	return store, nil
}

func newStore(c *connections) *Store { return &Store{pool: c, queries: dbsqlc.New(c)} }

// Close waits for running statements and closes all connections.
func (s *Store) Close() { s.pool.pool.Close() }

// Ping reports whether Postgres answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.pool.Ping(AsSystem(ctx)) }

// Stat reports the use of the pool, for metrics.
func (s *Store) Stat() *pgxpool.Stat { return s.pool.pool.Stat() }

// tx runs fn in one transaction and translates what goes wrong.
func (s *Store) tx(ctx context.Context, fn func(q *dbsqlc.Queries) error) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return fn(s.queries.WithTx(tx)) })
	return translate(err)
}
