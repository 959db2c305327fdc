package app

import (
	"context"
	"sync"

	"generalbackend/internal/config"
	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/postgres"
)

// Embedder embeds in the deployment's active space. It finds the space when it
// is first needed, because the model's server may be away at the start.
type Embedder struct {
	store  *postgres.Store
	models *Models
	config config.Config

	mu      sync.Mutex
	batcher *embedding.Batcher
}

// NewEmbedder makes an embedder; Close ends it.
func NewEmbedder(store *postgres.Store, models *Models, c config.Config) *Embedder {
	return &Embedder{store: store.System(), models: models, config: c}
}

// Close stops embedding; texts still waiting fail.
func (e *Embedder) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.batcher != nil {
		e.batcher.Close()
	}
}

// Query embeds the text of a search.
func (e *Embedder) Query(ctx context.Context, text string) ([]float32, int64, error) {
	b, err := e.Batcher(ctx)
	if err == nil {
		err = e.models.AdmitEmbedding(ctx, b.Space().Provider)
	}
	if err != nil {
		return nil, 0, err
	}
	return b.Query(ctx, text)
}

// Space is the active space, as far as it is known: its ID is 0 before the first
// use succeeded.
func (e *Embedder) Space() domain.EmbeddingSpace {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.batcher == nil {
		return domain.EmbeddingSpace{}
	}
	return e.batcher.Space()
}

// Down reports whether the provider of the space is known not to answer.
func (e *Embedder) Down() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.batcher != nil && e.models.Down(e.batcher.Space().Provider)
}

// Batcher returns the batcher of the active space. What is embedded already
// stays in its space, even where another model is configured by now.
func (e *Embedder) Batcher(ctx context.Context) (*embedding.Batcher, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.batcher != nil {
		return e.batcher, nil
	}
	space, err := e.space(ctx)
	if err != nil {
		return nil, err
	}
	provider, err := e.models.Provider(space.Provider)
	if err != nil {
		return nil, domain.Errorf(domain.CodeModelUnavailable,
			"Documents here are embedded with %s, which is not configured any more.", space.Provider).WithCause(err)
	}
	e.batcher = embedding.NewBatcher(provider, space)
	return e.batcher, nil
}

func (e *Embedder) space(ctx context.Context) (domain.EmbeddingSpace, error) {
	c := e.config.Models
	provider, err := e.models.Provider(c.EmbeddingProvider)
	if err != nil {
		return domain.EmbeddingSpace{}, err
	}
	model := c.EmbeddingModel
	if provider.Name() == offline.Name {
		model = offline.Model
	}
	want, err := embedding.Space(ctx, provider, model)
	if err != nil {
		if active, activeErr := e.store.ActiveSpace(ctx); activeErr == nil {
			return active, nil
		}
		return domain.EmbeddingSpace{}, err
	}
	if n := e.config.Chunking.Tokens; n > 0 {
		want.ChunkTokens = n
	}
	if n := e.config.Chunking.OverlapTokens; n > 0 {
		want.OverlapToken = n
	}
	return e.store.EnsureSpace(ctx, want)
}
