package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/queue"
)

// Engine is the job engine as the edge sees it: what follows the commit of a
// submission or a cancel, and what is known of a job beyond its row.
type Engine struct {
	store *postgres.Store
	queue *queue.Queue
	hub   *hub
	log   *slog.Logger
	stop  func()
}

// NewEngine starts listening for hints. Close ends that.
func NewEngine(store *postgres.Store, q *queue.Queue, log *slog.Logger) (*Engine, error) {
	e := &Engine{store: store.System(), queue: q, hub: newHub(), log: log}
	stop, err := q.OnHint(e.hub.publish)
	if err != nil {
		return nil, err
	}
	q.OnReconnect(e.hub.wakeAll) // hints were missed meanwhile
	e.stop = stop
	return e, nil
}

// Close ends listening.
func (e *Engine) Close() { e.stop() }

// Submitted is called after a job was committed. It never blocks and never
// fails: the dispatcher finds the job anyway.
func (e *Engine) Submitted(job domain.Job) {
	e.queue.SignalDue()
	e.queue.Hint(domain.JobHint{JobID: job.ID, UserID: job.UserID})
}

// Switched is called after a stage was paused or resumed. It tells the workers
// of the stage and the dispatcher.
func (e *Engine) Switched(stage domain.Stage) {
	e.queue.SignalPause(stage)
	e.queue.SignalDue()
}

// Cancelled is called after jobs were asked to stop. It tells the workers that
// run them and clears the stream of those that will not run.
func (e *Engine) Cancelled(ctx context.Context, jobs []domain.Job) {
	for _, job := range jobs {
		e.queue.SignalCancel(job.ID)
		e.queue.Hint(domain.JobHint{JobID: job.ID, UserID: job.UserID})
	}
	ctx, done := context.WithTimeout(ctx, 2*time.Second)
	defer done()
	for _, job := range jobs {
		message := domain.JobMessage{JobID: job.ID, UserID: job.UserID, Stage: job.Stage, Class: job.Class}
		if !job.State.Terminal() || job.DispatchedAt == nil {
			continue
		}
		if err := e.queue.Purge(ctx, message); err != nil {
			e.log.Debug("cancelled job stays in the stream until a worker sees it", "job_id", job.ID, "error", err)
			return
		}
	}
}

// Subscribe delivers hints that jobs of a user, or one job, changed. Hints
// merge while the reader is busy; whoever gets one reads Postgres.
func (e *Engine) Subscribe(userID uuid.UUID, jobID *uuid.UUID) (hints <-chan domain.JobHint, cancel func()) {
	return e.hub.subscribe(userID, jobID)
}

// Ready reports whether the broker can be reached.
func (e *Engine) Ready(ctx context.Context) error { return e.queue.Ready(ctx) }

// Position estimates how many jobs run before this one, and in how many seconds
// it will be done; nil where its stage was never measured or is paused. Terminal
// jobs have neither.
func (e *Engine) Position(ctx context.Context, job domain.Job) (position int, etaSeconds *float64, err error) {
	if job.State.Terminal() {
		return 0, nil, nil
	}
	seconds, err := e.store.StageSeconds(ctx)
	if err != nil {
		return 0, nil, err
	}
	slots, err := e.store.StageSlots(ctx)
	if err != nil {
		return 0, nil, err
	}
	if job.State == domain.StateRunning {
		return 0, eta(job, 0, seconds, slots), nil
	}
	if position, err = e.store.QueuePosition(ctx, job.ID); err != nil {
		return 0, nil, err
	}
	if paused, err := e.store.StagePaused(ctx, job.Stage); err != nil || paused {
		return position, nil, err
	}
	return position, eta(job, position, seconds, slots), nil
}

// eta adds the wait for a slot, the stage's own time and that of the stages
// after it.
func eta(job domain.Job, position int, seconds map[domain.Stage]float64, slots map[domain.Stage]int) *float64 {
	own := seconds[job.Stage]
	if own == 0 {
		return nil
	}
	total := own * (float64(position)/float64(max(slots[job.Stage], 1)) + 1)
	if until := time.Until(job.RunAt).Seconds(); job.State == domain.StateQueued && until > 0 {
		total += until
	}
	if job.Kind == domain.KindIngest && job.Stage == domain.StageExtract {
		total += seconds[domain.StageEmbed]
	}
	return &total
}
