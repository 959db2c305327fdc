package postgres

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// The states of a re-embedding's row; an open one stands as its job does.
const (
	reembeddingOpen      = "open"
	reembeddingFinished  = "finished"
	reembeddingCancelled = "cancelled"
)

// BeginReembedding opens a re-embedding into r.Space, which is made where it does
// not exist, and submits its job. There is one at a time.
func (s *Store) BeginReembedding(ctx context.Context, r domain.Reembedding, sub domain.Submission) (domain.Job, error) {
	var job domain.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		space, err := q.BuildSpace(ctx, dbsqlc.BuildSpaceParams{
			Provider: r.Space.Provider, Model: r.Space.Model, Dims: int32(r.Space.Dims),
			ChunkTokens: int32(r.Space.ChunkTokens), OverlapTokens: int32(r.Space.OverlapToken),
		})
		if err != nil {
			return err
		}
		if space.State == "active" {
			return domain.Errorf(domain.CodeConflict, "Documents are embedded with %s of %s already.", r.Space.Model, r.Space.Provider)
		}
		err = q.InsertReembedding(ctx, dbsqlc.InsertReembeddingParams{
			ID: r.ID, SpaceID: space.ID, PerMinute: int32(r.PerMinute),
			OfUser: r.Scope.UserID, OfProject: r.Scope.ProjectID, OfDocument: r.Scope.DocumentID,
		})
		if isUnique(err, "reembeddings_open") {
			return domain.Errorf(domain.CodeConflict, "Another re-embedding is open. Let it finish, or cancel it.")
		}
		if err != nil {
			return err
		}
		job, err = submitReembedding(ctx, q, r.ID, sub)
		return err
	})
	return job, err
}

func submitReembedding(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, sub domain.Submission) (domain.Job, error) {
	job, err := submit(ctx, q, sub)
	if err != nil {
		return job, err
	}
	return job, q.SetReembeddingJob(ctx, dbsqlc.SetReembeddingJobParams{ID: id, JobID: &job.ID})
}

// PauseReembedding asks the job of an open re-embedding to stop and returns it.
// What was embedded stays.
func (s *Store) PauseReembedding(ctx context.Context, id uuid.UUID) ([]domain.Job, error) {
	return s.stopReembedding(ctx, id, false)
}

// CancelReembedding closes an open re-embedding and returns the job that was
// asked to stop. What was embedded stays until the space is deleted.
func (s *Store) CancelReembedding(ctx context.Context, id uuid.UUID) ([]domain.Job, error) {
	return s.stopReembedding(ctx, id, true)
}

func (s *Store) stopReembedding(ctx context.Context, id uuid.UUID, forGood bool) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		r, err := lockOpen(ctx, q, id)
		if err != nil {
			return err
		}
		if r.JobUser != nil {
			stopped, err = q.CancelJobsOfResource(ctx, dbsqlc.CancelJobsOfResourceParams{ResourceID: id, UserID: *r.JobUser})
		}
		if err != nil || !forGood {
			return err
		}
		return q.EndReembedding(ctx, dbsqlc.EndReembeddingParams{ID: id, State: reembeddingCancelled})
	})
	return toJobs(stopped), err
}

// ResumeReembedding submits a new job for an open re-embedding whose last one
// ended.
func (s *Store) ResumeReembedding(ctx context.Context, id uuid.UUID, sub domain.Submission) (domain.Job, error) {
	var job domain.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		r, err := lockOpen(ctx, q, id)
		if err != nil {
			return err
		}
		if state := domain.State(r.JobState); state != "" && !state.Terminal() {
			return domain.Errorf(domain.CodeConflict, "The re-embedding is still running.")
		}
		job, err = submitReembedding(ctx, q, id, sub)
		return err
	})
	return job, err
}

func lockOpen(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID) (dbsqlc.LockReembeddingRow, error) {
	r, err := q.LockReembedding(ctx, id)
	if err == nil && r.State != reembeddingOpen {
		err = domain.Errorf(domain.CodeConflict, "The re-embedding has ended.")
	}
	return r, err
}

// Reembedding returns a re-embedding as it stands.
func (s *Store) Reembedding(ctx context.Context, id uuid.UUID) (domain.Reembedding, error) {
	row, err := s.queries.Reembedding(ctx, id)
	return toReembedding(row), translate(err)
}

// Reembeddings lists re-embeddings, newest first.
func (s *Store) Reembeddings(ctx context.Context, before *uuid.UUID, limit int) ([]domain.Reembedding, error) {
	rows, err := s.queries.Reembeddings(ctx, dbsqlc.ReembeddingsParams{Before: before, MaxRows: int32(limit)})
	found := make([]domain.Reembedding, len(rows))
	for i, r := range rows {
		found[i] = toReembedding(dbsqlc.ReembeddingRow(r))
	}
	return found, translate(err)
}

func toReembedding(row dbsqlc.ReembeddingRow) domain.Reembedding {
	r := row.Reembedding
	out := domain.Reembedding{
		ID: r.ID, FormerID: r.FormerID, PerMinute: int(r.PerMinute), Activated: r.Activated, Recall: r.Recall,
		State: standing(r.State, domain.State(row.JobState), row.Stopping),
		Space: toSpace(row.EmbeddingSpace),
		Scope: domain.ReembeddingScope{UserID: r.OfUser, ProjectID: r.OfProject, DocumentID: r.OfDocument},
		JobID: r.JobID, CreatedAt: r.CreatedAt, FinishedAt: r.FinishedAt,
	}
	if row.ProgressDone != nil && row.ProgressTotal != nil {
		out.Progress = domain.Progress{Done: int(*row.ProgressDone), Total: int(*row.ProgressTotal), Unit: "documents"}
	}
	if row.ErrorCode != nil {
		out.Error = &domain.JobError{Code: domain.Code(*row.ErrorCode), Detail: deref(row.ErrorDetail), Hint: deref(row.ErrorHint)}
	}
	return out
}

// standing is how a re-embedding stands by its own state and its job's.
func standing(own string, job domain.State, stopping bool) domain.ReembeddingState {
	switch {
	case own == reembeddingFinished:
		return domain.ReembeddingFinished
	case own == reembeddingCancelled:
		return domain.ReembeddingCancelled
	case job == domain.StateFailed:
		return domain.ReembeddingFailed
	case job == "" || job.Terminal() || stopping:
		return domain.ReembeddingPaused
	}
	return domain.ReembeddingRunning
}

// Uncovered lists usable documents of a scope, by id from the one after, that are
// in the active space and not in the given one.
func (s *Store) Uncovered(ctx context.Context, spaceID int64, scope domain.ReembeddingScope, after uuid.UUID, limit int) ([]domain.OwnedDocument, error) {
	rows, err := s.queries.UncoveredDocuments(ctx, uncovered(spaceID, scope, after, limit))
	found := make([]domain.OwnedDocument, len(rows))
	for i, r := range rows {
		found[i] = domain.OwnedDocument(r)
	}
	return found, translate(err)
}

func uncovered(spaceID int64, scope domain.ReembeddingScope, after uuid.UUID, limit int) dbsqlc.UncoveredDocumentsParams {
	return dbsqlc.UncoveredDocumentsParams{
		SpaceID: spaceID, UserID: scope.UserID, ProjectID: scope.ProjectID, DocumentID: scope.DocumentID,
		After: after, MaxRows: int32(limit),
	}
}

// Covered counts the documents of a scope that are in a space.
func (s *Store) Covered(ctx context.Context, spaceID int64, scope domain.ReembeddingScope) (int64, error) {
	n, err := s.queries.DocumentsInSpace(ctx, dbsqlc.DocumentsInSpaceParams{
		SpaceID: spaceID, UserID: scope.UserID, ProjectID: scope.ProjectID, DocumentID: scope.DocumentID,
	})
	return n, translate(err)
}

// SaveReembedded stores a document's chunks and vectors in a space that is being
// built, if the document is still there. A job that lasts for days meets more
// failures than a short one, so only those since the last document count.
func (s *Store) SaveReembedded(ctx context.Context, lease domain.Lease, documentID uuid.UUID, spaceID int64, chunks []domain.Chunk, vectors [][]float32) error {
	return s.fenced(ctx, lease, func(q *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error {
		if err := q.ForgiveAttempts(ctx, held.ID); err != nil {
			return err
		}
		row, err := q.HoldUsableDocument(ctx, documentID)
		if domain.CodeOf(translate(err)) == domain.CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if err := q.DeleteChunksOfSpace(ctx, dbsqlc.DeleteChunksOfSpaceParams{DocumentID: documentID, SpaceID: spaceID}); err != nil {
			return err
		}
		owned := domain.OwnedDocument{ID: documentID, UserID: row.UserID, ProjectID: row.ProjectID}
		return insertChunks(ctx, q, owned, spaceID, chunks, vectors)
	})
}

// FinishReembedding ends a re-embedding that does not change the active space,
// and its job.
func (s *Store) FinishReembedding(ctx context.Context, lease domain.Lease, r domain.Reembedding) error {
	return s.ending(ctx, lease, r.ID, func(q *dbsqlc.Queries) error { return finishReembedding(ctx, q, lease, r) })
}

// ending runs the last effects of a re-embedding's job. It locks the re-embedding
// before the job, in the order of those who stop it.
func (s *Store) ending(ctx context.Context, lease domain.Lease, id uuid.UUID, fn func(q *dbsqlc.Queries) error) error {
	return s.tx(ctx, func(q *dbsqlc.Queries) error {
		if _, err := lockOpen(ctx, q, id); err != nil {
			return err
		}
		if _, err := hold(ctx, q, lease); err != nil {
			return err
		}
		return fn(q)
	})
}

// finishReembedding writes how far a re-embedding came, and ends it with its job.
func finishReembedding(ctx context.Context, q *dbsqlc.Queries, lease domain.Lease, r domain.Reembedding) error {
	err := q.SetProgress(ctx, dbsqlc.SetProgressParams{
		ID: lease.JobID, Fence: lease.Fence, Done: int32(r.Progress.Done), Total: int32(r.Progress.Total), Unit: r.Progress.Unit,
	})
	if err != nil {
		return err
	}
	err = q.EndReembedding(ctx, dbsqlc.EndReembeddingParams{ID: r.ID, State: reembeddingFinished, Activated: r.Activated, Recall: r.Recall})
	if err != nil {
		return err
	}
	return q.FinishJob(ctx, lease.JobID)
}

// CutOver makes the space of a re-embedding the active one and ends both the
// re-embedding and its job, in one transaction, unless the space still lacks a
// document; then it changes nothing and reports false.
func (s *Store) CutOver(ctx context.Context, lease domain.Lease, r domain.Reembedding) (done bool, err error) {
	err = s.ending(ctx, lease, r.ID, func(q *dbsqlc.Queries) error {
		former, err := q.LockActiveSpace(ctx)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) { // nothing was embedded yet
			return err
		}
		missing, err := q.UncoveredDocuments(ctx, uncovered(r.Space.ID, domain.ReembeddingScope{}, uuid.Nil, 1))
		if err != nil || len(missing) > 0 {
			return err
		}
		for _, change := range []dbsqlc.SetSpaceStateParams{{ID: former, State: "retired"}, {ID: r.Space.ID, State: "active"}} {
			if err := q.SetSpaceState(ctx, change); err != nil {
				return err
			}
		}
		done, r.Activated = true, true
		return finishReembedding(ctx, q, lease, r)
	})
	return done && err == nil, err
}
