package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

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
