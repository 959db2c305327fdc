package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// JobSelection picks jobs of all users; zero fields do not narrow.
type JobSelection struct {
	IDs           []uuid.UUID
	State         domain.State
	Stage         domain.Stage
	Kind          domain.Kind
	Class         domain.Class
	UserID        *uuid.UUID
	ResourceID    *uuid.UUID
	ErrorCode     domain.Code
	Discarded     *bool
	CreatedAfter  *time.Time // or at that time
	CreatedBefore *time.Time
}

func (j JobSelection) conditions() *conditions {
	c := &conditions{}
	if len(j.IDs) > 0 {
		c.add("jobs.id = ANY (%s)", j.IDs)
	}
	c.equal("jobs.state", string(j.State))
	c.equal("jobs.stage", string(j.Stage))
	c.equal("jobs.kind", string(j.Kind))
	c.equal("jobs.class", string(j.Class))
	c.equal("jobs.error_code", string(j.ErrorCode))
	if j.UserID != nil {
		c.add("jobs.user_id = %s", *j.UserID)
	}
	if j.ResourceID != nil {
		c.add("jobs.resource_id = %s", *j.ResourceID)
	}
	c.is("(jobs.discarded_at IS NOT NULL)", j.Discarded)
	c.between("jobs.id", "jobs.created_at", j.CreatedAfter, j.CreatedBefore)
	return c
}

// OwnedJob is a job with the address of its owner.
type OwnedJob struct {
	domain.Job
	Email string
}

const ownedJobs = "SELECT jobs.*, users.email FROM jobs JOIN users ON users.id = jobs.user_id"

func toOwnedJob(row pgx.CollectableRow) (OwnedJob, error) {
	r, err := pgx.RowToStructByName[struct {
		dbsqlc.Job
		Email string
	}](row)
	return OwnedJob{Job: toJob(r.Job), Email: r.Email}, err
}

// SelectJobs lists jobs of all users, newest first, from before on.
func (s *Store) SelectJobs(ctx context.Context, selection JobSelection, before *uuid.UUID, limit int) ([]OwnedJob, error) {
	c := selection.conditions()
	if before != nil {
		c.add("jobs.id < %s", *before)
	}
	rows, err := s.pool.Query(ctx, ownedJobs+c.where()+" ORDER BY jobs.id DESC LIMIT "+c.bind(limit), c.args...)
	if err != nil {
		return nil, translate(err)
	}
	jobs, err := pgx.CollectRows(rows, toOwnedJob)
	return jobs, translate(err)
}

// AnyJob returns a job, whoever owns it.
func (s *Store) AnyJob(ctx context.Context, id uuid.UUID) (OwnedJob, error) {
	rows, err := s.pool.Query(ctx, ownedJobs+" WHERE jobs.id = $1", id)
	if err != nil {
		return OwnedJob{}, translate(err)
	}
	job, err := pgx.CollectExactlyOneRow(rows, toOwnedJob)
	return job, translate(err)
}

// Attempt is one that ended.
type Attempt struct {
	Number     int
	Stage      domain.Stage
	Worker     string
	Outcome    string // succeeded, retried, failed or cancelled
	ErrorCode  domain.Code
	Seconds    float64
	FinishedAt time.Time
}

// Attempts lists the attempts at a job that ended, oldest first, at most limit.
func (s *Store) Attempts(ctx context.Context, jobID uuid.UUID, limit int) ([]Attempt, error) {
	rows, err := s.queries.Attempts(ctx, dbsqlc.AttemptsParams{JobID: jobID, MaxRows: int32(limit)})
	attempts := make([]Attempt, len(rows))
	for i, r := range rows {
		attempts[i] = Attempt{
			Number: int(r.Attempt), Stage: domain.Stage(r.Stage), Worker: r.Worker, Outcome: r.Outcome,
			ErrorCode: domain.Code(deref(r.ErrorCode)), Seconds: r.Seconds, FinishedAt: r.FinishedAt,
		}
	}
	return attempts, translate(err)
}
