package llm

import (
	"context"

	"generalbackend/internal/domain"
)

// Describer is a Provider that can tell about one model without listing all.
type Describer interface {
	Describe(ctx context.Context, model string) (Model, error)
}

// Describe tells what p knows about one model, or fails with model_not_found.
func Describe(ctx context.Context, p Provider, model string) (Model, error) {
	if d, ok := p.(Describer); ok {
		return d.Describe(ctx, model)
	}
	models, err := p.Models(ctx)
	if err != nil {
		return Model{}, err
	}
	for _, m := range models {
		if m.Name == model {
			return m, nil
		}
	}
	return Model{}, ModelNotFound(p.Name(), model)
}

// Resolver is a Provider that answers for models it does not have itself.
type Resolver interface {
	// Resolve names the model that answers where model, or with "" none, is asked.
	Resolve(model string) string
}

// ModelFor names the model that p answers with where model is asked.
func ModelFor(p Provider, model string) string {
	if r, ok := p.(Resolver); ok {
		return r.Resolve(model)
	}
	return model
}

// ModelNotFound says that provider does not have model.
func ModelNotFound(provider, model string) *domain.Error {
	return domain.Errorf(domain.CodeModelNotFound, "The provider %s has no model %q.", provider, model)
}
