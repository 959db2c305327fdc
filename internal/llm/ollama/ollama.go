// Package ollama speaks to an Ollama server over its own HTTP protocol and
// knows where a real server departs from what it documents.
package ollama

import (
	"net/http"
	"net/url"
	"time"

	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// Name is the provider's name.
const Name = "ollama"

// Config says where the server is and how it is used. Zero values get the
// defaults in brackets.
type Config struct {
	BaseURL       string
	ContextTokens int           // num_ctx of every request; another value reloads the model [8192]
	Threads       int           // num_thread; 0 leaves it to the server
	KeepAlive     string        // how long a model stays loaded, as in "10m"; "" leaves it to the server
	HeaderTimeout time.Duration // covers the server's queue, loading and the prompt [5 min]
}

// Provider is an Ollama server. It implements llm.Provider and llm.Describer.
type Provider struct {
	base   *url.URL
	config Config
	client *http.Client
}

// New returns a client of the server at c.BaseURL without contacting it.
func New(c Config) (*Provider, error) {
	base, err := wire.BaseURL(c.BaseURL, "http://localhost:11434")
	if err != nil {
		return nil, err
	}
	if c.ContextTokens == 0 {
		c.ContextTokens = 8192
	}
	return &Provider{base: base, config: c, client: wire.NewClient(c.HeaderTimeout)}, nil
}

// Name implements llm.Provider.
func (p *Provider) Name() string { return Name }

var (
	_ llm.Provider  = (*Provider)(nil)
	_ llm.Describer = (*Provider)(nil)
)

// options are the same in every request but for what the request itself asks.
func (p *Provider) options() map[string]any {
	o := map[string]any{"num_ctx": p.config.ContextTokens}
	if p.config.Threads > 0 {
		o["num_thread"] = p.config.Threads
	}
	return o
}
