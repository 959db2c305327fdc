package postgres

import (
	"bytes"
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// submit adds a job to the transaction of what it is for.
func submit(ctx context.Context, q *dbsqlc.Queries, sub domain.Submission) (domain.Job, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return domain.Job{}, err
	}
	args := sub.Args
	if args == nil {
		args = []byte("{}")
	}
	row, err := q.InsertJob(ctx, dbsqlc.InsertJobParams{
		ID: id, UserID: sub.UserID, ProjectID: sub.ProjectID, Kind: sub.Kind, Stage: sub.Stage, Class: sub.Class,
		MaxAttempts: 5, ResourceID: sub.ResourceID, Args: args, Trace: sub.Trace,
		IdempotencyKey: null(sub.IdempotencyKey), RequestHash: sub.RequestHash,
	})
	return toJob(row), err
}

// replay finds the job of an earlier submission with the same key. A key that
// was used for something else is CodeIdempotencyReused.
func (s *Store) replay(ctx context.Context, sub domain.Submission) (domain.Job, error) {
	row, err := s.queries.JobByIdempotencyKey(ctx, dbsqlc.JobByIdempotencyKeyParams{UserID: sub.UserID, IdempotencyKey: sub.IdempotencyKey})
	if err != nil {
		return domain.Job{}, translate(err)
	}
	if row.Kind != sub.Kind || !bytes.Equal(row.RequestHash, sub.RequestHash) {
		return domain.Job{}, domain.Errorf(domain.CodeIdempotencyReused,
			"This Idempotency-Key was used for a different request. Use a new key.")
	}
	return toJob(row), nil
}

// Replay returns the job that an earlier submission with the same key made, or
// CodeNotFound when there was none.
func (s *Store) Replay(ctx context.Context, sub domain.Submission) (domain.Job, error) {
	if sub.IdempotencyKey == "" {
		return domain.Job{}, errNotFound
	}
	return s.replay(ctx, sub)
}

// Job returns a user's job.
func (s *Store) Job(ctx context.Context, userID, id uuid.UUID) (domain.Job, error) {
	row, err := s.queries.Job(ctx, dbsqlc.JobParams{ID: id, UserID: userID})
	return toJob(row), translate(err)
}

// JobsByID returns those of the given jobs that are there and a user's, the
// oldest first.
func (s *Store) JobsByID(ctx context.Context, userID uuid.UUID, ids []uuid.UUID) ([]domain.Job, error) {
	rows, err := s.queries.JobsByID(ctx, dbsqlc.JobsByIDParams{UserID: userID, Ids: ids})
	return toJobs(rows), translate(err)
}

// JobFilter narrows a list of jobs; zero fields do not.
type JobFilter struct {
	State  domain.State
	Kind   domain.Kind
	Before *uuid.UUID
	Limit  int
}

// Jobs lists a user's jobs, newest first.
func (s *Store) Jobs(ctx context.Context, userID uuid.UUID, f JobFilter) ([]domain.Job, error) {
	rows, err := s.queries.JobsOfUser(ctx, dbsqlc.JobsOfUserParams{
		UserID: userID, Before: f.Before, State: null(string(f.State)), Kind: null(string(f.Kind)), MaxRows: int32(f.Limit),
	})
	return toJobs(rows), translate(err)
}

// ActiveJobs lists a user's jobs that are not terminal, newest first.
func (s *Store) ActiveJobs(ctx context.Context, userID uuid.UUID, limit int) ([]domain.Job, error) {
	rows, err := s.queries.ActiveJobsOfUser(ctx, dbsqlc.ActiveJobsOfUserParams{UserID: userID, MaxRows: int32(limit)})
	return toJobs(rows), translate(err)
}

// JobEvents returns the events of a job after seq, oldest first. Whether the
// job is the caller's to see is checked before.
func (s *Store) JobEvents(ctx context.Context, jobID uuid.UUID, after int64, limit int) ([]domain.JobEvent, error) {
	rows, err := s.queries.JobEvents(ctx, dbsqlc.JobEventsParams{JobID: jobID, After: after, MaxRows: int32(limit)})
	events := make([]domain.JobEvent, len(rows))
	for i, r := range rows {
		events[i] = domain.JobEvent{JobID: r.JobID, Seq: r.Seq, Type: r.Type, Data: r.Data, CreatedAt: r.CreatedAt}
	}
	return events, translate(err)
}

// RequestCancel asks a user's job to stop and returns it as it is then. A job
// that does not run is cancelled at once; a terminal one is CodeNotCancel.
func (s *Store) RequestCancel(ctx context.Context, userID, id uuid.UUID) (domain.Job, error) {
	row, err := s.queries.RequestCancel(ctx, dbsqlc.RequestCancelParams{ID: id, UserID: userID})
	if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
		return s.refuse(ctx, userID, id, domain.CodeNotCancel, "The job has ended already.")
	}
	return toJob(row), err
}

// RetryJob queues a user's failed job again, with all its attempts.
func (s *Store) RetryJob(ctx context.Context, userID, id uuid.UUID) (domain.Job, error) {
	row, err := s.queries.RetryFailedJob(ctx, dbsqlc.RetryFailedJobParams{ID: id, UserID: userID})
	if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
		return s.refuse(ctx, userID, id, domain.CodeNotRetryable, "Only a failed job can be tried again.")
	}
	return toJob(row), err
}

// refuse tells a job in the wrong state from one that does not exist.
func (s *Store) refuse(ctx context.Context, userID, id uuid.UUID, code domain.Code, why string) (domain.Job, error) {
	job, err := s.Job(ctx, userID, id)
	if err != nil {
		return domain.Job{}, err
	}
	return job, domain.Errorf(code, "%s", why)
}

// QueuePosition estimates how many jobs run before this one when users take
// turns; 0 means it is next or runs already.
func (s *Store) QueuePosition(ctx context.Context, id uuid.UUID) (int, error) {
	row, err := s.queries.QueuePosition(ctx, id)
	return int(row.Own + row.Others), translate(err)
}

// StageSeconds returns the mean seconds of each stage's last successful
// attempts; a stage never measured is 0.
func (s *Store) StageSeconds(ctx context.Context) (map[domain.Stage]float64, error) {
	stages := make([]string, 0, len(domain.Stages()))
	for _, stage := range domain.Stages() {
		stages = append(stages, string(stage))
	}
	rows, err := s.queries.StageSeconds(ctx, stages)
	seconds := make(map[domain.Stage]float64, len(rows))
	for _, r := range rows {
		seconds[domain.Stage(r.Stage)] = r.Seconds
	}
	return seconds, translate(err)
}

// Submit accepts a job that makes no resource of its own.
func (s *Store) Submit(ctx context.Context, sub domain.Submission) (domain.Job, error) {
	job, err := submit(ctx, s.queries, sub)
	if isUnique(err, "jobs_idempotency") {
		return s.replay(ctx, sub)
	}
	return job, translate(err)
}
