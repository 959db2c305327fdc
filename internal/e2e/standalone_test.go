package e2e_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bootStandalone starts everything as one process, which brings its own
// database and broker.
func bootStandalone(t testing.TB, env ...string) *system {
	t.Helper()
	s := &system{t: t, dir: t.TempDir(), env: env}
	port := freePort(t)
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	env = append(s.environment(), fmt.Sprintf("PORT=%d", port), "DATA_DIR="+s.dir)
	s.api = newProcess(t, s.dir, "standalone", program(t, "standalone"), env, s.url+"/ready")
	s.api.up()
	t.Cleanup(s.api.stop) // in order, so that its cluster is not left behind
	s.connect(s.privateDSN())
	return s
}

// privateDSN is the address of the cluster that standalone made for itself.
func (s *system) privateDSN() string {
	s.t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(s.dir, "postgres", name))
		if err != nil {
			s.t.Fatalf("look into the private cluster: %v", err)
		}
		return string(b)
	}
	port := strings.Split(read("data/postmaster.pid"), "\n")[3]
	dsn := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", read("password")),
		Host: "127.0.0.1:" + port, Path: "/generalbackend", RawQuery: "sslmode=disable",
	}
	return dsn.String()
}

// TestStandaloneIsKilled: the one process that holds everything is killed while
// it works, its database and broker with it, and goes on where it was.
func TestStandaloneIsKilled(t *testing.T) {
	t.Parallel()
	s := bootStandalone(t)
	l := newLoad(t, s, 2)
	for round := range 3 {
		var submitting sync.WaitGroup
		submitting.Go(func() { l.run(t, fmt.Sprintf("round-%d", round), *faultJobs/10) })
		pause(100, 1500)
		s.api.kill()
		s.api.start()
		submitting.Wait()
	}
	s.api.awaitReady()
	s.connect(s.privateDSN()) // it may have come back on another port
	l.drain(t)
	l.check(t)
}
