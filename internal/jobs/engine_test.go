package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"generalbackend/internal/domain"
	"generalbackend/internal/jobs"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
	"generalbackend/internal/queue"
	"generalbackend/internal/queue/queuetest"
)

// system is a store, a broker and a dispatcher; runners are added by tests.
type system struct {
	t      *testing.T
	store  *postgres.Store
	server *queuetest.Server
	queue  *queue.Queue
	engine *jobs.Engine
	timing jobs.Timing
	user   uuid.UUID
}

func newSystem(t *testing.T) *system {
	t.Helper()
	store, err := postgres.Open(t.Context(), postgrestest.NewDatabase(t), 10)
	if err != nil {
		t.Fatal(err)
	}
	server := queuetest.NewServer(t)
	s := &system{t: t, store: store.System(), server: server, timing: jobs.DefaultTiming()}
	s.timing.Reap, s.timing.Poll = 200*time.Millisecond, 50*time.Millisecond
	s.timing.Lease = time.Minute // a machine that stalls loses no worker
	s.queue = s.connect()
	if s.engine, err = jobs.NewEngine(store, s.queue, quiet()); err != nil {
		t.Fatal(err)
	}
	s.user = s.newUser()
	t.Cleanup(func() { s.engine.Close(); s.queue.Close(); store.Close() })
	return s
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (s *system) connect() *queue.Queue {
	s.t.Helper()
	q, err := queue.Open(queue.Options{URL: s.server.URL(), Name: s.t.Name(), Log: quiet()})
	if err != nil {
		s.t.Fatal(err)
	}
	return q
}

func (s *system) newUser() uuid.UUID {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := s.store.CreateUser(s.t.Context(), domain.User{ID: id, Email: id.String() + "@example.org", PasswordHash: "x"})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// dispatch runs a dispatcher until the test ends.
func (s *system) dispatch() {
	d := jobs.NewDispatcher(s.store, s.queue, s.timing, quiet())
	s.background(func(ctx context.Context) error { return d.Run(ctx) })
}

// workerFunc lets a function be a worker.
type workerFunc func(ctx context.Context, task domain.Task) error

func (f workerFunc) Work(ctx context.Context, task domain.Task) error { return f(ctx, task) }

// run runs a runner of the extract stage and returns what stops it.
func (s *system) run(slots int, f workerFunc) (stop func()) { return s.runFor(time.Minute, slots, f) }

// runFor is run with attempts of limited time.
func (s *system) runFor(timeout time.Duration, slots int, f workerFunc) (stop func()) {
	return s.runAny(jobs.Stage{Name: domain.StageExtract, Worker: f, Slots: slots, Timeout: timeout})
}

// runStage runs a runner of another stage.
func (s *system) runStage(name domain.Stage, f workerFunc) (stop func()) {
	return s.runAny(jobs.Stage{Name: name, Worker: f, Slots: 1, Timeout: time.Minute})
}

func (s *system) runAny(stage jobs.Stage) (stop func()) {
	r := jobs.NewRunner(stage, s.store, s.queue, s.timing, jobs.NewMetrics(prometheus.NewRegistry()), quiet())
	return s.background(r.Run)
}

func (s *system) background(f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil {
			s.t.Errorf("background: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	s.t.Cleanup(stop)
	return stop
}

func (s *system) submit(user uuid.UUID, n int) []domain.Job {
	s.t.Helper()
	submitted := make([]domain.Job, n)
	for i := range submitted {
		job, err := s.store.Submit(s.t.Context(), domain.Submission{
			UserID: user, Kind: domain.KindIngest, Stage: domain.StageExtract, Class: domain.ClassStandard,
			ResourceID: uuid.Must(uuid.NewV7()),
		})
		if err != nil {
			s.t.Fatal(err)
		}
		s.engine.Submitted(job)
		submitted[i] = job
	}
	return submitted
}

// patience outlasts what mends a message that got lost: the next look at stale
// dispatches and the broker's redelivery.
const patience = 3 * time.Minute

// ensure makes the stream, however slow the broker is.
func (s *system) ensure() {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, err := s.queue.Ensure(s.t.Context())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal(err)
		}
	}
}

// settled waits until a job is terminal.
func (s *system) settled(job domain.Job) domain.Job {
	s.t.Helper()
	return s.until(job, func(j domain.Job) bool { return j.State.Terminal() })
}

func (s *system) until(job domain.Job, ok func(domain.Job) bool) domain.Job {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		now, err := s.store.Job(s.t.Context(), job.UserID, job.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		if ok(now) {
			return now
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("job stays %s, attempt %d, error %+v", now.State, now.Attempt, now.Error)
		}
	}
}

// checkEvents checks that a job's history is gapless and ends in its state.
func (s *system) checkEvents(job domain.Job) {
	s.t.Helper()
	events, err := s.store.JobEvents(s.t.Context(), job.ID, 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, e := range events {
		if e.Seq != int64(i+1) {
			s.t.Fatalf("event %d has seq %d", i, e.Seq)
		}
	}
	if int64(len(events)) != job.EventSeq {
		s.t.Errorf("%d events, the job counts %d", len(events), job.EventSeq)
	}
}

func (s *system) finish(ctx context.Context, task domain.Task) error {
	return s.store.Finish(ctx, task.Lease)
}

func TestEveryJobRunsOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.dispatch()
	var runs atomic.Int64
	s.run(4, func(ctx context.Context, task domain.Task) error {
		runs.Add(1)
		return s.finish(ctx, task)
	})
	for _, job := range s.submit(s.user, 100) {
		ended := s.settled(job)
		if ended.State != domain.StateSucceeded || ended.Attempt != 1 {
			t.Fatalf("state %s after attempt %d", ended.State, ended.Attempt)
		}
		s.checkEvents(ended)
	}
	if runs.Load() != 100 {
		t.Errorf("%d runs of 100 jobs", runs.Load())
	}
}

func TestFailuresAreJudgedByTheirCode(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		failures int // how often the worker fails before it succeeds
		err      error
		state    domain.State
		attempt  int
	}{
		"what time can mend is tried again":         {1, domain.Errorf(domain.CodeModelMalformed, "cut"), domain.StateSucceeded, 2},
		"what it cannot fails at once":              {9, domain.Errorf(domain.CodeDocumentMalformed, "bad"), domain.StateFailed, 1},
		"waiting for a document costs nothing":      {1, domain.Errorf(domain.CodeNotReady, "wait"), domain.StateSucceeded, 1},
		"a provider's wish to wait costs nothing":   {1, &domain.Error{Code: domain.CodeModelRateLimited, RetryAfter: time.Millisecond}, domain.StateSucceeded, 1},
		"an unknown error says nothing of its kind": {1, errors.New("secret"), domain.StateSucceeded, 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.dispatch()
			var runs atomic.Int64
			s.run(1, func(ctx context.Context, task domain.Task) error {
				if int(runs.Add(1)) <= c.failures {
					return c.err
				}
				return s.finish(ctx, task)
			})
			ended := s.settled(s.submit(s.user, 1)[0])
			if ended.State != c.state || ended.Attempt != c.attempt {
				t.Errorf("%s after attempt %d, want %s after %d", ended.State, ended.Attempt, c.state, c.attempt)
			}
			if c.state == domain.StateFailed && ended.Error.Code != domain.CodeOf(c.err) {
				t.Errorf("error %+v", ended.Error)
			}
			s.checkEvents(ended)
		})
	}
}

func TestStagesMayWaitLonger(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		maxWait time.Duration
		attempt int
	}{{0, 2}, {time.Hour, 1}} {
		s := newSystem(t)
		s.timing.MaxWait = time.Nanosecond
		s.dispatch()
		var runs atomic.Int64
		s.runAny(jobs.Stage{Name: domain.StageExtract, Slots: 1, Timeout: time.Minute, MaxWait: c.maxWait, Worker: workerFunc(
			func(ctx context.Context, task domain.Task) error {
				if runs.Add(1) == 1 {
					return &domain.Error{Code: domain.CodeUnavailable, RetryAfter: time.Millisecond}
				}
				return s.finish(ctx, task)
			})})
		if ended := s.settled(s.submit(s.user, 1)[0]); ended.State != domain.StateSucceeded || ended.Attempt != c.attempt {
			t.Errorf("patience %s: %s after attempt %d, want %d", c.maxWait, ended.State, ended.Attempt, c.attempt)
		}
	}
}

// Only the attempt's own deadline makes an error a timeout of the stage: a
// provider's timeout keeps its name.
func TestTimeoutsKeepTheirName(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		timeout time.Duration
		work    workerFunc
		code    domain.Code
	}{
		"of the stage": {50 * time.Millisecond, func(ctx context.Context, _ domain.Task) error {
			<-ctx.Done()
			return domain.Errorf(domain.CodeUnavailable, "away").WithCause(ctx.Err())
		}, domain.CodeTimeout},
		"of a provider": {time.Minute, func(context.Context, domain.Task) error {
			return domain.Errorf(domain.CodeModelTimeout, "slow").WithCause(context.DeadlineExceeded)
		}, domain.CodeModelTimeout},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.dispatch()
			s.runFor(c.timeout, 1, c.work)
			ended := s.until(s.submit(s.user, 1)[0], func(j domain.Job) bool { return j.Error != nil })
			if ended.Error.Code != c.code {
				t.Errorf("code %s, want %s", ended.Error.Code, c.code)
			}
		})
	}
}

func TestPanicFailsOneAttempt(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.dispatch()
	var runs atomic.Int64
	s.run(1, func(ctx context.Context, task domain.Task) error {
		if runs.Add(1) == 1 {
			panic("boom")
		}
		return s.finish(ctx, task)
	})
	if ended := s.settled(s.submit(s.user, 1)[0]); ended.State != domain.StateSucceeded || ended.Attempt != 2 {
		t.Errorf("%s after attempt %d", ended.State, ended.Attempt)
	}
}

func TestCancelQueued(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	job := s.submit(s.user, 1)[0]
	cancelled, err := s.store.RequestCancel(t.Context(), s.user, job.ID)
	if err != nil || cancelled.State != domain.StateCancelled {
		t.Fatalf("%s, %v", cancelled.State, err)
	}
	s.dispatch()
	s.run(1, func(context.Context, domain.Task) error { t.Error("a cancelled job ran"); return nil })
	if _, err := s.store.RequestCancel(t.Context(), s.user, job.ID); domain.CodeOf(err) != domain.CodeNotCancel {
		t.Errorf("cancelling twice: %v", err)
	}
	other := s.settled(s.submitAndCancelWhenSeen())
	if other.State != domain.StateCancelled {
		t.Errorf("state %s", other.State)
	}
}

// submitAndCancelWhenSeen cancels a job that was dispatched and not claimed.
func (s *system) submitAndCancelWhenSeen() domain.Job {
	job, err := s.store.Submit(s.t.Context(), domain.Submission{
		UserID: s.user, Kind: domain.KindMatch, Stage: domain.StageMatch, Class: domain.ClassStandard, ResourceID: uuid.New(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.until(job, func(j domain.Job) bool { return j.State == domain.StateDispatched })
	cancelled, err := s.store.RequestCancel(s.t.Context(), s.user, job.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	s.engine.Cancelled(s.t.Context(), []domain.Job{cancelled})
	return job
}

func TestCancelReachesTheWorker(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.dispatch()
	stopped := make(chan error, 1)
	s.run(1, func(ctx context.Context, task domain.Task) error {
		<-ctx.Done()
		stopped <- s.finish(context.WithoutCancel(ctx), task) // a late effect
		return ctx.Err()
	})
	job := s.submit(s.user, 1)[0]
	s.until(job, func(j domain.Job) bool { return j.State == domain.StateRunning })
	asked, err := s.store.RequestCancel(t.Context(), s.user, job.ID)
	if err != nil || asked.State != domain.StateRunning || !asked.CancelRequested {
		t.Fatalf("%+v, %v", asked, err)
	}
	s.engine.Cancelled(t.Context(), []domain.Job{asked})
	ended := s.settled(job)
	if ended.State != domain.StateCancelled {
		t.Errorf("state %s", ended.State)
	}
	if err := <-stopped; !errors.Is(err, domain.ErrLeaseLost) {
		t.Errorf("a late effect was written: %v", err)
	}
	s.checkEvents(ended)
}

func TestTerminalStatesStay(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	job := s.submit(s.user, 1)[0]
	tasks, err := s.store.Claim(t.Context(), domain.StageExtract, []uuid.UUID{job.ID}, "w", time.Minute)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("%d claimed, %v", len(tasks), err)
	}
	lease := tasks[0].Lease
	if err := s.store.Finish(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Finish(t.Context(), lease); !errors.Is(err, domain.ErrLeaseLost) {
		t.Errorf("finishing twice: %v", err)
	}
	if owned, err := s.store.Fail(t.Context(), lease, domain.JobError{Code: "x", Detail: "y"}); owned || err != nil {
		t.Errorf("failing what succeeded: %v, %v", owned, err)
	}
	if _, err := s.store.RetryJob(t.Context(), s.user, job.ID); domain.CodeOf(err) != domain.CodeNotRetryable {
		t.Errorf("retrying what succeeded: %v", err)
	}
}

func TestSilentWorkersAreReplaced(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	job := s.submit(s.user, 1)[0]
	dead, err := s.store.Claim(t.Context(), domain.StageExtract, []uuid.UUID{job.ID}, "dead", time.Millisecond)
	if err != nil || len(dead) != 1 {
		t.Fatalf("%d claimed, %v", len(dead), err)
	}
	s.dispatch()
	s.run(1, s.finish)
	ended := s.settled(job)
	if ended.State != domain.StateSucceeded || ended.Attempt != 2 {
		t.Errorf("%s after attempt %d", ended.State, ended.Attempt)
	}
	if err := s.store.Finish(t.Context(), dead[0].Lease); !errors.Is(err, domain.ErrLeaseLost) {
		t.Errorf("the ghost wrote: %v", err)
	}
}

func TestCrashLoopEnds(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	job := s.submit(s.user, 1)[0]
	for lost := 1; lost <= s.timing.MaxLost; lost++ {
		tasks, err := s.store.Claim(t.Context(), domain.StageExtract, []uuid.UUID{job.ID}, "w", time.Nanosecond)
		if err != nil || len(tasks) != 1 {
			t.Fatalf("claim %d: %d, %v", lost, len(tasks), err)
		}
		if _, err := s.store.ReapExpired(t.Context(), s.timing.MaxLost); err != nil {
			t.Fatal(err)
		}
	}
	ended := s.settled(job)
	if ended.State != domain.StateFailed || ended.Error.Code != domain.CodeWorkerLost {
		t.Errorf("%s, %+v", ended.State, ended.Error)
	}
	retried, err := s.store.RetryJob(t.Context(), s.user, job.ID)
	if err != nil || retried.State != domain.StateQueued || retried.Attempt != 0 {
		t.Errorf("%+v, %v", retried, err)
	}
}

func TestStoppingCostsNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.timing.Grace = 10 * time.Millisecond
	s.dispatch()
	started := make(chan struct{})
	stop := s.run(1, func(ctx context.Context, _ domain.Task) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	})
	job := s.submit(s.user, 1)[0]
	<-started
	stop()
	s.run(1, s.finish)
	if ended := s.settled(job); ended.State != domain.StateSucceeded || ended.Attempt != 1 {
		t.Errorf("%s after attempt %d", ended.State, ended.Attempt)
	}
}

func TestStreamLossIsRefilled(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.dispatch()
	submitted := s.submit(s.user, 60)
	s.until(submitted[0], func(j domain.Job) bool { return j.State == domain.StateDispatched })
	s.server.Wipe()
	var runs atomic.Int64
	s.run(2, func(ctx context.Context, task domain.Task) error {
		runs.Add(1)
		return s.finish(ctx, task)
	})
	for _, job := range submitted {
		if ended := s.settled(job); ended.State != domain.StateSucceeded {
			t.Fatalf("state %s", ended.State)
		}
	}
	if runs.Load() != 60 {
		t.Errorf("%d runs of 60 jobs", runs.Load())
	}
}

func TestRepeatedMessagesHaveOneEffect(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.ensure()
	var runs atomic.Int64
	s.run(2, func(ctx context.Context, task domain.Task) error {
		runs.Add(1)
		return s.finish(ctx, task)
	})
	s.dispatch()
	for _, job := range s.submit(s.user, 30) {
		message := queue.Message{Body: domain.JobMessage{JobID: job.ID, UserID: job.UserID, Stage: job.Stage, Class: job.Class}}
		for range 3 {
			if _, err := s.queue.Publish(t.Context(), []queue.Message{message}); err != nil {
				t.Fatal(err)
			}
		}
		s.settled(job)
	}
	if runs.Load() != 30 {
		t.Errorf("%d runs of 30 jobs", runs.Load())
	}
}

// Messages of jobs that ended long ago are answered one after the other, without
// waiting for the next look.
func TestIdleMessagesDoNotHoldUpWork(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.timing.Poll = time.Hour
	s.ensure()
	job := s.submit(s.user, 1)[0]
	messages := make([]queue.Message, 20)
	for i := range messages {
		messages[i].Body = domain.JobMessage{JobID: uuid.New(), UserID: s.user, Stage: job.Stage, Class: job.Class}
	}
	messages = append(messages, queue.Message{Body: domain.JobMessage{JobID: job.ID, UserID: s.user, Stage: job.Stage, Class: job.Class}})
	if _, err := s.queue.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	s.run(1, s.finish)
	// The broker may tell the consumer of messages after the runner has asked.
	// These are far fewer looks than there are messages.
	for range 6 {
		if s.endsWithin(10*time.Second, job) {
			break
		}
		s.queue.SignalWork(job.Stage)
	}
	if ended := s.settled(job); ended.State != domain.StateSucceeded {
		t.Errorf("state %s", ended.State)
	}
}

// endsWithin reports whether a job becomes terminal in that time.
func (s *system) endsWithin(d time.Duration, job domain.Job) bool {
	s.t.Helper()
	for deadline := time.Now().Add(d); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		now, err := s.store.Job(s.t.Context(), job.UserID, job.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		if now.State.Terminal() {
			return true
		}
	}
	return false
}

func TestNewcomersDoNotWaitForTheCrowd(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	var mu sync.Mutex
	var order []uuid.UUID
	s.submit(s.user, 400)
	s.dispatch()
	s.run(2, func(ctx context.Context, task domain.Task) error {
		mu.Lock()
		order = append(order, task.Job.UserID)
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		return s.finish(ctx, task)
	})
	newcomers := []uuid.UUID{s.newUser(), s.newUser(), s.newUser()}
	ran := func() []uuid.UUID {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(order)
	}
	for len(ran()) < 10 { // the crowd is at work
		time.Sleep(time.Millisecond)
	}
	var submitted []domain.Job
	for _, user := range newcomers {
		submitted = append(submitted, s.submit(user, 1)...)
	}
	before := len(ran())
	for _, job := range submitted {
		s.settled(job)
	}
	// Slots 2, cap 2 a slot: at most 4 jobs of the crowd are outstanding, a round
	// of dispatching that is under way adds 4, and so does the one that finds the
	// newcomers. One of several is enough: the broker may lose a moment with one.
	fewest, after := len(ran()), ran()
	for _, user := range newcomers {
		crowd := 0
		for i, who := range after[:slices.Index(after, user)] {
			if i >= before && who == s.user {
				crowd++
			}
		}
		fewest = min(fewest, crowd)
	}
	if fewest > 12 {
		t.Errorf("%d jobs of the crowd went first", fewest)
	}
}

func TestProgressIsStoredAndHinted(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.dispatch()
	listening, seen := make(chan struct{}), make(chan struct{})
	s.run(1, func(ctx context.Context, task domain.Task) error {
		<-listening
		task.Progress(domain.Progress{Done: 3, Total: 7, Unit: "pages"})
		<-seen
		return s.finish(ctx, task)
	})
	job := s.submit(s.user, 1)[0]
	hints, cancel := s.engine.Subscribe(s.user, &job.ID)
	defer cancel()
	close(listening)
	s.until(job, func(j domain.Job) bool { return j.Progress == domain.Progress{Done: 3, Total: 7, Unit: "pages"} })
	if hint := <-hints; hint.JobID != job.ID {
		t.Errorf("hint of %s", hint.JobID)
	}
	close(seen)
	s.checkEvents(s.settled(job))
}

func TestPositionAndETA(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	submitted := s.submit(s.user, 5)
	position, eta, err := s.engine.Position(t.Context(), submitted[4])
	if err != nil || position != 4 || eta != nil {
		t.Fatalf("position %d, eta %v, %v; nothing was measured yet", position, eta, err)
	}
	other := s.submit(s.newUser(), 1)[0]
	if position, _, err := s.engine.Position(t.Context(), other); err != nil || position != 1 {
		t.Errorf("position %d, %v; users take turns", position, err)
	}
	s.dispatch()
	stop := s.run(2, s.finish)
	for _, job := range submitted {
		s.settled(job)
	}
	stop()
	job := s.submit(s.user, 1)[0]
	if _, eta, err := s.engine.Position(t.Context(), job); err != nil || eta == nil || *eta <= 0 {
		t.Errorf("eta %v, %v", eta, err)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	sub := domain.Submission{
		UserID: s.user, Kind: domain.KindIngest, Stage: domain.StageExtract, Class: domain.ClassStandard,
		ResourceID: uuid.New(), IdempotencyKey: "k", RequestHash: []byte("a"),
	}
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			job, err := s.store.Submit(context.Background(), sub)
			ids[i] = fmt.Sprint(job.ID, err)
		})
	}
	wg.Wait()
	for _, id := range ids[1:] {
		if id != ids[0] {
			t.Errorf("%s and %s", ids[0], id)
		}
	}
	sub.RequestHash = []byte("b")
	if _, err := s.store.Submit(t.Context(), sub); domain.CodeOf(err) != domain.CodeIdempotencyReused {
		t.Errorf("another request with the same key: %v", err)
	}
}
