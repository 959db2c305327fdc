package llm

import (
	"slices"

	"generalbackend/internal/domain"
)

// Registry finds providers by name. It is not changed after NewRegistry, so it
// may be shared.
type Registry struct {
	fallback  Provider
	providers []Provider
}

// NewRegistry holds the given providers; the first is the default.
func NewRegistry(first Provider, more ...Provider) *Registry {
	return &Registry{fallback: first, providers: append([]Provider{first}, more...)}
}

// Provider returns the provider called name, or the default for "".
func (r *Registry) Provider(name string) (Provider, error) {
	if name == "" {
		return r.fallback, nil
	}
	i := slices.IndexFunc(r.providers, func(p Provider) bool { return p.Name() == name })
	if i < 0 {
		return nil, domain.Errorf(domain.CodeProviderUnknown, "There is no language model provider %q here.", name).
			WithHint("Leave the provider out to use the default.")
	}
	return r.providers[i], nil
}

// Default returns the default provider.
func (r *Registry) Default() Provider { return r.fallback }

// All returns every provider, the default first.
func (r *Registry) All() []Provider { return slices.Clone(r.providers) }
