package jobs

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/queue"
	"generalbackend/internal/telemetry"
)

// Why an attempt's context ends before its work does.
var (
	errCancelRequested = errors.New("cancel requested")
	errLeaseLost       = errors.New("lease lost")
	errStopping        = errors.New("worker stopping")
)

// attempt is a claimed job while it runs here.
type attempt struct {
	task     domain.Task
	delivery queue.Delivery
	ctx      context.Context //nolint:containedctx // lives as long as the attempt
	stop     context.CancelCauseFunc
	progress atomic.Pointer[domain.Progress] // the newest not yet stored
}

// hold registers an attempt so that its lease is renewed and it can be stopped.
func (r *Runner) hold(ctx context.Context, task domain.Task, delivery queue.Delivery) *attempt {
	a := &attempt{task: task, delivery: delivery}
	a.ctx, a.stop = context.WithCancelCause(withTrace(ctx, delivery.Trace))
	a.task.Progress = func(p domain.Progress) { a.progress.Store(&p) }
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[task.Lease] = a
	return a
}

func (r *Runner) release(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.held, a.task.Lease)
}

// cancel stops the attempt at a job, if it runs here.
func (r *Runner) cancel(job uuid.UUID) {
	for _, a := range r.attempts() {
		if a.task.Job.ID == job {
			a.stop(errCancelRequested)
		}
	}
}

func (r *Runner) attempts() []*attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := make([]*attempt, 0, len(r.held))
	for _, a := range r.held {
		held = append(held, a)
	}
	return held
}

// keep renews leases, stores progress and says that this worker lives.
func (r *Runner) keep(ctx context.Context) {
	beat, progress := time.NewTicker(r.timing.Heartbeat), time.NewTicker(min(time.Second, r.timing.Heartbeat))
	defer beat.Stop()
	defer progress.Stop()
	r.beat(ctx)
	for {
		select {
		case <-ctx.Done():
			goodbye, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			if err := r.store.RemoveWorker(goodbye, r.id); err != nil {
				r.log.Debug("could not sign off", "error", err)
			}
			done()
			return
		case <-beat.C:
			r.renew(ctx)
			r.beat(ctx)
		case <-r.switched:
			r.beat(ctx)
		case <-progress.C:
			r.storeProgress(ctx)
		}
	}
}

// beat says that this worker lives and learns whether its stage is paused.
func (r *Runner) beat(ctx context.Context) {
	paused, err := r.store.BeatWorker(ctx, postgres.WorkerBeat{
		ID: r.id, Stages: []domain.Stage{r.stage.Name}, Slots: r.stage.Slots, Running: len(r.attempts()),
		Version: telemetry.Version(),
	})
	if err != nil {
		if ctx.Err() == nil {
			r.log.Warn("heartbeat", "error", err)
		}
		return
	}
	if was := r.paused.Swap(paused); was && !paused {
		poke(r.work)
	}
}

// renew extends the leases, and only then the broker's patience, so that the
// lease always lapses before the message comes again.
func (r *Runner) renew(ctx context.Context) {
	held := r.attempts()
	if len(held) == 0 {
		return
	}
	leases := make([]domain.Lease, len(held))
	for i, a := range held {
		leases[i] = a.task.Lease
	}
	ctx, done := context.WithTimeout(ctx, r.timing.Heartbeat)
	defer done()
	renewed, err := r.store.RenewLeases(ctx, leases, r.timing.Lease)
	if err != nil {
		r.log.Warn("renew leases", "error", err)
		return
	}
	for _, a := range held {
		switch cancelled, ok := renewed[a.task.Lease]; {
		case !ok:
			a.stop(errLeaseLost) // or it ended just now, which is as well
		case cancelled:
			a.stop(errCancelRequested)
		default:
			r.settleMessage(a.delivery.InProgress())
		}
	}
}

func (r *Runner) storeProgress(ctx context.Context) {
	for _, a := range r.attempts() {
		p := a.progress.Swap(nil)
		if p == nil {
			continue
		}
		if err := r.store.SetProgress(ctx, a.task.Lease, *p); err != nil && ctx.Err() == nil {
			r.log.Warn("store progress", "job_id", a.task.Job.ID, "error", err)
			return
		}
		hint(r.queue, a.task.Job)
	}
}
