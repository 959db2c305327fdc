package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"generalbackend/internal/config"
	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/postgres"
)

// Embedder embeds in the deployment's active space. It finds the space when it
// is first needed, because the model's server may be away at the start, and
// follows when another one becomes active.
type Embedder struct {
	store  *postgres.Store
	models *Models
	config config.Config

	mu       sync.Mutex
	active   domain.EmbeddingSpace
	checked  time.Time
	batchers map[int64]*embedding.Batcher
}

// NewEmbedder makes an embedder; Close ends it.
func NewEmbedder(store *postgres.Store, models *Models, c config.Config) *Embedder {
	return &Embedder{store: store.System(), models: models, config: c, batchers: map[int64]*embedding.Batcher{}}
}

// Close stops embedding; texts still waiting fail.
func (e *Embedder) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.batchers {
		b.Close()
	}
}

// Query embeds the text of a search.
func (e *Embedder) Query(ctx context.Context, text string) ([]float32, domain.EmbeddingSpace, error) {
	b, err := e.Batcher(ctx)
	if err == nil {
		err = e.models.AdmitEmbedding(ctx, b.Space().Provider)
	}
	if err != nil {
		return nil, domain.EmbeddingSpace{}, err
	}
	return b.Query(ctx, text)
}

// Down reports whether the provider of the space is known not to answer.
func (e *Embedder) Down() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active.ID != 0 && e.models.Down(e.active.Provider)
}

// activeFor is how long a process goes on with a space that is active no more.
// Its chunks are still there, and none are added.
const activeFor = time.Second

// Batcher returns the batcher of the active space. What is embedded already
// stays in its space, even where another model is configured by now.
func (e *Embedder) Batcher(ctx context.Context) (*embedding.Batcher, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.refresh(ctx); err != nil {
		return nil, err
	}
	return e.batcher(e.active)
}

// refresh finds the active space, if it was not looked for just now.
func (e *Embedder) refresh(ctx context.Context) (err error) {
	if time.Since(e.checked) < activeFor {
		return nil
	}
	active := e.active
	if active.ID == 0 {
		active, err = e.space(ctx)
	} else {
		active, err = e.store.ActiveSpace(ctx)
	}
	if err == nil {
		e.active, e.checked = active, time.Now()
	}
	return err
}

// In returns the batcher of a space, whether it is active or not.
func (e *Embedder) In(space domain.EmbeddingSpace) (*embedding.Batcher, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.batcher(space)
}

// batcher returns the one batcher of a space; those of spaces that were left
// stay, for what still waits in them.
func (e *Embedder) batcher(space domain.EmbeddingSpace) (*embedding.Batcher, error) {
	if b := e.batchers[space.ID]; b != nil {
		return b, nil
	}
	provider, err := e.models.Provider(space.Provider)
	if err != nil {
		return nil, domain.Errorf(domain.CodeModelUnavailable,
			"Documents here are embedded with %s, which is not configured any more.", space.Provider).WithCause(err)
	}
	e.batchers[space.ID] = embedding.NewBatcher(provider, space)
	return e.batchers[space.ID], nil
}

func (e *Embedder) space(ctx context.Context) (domain.EmbeddingSpace, error) {
	want, err := e.Describe(ctx, "", "")
	if err != nil {
		if active, activeErr := e.store.ActiveSpace(ctx); activeErr == nil {
			return active, nil
		}
		return domain.EmbeddingSpace{}, err
	}
	return e.store.EnsureSpace(ctx, want)
}

// Describe returns the space in which a provider embeds with a model, chunked as
// configured. It has no ID. The configured ones stand for what is left empty.
func (e *Embedder) Describe(ctx context.Context, providerName, model string) (domain.EmbeddingSpace, error) {
	provider, err := e.models.Embedder(providerName)
	if err != nil {
		return domain.EmbeddingSpace{}, err
	}
	if provider.Name() == offline.Name {
		model = offline.Model
	}
	if model, err = e.models.EmbeddingModel(provider.Name(), model); err != nil {
		return domain.EmbeddingSpace{}, err
	}
	space, err := embedding.Space(ctx, provider, model)
	if n := e.config.Chunking.Tokens; n > 0 {
		space.ChunkTokens = n
	}
	if n := e.config.Chunking.OverlapTokens; n > 0 {
		space.OverlapToken = n
	}
	return space, err
}

// speedTexts are embedded to see how fast a model is.
const speedTexts = 8

// Speed measures how many passages of a length a space's model embeds a second,
// with made-up text. The first batch may load the model and does not count.
func (e *Embedder) Speed(ctx context.Context, space domain.EmbeddingSpace, characters int) (float64, error) {
	provider, err := e.models.Provider(space.Provider)
	if err != nil {
		return 0, err
	}
	b := embedding.NewBatcher(provider, space)
	defer b.Close()
	texts := make([]string, speedTexts)
	for i := range texts {
		texts[i] = strings.Repeat(fmt.Sprintf("word%d ", i), max(characters, 1)/6+1)
	}
	var took time.Duration
	for range 2 {
		started := time.Now()
		if _, err := b.Embed(ctx, texts, embedding.Standard); err != nil {
			return 0, err
		}
		took = time.Since(started)
	}
	return speedTexts / max(took, time.Microsecond).Seconds(), nil
}
