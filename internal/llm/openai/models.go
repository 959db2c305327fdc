package openai

import (
	"context"
	"strings"

	"generalbackend/internal/llm"
)

// Models implements llm.Provider. The API tells names alone, so what a model is
// for is read from its name.
func (p *Provider) Models(ctx context.Context) ([]llm.Model, error) {
	page, err := p.models.List(ctx)
	if err != nil {
		return nil, p.failure(ctx, "", err)
	}
	models := make([]llm.Model, len(page.Data))
	for i, m := range page.Data {
		models[i] = describe(p.Name(), m.ID, m.OwnedBy)
	}
	return models, nil
}

// dims are the vectors' lengths of models whose server does not tell.
var dims = map[string]int{
	"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536,
	"all-minilm": 384, "all-MiniLM-L6-v2": 384, "nomic-embed-text": 768, "mxbai-embed-large": 1024, "bge-m3": 1024,
}

func describe(provider, name, owner string) llm.Model {
	m := llm.Model{Name: name, Provider: provider, Description: strings.TrimSpace("by " + owner), Dims: dims[name]}
	m.Embedding = m.Dims > 0 || strings.Contains(name, "embed")
	if m.Embedding && strings.HasPrefix(name, "text-embedding-") {
		m.ContextTokens = 8191
	}
	return m
}
