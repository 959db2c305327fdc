package postgres

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
)

// JobAction is what can be done to many jobs at once.
type JobAction struct {
	name  string
	from  string // the jobs it applies to
	set   string
	spare bool // leaves out discarded jobs that were not asked for
}

// The actions. A retried job has all its attempts again, and what it makes is
// pending again. A cancelled one that runs is asked to stop. A discarded one
// stays failed, and is no dead letter any more.
var (
	RetryJobs = JobAction{
		name: "retry", from: "jobs.state = 'failed'", spare: true,
		set: `state = 'queued', run_at = now(), attempt = 0, lost = 0, finished_at = NULL, discarded_at = NULL,
			cancel_requested_at = NULL, error_code = NULL, error_detail = NULL, error_hint = NULL`,
	}
	CancelJobs = JobAction{
		name: "cancel", from: "jobs.state IN ('queued', 'dispatched', 'running') AND jobs.cancel_requested_at IS NULL",
		set: `cancel_requested_at = clock_timestamp(),
			state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
			finished_at = CASE WHEN state = 'running' THEN finished_at ELSE clock_timestamp() END`,
	}
	DiscardJobs = JobAction{
		name: "discard", from: "jobs.state = 'failed' AND jobs.discarded_at IS NULL", set: "discarded_at = now()",
	}
)

// String names the action.
func (a JobAction) String() string { return a.name }

// conditions narrows a selection to what the action applies to. Who wants
// discarded jobs tried again names them or asks for discarded ones.
func (a JobAction) conditions(selection JobSelection) *conditions {
	if a.spare && selection.Discarded == nil && len(selection.IDs) == 0 {
		selection.Discarded = new(false)
	}
	c := selection.conditions()
	c.always(a.from)
	return c
}

// CountJobs counts the jobs of a selection that an action would apply to.
func (s *Store) CountJobs(ctx context.Context, action JobAction, selection JobSelection) (n int64, err error) {
	c := action.conditions(selection)
	err = s.pool.QueryRow(ctx, "SELECT count(*) FROM jobs"+c.where(), c.args...).Scan(&n)
	return n, translate(err)
}

// Sizes of what is found and of what is changed at a time. A change is short, so
// that workers wait for its locks no longer than for each other's.
const (
	findAtOnce   = 100_000
	changeAtOnce = 1000
)

// ChangeJobs applies an action to all jobs of a selection, however many, oldest
// first. It commits in batches and hands each to done. It returns how many jobs
// were changed, which are some even when it fails midway.
func (s *Store) ChangeJobs(ctx context.Context, action JobAction, selection JobSelection, done func([]domain.Job)) (total int64, err error) {
	var last uuid.UUID
	for {
		ids, err := s.find(ctx, action, selection, last)
		if err != nil {
			return total, err
		}
		for batch := range slices.Chunk(ids, changeAtOnce) {
			jobs, err := s.changeBatch(ctx, action, batch)
			if err != nil {
				return total, err
			}
			total += int64(len(jobs))
			done(jobs)
		}
		if len(ids) < findAtOnce {
			return total, nil
		}
		last = ids[len(ids)-1]
	}
}

func (s *Store) find(ctx context.Context, action JobAction, selection JobSelection, after uuid.UUID) ([]uuid.UUID, error) {
	c := action.conditions(selection)
	c.add("jobs.id > %s", after)
	rows, err := s.pool.Query(ctx, "SELECT id FROM jobs"+c.where()+" ORDER BY id LIMIT "+c.bind(findAtOnce), c.args...)
	if err != nil {
		return nil, translate(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	return ids, translate(err)
}

// changeBatch changes those of the jobs that the action still applies to. Locks
// are taken in the order of ClaimJobs.
func (s *Store) changeBatch(ctx context.Context, action JobAction, ids []uuid.UUID) ([]domain.Job, error) {
	rows, err := s.pool.Query(ctx, `UPDATE jobs SET `+action.set+`
		WHERE id IN (SELECT jobs.id FROM jobs WHERE jobs.id = ANY ($1) AND `+action.from+` ORDER BY jobs.id FOR UPDATE)
		RETURNING id, user_id, stage, class, state, dispatched_at`, ids)
	if err != nil {
		return nil, translate(err)
	}
	jobs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (j domain.Job, err error) {
		return j, row.Scan(&j.ID, &j.UserID, &j.Stage, &j.Class, &j.State, &j.DispatchedAt)
	})
	return jobs, translate(err)
}
