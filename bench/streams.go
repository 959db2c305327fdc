package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

type streamsOptions struct {
	streams int
	users   int
}

func streamsScenario(flags *flag.FlagSet) scenario {
	var o streamsOptions
	flags.IntVar(&o.streams, "streams", 1000, "event streams that are open at once")
	flags.IntVar(&o.users, "stream-users", 20, "users they belong to; each follows all of its jobs five times, and each job once")
	return scenario{"streams", func(ctx context.Context, b *bench) error { return runStreams(ctx, b, o) }}
}

// follows is how many streams of all its jobs a user has.
const follows = 5

// runStreams opens streams of jobs that wait, sees what they cost while nothing
// happens, lets the jobs run and checks what every stream was told.
func runStreams(ctx context.Context, b *bench, o streamsOptions) (err error) {
	settings, stop, err := startStores(ctx, b, "streams")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	c := &crowd{streamsOptions: o, password: uuid.NewString()}
	settings = append(settings,
		"EMBEDDING_PROVIDER=offline", "LLM_PROVIDER=offline", "ADMIN_EMAIL=admin@example.org", "ADMIN_PASSWORD="+c.password)
	c.settings = settings
	for _, name := range []string{"extract-worker", "embed-worker"} {
		p, startErr := startProcess(ctx, b, name, c.settings...)
		if startErr != nil {
			return startErr
		}
		defer func() { err = errors.Join(err, p.stop()) }()
	}
	b.report.set("one api process and two workers, NATS and the clients with the bench; %d streams of %d users, %d of each user of all its jobs, the others of one job each, opened while the stage extract is paused; memory from the first stream being open to all being open, each told what there was", o.streams, o.users, follows)
	for range b.rounds {
		if err := c.round(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// crowd is the users who listen.
type crowd struct {
	streamsOptions
	settings []string
	password string
	admin    *client
	users    []*client
	jobs     map[*client][]uuid.UUID
}

func (c *crowd) round(ctx context.Context, b *bench) error {
	p, err := startProcess(ctx, b, "api", c.settings...)
	if err != nil {
		return err
	}
	if err := errors.Join(c.submit(ctx, p), p.stop()); err != nil {
		return err
	}
	// A process of its own for the streams: memory taken by the submits may stay.
	if p, err = startProcess(ctx, b, "api", c.settings...); err != nil {
		return err
	}
	return errors.Join(c.listen(ctx, b, p), p.stop())
}

// submit makes users and jobs, none of which starts.
func (c *crowd) submit(ctx context.Context, p *process) (err error) {
	c.admin = newClient(p.url)
	login := fmt.Sprintf(`{"email": "admin@example.org", "password": %q}`, c.password)
	if err := c.admin.enter(ctx, "/v1/auth/login", strings.NewReader(login)); err != nil {
		return err
	}
	if err := c.hold(ctx, "pause"); err != nil {
		return err
	}
	c.users, c.jobs = make([]*client, c.streamsOptions.users), map[*client][]uuid.UUID{}
	for i := range c.users {
		if c.users[i], err = register(ctx, p.url); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	return parallel(ctx, c.streams-follows*len(c.users), 8, func(ctx context.Context, i int) error {
		user := c.users[i%len(c.users)]
		var made accepted
		text := fmt.Sprintf(`{"content": "Text number %d has a few words and no more."}`, i)
		if err := user.post(ctx, "/v1/documents/text", "application/json", strings.NewReader(text), &made); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		c.jobs[user] = append(c.jobs[user], made.Job.ID)
		return nil
	})
}

func (c *crowd) hold(ctx context.Context, act string) error {
	var queue struct{ Paused bool }
	if err := c.admin.post(ctx, "/v1/admin/queues/extract/"+act, "application/json", http.NoBody, &queue); err != nil {
		return err
	}
	if queue.Paused != (act == "pause") {
		return fmt.Errorf("the stage did not %s", act)
	}
	return nil
}

// listen measures what the streams cost, and what they miss.
func (c *crowd) listen(ctx context.Context, b *bench, p *process) error {
	c.admin.url = p.url
	var open []*listening
	defer func() {
		for _, l := range open {
			_ = l.body.Close()
		}
	}()
	var wanted []func(ctx context.Context) (*listening, error)
	for _, user := range c.users {
		user.url = p.url
		for range follows {
			wanted = append(wanted, func(ctx context.Context) (*listening, error) { return user.listen(ctx, "/v1/events", c.jobs[user]...) })
		}
		for _, job := range c.jobs[user] {
			wanted = append(wanted, func(ctx context.Context) (*listening, error) {
				return user.listen(ctx, "/v1/jobs/"+job.String()+"/events", job)
			})
		}
	}
	// One stream first, so that what the first request makes is not counted.
	first, err := wanted[0](ctx)
	if err != nil {
		return err
	}
	open = append(open, first)
	before, err := p.memory(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	var mu sync.Mutex
	if err := parallel(ctx, len(wanted)-1, 16, func(_ context.Context, i int) error {
		l, err := wanted[i+1](ctx) // it outlives the opening
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			open = append(open, l)
		}
		return err
	}); err != nil {
		return err
	}
	took := time.Since(started)
	with, err := p.memory(ctx)
	if err != nil {
		return err
	}
	subject, n := fmt.Sprintf("%d streams", len(open)), float64(len(open)-1)
	b.report.add(subject, "resident KiB a stream", (with.resident-before.resident)/1024/n)
	b.report.add(subject, "Go heap and stacks in use KiB a stream", (with.inUse-before.inUse)/1024/n)
	b.report.add(subject, "goroutines a stream", (with.goroutines-before.goroutines)/n)
	b.report.add(subject, "opened /s", n/took.Seconds())
	if err := c.hold(ctx, "resume"); err != nil {
		return err
	}
	started = time.Now()
	if err := parallel(ctx, len(open), len(open), func(_ context.Context, i int) error { return open[i].read() }); err != nil {
		return err
	}
	b.report.add(subject, "s from resume to the last event", time.Since(started).Seconds())
	tally(b, subject, open)
	return nil
}
