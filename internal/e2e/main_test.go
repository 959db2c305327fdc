package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"generalbackend/internal/queue/embedded"
)

// How large the scenarios are.
var (
	faultJobs   = flag.Int("e2e.jobs", 1000, "jobs that each fault scenario submits")
	backlogJobs = flag.Int("e2e.backlog", 2000, "jobs of one user that another user's single job meets")
)

// Set for the NATS server, which is this test binary started once more.
const (
	envNATSPort  = "E2E_NATS_PORT"
	envNATSStore = "E2E_NATS_STORE"
)

func TestMain(m *testing.M) {
	if port, err := strconv.Atoi(os.Getenv(envNATSPort)); err == nil {
		os.Exit(serveNATS(os.Getenv(envNATSStore), port))
	}
	status := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir) // in the temporary directory: no harm when it stays
	}
	os.Exit(status)
}

// serveNATS is the process that tests kill as the broker.
func serveNATS(store string, port int) int {
	server, err := embedded.Start(store, port)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
	server.Stop()
	return 0
}

// built holds the programs under test, made once for all tests.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// program returns the path of one of the programs of cmd.
func program(t testing.TB, name string) string {
	t.Helper()
	built.once.Do(build)
	if built.err != nil {
		t.Fatalf("build the programs: %v", built.err)
	}
	return filepath.Join(built.dir, name)
}

func build() {
	if built.dir, built.err = os.MkdirTemp("", "generalbackend-e2e-"); built.err != nil {
		return
	}
	cmd := exec.Command("go", "build", "-tags", "nomsgpack", "-o", built.dir+"/", "generalbackend/cmd/...")
	if out, err := cmd.CombinedOutput(); err != nil {
		built.err = fmt.Errorf("%w\n%s", err, out)
	}
}
