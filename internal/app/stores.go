package app

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"

	"generalbackend/internal/postgres"
	"generalbackend/internal/queue"
)

// Stores are the two servers every process works with.
type Stores struct {
	Postgres *postgres.Store
	Queue    *queue.Queue
}

// OpenStores connects to Postgres, waiting for it and bringing its schema up to
// date, and to NATS, which need not be there yet.
func (rt *Runtime) OpenStores(ctx context.Context, q queue.Options) (*Stores, error) {
	store, err := rt.openPostgres(ctx)
	if err != nil {
		return nil, err
	}
	q.URL, q.Name, q.Log = rt.Config.Stores.NATSURL.Reveal(), rt.Name, rt.Log
	q.Replicas = rt.Config.Stores.NATSReplicas
	broker, err := queue.Open(q)
	if err != nil {
		store.Close()
		return nil, err
	}
	rt.Health.Add("postgres", store.Ping)
	rt.Health.Add("nats", broker.Ready)
	return &Stores{Postgres: store, Queue: broker}, nil
}

// startPatience is how long a process waits for Postgres, as when everything
// starts at once.
const startPatience = 2 * time.Minute

func (rt *Runtime) openPostgres(ctx context.Context) (*postgres.Store, error) {
	dsn := rt.Config.Stores.DatabaseURL.Reveal()
	policy := backoff.NewExponentialBackOff(backoff.WithMaxInterval(3*time.Second), backoff.WithMaxElapsedTime(startPatience))
	err := backoff.RetryNotify(
		func() error { return postgres.Migrate(ctx, dsn) },
		backoff.WithContext(policy, ctx),
		func(err error, _ time.Duration) { rt.Log.Warn("waiting for Postgres", "error", err) })
	if err != nil {
		return nil, fmt.Errorf("prepare Postgres: %w", err)
	}
	return postgres.Open(ctx, dsn, rt.Config.Stores.DatabaseMaxConns)
}

// Close disconnects from both.
func (s *Stores) Close() {
	s.Queue.Close()
	s.Postgres.Close()
}
