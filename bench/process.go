package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one of the product's programs, run as its users run it.
type process struct {
	url  string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// startProcess builds a program, starts it with the given settings and returns
// when it is ready.
func startProcess(ctx context.Context, b *bench, name string, settings ...string) (*process, error) {
	path := filepath.Join(b.dir, name)
	if out, err := exec.CommandContext(ctx, "go", "build", "-C", "..", "-o", path, "./cmd/"+name).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	listens := "PORT"
	if strings.HasSuffix(name, "-worker") {
		listens = "METRICS_PORT" // it has no other
	}
	p := &process{url: fmt.Sprintf("http://127.0.0.1:%d", port), log: path + ".log", done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.CommandContext(ctx, path)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = b.dir, log, log
	p.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "DATA_DIR=" + filepath.Join(b.dir, "data"), "LOG_LEVEL=warn",
		"SECRET_KEY=" + strings.Repeat("benchmark", 4), "METRICS_PORT=0", listens + "=" + strconv.Itoa(port),
	}, settings...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = time.Minute
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/ready", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.done:
			said, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s ended at its start: %s", p.cmd.Path, said)
		case <-ctx.Done():
			return fmt.Errorf("%s does not get ready: %w", p.cmd.Path, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the process in order and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}

// residentBytes is how much memory the process occupies just now.
func (p *process) residentBytes() (int64, error) {
	var kilobytes int64
	value := field(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), "VmRSS")
	if _, err := fmt.Sscanf(value, "%d kB", &kilobytes); err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", p.cmd.Path, err)
	}
	return kilobytes << 10, nil
}
