package ollama

import (
	"context"
	"slices"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

type tagsReply struct {
	Models []struct {
		Name string `json:"name"`
	} `json:"models"`
}

type showReply struct {
	Details struct {
		Family        string `json:"family"`
		ParameterSize string `json:"parameter_size"`
	} `json:"details"`
	ModelInfo    map[string]any `json:"model_info"`
	Capabilities []string       `json:"capabilities"`
}

// Models implements llm.Provider. A model that vanishes while they are listed
// is left out.
func (p *Provider) Models(ctx context.Context) ([]llm.Model, error) {
	var tags tagsReply
	if err := p.exchange(ctx, "/api/tags", "", nil, &tags); err != nil {
		return nil, err
	}
	models := make([]llm.Model, 0, len(tags.Models))
	for _, tag := range tags.Models {
		m, err := p.Describe(ctx, strings.TrimSuffix(tag.Name, ":latest"))
		if domain.CodeOf(err) == domain.CodeModelNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return models, nil
}

// Describe implements llm.Describer.
func (p *Provider) Describe(ctx context.Context, model string) (llm.Model, error) {
	var show showReply
	if err := p.exchange(ctx, "/api/show", model, map[string]string{"model": model}, &show); err != nil {
		return llm.Model{}, err
	}
	m := llm.Model{
		Name:          model,
		Provider:      Name,
		Description:   strings.TrimSpace(show.Details.Family + " " + show.Details.ParameterSize),
		Embedding:     slices.Contains(show.Capabilities, "embedding"),
		Dims:          show.number(".embedding_length"),
		ContextTokens: show.number(".context_length"),
	}
	if !m.Embedding {
		m.Dims = 0
		m.ContextTokens = min(m.ContextTokens, p.config.ContextTokens)
	}
	return m, nil
}

// number finds a figure whose key starts with the model's architecture, as in
// "bert.context_length".
func (s showReply) number(suffix string) int {
	arch, _ := s.ModelInfo["general.architecture"].(string)
	if n, ok := s.ModelInfo[arch+suffix].(float64); ok {
		return int(n)
	}
	return 0
}
