// Package offline is the provider of an installation without any language
// model. It embeds by hashing words and their parts, so that search works
// everywhere; it cannot complete text and says so.
package offline

import (
	"context"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// The names of the provider and its one model, and the length of its vectors.
const (
	Name  = "offline"
	Model = "hash-384"
	Dims  = 384
)

// Provider implements llm.Provider without a model.
type Provider struct{}

// New returns the provider.
func New() Provider { return Provider{} }

var _ llm.Provider = Provider{}

// Name implements llm.Provider.
func (Provider) Name() string { return Name }

// Complete implements llm.Provider; it always fails.
func (Provider) Complete(ctx context.Context, _ llm.CompleteRequest) (llm.CompleteResponse, error) {
	if err := llm.Interrupted(ctx); err != nil {
		return llm.CompleteResponse{}, err
	}
	return llm.CompleteResponse{}, domain.Errorf(domain.CodeModelNotFound, "No language model is configured.").
		WithHint("Set OLLAMA_BASE_URL to use Ollama.")
}

// Stream implements llm.Provider; it always fails.
func (p Provider) Stream(ctx context.Context, req llm.CompleteRequest, _ func(piece string) error) (llm.CompleteResponse, error) {
	return p.Complete(ctx, req)
}

// Embed implements llm.Provider. Texts may be of any length.
func (Provider) Embed(ctx context.Context, req llm.EmbedRequest) (llm.EmbedResponse, error) {
	out := llm.EmbedResponse{Provider: Name, Model: Model}
	if req.Model != "" && req.Model != Model {
		return out, llm.ModelNotFound(Name, req.Model)
	}
	for _, text := range req.Texts {
		if err := llm.Interrupted(ctx); err != nil {
			return out, err
		}
		v, words := vector(text)
		out.Vectors = append(out.Vectors, v)
		out.Usage.PromptTokens += words
	}
	return out, llm.Interrupted(ctx)
}

// Models implements llm.Provider.
func (Provider) Models(ctx context.Context) ([]llm.Model, error) {
	return []llm.Model{{
		Name:        Model,
		Provider:    Name,
		Description: "Feature hashing of words and word parts; no language model.",
		Embedding:   true,
		Dims:        Dims,
	}}, llm.Interrupted(ctx)
}
