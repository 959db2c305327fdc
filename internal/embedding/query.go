package embedding

import (
	"context"

	"generalbackend/internal/domain"
)

// Query embeds the text of a search and names the space of the vector. It goes
// before every passage that waits.
func (b *Batcher) Query(ctx context.Context, text string) ([]float32, domain.EmbeddingSpace, error) {
	vectors, err := b.Embed(ctx, []string{Normalize(text)}, Query)
	if err != nil {
		return nil, domain.EmbeddingSpace{}, err
	}
	return vectors[0], b.space, nil
}
