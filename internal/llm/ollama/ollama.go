// Package ollama speaks to an Ollama server over its own HTTP protocol and
// knows where a real server departs from what it documents.
package ollama

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
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
	base, err := url.Parse(strings.TrimRight(c.BaseURL, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, domain.Errorf(domain.CodeInvalid, "The address of Ollama must look like http://localhost:11434.").WithCause(err)
	}
	if c.ContextTokens == 0 {
		c.ContextTokens = 8192
	}
	if c.HeaderTimeout == 0 {
		c.HeaderTimeout = 5 * time.Minute
	}
	return &Provider{base: base, config: c, client: &http.Client{Transport: transport(c.HeaderTimeout)}}, nil
}

// transport has no overall timeout: a stream may run as long as its context.
func transport(headers time.Duration) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: headers,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       90 * time.Second,
	}
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
