package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
	"time"

	"generalbackend/internal/extraction"
)

// scenario measures one thing. Its flags are registered when it is made.
type scenario struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

// bench is what every scenario has: where it may write, how often it repeats,
// and the report it adds to.
type bench struct {
	dir    string
	rounds int
	report *report
	out    io.Writer
}

// say tells whoever waits what goes on.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

func main() {
	if len(os.Args) > 1 && os.Args[1] == extraction.SandboxArgument {
		extraction.RunSandboxChild()
	}
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "run only these scenarios, comma-separated")
	rounds := flags.Int("rounds", 3, "how often each figure is taken; the median is reported")
	results := flags.String("results", "results", "folder that receives the figures as JSON")
	profile := flags.String("cpuprofile", "", "write a CPU profile of the run here")
	scenarios := []scenario{engineScenario(flags), extractionScenario(flags), pipelineScenario(flags), uploadScenario(flags), searchScenario(flags), chatScenario(flags), streamsScenario(flags)}
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(scenarios, *only)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{rounds: *rounds, out: out}
	if b.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	stopProfile, err := startProfile(*profile)
	if err != nil {
		return err
	}
	defer stopProfile()
	return b.all(ctx, chosen, newMachine(), args, *results)
}

// all runs scenarios one after the other. One that fails does not keep the
// others from being measured.
func (b *bench) all(ctx context.Context, scenarios []scenario, m machine, args []string, results string) error {
	command := "make bench"
	if len(args) > 0 {
		command += fmt.Sprintf(" ARGS=%q", strings.Join(args, " "))
	}
	b.say("%s\n%s\n", m, command)
	var failed []error
	for _, s := range scenarios {
		if ctx.Err() != nil {
			break
		}
		started := time.Now()
		b.report = newReport(s.name, m, command)
		if err := s.run(ctx, b); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
			continue
		}
		b.say("%s(%s took %s)\n", b.report, s.name, time.Since(started).Round(time.Second))
		if err := b.report.save(results); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(append(failed, ctx.Err())...)
}

func choose(scenarios []scenario, only string) ([]scenario, error) {
	if only == "" {
		return scenarios, nil
	}
	var chosen []scenario
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	for name := range strings.SplitSeq(only, ",") {
		i := -1
		for n, s := range scenarios {
			if s.name == name {
				i = n
			}
		}
		if i < 0 {
			return nil, fmt.Errorf("no scenario %q; there are %s", name, strings.Join(names, ", "))
		}
		chosen = append(chosen, scenarios[i])
	}
	return chosen, nil
}

func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}
