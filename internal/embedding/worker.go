package embedding

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"generalbackend/internal/chunking"
	"generalbackend/internal/domain"
)

// Store is what the embed stage reads and writes.
type Store interface {
	Document(ctx context.Context, id uuid.UUID) (domain.Document, error)
	Pages(ctx context.Context, documentID uuid.UUID) ([]domain.Page, error)
	ActiveSpace(ctx context.Context) (domain.EmbeddingSpace, error)
	// CachedVectors returns the user's vectors by content hash as a string.
	CachedVectors(ctx context.Context, spaceID int64, userID uuid.UUID, hashes [][]byte) (map[string][]float32, error)
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

// portion is how many texts a job hands to the batcher at once: enough to fill
// batches, few enough that jobs take turns.
const portion = 4 * batchSize

// Work implements domain.Worker.
func (w *Worker) Work(ctx context.Context, task domain.Task) error {
	space, err := w.space(ctx)
	if err != nil {
		return err
	}
	document, err := w.Store.Document(ctx, task.Job.ResourceID)
	if err != nil {
		return err
	}
	pages, err := w.Store.Pages(ctx, document.ID)
	if err != nil {
		return err
	}
	chunks := chunking.Split(pages, chunking.Options{
		Tokens: space.ChunkTokens, Overlap: space.OverlapToken, Language: document.Language,
	})
	vectors, err := w.vectors(ctx, task, space.ID, chunks)
	if err != nil {
		return err
	}
	return w.Store.SaveChunks(ctx, task.Lease, document.ID, space.ID, chunks, vectors)
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

// vectors returns one vector per chunk and notes the hashes of their texts;
// texts that were embedded before, or occur twice, are not embedded again.
func (w *Worker) vectors(ctx context.Context, task domain.Task, spaceID int64, chunks []domain.Chunk) ([][]float32, error) {
	texts, hashes := make([]string, len(chunks)), make([][]byte, len(chunks))
	for i, c := range chunks {
		texts[i] = Normalize(c.Content)
		hashes[i] = Hash(texts[i])
		chunks[i].Hash = hashes[i]
	}
	known, err := w.Store.CachedVectors(ctx, spaceID, task.Job.UserID, hashes)
	if err != nil {
		return nil, err
	}
	if known == nil {
		known = make(map[string][]float32)
	}
	if err := w.embedMissing(ctx, task, texts, hashes, known); err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(chunks))
	for i, h := range hashes {
		vectors[i] = known[string(h)]
	}
	return vectors, nil
}

func (w *Worker) embedMissing(ctx context.Context, task domain.Task, texts []string, hashes [][]byte, known map[string][]float32) error {
	missing := firstUnknown(hashes, known)
	report := func(left int) {
		task.Progress(domain.Progress{Done: len(texts) - left, Total: len(texts), Unit: "chunks"})
	}
	w.Log.DebugContext(ctx, "embedding", "job_id", task.Job.ID, "chunks", len(texts), "missing", len(missing))
	for report(len(missing)); len(missing) > 0; report(len(missing)) {
		now := missing[:min(portion, len(missing))]
		missing = missing[len(now):]
		batch := make([]string, len(now))
		for i, at := range now {
			batch[i] = texts[at]
		}
		vectors, err := w.Batcher.Embed(ctx, batch, priorityOf(task.Job.Class))
		if err != nil {
			return err
		}
		for i, at := range now {
			known[string(hashes[at])] = vectors[i]
		}
	}
	return nil
}

// firstUnknown lists where each unknown text occurs first.
func firstUnknown(hashes [][]byte, known map[string][]float32) []int {
	var out []int
	seen := make(map[string]bool)
	for i, h := range hashes {
		if _, ok := known[string(h)]; !ok && !seen[string(h)] {
			seen[string(h)] = true
			out = append(out, i)
		}
	}
	return out
}

func priorityOf(c domain.Class) Priority {
	switch c {
	case domain.ClassInteractive:
		return Interactive
	case domain.ClassBulk:
		return Bulk
	default:
		return Standard
	}
}
