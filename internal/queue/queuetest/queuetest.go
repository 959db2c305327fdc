// Package queuetest runs a real NATS server with JetStream inside a test, one
// that can be stopped, started again and robbed of its store.
package queuetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"generalbackend/internal/queue/embedded"
)

// Server is a NATS server of one test. Its address stays the same over
// restarts.
type Server struct {
	t     testing.TB
	store string
	port  int

	mu  sync.Mutex
	srv *embedded.Server // nil while stopped
}

// NewServer starts a server with an empty store; it ends with the test.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, store: filepath.Join(t.TempDir(), "jetstream"), port: server.RANDOM_PORT}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// URL is where clients connect.
func (s *Server) URL() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.port) }

// Start starts the server again on the store that is there. It does nothing
// while the server runs.
func (s *Server) Start() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv != nil {
		return
	}
	srv, err := embedded.Start(s.store, s.port)
	if err != nil {
		s.t.Fatalf("start NATS server: %v", err)
	}
	if s.port == server.RANDOM_PORT {
		if _, err := fmt.Sscanf(srv.ClientURL(), "nats://127.0.0.1:%d", &s.port); err != nil {
			srv.Stop()
			s.t.Fatalf("NATS server's address %q: %v", srv.ClientURL(), err)
		}
	}
	s.srv = srv
}

// Stop ends the server and drops all connections; the store stays.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv == nil {
		return
	}
	s.srv.Stop()
	s.srv = nil
}

// Restart stops and starts the server on its store.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

// Wipe stops the server, removes all that JetStream stored and starts it empty.
func (s *Server) Wipe() {
	s.t.Helper()
	s.Stop()
	if err := os.RemoveAll(s.store); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatalf("wipe the JetStream store: %v", err)
	}
	s.Start()
}

// Connect returns a connection that finds the server again after a restart; it
// closes with the test.
func (s *Server) Connect(opts ...nats.Option) *nats.Conn {
	s.t.Helper()
	opts = append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond), nats.Timeout(time.Minute)}, opts...)
	nc, err := nats.Connect(s.URL(), opts...)
	if err != nil {
		s.t.Fatalf("connect to NATS: %v", err)
	}
	s.t.Cleanup(nc.Close)
	return nc
}
