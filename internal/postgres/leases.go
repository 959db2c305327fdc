package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// fenced runs the effects of an attempt in one transaction that holds the job's
// row, and only while the attempt owns it; else domain.ErrLeaseLost.
func (s *Store) fenced(ctx context.Context, lease domain.Lease, fn func(q *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error) error {
	return s.tx(ctx, func(q *dbsqlc.Queries) error {
		held, err := hold(ctx, q, lease)
		if err != nil {
			return err
		}
		return fn(q, held)
	})
}

func hold(ctx context.Context, q *dbsqlc.Queries, lease domain.Lease) (dbsqlc.HoldLeaseRow, error) {
	held, err := q.HoldLease(ctx, dbsqlc.HoldLeaseParams{ID: lease.JobID, Fence: lease.Fence})
	if domain.CodeOf(translate(err)) == domain.CodeNotFound {
		err = domain.ErrLeaseLost
	}
	return held, err
}

// Claim takes the given jobs of a stage that are due, each with a new fence and
// a lease of the given length by the database's clock. Jobs that cannot be
// claimed are left out.
func (s *Store) Claim(ctx context.Context, stage domain.Stage, ids []uuid.UUID, worker string, lease time.Duration) ([]domain.Task, error) {
	rows, err := s.queries.ClaimJobs(ctx, dbsqlc.ClaimJobsParams{
		Stage: stage, Ids: ids, Worker: worker, LeaseSeconds: lease.Seconds(),
	})
	tasks := make([]domain.Task, len(rows))
	for i, r := range rows {
		tasks[i] = domain.Task{
			Job:   toJob(r),
			Lease: domain.Lease{JobID: r.ID, Fence: r.Fence, Attempt: int(r.Attempt), Worker: worker},
		}
	}
	return tasks, translate(err)
}

// Unclaimed says what stands in the way of jobs that could not be claimed.
// Absent ones are gone; Later ones are queued for a time to come.
type Unclaimed struct {
	State domain.State
	Stage domain.Stage
	Later bool
}

// Unclaimed looks up jobs that Claim left out.
func (s *Store) Unclaimed(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Unclaimed, error) {
	rows, err := s.queries.UnclaimedStates(ctx, ids)
	found := make(map[uuid.UUID]Unclaimed, len(rows))
	for _, r := range rows {
		found[r.ID] = Unclaimed{State: r.State, Stage: r.Stage, Later: r.Later}
	}
	return found, translate(err)
}

// RenewLeases extends leases. It returns those that still hold, with whether
// the job was asked to stop; the others are lost.
func (s *Store) RenewLeases(ctx context.Context, leases []domain.Lease, length time.Duration) (held map[domain.Lease]bool, err error) {
	params := dbsqlc.RenewLeasesParams{LeaseSeconds: length.Seconds()}
	byID := make(map[uuid.UUID]domain.Lease, len(leases))
	for _, l := range leases {
		params.Ids = append(params.Ids, l.JobID)
		params.Fences = append(params.Fences, l.Fence)
		byID[l.JobID] = l
	}
	rows, err := s.queries.RenewLeases(ctx, params)
	held = make(map[domain.Lease]bool, len(rows))
	for _, r := range rows {
		held[byID[r.ID]] = r.Cancelled
	}
	return held, translate(err)
}

// SetProgress records how far an attempt is.
func (s *Store) SetProgress(ctx context.Context, lease domain.Lease, p domain.Progress) error {
	return translate(s.queries.SetProgress(ctx, dbsqlc.SetProgressParams{
		ID: lease.JobID, Fence: lease.Fence, Done: int32(p.Done), Total: int32(p.Total), Unit: p.Unit,
	}))
}

// Finish ends a job that leaves no further effect.
func (s *Store) Finish(ctx context.Context, lease domain.Lease) error {
	return s.fenced(ctx, lease, func(q *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error {
		return q.FinishJob(ctx, held.ID)
	})
}

// Retry ends an attempt whose job is to be tried again after delay. A free
// attempt does not count. It reports whether the attempt still owned the job.
func (s *Store) Retry(ctx context.Context, lease domain.Lease, cause *domain.JobError, delay time.Duration, free bool) (bool, error) {
	params := dbsqlc.RetryAttemptParams{ID: lease.JobID, Fence: lease.Fence, DelaySeconds: delay.Seconds(), Free: free}
	if cause != nil {
		params.Code, params.Detail, params.Hint = null(string(cause.Code)), null(cause.Detail), null(cause.Hint)
	}
	n, err := s.queries.RetryAttempt(ctx, params)
	return n == 1, translate(err)
}

// Fail ends a job for good. It reports whether the attempt still owned the job.
func (s *Store) Fail(ctx context.Context, lease domain.Lease, cause domain.JobError) (bool, error) {
	n, err := s.queries.FailJob(ctx, dbsqlc.FailJobParams{
		ID: lease.JobID, Fence: lease.Fence, Code: string(cause.Code), Detail: cause.Detail, Hint: null(cause.Hint),
	})
	return n == 1, translate(err)
}

// CancelAttempt ends a job whose worker stopped because it was asked to.
func (s *Store) CancelAttempt(ctx context.Context, lease domain.Lease) (bool, error) {
	n, err := s.queries.CancelAttempt(ctx, dbsqlc.CancelAttemptParams{ID: lease.JobID, Fence: lease.Fence})
	return n == 1, translate(err)
}
