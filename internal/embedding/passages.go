package embedding

import (
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/chunking"
	"generalbackend/internal/domain"
)

// cache knows what was embedded before.
type cache interface {
	// CachedVectors returns the user's vectors by content hash as a string.
	CachedVectors(ctx context.Context, spaceID int64, userID uuid.UUID, hashes [][]byte) (map[string][]float32, error)
}

// texts are what was read from documents.
type texts interface {
	Document(ctx context.Context, id uuid.UUID) (domain.Document, error)
	Pages(ctx context.Context, documentID uuid.UUID) ([]domain.Page, error)
}

// cut makes chunks of a document's text as a space demands them.
func cut(ctx context.Context, from texts, documentID uuid.UUID, space domain.EmbeddingSpace) ([]domain.Chunk, error) {
	document, err := from.Document(ctx, documentID)
	if err != nil {
		return nil, err
	}
	pages, err := from.Pages(ctx, documentID)
	if err != nil {
		return nil, err
	}
	return chunking.Split(pages, chunking.Options{
		Tokens: space.ChunkTokens, Overlap: space.OverlapToken, Language: document.Language,
	}), nil
}

// passages embeds the chunks of one document.
type passages struct {
	cache    cache
	batcher  *Batcher
	spaceID  int64
	userID   uuid.UUID
	priority Priority
	progress func(domain.Progress)
}

// portion is how many texts a document hands to the batcher at once: enough to
// fill batches, few enough that documents take turns.
const portion = 4 * batchSize

// vectors returns one vector per chunk and notes the hashes of their texts;
// texts that were embedded before, or occur twice, are not embedded again.
func (p passages) vectors(ctx context.Context, chunks []domain.Chunk) ([][]float32, error) {
	texts, hashes := make([]string, len(chunks)), make([][]byte, len(chunks))
	for i, c := range chunks {
		texts[i] = Normalize(c.Content)
		hashes[i] = Hash(texts[i])
		chunks[i].Hash = hashes[i]
	}
	known, err := p.cache.CachedVectors(ctx, p.spaceID, p.userID, hashes)
	if err != nil {
		return nil, err
	}
	if known == nil {
		known = make(map[string][]float32)
	}
	if err := p.embedMissing(ctx, texts, hashes, known); err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(chunks))
	for i, h := range hashes {
		vectors[i] = known[string(h)]
	}
	return vectors, nil
}

func (p passages) embedMissing(ctx context.Context, texts []string, hashes [][]byte, known map[string][]float32) error {
	missing := firstUnknown(hashes, known)
	report := func(left int) {
		p.progress(domain.Progress{Done: len(texts) - left, Total: len(texts), Unit: "chunks"})
	}
	for report(len(missing)); len(missing) > 0; report(len(missing)) {
		now := missing[:min(portion, len(missing))]
		missing = missing[len(now):]
		batch := make([]string, len(now))
		for i, at := range now {
			batch[i] = texts[at]
		}
		vectors, err := p.batcher.Embed(ctx, batch, p.priority)
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
