package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"generalbackend/internal/postgres/cluster"
)

// fast spares tests the disk; what they check does not depend on it.
func fast() map[string]string {
	return map[string]string{"fsync": "off", "shared_buffers": "16MB", "max_connections": "20"}
}

func start(t *testing.T, cfg cluster.Config) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	if err := c.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func exec1(t *testing.T, dsn, sql string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), sql)
	return err
}

func mustExec(t *testing.T, dsn, sql string) {
	t.Helper()
	if err := exec1(t, dsn, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// eventually waits for cond, as long as the test may run.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for !cond() {
		select {
		case <-t.Context().Done():
			t.Fatalf("never: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// alive is false of a process that has ended but was not waited for.
func alive(pid int) bool {
	_, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil
}

func TestDataOutliveTheServer(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: filepath.Join(t.TempDir(), "a", "b"), Settings: fast()}
	c, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, c.DSN(""), "CREATE EXTENSION vector; CREATE TABLE kept AS SELECT '[1,2]'::vector AS v")
	pid := c.PID()
	stop(t, c)
	stop(t, c) // a second stop is harmless
	if cluster.Running(cfg.Dir) {
		t.Error("a stopped server is seen")
	}
	if alive(pid) {
		t.Error("the server runs after Stop")
	}
	mustExec(t, start(t, cfg).DSN(""), "SELECT v <=> '[2,1]' FROM kept")
}

func TestRestartsAKilledServer(t *testing.T) {
	t.Parallel()
	c := start(t, cluster.Config{Dir: t.TempDir(), Settings: fast()})
	mustExec(t, c.DSN(""), "CREATE TABLE kept ()")
	if err := c.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server answers again at the same address", func() bool {
		return exec1(t, c.DSN(""), "SELECT FROM kept") == nil
	})
}

func TestOneProcessPerDirectory(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: t.TempDir(), Settings: fast()}
	c := start(t, cfg)
	if _, err := cluster.Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second start: %v", err)
	}
	mustExec(t, c.DSN(""), "SELECT 1")
}

func TestStopsALeftoverServer(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: t.TempDir(), Settings: fast(), Detached: true}
	left := start(t, cfg)
	pid := left.PID()
	if !cluster.Running(cfg.Dir) {
		t.Error("a running server is not seen")
	}
	cfg.Detached = false
	c := start(t, cfg)
	if alive(pid) {
		t.Error("the leftover server still runs")
	}
	mustExec(t, c.DSN(""), "SELECT 1")
}

func TestIgnoresAStaleLockFile(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: t.TempDir(), Settings: fast()}
	c, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, c)
	// The number in the file belongs to a living process that is no server.
	stale := fmt.Sprintf("%d\n%s/data\n1\n5432\n\n\n  1 1\n", os.Getppid(), cfg.Dir)
	if err := os.WriteFile(filepath.Join(cfg.Dir, "data", "postmaster.pid"), []byte(stale), 0o644); err != nil {
		t.Fatal(err)
	}
	mustExec(t, start(t, cfg).DSN(""), "SELECT 1")
}

// TestParent is the process that TestEndsWithItsParent kills.
func TestParent(t *testing.T) {
	dir := os.Getenv("CLUSTER_TEST_DIR")
	if dir == "" {
		return
	}
	c := start(t, cluster.Config{Dir: dir, Settings: fast()})
	if err := os.WriteFile(filepath.Join(dir, "pid"), []byte(strconv.Itoa(c.PID())), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "pid"), filepath.Join(dir, "ready")); err != nil {
		t.Fatal(err)
	}
	<-t.Context().Done()
}

func TestEndsWithItsParent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestParent$")
	cmd.Env = append(os.Environ(), "CLUSTER_TEST_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	eventually(t, "the parent has started its server", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "ready"))
		pid, _ = strconv.Atoi(string(b))
		return err == nil
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatal(err)
	}
	eventually(t, "the server ends after its parent", func() bool { return !alive(pid) })
}

func TestSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := cluster.Start(t.Context(), cluster.Config{Dir: t.TempDir(), BinDir: "/nowhere"})
	if err == nil || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("without a server: %v", err)
	}
	_, err = cluster.Start(t.Context(), cluster.Config{Dir: t.TempDir(), Settings: map[string]string{"fsync": "sometimes"}})
	if err == nil || !strings.Contains(err.Error(), `parameter "fsync"`) {
		t.Errorf("with a bad setting: %v", err)
	}
	_, err = cluster.Start(t.Context(), cluster.Config{Dir: t.TempDir(), BinDir: withoutVector(t), Settings: fast()})
	if err == nil || !strings.Contains(err.Error(), "no pgvector") {
		t.Errorf("without pgvector: %v", err)
	}
}

// withoutVector copies the installed server less pgvector. The programs find the
// rest from their own path, so it is enough to copy two and link the others.
func withoutVector(t *testing.T) string {
	t.Helper()
	bin, err := cluster.FindBinaries()
	if err != nil {
		t.Fatal(err)
	}
	major := filepath.Base(filepath.Dir(bin))
	prefix := filepath.Join(bin, "../../../../..")
	root := t.TempDir()
	for _, dir := range []string{root, filepath.Dir(root)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script := `set -e
		lib=usr/lib/postgresql/$1 share=usr/share/postgresql/$1
		mkdir -p "$3/$lib/bin" "$3/$share/extension"
		cp "$2/$lib/bin/postgres" "$2/$lib/bin/initdb" "$3/$lib/bin/"
		ln -s "$2/$lib/lib" "$3/$lib/lib"
		for f in "$2/$share"/*; do [ "${f##*/}" = extension ] || ln -s "$f" "$3/$share/"; done
		ln -s "$2/$share/extension"/plpgsql* "$3/$share/extension/"`
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", major, prefix, root).CombinedOutput(); err != nil {
		t.Fatalf("copy the server: %v: %s", err, out)
	}
	return filepath.Join(root, "usr/lib/postgresql", major, "bin")
}
