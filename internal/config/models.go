package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The providers of language models.
const (
	Ollama    = "ollama"
	Grok      = "grok"
	OpenAI    = "openai"
	Anthropic = "anthropic"
	Offline   = "offline"
)

// Models is which language models are asked. A provider is configured by its
// key or, where it needs none, its address; with none at all everything runs on
// the built-in provider "offline".
type Models struct {
	OllamaBaseURL    string `env:"OLLAMA_BASE_URL"`
	LLMModel         string `env:"LLM_MODEL"`
	LLMContextTokens int    `env:"LLM_CONTEXT_TOKENS" envDefault:"8192"`

	GrokAPIKey  Secret `env:"GROK_API_KEY"`
	GrokBaseURL string `env:"GROK_BASE_URL" envDefault:"https://api.x.ai/v1"`
	GrokModel   string `env:"GROK_MODEL" envDefault:"grok-4"`

	OpenAIAPIKey  Secret `env:"OPENAI_API_KEY"`
	OpenAIBaseURL string `env:"OPENAI_BASE_URL"`
	OpenAIModel   string `env:"OPENAI_MODEL"`
	OpenAILocal   bool   `env:"OPENAI_LOCAL" envDefault:"false"`

	AnthropicAPIKey  Secret `env:"ANTHROPIC_API_KEY"`
	AnthropicBaseURL string `env:"ANTHROPIC_BASE_URL" envDefault:"https://api.anthropic.com"`
	AnthropicModel   string `env:"ANTHROPIC_MODEL" envDefault:"claude-sonnet-5-5"`

	LLMProvider          string        `env:"LLM_PROVIDER"`
	LLMTimeout           time.Duration `env:"LLM_TIMEOUT" envDefault:"5m"`
	MatchTemperature     float64       `env:"MATCH_TEMPERATURE" envDefault:"0"`
	LLMFallback          []string      `env:"LLM_FALLBACK"`
	LLMLocalOnly         bool          `env:"LLM_LOCAL_ONLY" envDefault:"false"`
	LLMMonthlyTokens     int64         `env:"LLM_MONTHLY_TOKENS" envDefault:"0"`
	LLMMonthlyCost       float64       `env:"LLM_MONTHLY_COST" envDefault:"0"`
	LLMRequestsPerMinute int           `env:"LLM_REQUESTS_PER_MINUTE" envDefault:"0"`
	LLMUsageDays         int           `env:"LLM_USAGE_DAYS" envDefault:"90"`

	EmbeddingProvider string `env:"EMBEDDING_PROVIDER"`
	EmbeddingModel    string `env:"EMBEDDING_MODEL"`
}

// Providers are those that are configured, the first choice first.
func (m Models) Providers() []string {
	configured := map[string]bool{
		Ollama:    m.OllamaBaseURL != "",
		Grok:      m.GrokAPIKey != "",
		OpenAI:    m.OpenAIAPIKey != "" || m.OpenAIBaseURL != "",
		Anthropic: m.AnthropicAPIKey != "",
		Offline:   true,
	}
	all := []string{Ollama, Grok, OpenAI, Anthropic, Offline}
	return slices.DeleteFunc(all, func(p string) bool { return !configured[p] })
}

// Model is the one that a provider answers with where none is named.
func (m Models) Model(provider string) string {
	return map[string]string{Ollama: m.LLMModel, Grok: m.GrokModel, OpenAI: m.OpenAIModel, Anthropic: m.AnthropicModel}[provider]
}

const openAIItself = "https://api.openai.com/v1"

// withDefaults fills what depends on other settings.
func (m Models) withDefaults() Models {
	if m.LLMProvider == "" {
		m.LLMProvider = m.Providers()[0]
	}
	if m.EmbeddingProvider == "" {
		m.EmbeddingProvider = Offline
		if m.OllamaBaseURL != "" {
			m.EmbeddingProvider = Ollama
		}
	}
	if m.EmbeddingModel == "" {
		m.EmbeddingModel = map[string]string{Ollama: "all-minilm", OpenAI: "text-embedding-3-small"}[m.EmbeddingProvider]
	}
	if m.LLMModel == "" && m.OllamaBaseURL != "" {
		m.LLMModel = "llama3.2"
	}
	if m.OpenAIBaseURL == "" && m.OpenAIAPIKey != "" {
		m.OpenAIBaseURL = openAIItself
	}
	if m.OpenAIModel == "" && m.OpenAIBaseURL == openAIItself {
		m.OpenAIModel = "gpt-5.4-mini"
	}
	return m
}

func (m Models) check(all *check) {
	for _, v := range [][3]string{
		{"OLLAMA_BASE_URL", m.OllamaBaseURL, "http://localhost:11434"},
		{"GROK_BASE_URL", m.GrokBaseURL, "https://api.x.ai/v1"},
		{"OPENAI_BASE_URL", m.OpenAIBaseURL, openAIItself},
		{"ANTHROPIC_BASE_URL", m.AnthropicBaseURL, "https://api.anthropic.com"},
	} {
		all.that(v[1] == "" || isURL(v[1], "http", "https"), v[0], "must look like "+v[2])
	}
	needs := map[string]string{
		Ollama: "OLLAMA_BASE_URL", Grok: "GROK_API_KEY", OpenAI: "OPENAI_API_KEY or OPENAI_BASE_URL", Anthropic: "ANTHROPIC_API_KEY", Offline: "",
	}
	configured := func(name, provider string, choice ...string) {
		all.that(slices.Contains(choice, provider), name, "must be one of "+strings.Join(choice, ", "))
		all.that(!slices.Contains(choice, provider) || slices.Contains(m.Providers(), provider), name,
			fmt.Sprintf("is %s, so %s must be set", provider, needs[provider]))
	}
	configured("LLM_PROVIDER", m.LLMProvider, Offline, Ollama, Grok, OpenAI, Anthropic)
	configured("EMBEDDING_PROVIDER", m.EmbeddingProvider, Offline, Ollama, OpenAI)
	for _, provider := range m.LLMFallback {
		configured("LLM_FALLBACK", provider, Ollama, Grok, OpenAI, Anthropic)
	}
	all.between("LLM_CONTEXT_TOKENS", m.LLMContextTokens, 512, 1<<20)
	all.between("LLM_REQUESTS_PER_MINUTE", m.LLMRequestsPerMinute, 0, 100_000)
	all.between("LLM_USAGE_DAYS", m.LLMUsageDays, 0, 36_500)
	all.that(m.LLMMonthlyTokens >= 0, "LLM_MONTHLY_TOKENS", "must not be negative")
	all.that(m.LLMMonthlyCost >= 0 && m.LLMMonthlyCost <= 1e6, "LLM_MONTHLY_COST", "must be between 0 and 1000000")
	all.that(m.MatchTemperature >= 0 && m.MatchTemperature <= 2, "MATCH_TEMPERATURE", "must be between 0 and 2")
	all.lasting("LLM_TIMEOUT", m.LLMTimeout, time.Second, time.Hour)
}
