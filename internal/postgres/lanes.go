package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Lane is one stage and class: a queue of its own.
type Lane struct {
	Stage domain.Stage
	Class domain.Class
}

// DueLanes lists the lanes that have due jobs, most urgent class first.
func (s *Store) DueLanes(ctx context.Context) ([]Lane, error) {
	var stages, classes []string
	for _, class := range domain.Classes() {
		for _, stage := range domain.Stages() {
			stages, classes = append(stages, string(stage)), append(classes, string(class))
		}
	}
	rows, err := s.queries.DueLanes(ctx, dbsqlc.DueLanesParams{Stages: stages, Classes: classes})
	lanes := make([]Lane, len(rows))
	for i, r := range rows {
		lanes[i] = Lane{Stage: domain.Stage(r.Stage), Class: domain.Class(r.Class)}
	}
	return lanes, translate(err)
}

// Due is a job to be dispatched.
type Due struct {
	Message domain.JobMessage
	Trace   string
}

// due picks the due jobs of one lane, fairly: the next job of a user competes
// with the rank it would have among all the user has outstanding, and no user
// gets more than the cap. The recursive part is a loose index scan over the
// users with work. It is written here because sqlc cannot parse it.
const due = `
WITH RECURSIVE tenant AS (
    (SELECT user_id FROM jobs WHERE state = 'queued' AND stage = $1 AND class = $2 ORDER BY user_id LIMIT 1)
    UNION ALL
    SELECT (SELECT j.user_id FROM jobs j
            WHERE j.state = 'queued' AND j.stage = $1 AND j.class = $2 AND j.user_id > tenant.user_id
            ORDER BY j.user_id LIMIT 1)
    FROM tenant WHERE tenant.user_id IS NOT NULL
), outstanding AS (
    SELECT user_id, count(*) AS held FROM jobs
    WHERE state IN ('dispatched', 'running') AND stage = $1 AND class = $2
    GROUP BY user_id
)
SELECT due.id, due.user_id, due.trace
FROM tenant
LEFT JOIN outstanding o ON o.user_id = tenant.user_id
CROSS JOIN LATERAL (
    SELECT id, user_id, trace, row_number() OVER (ORDER BY run_at, id) AS rank
    FROM jobs
    WHERE state = 'queued' AND stage = $1 AND class = $2 AND user_id = tenant.user_id AND run_at <= now()
    ORDER BY run_at, id
    LIMIT greatest($3::bigint - coalesce(o.held, 0), 0)
) due
WHERE tenant.user_id IS NOT NULL
ORDER BY coalesce(o.held, 0) + due.rank, due.id
LIMIT greatest($4::bigint - (SELECT coalesce(sum(held), 0) FROM outstanding), 0)`

// Due picks what to dispatch next in one lane, so that the lane has at most
// window jobs outstanding and each user at most userCap of them.
func (s *Store) Due(ctx context.Context, stage domain.Stage, class domain.Class, userCap, window int) ([]Due, error) {
	rows, err := s.pool.Query(ctx, due, stage, class, userCap, window)
	if err != nil {
		return nil, translate(err)
	}
	jobs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Due, error) {
		d := Due{Message: domain.JobMessage{Stage: stage, Class: class}}
		return d, row.Scan(&d.Message.JobID, &d.Message.UserID, &d.Trace)
	})
	return jobs, translate(err)
}

// MarkDispatched records that jobs are in the stream.
func (s *Store) MarkDispatched(ctx context.Context, ids []uuid.UUID) error {
	return translate(s.queries.MarkDispatched(ctx, ids))
}

// StaleDispatched lists jobs that were dispatched and not claimed for longer
// than age, oldest first.
func (s *Store) StaleDispatched(ctx context.Context, age time.Duration, limit int) ([]Due, error) {
	rows, err := s.queries.StaleDispatched(ctx, dbsqlc.StaleDispatchedParams{OlderThanSeconds: age.Seconds(), MaxRows: int32(limit)})
	jobs := make([]Due, len(rows))
	for i, r := range rows {
		jobs[i] = Due{Message: domain.JobMessage{JobID: r.ID, UserID: r.UserID, Stage: r.Stage, Class: r.Class}, Trace: r.Trace}
	}
	return jobs, translate(err)
}

// TouchDispatched restarts the age of dispatched jobs.
func (s *Store) TouchDispatched(ctx context.Context, ids []uuid.UUID) error {
	return translate(s.queries.TouchDispatched(ctx, ids))
}

// Reaped is a job whose lease expired, and what became of it.
type Reaped struct {
	ID     uuid.UUID
	UserID uuid.UUID
	State  domain.State
}

// ReapExpired ends the attempts of silent workers: their jobs are queued again,
// or failed with CodeWorkerLost when that happened maxLost times.
func (s *Store) ReapExpired(ctx context.Context, maxLost int) ([]Reaped, error) {
	rows, err := s.queries.ReapExpired(ctx, int32(maxLost))
	reaped := make([]Reaped, len(rows))
	for i, r := range rows {
		reaped[i] = Reaped(r)
	}
	return reaped, translate(err)
}

// Depth counts the jobs of one lane in one state.
type Depth struct {
	Stage         domain.Stage
	Class         domain.Class
	State         domain.State
	Jobs          int64
	OldestSeconds float64
}

// QueueDepths counts all jobs that are not terminal.
func (s *Store) QueueDepths(ctx context.Context) ([]Depth, error) {
	rows, err := s.queries.QueueDepths(ctx)
	depths := make([]Depth, len(rows))
	for i, r := range rows {
		depths[i] = Depth(r)
	}
	return depths, translate(err)
}
