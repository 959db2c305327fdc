package extraction

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"generalbackend/internal/domain"
)

// SandboxArgument is the first argument of a process that is a sandbox child.
const SandboxArgument = "sandbox"

// RunSandboxChild reads one document from standard input, writes what it finds
// to standard output and exits. A program that uses Sandbox calls it first of
// all when its first argument is SandboxArgument.
func RunSandboxChild() {
	os.Exit(runChild(os.Args[2:], os.Stdin, os.Stdout))
}

func runChild(args []string, in io.Reader, w io.Writer) int {
	var limits Limits
	if len(args) != 1 || json.Unmarshal([]byte(args[0]), &limits) != nil {
		return 2
	}
	req, data, err := receiveDocument(bufio.NewReader(in), limits.MaxBytes)
	if err != nil {
		return 2
	}
	if err := confine(limits); err != nil {
		fmt.Fprintln(os.Stderr, "confine:", err)
		return 2
	}
	out := &frameOutput{w: bufio.NewWriter(w)}
	s, err := guarded(req, data, limits, out)
	if err != nil {
		err = writeJSON(out.w, frameError, failure{Code: codeOf(err), Detail: err.Error()})
	} else {
		err = writeJSON(out.w, frameDone, s)
	}
	if err != nil || out.w.Flush() != nil {
		return 2
	}
	return 0
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
