package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/jobs"
	"generalbackend/internal/postgres"
	"generalbackend/internal/queue"
	"generalbackend/internal/queue/embedded"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// ownEngine is our engine in one process, as standalone has it.
type ownEngine struct {
	options engineOptions
	store   *postgres.Store
	count   *pgxpool.Pool
	broker  *embedded.Server
	files   string
	queue   *queue.Queue
	engine  *jobs.Engine
	users   []uuid.UUID
}

// numbered are the arguments of a job in this scenario.
type numbered struct {
	N int `json:"n"`
}

func openOurs(ctx context.Context, dsn, dir string, o engineOptions) (jobEngine, error) {
	if err := postgres.Migrate(ctx, dsn); err != nil {
		return nil, err
	}
	e := &ownEngine{options: o}
	if err := e.open(ctx, dsn, dir); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (e *ownEngine) open(ctx context.Context, dsn, dir string) (err error) {
	if e.store, err = postgres.Open(ctx, dsn, e.options.conns); err != nil {
		return err
	}
	if e.count, err = pgxpool.New(ctx, dsn); err != nil {
		return err
	}
	if e.files, err = os.MkdirTemp(dir, "nats-"); err != nil {
		return err
	}
	if e.broker, err = embedded.Start(e.files, 0); err != nil {
		return err
	}
	if e.queue, err = queue.Open(queue.Options{Server: e.broker, Name: "bench", Log: quiet()}); err != nil {
		return err
	}
	if _, err := e.queue.Ensure(ctx); err != nil {
		return err
	}
	if e.engine, err = jobs.NewEngine(e.store, e.queue, quiet()); err != nil {
		return err
	}
	for range e.options.users {
		id := uuid.Must(uuid.NewV7())
		if _, err := e.store.System().CreateUser(ctx, domain.User{ID: id, Email: id.String() + "@example.org", PasswordHash: "-"}); err != nil {
			return err
		}
		e.users = append(e.users, id)
	}
	return nil
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (e *ownEngine) submit(ctx context.Context, n int) error {
	args, err := json.Marshal(numbered{n})
	if err != nil {
		return err
	}
	user := e.users[n%len(e.users)]
	job, err := e.store.Submit(postgres.As(ctx, user), domain.Submission{
		UserID: user, Kind: domain.KindIngest, Stage: domain.StageExtract,
		Class: domain.ClassStandard, ResourceID: uuid.Must(uuid.NewV7()), Args: args,
	})
	if err == nil {
		e.engine.Submitted(job)
	}
	return err
}

// noop is a stage that only says when it began.
type noop struct {
	store *postgres.Store
	work  func(n int)
}

// Work implements domain.Worker.
func (w noop) Work(ctx context.Context, task domain.Task) error {
	var args numbered
	if err := json.Unmarshal(task.Job.Args, &args); err != nil {
		return err
	}
	w.work(args.N)
	return w.store.Finish(ctx, task.Lease)
}

func (e *ownEngine) start(ctx context.Context, work func(n int)) (stop func() error, err error) {
	timing := jobs.DefaultTiming()
	stage := jobs.Stage{
		Name: domain.StageExtract, Worker: noop{e.store, work}, Slots: e.options.workers, Timeout: time.Minute,
	}
	runner := jobs.NewRunner(stage, e.store, e.queue, timing, jobs.NewMetrics(prometheus.NewRegistry()), quiet())
	dispatcher := jobs.NewDispatcher(e.store, e.queue, timing, quiet())
	ctx, cancel := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error { return runner.Run(ctx) })
	group.Go(func() error { return dispatcher.Run(ctx) })
	return func() error { cancel(); return group.Wait() }, nil
}

func (e *ownEngine) done(ctx context.Context) (n int, err error) {
	err = e.count.QueryRow(ctx, "SELECT count(*) FROM jobs WHERE state = 'succeeded'").Scan(&n)
	return n, err
}

func (e *ownEngine) close() {
	if e.engine != nil {
		e.engine.Close()
	}
	if e.queue != nil {
		e.queue.Close()
	}
	if e.broker != nil {
		e.broker.Stop()
	}
	if e.count != nil {
		e.count.Close()
	}
	if e.store != nil {
		e.store.Close()
	}
}
