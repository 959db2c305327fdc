package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var errPortTaken = errors.New("port taken")

const (
	restartPause = 500 * time.Millisecond
	readyPause   = 20 * time.Millisecond

	wrongPassword = "28P01" // SQLSTATE
)

// supervise runs the server until Stop and reports on started how the first
// start went. It keeps its thread: Linux sends the death signal of a child when
// the thread that made it ends, and that must mean this process.
func (c *Cluster) supervise(ctx context.Context, started chan<- error) {
	done := c.done
	defer close(done)
	runtime.LockOSThread()
	for first := true; ; first = false {
		offset := c.logSize()
		cmd, err := c.spawn()
		exited := make(chan struct{})
		if first && err == nil {
			go func() { started <- c.await(ctx, exited, offset) }()
		} else if first {
			started <- err
		}
		if err == nil {
			err = cmd.Wait()
			close(exited)
		}
		c.setProcess(nil)
		if first && !c.everReady() || c.cfg.Detached || c.stopped() {
			return
		}
		c.cfg.Log.Warn("the private PostgreSQL ended; starting it again", "error", err)
		c.pause(restartPause)
	}
}

func (c *Cluster) spawn() (*exec.Cmd, error) {
	log, err := c.openLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), c.args()...)
	cmd.Dir, cmd.Env = c.cfg.Dir, environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = c.account.attributes()
	// A session of its own keeps Ctrl-C from the server: we stop it last.
	cmd.SysProcAttr.Setsid = true
	if !c.cfg.Detached {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.setProcess(cmd.Process)
	return cmd, nil
}

// args override postgresql.conf. Errors are logged tersely, because their
// details quote values.
func (c *Cluster) args() []string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(c.port),
		"unix_socket_directories": "",
		"max_connections":         "200",
		"shared_buffers":          "256MB",
		"jit":                     "off",
		"log_error_verbosity":     "terse",
		"log_checkpoints":         "off",
		"timezone":                "UTC",
	}
	for k, v := range c.cfg.Settings {
		settings[k] = v
	}
	args := []string{"-D", c.data()}
	for k, v := range settings {
		args = append(args, "-c", k+"="+v)
	}
	return args
}

// environment is all that the server sees of ours: nothing that holds secrets.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
}

// await returns nil when the server answers, and why not otherwise.
func (c *Cluster) await(ctx context.Context, exited <-chan struct{}, offset int64) error {
	for {
		conn, err := pgx.Connect(ctx, c.DSN("postgres"))
		if err == nil {
			c.markReady()
			return conn.Close(ctx)
		}
		if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == wrongPassword {
			return fmt.Errorf("%s does not hold this cluster's password: %w", c.passwordPath(), err)
		}
		select {
		case <-exited:
			return c.startFailure(offset)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not answer in time: %w", errors.Join(ctx.Err(), err))
		case <-time.After(readyPause):
		}
	}
}

func (c *Cluster) startFailure(offset int64) error {
	tail := c.logTail(offset)
	if strings.Contains(tail, "could not bind") || strings.Contains(tail, "could not create any TCP/IP sockets") {
		return errPortTaken
	}
	return fmt.Errorf("PostgreSQL ended at start, see %s: %s", c.logPath(), tail)
}

// Stop shuts the server down and waits; when ctx ends first, the server is made
// to quit at once and recovers at its next start.
func (c *Cluster) Stop(ctx context.Context) error {
	c.stopOnce.Do(func() { close(c.stop) })
	defer c.lock.Close()
	// A restart may be under way: it is over when the supervisor has seen stop.
	for sig := os.Signal(syscall.SIGINT); ; {
		if err := c.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop PostgreSQL: %w", err)
		}
		select {
		case <-c.done:
			return nil
		case <-ctx.Done():
			sig, ctx = syscall.SIGQUIT, context.Background()
		case <-time.After(restartPause):
		}
	}
}

func (c *Cluster) setProcess(p *os.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process = p
}

func (c *Cluster) markReady() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = true
}

func (c *Cluster) everReady() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ready
}

func (c *Cluster) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

func (c *Cluster) pause(d time.Duration) {
	select {
	case <-c.stop:
	case <-time.After(d):
	}
}
