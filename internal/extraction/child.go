package extraction

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"generalbackend/internal/domain"
)

// SandboxArgument is the first argument of a process that is a sandbox child.
const SandboxArgument = "sandbox"

// RunSandboxChild reads documents from standard input, one after the other,
// writes what it finds to standard output, and exits at the end of its input or
// after the first document that it cannot read. A program that uses Sandbox
// calls it first of all when its first argument is SandboxArgument.
func RunSandboxChild() {
	os.Exit(runChild(os.Args[2:], os.Stdin, os.Stdout))
}

const exitFault = 2

func runChild(args []string, in io.Reader, w io.Writer) int {
	var limits Limits
	if len(args) != 1 || json.Unmarshal([]byte(args[0]), &limits) != nil {
		return exitFault
	}
	r, out := bufio.NewReader(in), &frameOutput{w: bufio.NewWriter(w)}
	var self *vitals
	for {
		req, data, err := receiveDocument(r, limits.MaxBytes)
		if errors.Is(err, io.EOF) {
			return 0
		}
		if err == nil && self == nil {
			self, err = confine(limits)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "before reading:", err)
			return exitFault
		}
		if ok, err := answerWith(req, data, limits, out, self); err != nil {
			return exitFault
		} else if !ok {
			return 0
		}
	}
}

// answerWith reads one document and sends what it finds. It reports whether the
// child may read another.
func answerWith(req request, data []byte, limits Limits, out *frameOutput, self *vitals) (again bool, err error) {
	s, err := guarded(req, data, limits, out)
	if err != nil {
		err = writeJSON(out.w, frameError, failure{Code: codeOf(err), Detail: err.Error(), Memory: self.read("VmHWM")})
	} else {
		s.Reusable, s.Memory = roomLeft(limits, len(data)), self.read("VmHWM")
		again = s.Reusable
		err = writeJSON(out.w, frameDone, s)
	}
	return again, errors.Join(err, out.w.Flush())
}

// guarded turns a parser's panic into an error.
func guarded(req request, data []byte, limits Limits, out output) (s summary, err error) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", p, debug.Stack())
			err = fmt.Errorf("%w: %v", errParserPanic, p)
		}
	}()
	return parse(req, data, limits, out)
}

// frameOutput sends pages to the parent as they come, so that a later crash
// does not take back the progress that was shown.
type frameOutput struct{ w *bufio.Writer }

func (o *frameOutput) total(pages int) error { return writeJSON(o.w, frameTotal, pages) }

func (o *frameOutput) page(p domain.Page) error { return writeJSON(o.w, framePage, p) }
