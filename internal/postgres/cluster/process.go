package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var errPortTaken = errors.New("port taken")

const (
	maxLogSize   = 16 << 20
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

func (c *Cluster) logPath() string { return filepath.Join(c.cfg.Dir, "postgres.log") }

func (c *Cluster) openLog() (*os.File, error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if c.logSize() > maxLogSize {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(c.logPath(), flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the PostgreSQL log: %w", err)
	}
	return f, nil
}

func (c *Cluster) logSize() int64 {
	info, err := os.Stat(c.logPath())
	if err != nil {
		return 0
	}
	return info.Size()
}

// logTail returns the last lines that the server logged since offset.
func (c *Cluster) logTail(offset int64) string {
	f, err := os.Open(c.logPath())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, offset, 1<<20))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}

// stopLeftovers stops what still runs in the data directory: a server that
// outlived its parent, or backends that outlived their server. Then it removes
// the lock file, whose process number may belong to somebody else by now.
func stopLeftovers(ctx context.Context, data string) error {
	for {
		pids := serversIn(data)
		if len(pids) == 0 {
			break
		}
		if err := endServers(data, pids); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the PostgreSQL that runs in %s does not end: %w", data, ctx.Err())
		case <-time.After(readyPause):
		}
	}
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the stale lock file: %w", err)
	}
	return nil
}

// Running reports whether a server runs in the cluster directory dir, whoever
// started it.
func Running(dir string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	data := filepath.Join(real, "data")
	return slices.Contains(serversIn(data), mainProcess(data))
}

// End stops whatever server runs in the cluster directory dir and waits for it.
func End(ctx context.Context, dir string) error {
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cluster directory: %w", err)
	}
	return stopLeftovers(ctx, filepath.Join(real, "data"))
}

// endServers asks the main process for a fast shutdown; without one it tells the
// backends to quit.
func endServers(data string, pids []int) error {
	sig := syscall.SIGQUIT
	if main := mainProcess(data); slices.Contains(pids, main) {
		pids, sig = []int{main}, syscall.SIGINT
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the PostgreSQL that still runs in %s: %w", data, err)
		}
	}
	return nil
}

// mainProcess reads the server's process number from its lock file; 0 when there
// is none.
func mainProcess(data string) int {
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, _ := strconv.Atoi(line)
	return pid
}

// serversIn lists the PostgreSQL processes whose working directory is data.
func serversIn(data string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		exe, _ := os.Readlink(filepath.Join("/proc", e.Name(), "exe"))
		if cwd == data && strings.HasPrefix(filepath.Base(exe), "postgres") {
			pids = append(pids, pid)
		}
	}
	return pids
}
