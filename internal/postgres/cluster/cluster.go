// Package cluster runs a private PostgreSQL cluster in a directory: made once,
// started with the process that needs it and stopped with it. It never touches
// a cluster of the system.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Config says where a cluster lives and how it runs.
type Config struct {
	// Dir is the cluster's own directory; it is made when missing and, where
	// the process is root, given to the account that runs the server.
	Dir string
	// Database is made when missing. Default "generalbackend".
	Database string
	// BinDir holds the server's programs; found when empty, see FindBinaries.
	BinDir string
	// Settings override the server's parameters, such as "fsync".
	Settings map[string]string
	// Detached lets the server outlive this process and leaves restarting and
	// stopping it to the caller.
	Detached bool
	// Log hears of restarts. Default: nobody.
	Log *slog.Logger
}

// Cluster is a running private cluster.
type Cluster struct {
	cfg      Config
	bin      string
	account  *account
	password string
	port     int
	lock     *os.File

	mu      sync.Mutex
	process *os.Process // nil while the server is down
	ready   bool        // it has answered once

	stop     chan struct{}
	stopOnce sync.Once
	done     chan struct{}
}

// StartTimeout bounds a start, crash recovery included.
const StartTimeout = 2 * time.Minute

// Start starts the cluster in cfg.Dir, making it first where there is none, and
// returns once it answers and has the database. What an earlier process left
// running in the directory is stopped first. When the server dies it is started
// again on the same port, until Stop. The context bounds only the start.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	c, err := prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := c.launch(ctx); err != nil {
		return nil, errors.Join(err, c.lock.Close())
	}
	if err := c.provide(ctx); err != nil {
		return nil, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

func prepare(ctx context.Context, cfg Config) (*Cluster, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("cluster directory: %w", err)
	}
	if cfg.Database == "" {
		cfg.Database = "generalbackend"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cluster{cfg: cfg, stop: make(chan struct{}), done: make(chan struct{})}
	if c.account, err = unprivileged(); err != nil {
		return nil, err
	}
	if err := c.account.own(dir); err != nil {
		return nil, err
	}
	if c.cfg.Dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("cluster directory: %w", err)
	}
	if c.lock, err = lockDir(c.cfg.Dir); err != nil {
		return nil, err
	}
	if err := c.initialise(ctx); err != nil {
		return nil, errors.Join(err, c.lock.Close())
	}
	return c, nil
}

func (c *Cluster) initialise(ctx context.Context) error {
	var err error
	if c.bin, err = binaries(c.cfg.BinDir, c.data()); err != nil {
		return err
	}
	if err := stopLeftovers(ctx, c.data()); err != nil {
		return err
	}
	c.password, err = c.initdb(ctx)
	return err
}

func (c *Cluster) data() string { return filepath.Join(c.cfg.Dir, "data") }

// launch starts the server on a free port. Between choosing the port and
// binding it somebody else may take it, so it tries a few.
func (c *Cluster) launch(ctx context.Context) error {
	var err error
	for range 5 {
		if c.port, err = freePort(ctx); err != nil {
			return err
		}
		started := make(chan error, 1)
		go c.supervise(ctx, started)
		if err = <-started; err == nil {
			return c.detach()
		}
		if e := c.Signal(syscall.SIGQUIT); e != nil && !errors.Is(e, os.ErrProcessDone) {
			return errors.Join(err, e)
		}
		<-c.done
		if !errors.Is(err, errPortTaken) {
			return err
		}
		c.done = make(chan struct{})
	}
	return err
}

// detach gives up the directory's lock, which would end with this process while
// the server goes on.
func (c *Cluster) detach() error {
	if !c.cfg.Detached {
		return nil
	}
	return c.lock.Close()
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, errors.Join(err, l.Close())
	}
	n, err := strconv.Atoi(port)
	return n, errors.Join(err, l.Close())
}

// provide checks for pgvector and makes the database.
func (c *Cluster) provide(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private cluster: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))

	var vector, database bool
	err = conn.QueryRow(ctx, `SELECT
		EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector'),
		EXISTS (SELECT FROM pg_database WHERE datname = $1)`, c.cfg.Database).Scan(&vector, &database)
	if err != nil {
		return fmt.Errorf("inspect the private cluster: %w", err)
	}
	if !vector {
		return fmt.Errorf("the PostgreSQL in %s has no pgvector extension: run `make setup`", c.bin)
	}
	if database {
		return nil
	}
	if _, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{c.cfg.Database}.Sanitize()); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return nil
}

// DSN returns the address of a database of the cluster, "" for the one named in
// the configuration. It contains the cluster's password.
func (c *Cluster) DSN(database string) string {
	if database == "" {
		database = c.cfg.Database
	}
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, c.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Signal sends sig to the server's main process, if it is up.
func (c *Cluster) Signal(sig os.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return os.ErrProcessDone
	}
	return c.process.Signal(sig)
}

// PID returns the server's main process, 0 while it is down.
func (c *Cluster) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return 0
	}
	return c.process.Pid
}
