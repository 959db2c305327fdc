package gateway

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
)

// target is one provider to ask, and for which model.
type target struct {
	Source
	model string
}

// targets lists whom to ask, in order: the provider asked for, then those it may
// fall back to. With localOnly no cloud provider is among them.
func (g *Gateway) targets(ctx context.Context, name, model string, localOnly bool) ([]target, error) {
	c := g.current.Load()
	first := g.first(name, model)
	source, ok := g.source(first)
	if !ok {
		return nil, domain.Errorf(domain.CodeProviderUnknown, "There is no language model provider %q here.", first)
	}
	if localOnly && !source.Local && name == "" && g.owner(model) == "" {
		if first = g.localDefault(); first != "" {
			source, _ = g.source(first)
		}
	}
	if localOnly && !source.Local {
		return nil, localOnlyError()
	}
	resolved, err := g.resolve(ctx, first, model)
	if err != nil {
		return nil, err
	}
	out := []target{{source, resolved}}
	if first == offline.Name {
		return out, nil
	}
	if resolved == "" {
		return nil, domain.Errorf(domain.CodeModelNotFound, "The provider %s has no default model here.", first).WithHint("Name the model.")
	}
	for _, next := range c.Fallback {
		s, ok := g.source(next)
		stays := localOnly || (name != "" && source.Local) // who names a local provider means it
		if !ok || next == first || (stays && !s.Local) {
			continue
		}
		if resolved, err := g.resolve(ctx, next, model); err == nil && resolved != "" {
			out = append(out, target{s, resolved})
		}
	}
	return out, nil
}

func localOnlyError() *domain.Error {
	return domain.Errorf(domain.CodeLocalOnly, "This work must stay on local language models, and the provider asked for is in the cloud.").
		WithHint("Choose a local provider, or lift the mark from your account or the project.")
}

// first is the provider asked for. Where none is, it is the default one, or the
// one that a model clearly belongs to.
func (g *Gateway) first(name, model string) string {
	if name != "" {
		return name
	}
	if owner := g.owner(model); owner != "" {
		return owner
	}
	return g.defaultProvider()
}

// localDefault is a local provider with language models, "" if there is none.
func (g *Gateway) localDefault() string {
	for _, name := range append(slices.Clone(g.current.Load().Fallback), g.names()...) {
		if s, ok := g.source(name); ok && s.Local && name != offline.Name {
			return name
		}
	}
	return ""
}

// Resolve tells who answers the context's caller a request for a provider and a
// model, either of which may be empty, and with which model, while nothing is
// down.
func (g *Gateway) Resolve(ctx context.Context, provider, model string) (string, string, error) {
	policy, err := g.policy(ctx, llm.CallerOf(ctx))
	if err != nil {
		return "", "", err
	}
	targets, err := g.targets(ctx, provider, model, g.localOnly(policy))
	if err != nil {
		return "", "", err
	}
	return targets[0].Provider.Name(), targets[0].model, nil
}

// resolve names the model that a provider answers with: the one asked for, what
// stands for it where it is retired, or the provider's default where it is
// another provider's or none.
func (g *Gateway) resolve(ctx context.Context, provider, model string) (string, error) {
	c := g.current.Load()
	here := c.Providers[provider]
	if stand, retired := c.Aliases[model]; retired {
		model = stand
	}
	switch {
	case model == "":
		return here.DefaultModel, nil
	case model == here.DefaultModel, slices.Contains(here.Models, model):
		return model, nil
	}
	if owner := g.owner(model); owner != "" && owner != provider {
		return here.DefaultModel, nil
	}
	if len(here.Models) > 0 {
		if g.catalogue.elsewhere(ctx, g.options.Sources, provider, model) {
			return here.DefaultModel, nil
		}
		return "", llm.ModelNotFound(provider, model)
	}
	if here.DefaultModel != "" && g.catalogue.elsewhere(ctx, g.options.Sources, provider, model) {
		return here.DefaultModel, nil
	}
	return model, nil
}

// owner is the configured provider that a model is known to belong to, "" where
// nothing tells.
func (g *Gateway) owner(model string) string {
	if model == "" {
		return ""
	}
	config := g.current.Load()
	for _, provider := range g.names() {
		c := config.Providers[provider]
		if _, priced := c.Prices[model]; model == c.DefaultModel || priced || slices.Contains(c.Models, model) {
			return provider
		}
	}
	family, _, _ := strings.Cut(strings.ToLower(model), "-")
	provider := map[string]string{"claude": "anthropic", "grok": "grok", "gpt": "openai", "chatgpt": "openai"}[family]
	if _, ok := g.source(provider); ok {
		return provider
	}
	return ""
}

// catalogue remembers for a while which models the providers list.
type catalogue struct {
	mu     sync.Mutex
	until  time.Time
	models map[string][]string // by provider; absent where it did not answer
}

const (
	catalogueAge  = 5 * time.Minute
	catalogueGaps = 30 * time.Second // where a provider did not answer
	catalogueWait = 2 * time.Second
)

// elsewhere reports whether a model is listed by another provider and not by
// this one. Asking them costs nobody anything and says nothing of anybody.
func (c *catalogue) elsewhere(ctx context.Context, sources []Source, provider, model string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().After(c.until) {
		c.models, c.until = list(context.WithoutCancel(ctx), sources), time.Now().Add(catalogueAge)
		if len(c.models) < len(sources) {
			c.until = time.Now().Add(catalogueGaps)
		}
	}
	if slices.Contains(c.models[provider], model) {
		return false
	}
	for other, models := range c.models {
		if other != provider && slices.Contains(models, model) {
			return true
		}
	}
	return false
}

func list(ctx context.Context, sources []Source) map[string][]string {
	ctx, cancel := context.WithTimeout(ctx, catalogueWait)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	found := map[string][]string{}
	for _, s := range sources {
		all.Go(func() {
			models, err := s.Provider.Models(ctx)
			if err != nil {
				return // it is not known what it has
			}
			names := make([]string, len(models))
			for i, m := range models {
				names[i] = m.Name
			}
			mu.Lock()
			defer mu.Unlock()
			found[s.Provider.Name()] = names
		})
	}
	all.Wait()
	return found
}
