package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// riverMode says how River is set up.
type riverMode int

const (
	riverDefaults riverMode = iota // as its documentation shows
	riverEager                     // looks for jobs as often as suits a benchmark
	riverInTx                      // eager, and each job ends in a transaction of its own, as ours do
)

// riverEngine is River, the job queue for Go that keeps everything in Postgres.
type riverEngine struct {
	options engineOptions
	mode    riverMode
	pool    *pgxpool.Pool
	insert  *river.Client[pgx.Tx]
}

// Kind implements river.JobArgs.
func (numbered) Kind() string { return "numbered" }

func openRiver(mode riverMode) func(context.Context, string, string, engineOptions) (jobEngine, error) {
	return func(ctx context.Context, dsn, _ string, o engineOptions) (jobEngine, error) {
		config, err := pgxpool.ParseConfig(dsn)
		if err != nil {
			return nil, err
		}
		config.MaxConns = int32(o.conns)
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return nil, err
		}
		e := &riverEngine{options: o, mode: mode, pool: pool}
		if err := e.prepare(ctx); err != nil {
			pool.Close()
			return nil, err
		}
		return e, nil
	}
}

func (e *riverEngine) prepare(ctx context.Context) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(e.pool), nil)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	e.insert, err = river.NewClient(riverpgxv5.New(e.pool), &river.Config{Logger: quiet()})
	return err
}

func (e *riverEngine) submit(ctx context.Context, n int) error {
	_, err := e.insert.Insert(ctx, numbered{n}, nil)
	return err
}

// riverNoop is the worker that only says when it began.
type riverNoop struct {
	river.WorkerDefaults[numbered]
	engine *riverEngine
	work   func(n int)
}

// Work implements river.Worker.
func (w *riverNoop) Work(ctx context.Context, job *river.Job[numbered]) error {
	w.work(job.Args.N)
	if w.engine.mode != riverInTx {
		return nil
	}
	return pgx.BeginFunc(ctx, w.engine.pool, func(tx pgx.Tx) error {
		_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
		return err
	})
}

func (e *riverEngine) start(ctx context.Context, work func(n int)) (stop func() error, err error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverNoop{engine: e, work: work})
	config := &river.Config{
		Logger: quiet(), Workers: workers,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: e.options.workers}},
	}
	if e.mode != riverDefaults {
		config.FetchCooldown, config.FetchPollInterval = 2*time.Millisecond, 20*time.Millisecond
	}
	client, err := river.NewClient(riverpgxv5.New(e.pool), config)
	if err != nil {
		return nil, err
	}
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	return func() error { return client.Stop(context.WithoutCancel(ctx)) }, nil
}

func (e *riverEngine) done(ctx context.Context) (n int, err error) {
	err = e.pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&n)
	return n, err
}

func (e *riverEngine) close() { e.pool.Close() }
