package postgres

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// CreateBatch stores a batch with its matches and submits a job for each, all
// in one transaction. The first submission carries the idempotency key: a
// repeated one returns the batch it made.
func (s *Store) CreateBatch(ctx context.Context, b domain.Batch, subs []domain.Submission) (domain.Batch, error) {
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		if _, err := q.InsertBatch(ctx, dbsqlc.InsertBatchParams{ID: b.ID, UserID: b.UserID, ProjectID: b.ProjectID}); err != nil {
			return err
		}
		for i, m := range b.Matches {
			if _, err := q.InsertMatch(ctx, insertMatch(m.Match)); err != nil {
				return err
			}
			_, err := submit(ctx, q, subs[i])
			if isUnique(err, "jobs_idempotency") {
				return errReplay
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == errReplay { //nolint:errorlint // a sentinel that tx passes through unwrapped
		return s.ReplayBatch(ctx, subs[0])
	}
	if err != nil {
		return domain.Batch{}, err
	}
	return s.Batch(ctx, b.UserID, b.ID)
}

// batchArgs is what a job of a batch remembers of it.
type batchArgs struct {
	BatchID uuid.UUID `json:"batch_id"`
}

// BatchArgs are the arguments of the jobs of a batch.
func BatchArgs(id uuid.UUID) (json.RawMessage, error) { return json.Marshal(batchArgs{id}) }

// ReplayBatch returns the batch that an earlier submission with the same key
// made, or CodeNotFound when there is none.
func (s *Store) ReplayBatch(ctx context.Context, sub domain.Submission) (domain.Batch, error) {
	job, err := s.Replay(ctx, sub)
	if err != nil {
		return domain.Batch{}, err
	}
	var args batchArgs
	if err := json.Unmarshal(job.Args, &args); err != nil {
		return domain.Batch{}, err
	}
	return s.Batch(ctx, sub.UserID, args.BatchID)
}

// Batch returns a user's batch with its matches and their jobs.
func (s *Store) Batch(ctx context.Context, userID, id uuid.UUID) (domain.Batch, error) {
	row, err := s.queries.Batch(ctx, dbsqlc.BatchParams{ID: id, UserID: userID})
	if err != nil {
		return domain.Batch{}, translate(err)
	}
	matches, err := s.queries.MatchesOfBatch(ctx, dbsqlc.MatchesOfBatchParams{BatchID: &id, UserID: userID})
	if err != nil {
		return domain.Batch{}, translate(err)
	}
	b := toBatch(row)
	b.Matches = make([]domain.BatchMatch, len(matches))
	for i, r := range matches {
		m, err := toMatch(r.Match, nil)
		if err != nil {
			return domain.Batch{}, err
		}
		b.Matches[i] = domain.BatchMatch{Match: m, Job: toJob(r.Job)}
		b.Add(m.State)
	}
	return b, nil
}

func toBatch(r dbsqlc.MatchBatch) domain.Batch {
	return domain.Batch{ID: r.ID, UserID: r.UserID, ProjectID: r.ProjectID, CreatedAt: r.CreatedAt}
}

// Batches lists a user's batches, newest first, without their matches.
func (s *Store) Batches(ctx context.Context, userID uuid.UUID, projectID, before *uuid.UUID, limit int) ([]domain.Batch, error) {
	rows, err := s.queries.BatchesOfUser(ctx, dbsqlc.BatchesOfUserParams{
		UserID: userID, ProjectID: projectID, Before: before, MaxRows: int32(limit),
	})
	batches := make([]domain.Batch, len(rows))
	for i, r := range rows {
		batches[i] = toBatch(r.MatchBatch)
		batches[i].BatchCounts = domain.BatchCounts{Pending: int(r.Pending), Ready: int(r.Ready), Failed: int(r.Failed)}
	}
	return batches, translate(err)
}

// BatchCells returns what is known of each applicant against each posting,
// posting by posting and by rank.
func (s *Store) BatchCells(ctx context.Context, userID, id uuid.UUID) ([]domain.BatchCell, error) {
	rows, err := s.queries.CellsOfBatch(ctx, dbsqlc.CellsOfBatchParams{BatchID: &id, UserID: userID})
	if err != nil {
		return nil, translate(err)
	}
	cells := make([]domain.BatchCell, 0, len(rows))
	for _, r := range rows {
		cell := domain.BatchCell{MatchID: r.MatchID, Rank: int(r.Rank), Score: int(r.Score), Levels: map[string]domain.Level{}}
		var ids []string
		var levels []domain.Level
		if err := json.Unmarshal(r.Requirements, &ids); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(r.Levels, &levels); err != nil {
			return nil, err
		}
		for i, level := range levels[:min(len(levels), len(ids))] {
			cell.Levels[ids[i]] = level
		}
		if len(r.DocumentIds) > 0 {
			cell.Document = r.DocumentIds[0]
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

// CancelBatch asks every job of a user's batch to stop that has not ended, and
// returns them.
func (s *Store) CancelBatch(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error) {
	if _, err := s.queries.Batch(ctx, dbsqlc.BatchParams{ID: id, UserID: userID}); err != nil {
		return nil, translate(err)
	}
	stopped, err := s.queries.CancelJobsOfBatch(ctx, dbsqlc.CancelJobsOfBatchParams{UserID: userID, BatchID: &id})
	return toJobs(stopped), translate(err)
}

// DeleteBatch deletes a batch with its matches and returns the jobs that were
// asked to stop.
func (s *Store) DeleteBatch(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		var err error
		if stopped, err = q.CancelJobsOfBatch(ctx, dbsqlc.CancelJobsOfBatchParams{UserID: userID, BatchID: &id}); err != nil {
			return err
		}
		n, err := q.DeleteBatch(ctx, dbsqlc.DeleteBatchParams{ID: id, UserID: userID})
		if err == nil && n == 0 {
			err = errNotFound
		}
		return err
	})
	return toJobs(stopped), err
}

// DocumentNames returns what those of the ids that are the user's are called.
func (s *Store) DocumentNames(ctx context.Context, userID uuid.UUID, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	rows, err := s.queries.DocumentNames(ctx, dbsqlc.DocumentNamesParams{UserID: userID, Ids: ids})
	names := make(map[uuid.UUID]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, translate(err)
}
