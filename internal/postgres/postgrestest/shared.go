package postgrestest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"generalbackend/internal/postgres/cluster"
)

// watch is the script that ends the cluster when nobody uses it any more.
//
//go:embed watch.sh
var watch string

// sharedCluster joins the machine's test cluster, starting it when it is not
// there, and returns its address. The process counts as a user while the file
// is open.
func sharedCluster(ctx context.Context) (dsn string, users *os.File, err error) {
	base, err := baseDir()
	if err != nil {
		return "", nil, err
	}
	starting, err := lock(filepath.Join(base, "start"), syscall.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	defer starting.Close()
	if users, err = lock(filepath.Join(base, "users"), syscall.LOCK_SH); err != nil {
		return "", nil, err
	}
	known, err := os.ReadFile(filepath.Join(base, "address"))
	if err == nil && cluster.Running(clusterDir(base)) {
		return string(known), users, nil
	}
	if dsn, err = startCluster(ctx, base); err != nil {
		return "", nil, errors.Join(err, users.Close())
	}
	return dsn, users, nil
}

// baseDir lies in the temporary directory, because the server may run as
// another user who could not reach a place below a private home.
func baseDir() (string, error) {
	base := os.Getenv("TEST_DATA_DIR")
	if base == "" {
		base = filepath.Join(os.TempDir(), "generalbackend-test-"+strconv.Itoa(os.Geteuid()))
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("make the test directory: %w", err)
	}
	info, err := os.Lstat(base)
	if err != nil {
		return "", fmt.Errorf("test directory: %w", err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%s is not a directory of ours: remove it or set TEST_DATA_DIR", base)
	}
	return base, nil
}

func clusterDir(base string) string { return filepath.Join(base, "postgres") }

// startCluster makes a new cluster each time: that takes a second, and nothing
// of a run that was cut short can reach the next.
func startCluster(ctx context.Context, base string) (string, error) {
	if err := endLeftover(ctx, base); err != nil {
		return "", err
	}
	c, err := cluster.Start(ctx, cluster.Config{Dir: clusterDir(base), Detached: true, Settings: map[string]string{
		"fsync":              "off",
		"synchronous_commit": "off",
		"full_page_writes":   "off",
		"max_connections":    "1000", // all packages and their tests at once, on many cores
		"shared_buffers":     "128MB",
	}})
	if err != nil {
		return "", err
	}
	dsn := c.DSN("postgres")
	err = os.WriteFile(filepath.Join(base, "address"), []byte(dsn), 0o600)
	if err == nil {
		err = startWatch(base, c.PID())
	}
	if err != nil {
		return "", errors.Join(err, c.Stop(ctx))
	}
	return dsn, nil
}

func endLeftover(ctx context.Context, base string) error {
	if err := os.Remove(filepath.Join(base, "address")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget the last test cluster: %w", err)
	}
	if err := cluster.End(ctx, clusterDir(base)); err != nil {
		return err
	}
	if err := os.RemoveAll(clusterDir(base)); err != nil {
		return fmt.Errorf("remove the last test cluster: %w", err)
	}
	return nil
}

// startWatch leaves a shell behind that outlives this process, in a session of
// its own and with none of its files, so that nobody waits for it.
func startWatch(base string, pid int) error {
	cmd := exec.Command("sh", "-c", watch, "postgrestest-watch", base, strconv.Itoa(pid))
	cmd.Dir = base
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("watch the test cluster: %w", err)
	}
	return cmd.Process.Release()
}

func lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open a test lock: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take a test lock: %w", err), f.Close())
	}
	return f, nil
}
