package gateway_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/anthropic"
	"generalbackend/internal/llm/gateway"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/llm/ollama"
	"generalbackend/internal/llm/openai"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
)

// system is a gateway over three servers and a real store: ollama is local and
// the default, grok and anthropic are in the cloud.
type system struct {
	*gateway.Gateway
	t                       *testing.T
	store                   *postgres.Store
	ollama, grok, anthropic *llmtest.Server
	sources, bare           []gateway.Source
}

// silent is a broker that loses every signal.
type silent struct{}

func (silent) SignalLLMConfig()                   {}
func (silent) OnLLMConfig(func()) (func(), error) { return func() {}, nil }

// newSystem makes the system; change may alter the configuration.
func newSystem(t *testing.T, change func(*gateway.Config)) *system {
	t.Helper()
	return newSystemOn(t, postgrestest.NewStore(t), change)
}

func newSystemOn(t *testing.T, store *postgres.Store, change func(*gateway.Config)) *system {
	t.Helper()
	s := &system{t: t, store: store, ollama: llmtest.NewServer(), grok: llmtest.NewOpenAI(), anthropic: llmtest.NewAnthropic()}
	for _, server := range []*llmtest.Server{s.ollama, s.grok, s.anthropic} {
		t.Cleanup(server.Close)
	}
	o, err := ollama.New(ollama.Config{BaseURL: s.ollama.URL})
	if err != nil {
		t.Fatal(err)
	}
	g, err := openai.New(openai.Config{Name: "grok", BaseURL: s.grok.URL + "/v1", APIKey: "xai-test"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := anthropic.New(anthropic.Config{BaseURL: s.anthropic.URL, APIKey: "sk-test"})
	if err != nil {
		t.Fatal(err)
	}
	s.sources = []gateway.Source{
		robust(o, true), robust(g, false), robust(a, false), {Provider: offline.New(), Local: true},
	}
	s.bare = []gateway.Source{{Provider: o, Local: true}, {Provider: g}, {Provider: a}}
	config := defaults()
	if change != nil {
		change(&config)
	}
	s.Gateway = s.open(config, silent{})
	return s
}

func robust(p llm.Provider, local bool) gateway.Source {
	r := llm.NewRobust(p, llm.Limits{FirstPause: time.Millisecond, TripAfter: 2, OpenFor: time.Hour})
	return gateway.Source{Provider: r, Local: local, KeySet: !local, Open: r.Open}
}

func defaults() gateway.Config {
	return gateway.Config{
		DefaultProvider: "ollama", Currency: "USD", Aliases: gateway.RetiredModels(),
		Providers: map[string]gateway.ProviderConfig{
			"ollama":    {DefaultModel: llmtest.ChatModel},
			"grok":      {DefaultModel: llmtest.ChatModel, Prices: map[string]gateway.Price{llmtest.ChatModel: {Prompt: 3, Completion: 15}}},
			"anthropic": {DefaultModel: llmtest.ChatModel, Prices: map[string]gateway.Price{"*": {Prompt: 1, Completion: 5}}},
		},
	}
}

// open makes another gateway over the same store and servers, as another
// process has.
func (s *system) open(c gateway.Config, signals gateway.Signals) *gateway.Gateway {
	s.t.Helper()
	g, err := gateway.New(s.t.Context(), gateway.Options{
		Sources: s.sources, Defaults: c, Store: s.store, Signals: signals, Poll: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		EmbeddingProvider: "ollama", EmbeddingModel: llmtest.EmbedModel,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

// caller is a new user's context.
func (s *system) caller() (context.Context, uuid.UUID) {
	s.t.Helper()
	id := uuid.New()
	if _, err := s.store.CreateUser(s.t.Context(), domain.User{ID: id, Email: id.String() + "@example.org", PasswordHash: "x"}); err != nil {
		s.t.Fatal(err)
	}
	return llm.WithCaller(s.t.Context(), llm.Caller{UserID: id, Purpose: "generate"}), id
}

// ask completes with a provider and a model.
func (s *system) ask(ctx context.Context, provider, model string) (llm.CompleteResponse, error) {
	s.t.Helper()
	p, err := s.Provider(provider)
	if err != nil {
		return llm.CompleteResponse{}, err
	}
	return p.Complete(ctx, question(model))
}

// chats counts the completions that reached the servers.
func (s *system) chats() (ollama, grok, anthropic int) {
	return s.ollama.Requests(s.ollama.ChatPath), s.grok.Requests(s.grok.ChatPath), s.anthropic.Requests(s.anthropic.ChatPath)
}

func question(model string) llm.CompleteRequest {
	return llm.CompleteRequest{Model: model, MaxTokens: 50, Messages: []llm.Message{{Role: llm.RoleUser, Content: "Is it so?"}}}
}

func wantCode(t *testing.T, err error, want domain.Code) {
	t.Helper()
	if got := domain.CodeOf(err); got != want {
		t.Errorf("error is %v, want code %q", err, want)
	}
}
