package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Backlog counts jobs that are not terminal. OldestSeconds is how long the one
// that waits longest has been due.
type Backlog struct {
	Ready         int64 // queued and due
	Delayed       int64 // queued for a time to come
	Dispatched    int64
	Running       int64
	OldestSeconds float64
}

// Jobs is their sum.
func (b Backlog) Jobs() int64 { return b.Ready + b.Delayed + b.Dispatched + b.Running }

func (b *Backlog) add(other Backlog) {
	b.Ready += other.Ready
	b.Delayed += other.Delayed
	b.Dispatched += other.Dispatched
	b.Running += other.Running
	b.OldestSeconds = max(b.OldestSeconds, other.OldestSeconds)
}

// UserBacklog is what one user has outstanding.
type UserBacklog struct {
	UserID uuid.UUID
	Email  string
	Backlog
}

// Queue is a stage as an operator sees it.
type Queue struct {
	Stage         domain.Stage
	Classes       map[domain.Class]Backlog
	DeadLetters   int64
	Slots         int     // of live workers
	MeanSeconds   float64 // of the last successful attempts; 0 when there were none
	RatePerMinute float64 // of successful attempts, over rateWindow
	Pause         *Pause
}

// Backlog is the sum over the classes.
func (q Queue) Backlog() (sum Backlog) {
	for _, b := range q.Classes {
		sum.add(b)
	}
	return sum
}

// DrainSeconds estimates when the backlog will be done if nothing is added; nil
// where nothing can be said: the stage is paused, has no workers or was never
// measured.
func (q Queue) DrainSeconds() *float64 {
	if q.Pause != nil || q.Slots == 0 || q.MeanSeconds == 0 {
		return nil
	}
	seconds := float64(q.Backlog().Jobs()) * q.MeanSeconds / float64(q.Slots)
	return &seconds
}

// rateWindow is what the rate of a stage is taken over.
const rateWindow = 5 * time.Minute

// Queues returns every stage in pipeline order, and the users with most
// outstanding jobs, at most so many.
func (s *Store) Queues(ctx context.Context, users int) ([]Queue, []UserBacklog, error) {
	queues := make(map[domain.Stage]*Queue, len(domain.Stages()))
	for _, stage := range domain.Stages() {
		queues[stage] = &Queue{Stage: stage, Classes: map[domain.Class]Backlog{}}
		for _, class := range domain.Classes() {
			queues[stage].Classes[class] = Backlog{}
		}
	}
	top, err := s.backlogs(ctx, queues)
	if err != nil {
		return nil, nil, translate(err)
	}
	if err := s.speeds(ctx, queues); err != nil {
		return nil, nil, err
	}
	list := make([]Queue, 0, len(queues))
	for _, stage := range domain.Stages() {
		list = append(list, *queues[stage])
	}
	top, err = s.named(ctx, top[:min(users, len(top))])
	return list, top, translate(err)
}

// backlogs counts into queues and returns all users, the busiest first.
func (s *Store) backlogs(ctx context.Context, queues map[domain.Stage]*Queue) ([]UserBacklog, error) {
	byUser := map[uuid.UUID]*UserBacklog{}
	add := func(stage domain.Stage, class domain.Class, user uuid.UUID, b Backlog) {
		if queue := queues[stage]; queue != nil {
			lane := queue.Classes[class]
			lane.add(b)
			queue.Classes[class] = lane
		}
		if byUser[user] == nil {
			byUser[user] = &UserBacklog{UserID: user}
		}
		byUser[user].add(b)
	}
	queued, err := s.queries.Backlogs(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range queued {
		add(r.Stage, r.Class, r.UserID, Backlog{Ready: r.Ready, Delayed: r.Delayed, OldestSeconds: r.OldestSeconds})
	}
	outstanding, err := s.queries.Outstanding(ctx)
	for _, r := range outstanding {
		add(r.Stage, r.Class, r.UserID, Backlog{Dispatched: r.Dispatched, Running: r.Running, OldestSeconds: r.OldestSeconds})
	}
	users := make([]UserBacklog, 0, len(byUser))
	for _, u := range byUser {
		users = append(users, *u)
	}
	slices.SortFunc(users, func(a, b UserBacklog) int {
		return cmp.Or(cmp.Compare(b.Jobs(), a.Jobs()), slices.Compare(a.UserID[:], b.UserID[:]))
	})
	return users, err
}

// speeds adds what is known of the workers, of failures and of pauses.
func (s *Store) speeds(ctx context.Context, queues map[domain.Stage]*Queue) error {
	slots, err := s.StageSlots(ctx)
	if err != nil {
		return err
	}
	seconds, err := s.StageSeconds(ctx)
	if err != nil {
		return err
	}
	rates, err := s.stageRates(ctx)
	if err != nil {
		return err
	}
	dead, err := s.DeadLetters(ctx)
	if err != nil {
		return err
	}
	pauses, err := s.StagePauses(ctx)
	for stage, q := range queues {
		q.Slots, q.MeanSeconds, q.RatePerMinute, q.DeadLetters = slots[stage], seconds[stage], rates[stage], dead[stage]
		if p, paused := pauses[stage]; paused {
			q.Pause = &p
		}
	}
	return err
}

func (s *Store) stageRates(ctx context.Context) (map[domain.Stage]float64, error) {
	stages := make([]string, 0, len(domain.Stages()))
	for _, stage := range domain.Stages() {
		stages = append(stages, string(stage))
	}
	rows, err := s.queries.StageRates(ctx, dbsqlc.StageRatesParams{Stages: stages, WithinSeconds: rateWindow.Seconds()})
	rates := make(map[domain.Stage]float64, len(rows))
	for _, r := range rows {
		rates[domain.Stage(r.Stage)] = float64(r.Attempts) / rateWindow.Minutes()
	}
	return rates, translate(err)
}

// named fills in the addresses.
func (s *Store) named(ctx context.Context, users []UserBacklog) ([]UserBacklog, error) {
	ids := make([]uuid.UUID, len(users))
	for i, u := range users {
		ids[i] = u.UserID
	}
	rows, err := s.queries.Emails(ctx, ids)
	emails := make(map[uuid.UUID]string, len(rows))
	for _, r := range rows {
		emails[r.ID] = r.Email
	}
	for i := range users {
		users[i].Email = emails[users[i].UserID]
	}
	return users, err
}

// DeadLetters counts the failed jobs of each stage that nobody retried or
// discarded.
func (s *Store) DeadLetters(ctx context.Context) (map[domain.Stage]int64, error) {
	rows, err := s.queries.DeadLetters(ctx)
	dead := make(map[domain.Stage]int64, len(rows))
	for _, r := range rows {
		dead[r.Stage] = r.Jobs
	}
	return dead, translate(err)
}

// Worker is a process that works stages. Alive means it was heard within the
// last half minute.
type Worker struct {
	WorkerBeat
	StartedAt time.Time
	SeenAt    time.Time
	Alive     bool
}

// Workers lists the workers that were heard within the last ten minutes and did
// not sign off.
func (s *Store) Workers(ctx context.Context) ([]Worker, error) {
	rows, err := s.queries.Workers(ctx)
	workers := make([]Worker, len(rows))
	for i, r := range rows {
		stages := make([]domain.Stage, len(r.Stages))
		for j, stage := range r.Stages {
			stages[j] = domain.Stage(stage)
		}
		workers[i] = Worker{
			WorkerBeat: WorkerBeat{ID: r.ID, Stages: stages, Slots: int(r.Slots), Running: int(r.Running), Version: r.Version},
			StartedAt:  r.StartedAt, SeenAt: r.SeenAt, Alive: r.Alive,
		}
	}
	return workers, translate(err)
}
