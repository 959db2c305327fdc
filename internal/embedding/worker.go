package embedding

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Store is what the embed stage reads and writes.
type Store interface {
	texts
	ActiveSpace(ctx context.Context) (domain.EmbeddingSpace, error)
	cache
	// SaveChunks replaces the document's chunks and finishes the job, in one
	// transaction guarded by the lease.
	SaveChunks(ctx context.Context, lease domain.Lease, documentID uuid.UUID, spaceID int64, chunks []domain.Chunk, vectors [][]float32) error
}

// Worker does the embed stage: text to chunks to vectors.
type Worker struct {
	Store   Store
	Batcher *Batcher
	Log     *slog.Logger
}

var _ domain.Worker = (*Worker)(nil)

// Work implements domain.Worker.
func (w *Worker) Work(ctx context.Context, task domain.Task) error {
	space, err := w.space(ctx)
	if err != nil {
		return err
	}
	chunks, err := cut(ctx, w.Store, task.Job.ResourceID, space)
	if err != nil {
		return err
	}
	w.Log.DebugContext(ctx, "embedding", "job_id", task.Job.ID, "chunks", len(chunks))
	vectors, err := passages{
		cache: w.Store, batcher: w.Batcher, spaceID: space.ID, userID: task.Job.UserID, priority: priorityOf(task.Job.Class),
		progress: task.Progress,
	}.vectors(ctx, chunks)
	if err != nil {
		return err
	}
	return w.Store.SaveChunks(ctx, task.Lease, task.Job.ResourceID, space.ID, chunks, vectors)
}

// space is the active one, which must be the one this worker embeds in.
func (w *Worker) space(ctx context.Context) (domain.EmbeddingSpace, error) {
	active, err := w.Store.ActiveSpace(ctx)
	if err != nil {
		return active, err
	}
	if mine := w.Batcher.Space(); active.ID != mine.ID {
		return active, domain.Errorf(domain.CodeUnavailable, "The embedding model was changed; this worker still uses the old one.").
			WithCause(fmt.Errorf("active space %d, own space %d", active.ID, mine.ID))
	}
	return active, nil
}
