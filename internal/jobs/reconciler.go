package jobs

import (
	"context"
	"log/slog"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/queue"
)

// refillBatch bounds one round of publishing again.
const refillBatch = 1000

// uploadAge is how long an upload may take before it counts as abandoned.
const uploadAge = 2 * time.Hour

// reconciler mends what crashes left behind. Only the leading dispatcher runs it.
type reconciler struct {
	store  *postgres.Store
	queue  *queue.Queue
	timing Timing
	log    *slog.Logger
}

// refill makes the stream, if it is gone, and publishes everything that should
// be in it: what is there already is refused by the broker, which is as good.
func (r *reconciler) refill(ctx context.Context) error {
	if _, err := r.queue.Ensure(ctx); err != nil {
		return err
	}
	return r.republish(ctx, 0)
}

// republish publishes again what was dispatched longer than age ago and that
// nobody claimed.
func (r *reconciler) republish(ctx context.Context, age time.Duration) error {
	started := time.Now()
	for {
		// Each round restarts the age of what it published, so the next one
		// finds the rest.
		stale, err := r.store.StaleDispatched(ctx, age+time.Since(started), refillBatch)
		if err != nil || len(stale) == 0 {
			return err
		}
		ids, err := publish(ctx, r.queue, stale)
		if len(ids) > 0 {
			if err := r.store.TouchDispatched(ctx, ids); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		for _, stage := range domain.Stages() {
			r.queue.SignalWork(stage)
		}
		if len(stale) < refillBatch {
			return nil
		}
	}
}

// reap ends the attempts of workers that fell silent.
func (r *reconciler) reap(ctx context.Context) error {
	reaped, err := r.store.ReapExpired(ctx, r.timing.MaxLost)
	for _, job := range reaped {
		r.log.Warn("a worker was lost", "job_id", job.ID, "user_id", job.UserID, "state", job.State)
		r.queue.Hint(domain.JobHint{JobID: job.ID, UserID: job.UserID})
	}
	return err
}

// tidy is the slow round: the stream as it should be, stale dispatches, uploads
// nobody finished, workers nobody hears.
func (r *reconciler) tidy(ctx context.Context) error {
	if _, err := r.queue.Ensure(ctx); err != nil {
		return err
	}
	if err := r.republish(ctx, r.timing.Stale); err != nil {
		return err
	}
	if _, err := r.store.DeleteAbandonedUploads(ctx, uploadAge.Seconds()); err != nil {
		return err
	}
	return r.store.RemoveSilentWorkers(ctx)
}

// index builds the approximate vector index when a user has outgrown exact
// search.
func (r *reconciler) index(ctx context.Context) {
	for ctx.Err() == nil {
		if err := r.store.EnsureVectorIndex(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("build vector index", "error", err)
		}
		sleep(ctx, 5*time.Minute)
	}
}
