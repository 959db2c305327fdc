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

// Dispatcher moves due jobs from Postgres into the stream, fairly. Any number
// may run; one leads.
type Dispatcher struct {
	store  *postgres.Store
	queue  *queue.Queue
	timing Timing
	log    *slog.Logger
	due    chan struct{}
	lost   chan struct{} // the connection, and perhaps the stream, was lost
}

// NewDispatcher makes a dispatcher; Run runs it.
func NewDispatcher(store *postgres.Store, q *queue.Queue, timing Timing, log *slog.Logger) *Dispatcher {
	return &Dispatcher{
		store: store.System(), queue: q, timing: timing, log: log,
		due: make(chan struct{}, 1), lost: make(chan struct{}, 1),
	}
}

// Run leads whenever it can, until ctx ends.
func (d *Dispatcher) Run(ctx context.Context) error {
	stop, err := d.queue.OnDue(func() { poke(d.due) })
	if err != nil {
		return err
	}
	defer stop()
	d.queue.OnReconnect(func() { poke(d.lost) })
	for ctx.Err() == nil {
		leadership, err := d.store.Lead(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("cannot ask for the lead", "error", err)
		}
		if leadership != nil {
			d.lead(ctx, leadership)
			leadership.Resign(context.WithoutCancel(ctx))
		}
		sleep(ctx, time.Second)
	}
	return nil
}

// breath lets the wake-ups of a busy moment merge into one round; the first of
// them is followed at once.
const breath = 3 * time.Millisecond

// lead dispatches and reconciles until the lead is lost.
func (d *Dispatcher) lead(ctx context.Context, leadership *postgres.Leadership) {
	d.log.Info("leading the dispatch of jobs")
	r := &reconciler{store: d.store, queue: d.queue, timing: d.timing, log: d.log}
	ctx, done := context.WithCancel(ctx)
	defer done()
	go r.index(ctx) // takes minutes when there is something to do
	poke(d.lost)    // who led before may have died between publishing and marking
	poll, reap, tidy := time.NewTicker(d.timing.Poll), time.NewTicker(d.timing.Reap), time.NewTicker(30*time.Second)
	defer poll.Stop()
	defer reap.Stop()
	defer tidy.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-d.lost:
			if err = r.refill(ctx); err != nil {
				poke(d.lost) // what was lost is still lost
			}
		case <-reap.C:
			if !leadership.Held(ctx) {
				d.log.Warn("the lead was lost")
				return
			}
			err = r.reap(ctx)
		case <-tidy.C:
			err = r.tidy(ctx)
		case <-d.due:
			err = d.dispatch(ctx)
			sleep(ctx, breath)
		case <-poll.C:
			err = d.dispatch(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.log.Warn("dispatch", "error", err)
			sleep(ctx, time.Second)
		}
	}
}

// Bounds of what is outstanding, as multiples of a stage's slots: enough that
// no slot runs dry between two ticks, few enough that a newcomer waits for
// userCap/slots job lengths at most.
const (
	capPerSlot    = 2
	windowPerSlot = 4
	fewestSlots   = 2
)

// dispatch fills every lane that has due work.
func (d *Dispatcher) dispatch(ctx context.Context) error {
	lanes, err := d.store.DueLanes(ctx)
	if err != nil || len(lanes) == 0 {
		return err
	}
	slots, err := d.store.StageSlots(ctx)
	if err != nil {
		return err
	}
	for _, lane := range lanes {
		n := max(slots[lane.Stage], fewestSlots)
		due, err := d.store.Due(ctx, lane.Stage, lane.Class, capPerSlot*n, windowPerSlot*n)
		if err != nil {
			return err
		}
		if len(due) == 0 {
			continue
		}
		ids, err := publish(ctx, d.queue, due)
		if len(ids) > 0 {
			if err := d.store.MarkDispatched(ctx, ids); err != nil {
				return err
			}
			d.queue.SignalWork(lane.Stage)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// publish puts jobs into the stream and returns the ids of those that are in
// it then.
func publish(ctx context.Context, q *queue.Queue, due []postgres.Due) ([]uuid.UUID, error) {
	messages := make([]queue.Message, len(due))
	for i, job := range due {
		messages[i] = queue.Message{Body: job.Message, Trace: job.Trace}
	}
	ctx, done := context.WithTimeout(ctx, 5*time.Second)
	defer done()
	published, err := q.Publish(ctx, messages)
	ids := make([]uuid.UUID, len(published))
	for i, m := range published {
		ids[i] = m.JobID
	}
	return ids, err
}

func hint(q *queue.Queue, job domain.Job) { q.Hint(domain.JobHint{JobID: job.ID, UserID: job.UserID}) }

// poke leaves a wake-up that merges with one not yet seen.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
