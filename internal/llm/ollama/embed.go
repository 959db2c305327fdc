package ollama

import (
	"context"

	"generalbackend/internal/llm"
)

type embedRequest struct {
	Model     string         `json:"model"`
	Input     []string       `json:"input"`
	Truncate  bool           `json:"truncate"` // false: true is not reliable, see package embedding
	Options   map[string]any `json:"options"`
	KeepAlive string         `json:"keep_alive,omitempty"`
}

type embedReply struct {
	Embeddings      [][]float32 `json:"embeddings"`
	PromptEvalCount int         `json:"prompt_eval_count"`
}

// Embed implements llm.Provider. One text that does not fit fails the whole
// request with context_too_long, as the server does not say which.
func (p *Provider) Embed(ctx context.Context, req llm.EmbedRequest) (llm.EmbedResponse, error) {
	out := llm.EmbedResponse{Provider: Name, Model: req.Model}
	if len(req.Texts) == 0 {
		return out, llm.Interrupted(ctx)
	}
	in := embedRequest{Model: req.Model, Input: req.Texts, Options: p.options(), KeepAlive: p.config.KeepAlive}
	var reply embedReply
	if err := p.exchange(ctx, "/api/embed", req.Model, in, &reply); err != nil {
		return out, err
	}
	out.Vectors, out.Usage.PromptTokens = reply.Embeddings, reply.PromptEvalCount
	return out, nil
}
