package e2e_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Deadlines only end tests that would hang; nothing is measured by them.
const (
	startDeadline = 10 * time.Minute
	stopDeadline  = 10 * time.Minute
	workDeadline  = 15 * time.Minute
	pollPause     = 50 * time.Millisecond
)

// process is a child that can be killed, stopped and started again on the same
// address with the same data.
type process struct {
	t     testing.TB
	name  string
	path  string
	env   []string
	ready string // URL that answers 200 when the process is ready, if any
	log   string

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
	pids   []int // of all starts
}

func newProcess(t testing.TB, dir, name, path string, env []string, ready string) *process {
	p := &process{t: t, name: name, path: path, env: env, ready: ready, log: filepath.Join(dir, name+".log")}
	t.Cleanup(p.end)
	return p
}

// start starts the process without waiting for it to be ready.
func (p *process) start() {
	p.t.Helper()
	started := make(chan error)
	p.mu.Lock()
	p.exited = make(chan struct{})
	p.mu.Unlock()
	go p.run(started)
	if err := <-started; err != nil {
		p.t.Fatalf("start %s: %v", p.name, err)
	}
}

// run keeps its thread: Linux sends a child its death signal when the thread
// that made it ends, and that must mean this test process.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		started <- err
		return
	}
	defer log.Close()
	cmd := exec.Command(p.path)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = filepath.Dir(p.log), p.environment(), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.mu.Lock()
	p.cmd, p.pids = cmd, append(p.pids, cmd.Process.Pid)
	exited := p.exited
	p.mu.Unlock()
	started <- nil
	_ = cmd.Wait() // how it ended is in cmd.ProcessState
	close(exited)
}

// environment is all a child sees: nothing of the developer's own settings.
func (p *process) environment() []string {
	base := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
	return append(base, p.env...)
}

// up starts the process and waits until it is ready.
func (p *process) up() {
	p.t.Helper()
	p.start()
	p.awaitReady()
}

func (p *process) awaitReady() {
	p.t.Helper()
	eventually(p.t, startDeadline, p.name+" is ready", func() bool {
		select {
		case <-p.exited:
			p.t.Fatalf("%s ended at start: %v", p.name, p.cmd.ProcessState)
		default:
		}
		return answers(p.ready)
	})
}

func answers(url string) bool {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// kill is kill -9.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.await()
}

// stop asks the process to end and demands that it does so in order.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.await()
	if status := p.cmd.ProcessState; !status.Success() {
		p.t.Errorf("%s did not end in order: %v", p.name, status)
	}
}

func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("%v %s: %v", sig, p.name, err)
	}
}

func (p *process) await() {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(stopDeadline):
		p.t.Errorf("%s does not end", p.name)
	}
}

// running reports whether the process lives.
func (p *process) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// program is what the process runs, as in cmd.
func (p *process) program() string { return filepath.Base(p.path) }

func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

// end is the cleanup of a process. When the test failed it shows what the
// process complained of.
func (p *process) end() {
	if p.running() {
		p.signal(syscall.SIGKILL)
		p.await()
	}
	for _, pid := range p.pids {
		eventually(p.t, stopDeadline, "the children of "+p.name+" are gone", func() bool { return len(inSession(pid)) == 0 })
	}
	log, err := os.ReadFile(p.log)
	if err != nil {
		return
	}
	var complaints []string
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "panic") || strings.Contains(line, "DATA RACE") {
			p.t.Errorf("%s: %.1000s", p.name, line)
		}
		if !strings.Contains(line, `"level":"INFO"`) {
			complaints = append(complaints, fmt.Sprintf("%.500s", line))
		}
	}
	if p.t.Failed() && len(complaints) > 0 {
		p.t.Logf("%s complained, at last:\n%s", p.name, strings.Join(complaints[max(0, len(complaints)-15):], "\n"))
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, deadline time.Duration, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !cond(); time.Sleep(pollPause) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// nextPort counts from a place of this process's own, below the range from
// which outgoing connections take theirs: those could take the port of a server
// that is being restarted.
var nextPort atomic.Int64

func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 20000 + (os.Getpid()*37+int(nextPort.Add(1)))%12000
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = l.Close() // it was only to see whether the port is free
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}
