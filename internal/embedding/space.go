package embedding

import (
	"context"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
)

// Bounds of a passage. Small passages make precise citations, large ones hold
// more context; past some hundred tokens a vector says less of each.
const (
	mostTokens   = 400
	overlapShare = 8 // one eighth of a passage is repeated in the next
)

// Space finds out in which space p embeds with model: its dimensions and how
// much text fits. The space has no ID yet. A well-known model is described even
// while its server is down.
func Space(ctx context.Context, p llm.Provider, model string) (domain.EmbeddingSpace, error) {
	m, err := llm.Describe(ctx, p, model)
	if err != nil {
		known, ok := wellKnown[model]
		if !ok || !domain.CodeOf(err).Free() {
			return domain.EmbeddingSpace{}, err
		}
		m = known
	}
	if m.Dims <= 0 || !m.Embedding {
		return domain.EmbeddingSpace{}, domain.Errorf(domain.CodeInvalid, "The model %q of %s cannot embed text.", model, p.Name()).
			WithHint("Name an embedding model, such as all-minilm.")
	}
	tokens := passageTokens(p.Name(), m.ContextTokens)
	return domain.EmbeddingSpace{
		Provider:     p.Name(),
		Model:        model,
		Dims:         m.Dims,
		ChunkTokens:  tokens,
		OverlapToken: tokens / overlapShare,
	}, nil
}

// passageTokens leaves room in the window, because tokens are estimated.
func passageTokens(provider string, window int) int {
	if provider == offline.Name { // no window at all
		return mostTokens
	}
	if window <= 0 {
		window = 512
	}
	return min(mostTokens, window*7/10)
}

var wellKnown = map[string]llm.Model{
	"all-minilm":             {Embedding: true, Dims: 384, ContextTokens: 256},
	"nomic-embed-text":       {Embedding: true, Dims: 768, ContextTokens: 2048},
	"mxbai-embed-large":      {Embedding: true, Dims: 1024, ContextTokens: 512},
	"snowflake-arctic-embed": {Embedding: true, Dims: 1024, ContextTokens: 512},
	"bge-m3":                 {Embedding: true, Dims: 1024, ContextTokens: 8192},
}
