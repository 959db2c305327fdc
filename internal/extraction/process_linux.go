package extraction

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"generalbackend/internal/domain"
)

var (
	errSilent  = errors.New("the child ended without a result")
	errCrashed = errors.New("the parser crashed")
)

// child is the parent's side of one sandboxed process.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr complaint
	owner  string      // whose documents it has read
	retire *time.Timer // ends its waiting
}

func startChild(limits Limits) (*child, error) {
	arg, err := json.Marshal(limits)
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command("/proc/self/exe", SandboxArgument, string(arg))}
	c.cmd.Env = []string{
		"GOMAXPROCS=2", "GOTRACEBACK=single",
		"GOMEMLIMIT=" + strconv.FormatInt(limits.Memory*3/4, 10),
	}
	c.cmd.Dir = "/"
	c.cmd.Stderr = &c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReaderSize(out, 64<<10)
	return c, c.cmd.Start()
}

// kill ends the child at once; it may be called at any time.
func (c *child) kill() { _ = c.cmd.Process.Kill() }

// converse sends the document and receives what the child finds. It returns
// errSilent when the child ended before its last frame.
func (c *child) converse(src Source, body io.Reader, limits Limits, progress func(done, total int)) (received, error) {
	sent := make(chan error, 1)
	go func() {
		metered := &io.LimitedReader{R: body, N: limits.MaxBytes + 1}
		req := request{Type: src.Type, ContentType: src.ContentType, URL: src.URL}
		err := sendDocument(c.in, req, readErrors{metered})
		if metered.N <= 0 {
			err = errorFor(domain.CodeTooLarge)
		}
		if err != nil { // the child would wait for the rest
			c.kill()
		}
		sent <- err
	}()
	got, err := receive(c.out, limits, progress)
	if err != nil {
		c.kill()
	}
	sendErr := <-sent
	var reading *readError
	switch {
	case domain.CodeOf(sendErr) == domain.CodeTooLarge:
		return received{}, sendErr
	case errors.As(sendErr, &reading): // the source failed, not the document
		return received{}, reading.err
	}
	return got, err
}

// readError marks an error of the source, as opposed to one of the pipe.
type readError struct{ err error }

func (e *readError) Error() string { return "reading the document: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

type readErrors struct{ r io.Reader }

func (r readErrors) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readError{err}
	}
	return n, err
}

// ending is how a child ended.
type ending struct {
	state  *os.ProcessState
	memory int64
	stderr string
}

// finish waits for the end of a child that has ended its output, was killed, or
// ends when its input does.
func (c *child) finish() ending {
	_ = c.in.Close()
	_ = c.cmd.Wait() // what matters of the error is in the state
	e := ending{state: c.cmd.ProcessState, stderr: c.stderr.String()}
	// The kernel counts a child as no smaller than its parent was when it
	// started it, so that only what is beyond the parent tells of the child.
	var own syscall.Rusage
	usage, ok := e.state.SysUsage().(*syscall.Rusage)
	if ok && syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil && usage.Maxrss > own.Maxrss {
		e.memory = usage.Maxrss << 10
	}
	return e
}

// explain turns the end of a child that gave no result into an error. Nobody
// but the kernel kills a child of its own accord, for processor time or memory.
func (e ending) explain() error {
	status, ok := e.state.Sys().(syscall.WaitStatus)
	starved := ok && status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGXCPU)
	for _, sign := range []string{"out of memory", "cannot allocate memory", "SIGXCPU", "stack exceeds"} {
		starved = starved || strings.Contains(e.stderr, sign)
	}
	cause := fmt.Errorf("%w: %s: %s", errCrashed, e.state, e.stderr)
	if starved {
		return errorFor(domain.CodeDocumentTooComplex).WithCause(fmt.Errorf("%s: %s", e.state, e.stderr))
	}
	return cause
}

// complaint keeps the beginning of what a child complains of.
type complaint struct{ text []byte }

func (t *complaint) Write(p []byte) (int, error) {
	const most = 2048
	if room := most - len(t.text); room > 0 {
		t.text = append(t.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (t *complaint) String() string { return string(t.text) }
