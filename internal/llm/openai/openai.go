// Package openai speaks to OpenAI's API and to servers that copy it, such as
// xAI's, vLLM or llama.cpp, through the official client. Its retries are off:
// those are llm.Robust's part.
package openai

import (
	"net/url"
	"strings"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// Config says which server is asked and how.
type Config struct {
	Name          string        // the provider's name here: "openai", "grok"
	BaseURL       string        // up to and with the version, as in https://api.openai.com/v1
	APIKey        string        // "" where the server wants none
	HeaderTimeout time.Duration // until an answer begins [5 min]
}

// Provider is a server with OpenAI's API. It implements llm.Provider.
type Provider struct {
	config     Config
	chat       sdk.ChatService
	embeddings sdk.EmbeddingService
	models     sdk.ModelService
	newLimit   bool // it knows max_completion_tokens
	heat       wire.Heat
}

var _ llm.Provider = (*Provider)(nil)

// New returns a client of the server at c.BaseURL without contacting it.
func New(c Config) (*Provider, error) {
	base, err := wire.BaseURL(c.BaseURL, "https://api.openai.com/v1")
	if err != nil {
		return nil, err
	}
	key := c.APIKey
	if key == "" {
		key = "none"
	}
	// The services are made one by one because the client as a whole would take
	// keys, headers and addresses from the environment.
	options := []option.RequestOption{
		option.WithBaseURL(base.String() + "/"),
		option.WithAPIKey(key),
		option.WithMaxRetries(0),
		option.WithHTTPClient(wire.NewClient(c.HeaderTimeout)),
	}
	return &Provider{
		config: c, newLimit: knowsNewLimit(base),
		chat: sdk.NewChatService(options...), embeddings: sdk.NewEmbeddingService(options...), models: sdk.NewModelService(options...),
	}, nil
}

// knowsNewLimit tells servers that want max_completion_tokens, which newer
// models demand, from those that know only the older max_tokens.
func knowsNewLimit(base *url.URL) bool {
	host := base.Hostname()
	return strings.HasSuffix(host, ".openai.com") || strings.HasSuffix(host, ".x.ai")
}

// Name implements llm.Provider.
func (p *Provider) Name() string { return p.config.Name }
