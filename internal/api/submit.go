package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/propagation"

	"generalbackend/internal/domain"
)

// Submission is what every operation takes that starts a job.
type Submission struct {
	Prefer         string `header:"Prefer" maxLength:"200" doc:"wait=N waits up to N seconds, at most 300, for the result" example:"wait=30"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"Repeating a request with the same key returns the first one's job"`
}

// submitted answers 202 with the job, or 201 with the finished resource.
type submitted struct {
	Status            int
	Location          string `header:"Location" doc:"The job"`
	RetryAfter        string `header:"Retry-After" doc:"Seconds until it is worth asking"`
	PreferenceApplied string `header:"Preference-Applied"`
	Body              any
}

const (
	maxWait   = 300 * time.Second
	pollEvery = 2 * time.Second // where no hint comes
	askAgain  = "1"             // second
)

// submitEndpoint completes the description of an operation that starts a job.
// A wants both a job and the resource, R the resource alone.
func submitEndpoint[A, R any](s *server, e endpoint) endpoint {
	e.status = http.StatusAccepted
	e.responses = map[string]*huma.Response{
		"202": respond[A](s, "Accepted: the job will do it. Location is the job."),
		"201": respond[R](s, "Done: with `Prefer: wait` and the job finished in time."),
	}
	e.codes = append(e.codes, domain.CodeNotFound, domain.CodeIdempotencyReused, domain.CodeCancelled, domain.CodeWorkerLost)
	return e
}

// replay looks for the job of an earlier request with the same key; nil when
// there is none.
func (s *server) replay(ctx context.Context, sub domain.Submission) (*domain.Job, error) {
	job, err := s.Store.Replay(ctx, sub)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	return &job, err
}

// requestHash tells a repeated request from a reused key.
func requestHash(parts ...any) ([]byte, error) {
	data, err := json.Marshal(parts)
	sum := sha256.Sum256(data)
	return sum[:], err
}

func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// result is how a submission is answered.
type result struct {
	accepted func(Job) any                      // with the job still to be done
	finished func(context.Context) (any, error) // with the resource
}

// follow wakes the engine and answers, after waiting where that is wanted. Once
// it is called the work is accepted: a client that hangs up loses nothing.
func (s *server) follow(ctx context.Context, in Submission, job domain.Job, r result) (*submitted, error) {
	s.Engine.Submitted(job)
	wait, preference := waiting(ctx, in.Prefer)
	out := &submitted{Status: http.StatusAccepted, Location: jobPath(job.ID), RetryAfter: askAgain}
	if wait > 0 {
		var err error
		if job, err = s.await(unbounded(ctx), job, wait); err != nil {
			return nil, err
		}
		out.PreferenceApplied = preference
		rested, cancel := context.WithTimeout(unbounded(ctx), s.Timeout)
		defer cancel()
		ctx = rested
	}
	switch {
	case wait > 0 && job.State == domain.StateSucceeded:
		body, err := r.finished(ctx)
		out.Status, out.RetryAfter, out.Body = http.StatusCreated, "", body
		return out, err
	case wait > 0 && job.State.Terminal():
		return nil, failed(job)
	case wait > 0 && atRoot(ctx):
		return nil, overrun(job)
	}
	out.Body = r.accepted(s.showJob(ctx, job))
	return out, nil
}

// waiting reads Prefer, after RFC 7240. At the root waiting is the default.
func waiting(ctx context.Context, prefer string) (time.Duration, string) {
	for preference := range strings.FieldsFuncSeq(prefer, func(r rune) bool { return r == ',' || r == ';' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "respond-async":
			return 0, ""
		case "wait":
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			if err != nil {
				continue
			}
			wait := min(time.Duration(seconds)*time.Second, maxWait)
			return wait, fmt.Sprintf("wait=%d", int(wait.Seconds()))
		}
	}
	if atRoot(ctx) {
		return maxWait, ""
	}
	return 0, ""
}

// class gives work somebody waits for a lane before work that is only to be done.
func class(ctx context.Context, in Submission) domain.Class {
	if wait, _ := waiting(ctx, in.Prefer); wait > 0 {
		return domain.ClassInteractive
	}
	return domain.ClassStandard
}

// await returns the job when it is terminal or the time is up.
func (s *server) await(ctx context.Context, job domain.Job, wait time.Duration) (domain.Job, error) {
	id := job.ID // the engine keeps the pointer
	hints, cancel := s.Engine.Subscribe(job.UserID, &id)
	defer cancel()
	return awaitDone(ctx, s, hints, wait, job,
		func(ctx context.Context) (domain.Job, error) { return s.Store.Job(ctx, job.UserID, id) },
		func(now domain.Job) bool { return now.State.Terminal() })
}

// awaitDone looks at what was accepted with every hint, and every now and then,
// until it is done or the time is up, and returns what it saw last. While the
// store does not answer it goes on waiting: the work is accepted already.
func awaitDone[T any](ctx context.Context, s *server, hints <-chan domain.JobHint, wait time.Duration, seen T,
	look func(context.Context) (T, error), done func(T) bool,
) (T, error) {
	end := time.NewTimer(wait)
	defer end.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		bounded, cancel := context.WithTimeout(ctx, s.Timeout)
		now, err := look(bounded)
		cancel()
		switch {
		case err == nil && done(now):
			return now, nil
		case err == nil:
			seen = now
		case domain.CodeOf(err) != domain.CodeUnavailable:
			return seen, err
		}
		select {
		case <-ctx.Done():
			return seen, ctx.Err()
		case <-end.C:
			return seen, nil
		case <-s.Stopping:
			return seen, nil
		case <-hints:
		case <-poll.C:
		}
	}
}

// failed is a failed job as a problem with the job's own code.
func failed(job domain.Job) *Problem {
	p := newProblem(domain.CodeCancelled, "The job was cancelled.")
	if job.Error != nil {
		p = newProblem(job.Error.Code, job.Error.Detail)
		p.Hint = job.Error.Hint
	}
	p.headers.Set("Location", jobPath(job.ID))
	return p
}

func overrun(job domain.Job) *Problem {
	p := newProblem(domain.CodeTimeout, "It is not done yet, but nothing is lost: the job goes on. Ask for it at the address in Location.")
	p.headers.Set("Location", jobPath(job.ID))
	p.headers.Set("Retry-After", askAgain)
	return p
}

// stopped tells the engine of jobs that a deletion asked to stop.
func (s *server) stopped(ctx context.Context, jobs []domain.Job, err error) {
	if err == nil && len(jobs) > 0 {
		s.Engine.Cancelled(context.WithoutCancel(ctx), jobs)
	}
}
