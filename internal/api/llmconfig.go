package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/gateway"
)

// LLM is the gateway to the language models as the edge administers it.
type LLM interface {
	// Embedder returns the provider called name for embedding, or for "" the one
	// that embeds documents.
	Embedder(name string) (llm.Provider, error)
	Config() (config gateway.Config, version int64, providers []gateway.Status)
	// Save answers gateway.FieldErrors or CodeConflict where it does not.
	Save(ctx context.Context, c gateway.Config, version int64) (int64, error)
	Allowance(ctx context.Context, userID uuid.UUID) (gateway.Allowance, error)
}

// LLMConfig is the configuration of the language models. Keys of providers come
// from the environment and are never shown.
type LLMConfig struct {
	Version int64 `json:"version" minimum:"0" doc:"Of what was read; a change of another version is refused. 0: nothing was saved yet, the environment's defaults hold" example:"3"`
	gateway.Config
	Configured []gateway.Status `json:"configured,omitempty" readOnly:"true" doc:"The providers that are set up; not changed by a PUT"`
}

type llmConfigInput struct {
	Body LLMConfig
}

type llmConfigOutput struct {
	Body LLMConfig
}

func (s *server) llmConfigOperations() {
	const path = "/admin/llm-config"
	register(s, endpoint{
		id: "get-llm-config", method: http.MethodGet, path: path, tag: adminTag, admin: true, summary: "How language models are used",
	}, s.getLLMConfig)
	register(s, endpoint{
		id: "put-llm-config", method: http.MethodPut, path: path, tag: adminTag, admin: true, summary: "Change how language models are used",
		description: "Replaces the whole. It holds in all processes within five seconds.", codes: []domain.Code{domain.CodeConflict},
	}, s.putLLMConfig)
}

func (s *server) getLLMConfig(context.Context, *struct{}) (*llmConfigOutput, error) {
	config, version, providers := s.LLM.Config()
	config.Fallback = append([]string{}, config.Fallback...)
	return &llmConfigOutput{Body: LLMConfig{Version: version, Config: config, Configured: providers}}, nil
}

func (s *server) putLLMConfig(ctx context.Context, in *llmConfigInput) (*llmConfigOutput, error) {
	version, err := s.LLM.Save(ctx, in.Body.Config, in.Body.Version)
	var faults gateway.FieldErrors
	if errors.As(err, &faults) {
		return nil, badFields(faults)
	}
	if err != nil {
		return nil, err
	}
	if err := s.audit(ctx, "llm-config.update", "", map[string]any{"version": version, "config": in.Body.Config}); err != nil {
		return nil, err
	}
	out, err := s.getLLMConfig(ctx, nil)
	if err == nil {
		out.Body.Version, out.Body.Config = version, in.Body.Config
		out.Body.Fallback = append([]string{}, in.Body.Fallback...)
	}
	return out, err
}

func badFields(faults gateway.FieldErrors) *Problem {
	p := invalid("body."+faults[0].Field, faults[0].Problem)
	p.Errors = slices.Collect(func(yield func(FieldError) bool) {
		for _, f := range faults {
			if !yield(FieldError{Location: "body." + f.Field, Message: f.Problem}) {
				return
			}
		}
	})
	return p
}
