package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// jobEngine is what the scenario compares: something that accepts numbered jobs
// in a transaction of their own and works them.
type jobEngine interface {
	submit(ctx context.Context, n int) error
	// start works jobs until stop; work is called when a job's own code begins.
	start(ctx context.Context, work func(n int)) (stop func() error, err error)
	// done counts the jobs that are recorded as completed.
	done(ctx context.Context) (int, error)
	close()
}

// contender opens an engine on an empty database.
type contender struct {
	name  string
	share int // of the backlog, as a divisor: the slow ones need not wait for all of it
	open  func(ctx context.Context, dsn, dir string, o engineOptions) (jobEngine, error)
}

type engineOptions struct {
	workers    int
	submitters int
	backlog    int
	rate       int
	seconds    int
	users      int
	conns      int
	subjects   string
}

const ours = "ours"

func engineScenario(flags *flag.FlagSet) scenario {
	var o engineOptions
	flags.IntVar(&o.workers, "engine-workers", 32, "jobs worked at once")
	flags.IntVar(&o.submitters, "engine-submitters", 16, "clients that submit at once")
	flags.IntVar(&o.backlog, "engine-backlog", 10_000, "jobs of the throughput measures; a fifth of them for River's defaults")
	flags.IntVar(&o.rate, "engine-rate", 100, "jobs per second of the latency measure")
	flags.IntVar(&o.seconds, "engine-seconds", 6, "length of the latency measure")
	flags.IntVar(&o.users, "engine-users", 8, "users among whom the jobs are spread")
	flags.IntVar(&o.conns, "engine-conns", 40, "database connections of an engine")
	flags.StringVar(&o.subjects, "engine-subjects", "", "measure only these engines, comma-separated")
	return scenario{"engine", func(ctx context.Context, b *bench) error { return runEngines(ctx, b, o) }}
}

func (o engineOptions) contenders() []contender {
	all := []contender{
		{ours, 1, openOurs},
		{"river", 1, openRiver(riverEager)},
		{"river in tx", 1, openRiver(riverInTx)},
		{"river defaults", 5, openRiver(riverDefaults)},
	}
	if o.subjects == "" {
		return all
	}
	named := strings.Split(o.subjects, ",")
	return slices.DeleteFunc(all, func(c contender) bool { return !slices.Contains(named, c.name) })
}

func runEngines(ctx context.Context, b *bench, o engineOptions) (err error) {
	server, err := startPostgres(ctx, b)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	contenders := o.contenders()
	b.report.set("no-op jobs, each submitted by its own transaction, fsync on; %d workers, %d submitters, %d connections, %d users, %d jobs (a fifth for River's defaults); latency at %d jobs/s for %d s",
		o.workers, o.submitters, o.conns, o.users, o.backlog, o.rate, o.seconds)
	for round := range b.rounds {
		for i, c := range contenders {
			b.say("engine: round %d, %s", round+1, c.name)
			dsn, drop, err := newDatabase(ctx, server, fmt.Sprintf("engine_%d_%d", round, i))
			if err != nil {
				return err
			}
			if err := errors.Join(measureEngine(ctx, b, c, dsn, o), drop()); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	for _, peer := range contenders {
		if peer.name == ours {
			continue
		}
		for _, measure := range []string{"submit/s", "drain/s", "both/s", "start p50 ms", "start p99 ms"} {
			b.report.compare(ours, measure, peer.name)
		}
	}
	return nil
}

// measureEngine takes all figures of one engine: submitting while nobody works,
// working off that backlog, both at once, and the delay at a steady rate.
func measureEngine(ctx context.Context, b *bench, c contender, dsn string, o engineOptions) (err error) {
	o.backlog /= c.share
	engine, err := c.open(ctx, dsn, b.dir, o)
	if err != nil {
		return err
	}
	defer engine.close()
	if err := submitAll(ctx, engine, 100, 4); err != nil { // connections, plans and caches
		return err
	}

	started := time.Now()
	if err := submitAll(ctx, engine, o.backlog, o.submitters); err != nil {
		return err
	}
	b.report.add(c.name, "submit/s", perSecond(o.backlog, started))

	total := 100 + o.backlog
	started = time.Now()
	var work atomic.Pointer[func(int)]
	nothing := func(int) {}
	work.Store(&nothing)
	stop, err := engine.start(ctx, func(n int) { (*work.Load())(n) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := awaitDone(ctx, engine, total); err != nil {
		return err
	}
	b.report.add(c.name, "drain/s", perSecond(total, started))

	started = time.Now()
	if err := submitAll(ctx, engine, o.backlog, o.submitters); err != nil {
		return err
	}
	total += o.backlog
	if err := awaitDone(ctx, engine, total); err != nil {
		return err
	}
	b.report.add(c.name, "both/s", perSecond(o.backlog, started))

	starts := newStarts(o.rate * o.seconds)
	begun := starts.begun
	work.Store(&begun)
	if err := submitPaced(ctx, engine, starts, o.rate); err != nil {
		return err
	}
	if err := awaitDone(ctx, engine, total+o.rate*o.seconds); err != nil {
		return err
	}
	b.report.quantiles(c.name, "start", starts.delays())
	return nil
}

func perSecond(n int, since time.Time) float64 { return float64(n) / time.Since(since).Seconds() }

// submitAll submits n jobs from several clients at once.
func submitAll(ctx context.Context, e jobEngine, n, clients int) error {
	return parallel(ctx, n, clients, e.submit)
}

// submitPaced submits at a steady rate, whether or not earlier submissions have
// returned, so that a slow engine cannot slow its own clock.
func submitPaced(ctx context.Context, e jobEngine, s *starts, rate int) error {
	group, ctx := errgroup.WithContext(ctx)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for n := range s.submitted {
		select {
		case <-ctx.Done():
			return group.Wait()
		case <-tick.C:
		}
		s.submitted[n] = time.Now()
		group.Go(func() error { return e.submit(ctx, n) })
	}
	return group.Wait()
}

// awaitDone waits until the database says that n jobs are done.
func awaitDone(ctx context.Context, e jobEngine, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		done, err := e.done(ctx)
		if err != nil {
			return err
		}
		if done >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d jobs done: %w", done, n, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// starts notes when each job was submitted and when it began.
type starts struct {
	submitted []time.Time
	mu        sync.Mutex
	started   []time.Time
}

func newStarts(n int) *starts {
	return &starts{submitted: make([]time.Time, n), started: make([]time.Time, n)}
}

func (s *starts) begun(n int) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started[n] = now
}

func (s *starts) delays() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	delays := make([]time.Duration, len(s.started))
	for i := range delays {
		delays[i] = s.started[i].Sub(s.submitted[i])
	}
	return delays
}
