package llmtest

import (
	"cmp"
	"context"
	"slices"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Registry stands for the gateway where a test needs none: it finds providers by
// name, the first where none is named, and has them asked for its own model where
// a request names none.
type Registry struct {
	model     string
	providers []llm.Provider
}

// NewRegistry holds the given providers; the first is the default. An empty model
// leaves requests as they are.
func NewRegistry(model string, first llm.Provider, more ...llm.Provider) *Registry {
	r := &Registry{model: model}
	for _, p := range append([]llm.Provider{first}, more...) {
		r.providers = append(r.providers, standing{p, model})
	}
	return r
}

// Provider returns the provider called name, or the default for "".
func (r *Registry) Provider(name string) (llm.Provider, error) {
	i := slices.IndexFunc(r.providers, func(p llm.Provider) bool { return name == "" || p.Name() == name })
	if i < 0 {
		return nil, domain.Errorf(domain.CodeProviderUnknown, "There is no language model provider %q here.", name)
	}
	return r.providers[i], nil
}

// Resolve tells who answers a request for a provider and a model, either of which
// may be empty.
func (r *Registry) Resolve(_ context.Context, provider, model string) (string, string, error) {
	p, err := r.Provider(provider)
	if err != nil {
		return "", "", err
	}
	return p.Name(), cmp.Or(model, r.model), nil
}

// Default returns the default provider.
func (r *Registry) Default() llm.Provider { return r.providers[0] }

// All returns every provider, the default first.
func (r *Registry) All() []llm.Provider { return slices.Clone(r.providers) }

// standing asks for a model where none is named.
type standing struct {
	llm.Provider
	model string
}

// Complete implements llm.Provider.
func (s standing) Complete(ctx context.Context, req llm.CompleteRequest) (llm.CompleteResponse, error) {
	req.Model = cmp.Or(req.Model, s.model)
	return s.Provider.Complete(ctx, req)
}

// Stream implements llm.Provider.
func (s standing) Stream(ctx context.Context, req llm.CompleteRequest, emit func(string) error) (llm.CompleteResponse, error) {
	req.Model = cmp.Or(req.Model, s.model)
	return s.Provider.Stream(ctx, req, emit)
}

// Describe implements llm.Describer.
func (s standing) Describe(ctx context.Context, model string) (llm.Model, error) {
	return llm.Describe(ctx, s.Provider, model)
}
