// Package anthropic speaks to Anthropic's Messages API through the official
// client. Its retries are off: those are llm.Robust's part. The API has no
// embeddings.
package anthropic

import (
	"context"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// Name is the provider's name.
const Name = "anthropic"

// DefaultBaseURL is Anthropic's own server.
const DefaultBaseURL = "https://api.anthropic.com"

// Config says which server is asked and how.
type Config struct {
	BaseURL       string // without the version
	APIKey        string
	HeaderTimeout time.Duration // until an answer begins [5 min]
}

// Provider is Anthropic's API. It implements llm.Provider.
type Provider struct {
	messages sdk.MessageService
	models   sdk.ModelService
	heat     wire.Heat
}

var _ llm.Provider = (*Provider)(nil)

// New returns a client of the server at c.BaseURL without contacting it.
func New(c Config) (*Provider, error) {
	base, err := wire.BaseURL(c.BaseURL, DefaultBaseURL)
	if err != nil {
		return nil, err
	}
	options := []option.RequestOption{
		option.WithoutEnvironmentDefaults(),
		option.WithBaseURL(base.String() + "/"),
		option.WithAPIKey(c.APIKey),
		option.WithMaxRetries(0),
		option.WithHTTPClient(wire.NewClient(c.HeaderTimeout)),
	}
	client := sdk.NewClient(options...)
	return &Provider{messages: client.Messages, models: client.Models}, nil
}

// Name implements llm.Provider.
func (p *Provider) Name() string { return Name }

// Embed implements llm.Provider; it always fails.
func (p *Provider) Embed(ctx context.Context, req llm.EmbedRequest) (llm.EmbedResponse, error) {
	out := llm.EmbedResponse{Provider: Name, Model: req.Model}
	if err := llm.Interrupted(ctx); err != nil {
		return out, err
	}
	return out, domain.Errorf(domain.CodeModelNotFound, "Anthropic has no models that embed text.").
		WithHint("Embed with another provider.")
}

// Models implements llm.Provider.
func (p *Provider) Models(ctx context.Context) ([]llm.Model, error) {
	list := p.models.ListAutoPaging(ctx, sdk.ModelListParams{Limit: sdk.Int(100)})
	models := []llm.Model{}
	for list.Next() {
		m := list.Current()
		models = append(models, llm.Model{Name: m.ID, Provider: Name, Description: m.DisplayName, ContextTokens: int(m.MaxInputTokens)})
	}
	if err := list.Err(); err != nil {
		return nil, failure(ctx, "", err)
	}
	return models, nil
}
