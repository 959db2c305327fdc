package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"generalbackend/internal/config"
	"generalbackend/internal/postgres/cluster"
	"generalbackend/internal/queue"
	"generalbackend/internal/queue/embedded"
)

// EnsureSecrets fills in the secrets nobody set and reports whether the
// administrator's password is one of them.
func (rt *Runtime) EnsureSecrets() (madePassword bool, err error) {
	madePassword = rt.Config.Accounts.AdminPassword == ""
	rt.Config, err = config.EnsureSecrets(rt.Config)
	return madePassword, err
}

// Servers are the Postgres cluster and the NATS server that a process brings
// along where none are configured.
type Servers struct {
	rt       *Runtime
	postgres *cluster.Cluster
	nats     *embedded.Server
}

// StartServers starts what is not configured, in DATA_DIR, and points the
// configuration at it.
func (rt *Runtime) StartServers(ctx context.Context) (*Servers, error) {
	s := &Servers{rt: rt}
	if rt.Config.Stores.DatabaseURL == "" {
		c, err := cluster.Start(ctx, cluster.Config{Dir: filepath.Join(rt.Config.DataDir, "postgres"), Log: rt.Log})
		if err != nil {
			return nil, fmt.Errorf("start Postgres in DATA_DIR: %w", err)
		}
		s.postgres = c
		rt.Config.Stores.DatabaseURL = config.Secret(c.DSN(""))
	}
	if rt.Config.Stores.NATSURL == "" {
		server, err := embedded.Start(filepath.Join(rt.Config.DataDir, "nats"), 0)
		if err != nil {
			s.Stop()
			return nil, fmt.Errorf("start NATS in DATA_DIR: %w", err)
		}
		s.nats = server
	}
	return s, nil
}

// QueueOptions connect to the server inside this process, if there is one.
func (s *Servers) QueueOptions() queue.Options {
	if s.nats == nil {
		return queue.Options{}
	}
	return queue.Options{Server: s.nats}
}

// Stop stops what was started, in reverse.
func (s *Servers) Stop() {
	if s.nats != nil {
		s.nats.Stop()
	}
	if s.postgres == nil {
		return
	}
	ctx, done := context.WithTimeout(context.Background(), 20*time.Second)
	defer done()
	if err := s.postgres.Stop(ctx); err != nil {
		s.rt.Log.Error("Postgres did not stop in order", "error", err)
	}
}
