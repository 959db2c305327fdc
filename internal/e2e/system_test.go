package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"generalbackend/internal/postgres/cluster"
	"generalbackend/internal/queue"
)

// system is the product as it is run in production: a database, a broker, the
// API and the workers, each a process that can be killed.
type system struct {
	t   testing.TB
	dir string
	url string

	postgres *cluster.Cluster
	natsURL  string
	store    string // JetStream's directory
	nats     *process
	api      *process
	workers  []*process

	env []string
	db  *pgxpool.Pool
}

// The workers as compose starts them.
const (
	extractWorker = "extract-worker"
	embedWorker   = "embed-worker"
	matchWorker   = "match-worker"
)

const secretKey = "0f4c1d7be2a95386f0b7c6d1e8a2f394"

// common is the environment of every process. Leases last as long as by default:
// shorter ones would be lost where the machine is busy, and some tests count that.
var common = []string{
	"SECRET_KEY=" + secretKey, "JOB_LEASE=15s", "JOB_HEARTBEAT=3s",
	"DATABASE_MAX_CONNS=10", "REGISTRATION_MODE=open", "METRICS_PORT=0",
}

// fast spares the disk where no test depends on it.
var fast = map[string]string{
	"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB", "max_connections": "100",
}

// durable is Postgres as it is run in production.
var durable = map[string]string{"shared_buffers": "64MB", "max_connections": "100"}

// boot starts a whole system as separate processes, one after the other, and
// stops it with the test.
func boot(t testing.TB, database map[string]string, env ...string) *system {
	t.Helper()
	program(t, "api") // built before the first clock ticks
	s := &system{t: t, dir: t.TempDir(), env: env}
	s.startPostgres(database)
	s.startNATS()
	s.startAPI()
	for _, name := range []string{extractWorker, embedWorker, matchWorker} {
		s.addWorker(name).up()
	}
	s.connect(s.postgres.DSN(""))
	return s
}

func (s *system) startPostgres(settings map[string]string) {
	s.t.Helper()
	var err error
	s.postgres, err = cluster.Start(s.t.Context(), cluster.Config{Dir: filepath.Join(s.dir, "postgres"), Settings: settings})
	if err != nil {
		s.t.Fatalf("start PostgreSQL: %v", err)
	}
	s.t.Cleanup(func() {
		if err := s.postgres.Stop(context.Background()); err != nil {
			s.t.Errorf("stop PostgreSQL: %v", err)
		}
	})
}

func (s *system) startNATS() {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	port := freePort(s.t)
	s.natsURL = fmt.Sprintf("nats://127.0.0.1:%d", port)
	s.store = filepath.Join(s.dir, "jetstream")
	s.nats = newProcess(s.t, s.dir, "nats", self, []string{
		fmt.Sprintf("%s=%d", envNATSPort, port), envNATSStore + "=" + s.store,
	}, "")
	s.nats.start()
	s.env = append([]string{
		"DATABASE_URL=" + s.postgres.DSN(""), "NATS_URL=" + s.natsURL, "DATA_DIR=" + s.dir,
	}, s.env...)
}

func (s *system) startAPI() {
	s.t.Helper()
	s.api, s.url = s.newAPI("api")
	s.api.up()
}

// newAPI prepares an API process and returns it with its address.
func (s *system) newAPI(name string) (*process, string) {
	s.t.Helper()
	port := freePort(s.t)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	env := append(s.environment(), fmt.Sprintf("PORT=%d", port))
	return newProcess(s.t, s.dir, name, program(s.t, "api"), env, url+"/ready"), url
}

// addWorker prepares a worker; several of a kind may run, with more settings.
func (s *system) addWorker(name string, more ...string) *process {
	s.t.Helper()
	port := freePort(s.t)
	env := append(s.environment(), fmt.Sprintf("METRICS_PORT=%d", port))
	env = append(env, more...)
	p := newProcess(s.t, s.dir, fmt.Sprintf("%s-%d", name, len(s.workers)), program(s.t, name), env, fmt.Sprintf("http://127.0.0.1:%d/ready", port))
	s.workers = append(s.workers, p)
	return p
}

// worker returns the first worker of a kind.
func (s *system) worker(name string) *process {
	for _, p := range s.workers {
		if p.program() == name {
			return p
		}
	}
	s.t.Fatalf("no %s runs", name)
	return nil
}

// environment of one more process, the test's own settings last. Its metrics are
// on any port.
func (s *system) environment() []string { return slices.Concat(common, s.env) }

// connect opens the database for looking at it from outside.
func (s *system) connect(dsn string) {
	s.t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	config.MaxConns = 3
	if s.db, err = pgxpool.NewWithConfig(context.Background(), config); err != nil {
		s.t.Fatalf("connect to the database: %v", err)
	}
	s.t.Cleanup(s.db.Close)
}

// processes are all that are ours to kill.
func (s *system) processes() []*process { return append([]*process{s.api, s.nats}, s.workers...) }

// wipeStream kills the broker, removes all that it stored and starts it empty.
func (s *system) wipeStream() {
	s.t.Helper()
	s.nats.kill()
	if err := os.RemoveAll(s.store); err != nil {
		s.t.Fatalf("remove the JetStream store: %v", err)
	}
	s.nats.start()
}

// killPostgres kills the server's main process; the cluster starts it again on
// the same port. It returns when the database answers again.
func (s *system) killPostgres() {
	s.t.Helper()
	if err := s.postgres.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatalf("kill PostgreSQL: %v", err)
	}
	s.awaitDatabase()
}

func (s *system) awaitDatabase() {
	s.t.Helper()
	s.db.Reset() // backends of the dead server may still answer
	eventually(s.t, startDeadline, "the database answers", func() bool {
		var one int
		return s.db.QueryRow(s.t.Context(), "SELECT 1").Scan(&one) == nil
	})
}

// killEverything is a power cut. All come back at once, in no order.
func (s *system) killEverything() {
	s.t.Helper()
	var dying sync.WaitGroup
	for _, p := range s.processes() {
		dying.Go(p.kill)
	}
	s.killPostgres()
	dying.Wait()
	for _, p := range s.processes() {
		p.start()
	}
	s.api.awaitReady()
}

// count runs a query that returns one number.
func (s *system) count(query string, args ...any) int {
	s.t.Helper()
	var n int
	if err := s.db.QueryRow(s.t.Context(), query, args...).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// ids runs a query that returns one column of ids.
func (s *system) ids(query string, args ...any) []string {
	s.t.Helper()
	rows, err := s.db.Query(s.t.Context(), query, args...)
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			s.t.Fatalf("%s: %v", query, err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return ids
}

// outstanding counts the messages in the stream.
func (s *system) outstanding(t testing.TB) int {
	t.Helper()
	conn, err := nats.Connect(s.natsURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), queue.StreamJobs)
	if err != nil {
		t.Fatalf("look at the stream: %v", err)
	}
	return int(stream.CachedInfo().State.Msgs)
}

// refused reports whether the broker's answer to a message was no.
func refused(answer []byte) bool {
	var ack struct{ Error *jetstream.APIError }
	return json.Unmarshal(answer, &ack) != nil || ack.Error != nil
}
