// Package gateway stands between the product and its language models: it finds
// the provider and the model that answer, keeps private work on local models,
// goes to the next provider when one is down, counts what is used up and enforces
// limits. What it hands out are llm.Providers.
package gateway

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
)

// Source is one configured provider.
type Source struct {
	Provider llm.Provider
	Local    bool        // what is asked of it stays on the deployment's own machines
	KeySet   bool        // an API key is configured
	Open     func() bool // whether its breaker is open; nil: never
}

func (s Source) open() bool { return s.Open != nil && s.Open() }

// Store keeps the configuration and the counts that all processes share.
type Store interface {
	LLMConfig(ctx context.Context) (config json.RawMessage, version int64, err error)
	SaveLLMConfig(ctx context.Context, config json.RawMessage, version int64) (int64, error)
	LLMPolicy(ctx context.Context, userID uuid.UUID, projectID *uuid.UUID) (domain.LLMPolicy, error)
	CountLLMRequest(ctx context.Context, userID uuid.UUID, limit int) (wait time.Duration, err error)
	RecordLLMUsage(ctx context.Context, used []domain.LLMUsage) error
}

// Signals tell other processes that the configuration changed. They may be lost.
type Signals interface {
	SignalLLMConfig()
	OnLLMConfig(fn func()) (cancel func(), err error)
}

// Options of a Gateway. Store, Signals and Sources are required.
type Options struct {
	Sources  []Source
	Defaults Config // until an administrator saves another
	Store    Store
	Signals  Signals
	Metrics  prometheus.Registerer // nil: none are kept
	Log      *slog.Logger
	Poll     time.Duration // how often the store is asked for a new configuration; 0: 3 s

	EmbeddingProvider string // asked where a request to embed names none
	EmbeddingModel    string
}

// Gateway routes to its sources.
type Gateway struct {
	options   Options
	metrics   *metrics
	log       *slog.Logger
	current   atomic.Pointer[versioned]
	loading   sync.Mutex
	catalogue catalogue
}

type versioned struct {
	Config
	version int64
}

// New returns a gateway with the configuration of the store. Run keeps it up to
// date.
func New(ctx context.Context, o Options) (*Gateway, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Poll == 0 {
		o.Poll = 3 * time.Second
	}
	g := &Gateway{options: o, log: o.Log, metrics: newMetrics(o.Metrics, o.Sources)}
	g.current.Store(&versioned{Config: o.Defaults})
	return g, g.load(ctx)
}

// source finds a configured provider.
func (g *Gateway) source(name string) (Source, bool) {
	i := slices.IndexFunc(g.options.Sources, func(s Source) bool { return s.Provider.Name() == name })
	if i < 0 {
		return Source{}, false
	}
	return g.options.Sources[i], true
}

// names are those of the configured providers.
func (g *Gateway) names() []string {
	names := make([]string, len(g.options.Sources))
	for i, s := range g.options.Sources {
		names[i] = s.Provider.Name()
	}
	return names
}

// Provider returns the provider called name, or for "" the default one of the
// moment. Its calls go through the gateway, on behalf of llm.CallerOf.
func (g *Gateway) Provider(name string) (llm.Provider, error) {
	if _, ok := g.source(name); !ok && name != "" {
		return nil, domain.Errorf(domain.CodeProviderUnknown, "There is no language model provider %q here.", name).
			WithHint("Leave the provider out to use the default.")
	}
	return routed{g, name}, nil
}

// Embedder returns the provider called name for embedding, or for "" the one
// that embeds documents.
func (g *Gateway) Embedder(name string) (llm.Provider, error) {
	if name == "" {
		name = g.options.EmbeddingProvider
	}
	return g.Provider(name)
}

// EmbeddingModel returns the model that a provider embeds with: the one that is
// named, or the one that documents are embedded with. The built-in provider
// needs none.
func (g *Gateway) EmbeddingModel(provider, named string) (string, error) {
	if named == "" && provider == g.options.EmbeddingProvider {
		named = g.options.EmbeddingModel
	}
	if named == "" && provider != offline.Name {
		return "", domain.Errorf(domain.CodeModelNotFound, "No model of %s is configured to embed with.", provider).WithHint("Name the model.")
	}
	return named, nil
}

// Default returns the provider for requests that name none.
func (g *Gateway) Default() llm.Provider { return routed{g, ""} }

// All returns every provider, the default first.
func (g *Gateway) All() []llm.Provider {
	first := g.defaultProvider()
	all := []llm.Provider{routed{g, first}}
	for _, name := range g.names() {
		if name != first {
			all = append(all, routed{g, name})
		}
	}
	return all
}

// defaultProvider is the configured one; where that is not here, as in a process
// that lacks its key, the first that is.
func (g *Gateway) defaultProvider() string {
	name := g.current.Load().DefaultProvider
	if _, ok := g.source(name); ok {
		return name
	}
	return g.options.Sources[0].Provider.Name()
}

// Down reports whether a provider is known not to answer.
func (g *Gateway) Down(provider string) bool {
	s, ok := g.source(provider)
	return ok && s.open()
}
