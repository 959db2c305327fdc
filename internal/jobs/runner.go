package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/queue"
)

// Stage says how one stage is worked here.
type Stage struct {
	Name    domain.Stage
	Worker  domain.Worker
	Slots   int           // attempts at once
	Timeout time.Duration // of one attempt
	MaxWait time.Duration // instead of Timing's, if set
	// Paused, when set, holds back pulling, as while a provider's breaker is open.
	Paused func() bool
}

// Runner works one stage: it pulls messages while it has free slots, claims the
// jobs behind them and runs each under a lease.
type Runner struct {
	id      string
	stage   Stage
	store   *postgres.Store
	queue   *queue.Queue
	timing  Timing
	metrics *Metrics
	log     *slog.Logger

	slots    chan struct{} // holds a token for each free slot
	work     chan struct{} // something to fetch, or a slot to fill
	switched chan struct{} // the stage was paused or resumed
	paused   atomic.Bool   // by an operator, or not known yet

	mu   sync.Mutex
	held map[domain.Lease]*attempt
}

// NewRunner makes a runner; Run runs it.
func NewRunner(stage Stage, store *postgres.Store, q *queue.Queue, timing Timing, metrics *Metrics, log *slog.Logger) *Runner {
	r := &Runner{
		id: workerID(stage.Name), stage: stage, store: store.System(), queue: q, timing: timing, metrics: metrics,
		log:   log.With("stage", string(stage.Name)),
		slots: make(chan struct{}, stage.Slots), work: make(chan struct{}, 1), switched: make(chan struct{}, 1),
		held: map[domain.Lease]*attempt{},
	}
	r.paused.Store(true)
	for range stage.Slots {
		r.slots <- struct{}{}
	}
	return r
}

// workerID tells processes apart, restarts on one host included.
func workerID(stage domain.Stage) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%s-%d-%s", stage, host, os.Getpid(), uuid.NewString()[:8])
}

// Run works until ctx ends, then lets running attempts finish for Timing.Grace
// and releases the rest, which costs their jobs nothing.
func (r *Runner) Run(ctx context.Context) error {
	stopWork, err := r.queue.OnWork(r.stage.Name, func() { poke(r.work) })
	if err != nil {
		return err
	}
	defer stopWork()
	stopCancel, err := r.queue.OnCancel(r.cancel)
	if err != nil {
		return err
	}
	defer stopCancel()
	stopPause, err := r.queue.OnPause(r.stage.Name, func() { poke(r.switched) })
	if err != nil {
		return err
	}
	defer stopPause()

	// Attempts and their leases outlive ctx by the grace.
	attempts, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	var keeping sync.WaitGroup
	keep, stopKeeping := context.WithCancel(attempts)
	keeping.Go(func() { r.keep(keep) })

	var running sync.WaitGroup
	r.pull(ctx, attempts, &running)
	r.drain(&running, end)
	stopKeeping()
	keeping.Wait()
	return nil
}

// drain waits for running attempts, at first patiently.
func (r *Runner) drain(running *sync.WaitGroup, end context.CancelCauseFunc) {
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(r.timing.Grace):
		r.log.Info("releasing what still runs")
		end(errStopping)
		<-done
	}
}

// pull fetches and starts attempts until ctx ends.
func (r *Runner) pull(ctx, attempts context.Context, running *sync.WaitGroup) {
	poll := time.NewTicker(r.timing.Poll)
	defer poll.Stop()
	for ctx.Err() == nil {
		taken, err := r.fill(ctx, attempts, running)
		if err != nil && ctx.Err() == nil {
			r.log.Warn("pull", "error", err)
			sleep(ctx, time.Second)
		}
		if taken > 0 && len(r.slots) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-r.work:
		case <-poll.C:
		}
	}
}

// fill starts an attempt in each free slot there is a message for, urgent
// classes first, and returns how many messages it took: where there were some
// there may be more, even if none of them was for a job to be done.
func (r *Runner) fill(ctx, attempts context.Context, running *sync.WaitGroup) (taken int, err error) {
	if r.paused.Load() || r.stage.Paused != nil && r.stage.Paused() {
		return 0, nil
	}
	for _, class := range domain.Classes() {
		n := r.room(class)
		if n <= 0 {
			continue
		}
		deliveries, err := r.queue.Fetch(ctx, r.stage.Name, class, n)
		if len(deliveries) > 0 {
			claimErr := r.claim(ctx, attempts, running, deliveries)
			taken += len(deliveries)
			if err == nil {
				err = claimErr
			}
		}
		if err != nil {
			return taken, err
		}
	}
	return taken, nil
}

// room is how many messages of a class may be taken now: a quarter of the slots
// is kept for interactive work where there are at least four.
func (r *Runner) room(class domain.Class) int {
	if class == domain.ClassInteractive {
		return len(r.slots)
	}
	return len(r.slots) - r.stage.Slots/4
}

// claim takes the jobs behind deliveries in Postgres and starts them.
func (r *Runner) claim(ctx, attempts context.Context, running *sync.WaitGroup, deliveries []queue.Delivery) error {
	byJob := make(map[uuid.UUID]queue.Delivery, len(deliveries))
	ids := make([]uuid.UUID, len(deliveries))
	for i, d := range deliveries {
		byJob[d.JobID], ids[i] = d, d.JobID
	}
	tasks, err := r.store.Claim(ctx, r.stage.Name, ids, r.id, r.timing.Lease)
	if err != nil {
		for _, d := range byJob {
			r.settleMessage(d.NakWithDelay(5 * time.Second))
		}
		return fmt.Errorf("claim: %w", err)
	}
	for _, task := range tasks {
		delivery := byJob[task.Job.ID]
		delete(byJob, task.Job.ID)
		<-r.slots // there is one: only this goroutine takes slots
		a := r.hold(attempts, task, delivery)
		running.Go(func() {
			defer func() { r.slots <- struct{}{}; poke(r.work) }()
			r.run(a)
		})
	}
	return r.turnAway(ctx, byJob)
}

// turnAway answers messages whose job could not be claimed. Postgres is the
// truth, so a message may go whenever the dispatcher would send another: the
// job ended, moved on, waits for later or is another worker's. Only one that
// should have been claimable, or will be when its stage is resumed, comes again.
func (r *Runner) turnAway(ctx context.Context, left map[uuid.UUID]queue.Delivery) error {
	if len(left) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, 0, len(left))
	for id := range left {
		ids = append(ids, id)
	}
	found, err := r.store.Unclaimed(ctx, ids)
	for id, d := range left {
		job, exists := found[id]
		claimable := exists && job.Stage == r.stage.Name && !job.Later &&
			(job.State == domain.StateQueued || job.State == domain.StateDispatched)
		if err != nil || claimable {
			r.settleMessage(d.NakWithDelay(time.Second))
		} else {
			r.settleMessage(d.Ack())
		}
	}
	return err
}

// run does one attempt from its first to its last instruction.
func (r *Runner) run(a *attempt) {
	ctx, done := context.WithTimeout(a.ctx, r.stage.Timeout)
	defer done()
	hint(r.queue, a.task.Job)
	started := time.Now()
	err := r.perform(ctx, a.task)
	r.release(a)
	a.stop(nil)
	result := r.settle(a, err)
	r.settleMessage(a.delivery.Ack())
	r.queue.SignalDue()
	hint(r.queue, a.task.Job)
	r.metrics.observe(r.stage.Name, result, time.Since(started))
}

// perform calls the worker, which sees in Postgres what the job is about; a
// panic fails the one job. Whatever ends an attempt
// after its time is up ends because of that; a timeout within it is the worker's
// own to name.
func (r *Runner) perform(ctx context.Context, task domain.Task) (err error) {
	defer func() {
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = domain.Errorf(domain.CodeTimeout, "The %s stage took longer than %s.", r.stage.Name, r.stage.Timeout).WithCause(err)
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("worker panicked", "job_id", task.Job.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = domain.AsError(fmt.Errorf("panic: %v", p))
		}
	}()
	return r.stage.Worker.Work(postgres.AsWorker(ctx, task.Job), task)
}

// settleMessage notes an answer the broker did not get; it redelivers then, and
// finds the job ended.
func (r *Runner) settleMessage(err error) {
	if err != nil {
		r.log.Debug("the broker did not take an answer", "error", err)
	}
}
