package app

import (
	"context"

	"generalbackend/internal/config"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/anthropic"
	"generalbackend/internal/llm/gateway"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/llm/ollama"
	"generalbackend/internal/llm/openai"
)

// Models are the language models of a process. Everybody asks through the
// gateway.
type Models struct{ *gateway.Gateway }

// NewModels makes the configured providers, without contacting them, and a
// gateway to them that follows the configuration in Postgres until ctx ends.
func (rt *Runtime) NewModels(ctx context.Context, s *Stores) (*Models, error) {
	c := rt.Config.Models
	sources, err := llmSources(c)
	if err != nil {
		return nil, err
	}
	g, err := gateway.New(ctx, gateway.Options{
		Sources: sources, Defaults: llmDefaults(c), Store: s.Postgres, Signals: s.Queue, Metrics: rt.Metrics, Log: rt.Log,
		EmbeddingProvider: c.EmbeddingProvider, EmbeddingModel: c.EmbeddingModel,
	})
	if err != nil {
		return nil, err
	}
	go func() {
		if err := g.Run(ctx); err != nil {
			rt.Log.Error("changes of the LLM configuration are not followed", "error", err)
		}
	}()
	return &Models{g}, nil
}

// cloudCompletions are asked at once of one cloud provider, cloudEmbeddings
// likewise; a server of our own takes llm.Limits' defaults.
const (
	cloudCompletions = 16
	cloudEmbeddings  = 4
)

// llmSources are the providers that are configured; offline is always among
// them.
func llmSources(c config.Models) ([]gateway.Source, error) {
	var sources []gateway.Source
	add := func(local, key bool, p llm.Provider, err error) error {
		if err != nil {
			return err
		}
		limits := llm.Limits{MaxElapsed: c.LLMTimeout}
		if !local {
			limits.Completions, limits.Embeddings = cloudCompletions, cloudEmbeddings
		}
		robust := llm.NewRobust(p, limits)
		sources = append(sources, gateway.Source{Provider: robust, Local: local, KeySet: key, Open: robust.Open})
		return nil
	}
	for _, provider := range c.Providers() {
		var err error
		switch provider {
		case config.Ollama:
			p, made := ollama.New(ollama.Config{BaseURL: c.OllamaBaseURL, ContextTokens: c.LLMContextTokens, HeaderTimeout: c.LLMTimeout})
			err = add(true, false, p, made)
		case config.Grok:
			p, made := openai.New(openai.Config{Name: provider, BaseURL: c.GrokBaseURL, APIKey: c.GrokAPIKey.Reveal(), HeaderTimeout: c.LLMTimeout})
			err = add(false, true, p, made)
		case config.OpenAI:
			p, made := openai.New(openai.Config{Name: provider, BaseURL: c.OpenAIBaseURL, APIKey: c.OpenAIAPIKey.Reveal(), HeaderTimeout: c.LLMTimeout})
			err = add(c.OpenAILocal, c.OpenAIAPIKey != "", p, made)
		case config.Anthropic:
			p, made := anthropic.New(anthropic.Config{BaseURL: c.AnthropicBaseURL, APIKey: c.AnthropicAPIKey.Reveal(), HeaderTimeout: c.LLMTimeout})
			err = add(false, true, p, made)
		case config.Offline:
			sources = append(sources, gateway.Source{Provider: offline.New(), Local: true})
		}
		if err != nil {
			return nil, err
		}
	}
	return sources, nil
}

// llmDefaults is the configuration until an administrator saves another.
func llmDefaults(c config.Models) gateway.Config {
	out := gateway.Config{
		DefaultProvider: c.LLMProvider, Providers: map[string]gateway.ProviderConfig{}, Aliases: gateway.RetiredModels(),
		Fallback: c.LLMFallback, LocalOnly: c.LLMLocalOnly, Currency: "USD",
		MonthlyTokens: c.LLMMonthlyTokens, MonthlyCost: c.LLMMonthlyCost, RequestsPerMinute: c.LLMRequestsPerMinute,
	}
	for _, provider := range c.Providers() {
		if provider != config.Offline {
			out.Providers[provider] = gateway.ProviderConfig{DefaultModel: c.Model(provider)}
		}
	}
	return out
}
