package embedding

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// ReembedStore is what the reembed stage reads and writes, of all users.
type ReembedStore interface {
	Reembedding(ctx context.Context, id uuid.UUID) (domain.Reembedding, error)
	PlanReembedding(ctx context.Context, space domain.EmbeddingSpace, scope domain.ReembeddingScope) (domain.ReembeddingPlan, error)
	Covered(ctx context.Context, spaceID int64, scope domain.ReembeddingScope) (int64, error)
	Uncovered(ctx context.Context, spaceID int64, scope domain.ReembeddingScope, after uuid.UUID, limit int) ([]domain.OwnedDocument, error)
	texts
	cache
	SaveReembedded(ctx context.Context, lease domain.Lease, documentID uuid.UUID, spaceID int64, chunks []domain.Chunk, vectors [][]float32) error
	IndexVectors(ctx context.Context, space domain.EmbeddingSpace) error
	Samples(ctx context.Context, spaceID int64, limit int) ([]domain.Sample, error)
	NearestHashes(ctx context.Context, space domain.EmbeddingSpace, userID uuid.UUID, vector []float32, limit int) ([][]byte, error)
	// CutOver reports false when documents came in that the space lacks.
	CutOver(ctx context.Context, lease domain.Lease, r domain.Reembedding) (bool, error)
	FinishReembedding(ctx context.Context, lease domain.Lease, r domain.Reembedding) error
}

// Reembedder does the reembed stage: it embeds what another space lacks until
// that has everything, and then makes it the active one. What was done stays
// done, so an attempt goes on where the last one ended.
type Reembedder struct {
	Store    ReembedStore
	Batchers func(space domain.EmbeddingSpace) (*Batcher, error)
	// Admit reports whether a provider may see texts of the caller of ctx. It is
	// asked before they join a batch, which is for many callers.
	Admit func(ctx context.Context, provider string) error
	Log   *slog.Logger
}

var _ domain.Worker = (*Reembedder)(nil)

// The measure of a re-embedding: how many documents are read at once, so that
// batches fill across them, and how many are listed at once.
const (
	atOnce   = 4
	listSize = 64
)

// Work implements domain.Worker.
func (r *Reembedder) Work(ctx context.Context, task domain.Task) error {
	run, err := r.begin(ctx, task)
	if err != nil {
		return err
	}
	for {
		if err := run.embedAll(ctx); err != nil {
			return err
		}
		if !run.Scope.Whole() {
			return r.Store.FinishReembedding(ctx, task.Lease, run.Reembedding)
		}
		if err := r.Store.IndexVectors(ctx, run.Space); err != nil {
			return err
		}
		recall, err := run.recall(ctx)
		if err != nil {
			return err
		}
		run.Recall = &recall
		if done, err := r.Store.CutOver(ctx, task.Lease, run.Reembedding); done || err != nil {
			return err
		}
	}
}

// reembedRun is one attempt.
type reembedRun struct {
	*Reembedder
	domain.Reembedding
	task    domain.Task
	batcher *Batcher
	limiter *rate.Limiter

	mu     sync.Mutex // of Progress and failed
	failed []documentFailure
}

type documentFailure struct {
	id    uuid.UUID
	cause error
}

// goesOnBy reports whether a job is the one that does a re-embedding. A failed one
// can be tried again at any time, even after the re-embedding was cancelled.
func goesOnBy(r domain.Reembedding, job uuid.UUID) bool {
	ended := r.State == domain.ReembeddingFinished || r.State == domain.ReembeddingCancelled
	return !ended && r.JobID != nil && *r.JobID == job
}

func (r *Reembedder) begin(ctx context.Context, task domain.Task) (*reembedRun, error) {
	reembedding, err := r.Store.Reembedding(ctx, task.Job.ResourceID)
	if err != nil {
		return nil, err
	}
	if !goesOnBy(reembedding, task.Job.ID) {
		return nil, domain.Errorf(domain.CodeConflict, "The re-embedding has ended, or goes on as another job.")
	}
	batcher, err := r.Batchers(reembedding.Space)
	if err != nil {
		return nil, err
	}
	covered, err := r.Store.Covered(ctx, reembedding.Space.ID, reembedding.Scope)
	if err != nil {
		return nil, err
	}
	plan, err := r.Store.PlanReembedding(ctx, reembedding.Space, reembedding.Scope)
	reembedding.Progress = domain.Progress{Done: int(covered), Total: int(covered + plan.Documents), Unit: "documents"}
	run := &reembedRun{
		Reembedder: r, Reembedding: reembedding, task: task,
		batcher: batcher, limiter: rate.NewLimiter(rate.Inf, 0),
	}
	if n := reembedding.PerMinute; n > 0 {
		run.limiter = rate.NewLimiter(rate.Every(time.Minute/time.Duration(n)), 1)
	}
	return run, err
}

// embedAll embeds what the space lacks, that which comes in meanwhile included.
// A document that cannot be embedded does not keep others from it.
func (r *reembedRun) embedAll(ctx context.Context) error {
	r.failed = nil
	for last := uuid.Nil; ; {
		documents, err := r.Store.Uncovered(ctx, r.Space.ID, r.Scope, last, listSize)
		if err != nil {
			return err
		}
		if len(documents) == 0 {
			return r.incomplete()
		}
		last = documents[len(documents)-1].ID
		r.expect(len(documents))
		group, each := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for _, d := range documents {
			group.Go(func() error { return r.try(each, d) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
}

func (r *reembedRun) expect(documents int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Progress.Total = max(r.Progress.Total, r.Progress.Done+len(r.failed)+documents)
}

// try returns only errors that would befall the next document as well.
func (r *reembedRun) try(ctx context.Context, d domain.OwnedDocument) error {
	err := r.embed(ctx, d)
	if ctx.Err() != nil || general(err) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.Log.WarnContext(ctx, "a document was not embedded anew", "document_id", d.ID, "space_id", r.Space.ID, "error", err)
		r.failed = append(r.failed, documentFailure{d.ID, err})
		return nil
	}
	r.Progress.Done++
	r.task.Progress(r.Progress)
	return nil
}

// general reports whether an error is not the fault of one document.
func general(err error) bool {
	code := domain.CodeOf(err)
	return code.Retryable() && code != domain.CodeModelMalformed || code == domain.CodeConflict || code == domain.CodeModelNotFound
}

// onBehalf is for the texts of a user. It is an operator who wants them embedded,
// so that their owner is not charged, but it is the owner who may keep them from
// providers in the cloud.
func (r *reembedRun) onBehalf(ctx context.Context, userID uuid.UUID, projectID *uuid.UUID) context.Context {
	return llm.WithCaller(ctx, llm.Caller{
		UserID: userID, ProjectID: projectID, JobID: &r.task.Job.ID, Purpose: string(domain.StageReembed), Unmetered: true,
	})
}

// embed cuts a document as the space demands and stores its vectors.
func (r *reembedRun) embed(ctx context.Context, d domain.OwnedDocument) error {
	chunks, err := cut(ctx, r.Store, d.ID, r.Space)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	behalf := r.onBehalf(ctx, d.UserID, d.ProjectID)
	if err := r.Admit(behalf, r.Space.Provider); err != nil {
		return err
	}
	for range chunks {
		if err := r.limiter.Wait(ctx); err != nil {
			return err
		}
	}
	vectors, err := passages{
		cache: r.Store, batcher: r.batcher, spaceID: r.Space.ID, userID: d.UserID, priority: Bulk,
		progress: func(domain.Progress) {}, // the job counts documents
	}.vectors(behalf, chunks)
	if err != nil {
		return err
	}
	return r.Store.SaveReembedded(ctx, r.task.Lease, d.ID, r.Space.ID, chunks, vectors)
}

// incomplete says which documents the space lacks after all.
func (r *reembedRun) incomplete() error {
	if len(r.failed) == 0 {
		return nil
	}
	first := r.failed[0]
	return domain.Errorf(domain.CodeReembeddingIncomplete, "Documents that could not be embedded: %d. The first is %s: %s",
		len(r.failed), first.id, domain.AsError(first.cause).Message).
		WithHint("The documents before serve on. Mend or delete those documents, then resume.").WithCause(first.cause)
}
