package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Generation asks a language model. Either a prompt or messages must be there.
type Generation struct {
	Prompt      string         `json:"prompt,omitempty" maxLength:"4000000" doc:"What the user says; short for one message" example:"Name three rivers of Europe."`
	Messages    []PromptTurn   `json:"messages,omitempty" maxItems:"1000" doc:"The conversation so far; the prompt, if there is one, follows it"`
	Provider    string         `json:"provider,omitempty" maxLength:"50" doc:"The default one where it is left out" example:"ollama"`
	Model       string         `json:"model,omitempty" maxLength:"200" doc:"The provider's default where it is left out or another provider's" example:"llama3.2"`
	Temperature *float64       `json:"temperature,omitempty" minimum:"0" maximum:"2" nullable:"true" doc:"0.3 where it is left out" example:"0.3"`
	MaxTokens   *int           `json:"max_tokens,omitempty" minimum:"1" maximum:"100000" nullable:"true" doc:"Of the answer; 2000 where it is left out" example:"500"`
	Timeout     *int           `json:"timeout,omitempty" minimum:"1" maximum:"600" nullable:"true" doc:"Seconds; 300 where it is left out" example:"60"`
	Schema      map[string]any `json:"schema,omitempty" doc:"A JSON schema: the response is JSON that fits it"`
	Stream      bool           `json:"stream,omitempty" doc:"Answer with server-sent events; so does Accept: text/event-stream"`
	ProjectID   *uuid.UUID     `json:"project_id,omitempty" format:"uuid" nullable:"true" doc:"What it is for: usage is counted there, and a project that is local only stays so"`
}

// PromptTurn is one message of a conversation with a model.
type PromptTurn struct {
	Role    string `json:"role" enum:"system,user,assistant" example:"user"`
	Content string `json:"content" maxLength:"4000000" example:"Name three rivers of Europe."`
}

// Generated is a model's answer. Provider and model are those that answered.
type Generated struct {
	Response string     `json:"response" example:"Danube, Rhine, Loire."`
	Provider string     `json:"provider" example:"ollama"`
	Model    string     `json:"model" example:"llama3.2"`
	Usage    TokenUsage `json:"usage"`
	Cost     float64    `json:"cost" doc:"In the configured currency; 0 where no price is configured" example:"0.0004"`
}

// TokenUsage counts tokens as the provider does.
type TokenUsage struct {
	PromptTokens     int `json:"prompt_tokens" example:"12"`
	CompletionTokens int `json:"completion_tokens" example:"8"`
	TotalTokens      int `json:"total_tokens" example:"20"`
}

// GeneratedPiece is a piece of a streamed answer.
type GeneratedPiece struct {
	Text string `json:"text" example:"Danube, "`
}

type generateInput struct {
	Accept string `header:"Accept" maxLength:"1000" doc:"text/event-stream streams the answer" example:"application/json"`
	Body   Generation
}

// generated writes the answer, whole or as a stream.
type generated struct {
	Body func(huma.Context) `json:"-"`
}

// generateLimit holds a whole prompt of a CV, a posting and their conversation.
const generateLimit = 8 << 20

// askingCodes are what any request to a model may fail with.
var askingCodes = []domain.Code{
	domain.CodeProviderUnknown, domain.CodeModelNotFound, domain.CodeLocalOnly, domain.CodeBudgetExceeded, domain.CodeLLMRateLimited,
	domain.CodeContextTooLong, domain.CodeModelMalformed, domain.CodeModelUnavailable, domain.CodeModelOverloaded,
	domain.CodeModelRateLimited, domain.CodeModelTimeout,
}

func (s *server) generateOperations() {
	stream := s.streamResponse(typeOf[GeneratedPiece](), "")["200"]
	answer := respond[Generated](s, "The answer; as a stream events called token with a GeneratedPiece, then one called done with "+
		"Generated, or one called error with a Problem. What came before an error is no answer")
	answer.Content["text/event-stream"] = stream.Content["text/event-stream"]
	e := endpoint{
		id: "generate", scope: domain.ScopeLLM, method: http.MethodPost, path: "/llm/generate", tag: "llm", summary: "Ask a language model",
		description: "Waits for the answer. Hanging up stops the model.",
		timeout:     -1, maxBody: generateLimit, codes: append([]domain.Code{domain.CodeNotFound, domain.CodeModelRefused}, askingCodes...),
	}
	e.responses = map[string]*huma.Response{"200": answer}
	register(s, e, s.generate)
}

func (s *server) generate(ctx context.Context, in *generateInput) (*generated, error) {
	if in.Body.ProjectID != nil {
		if _, err := s.Store.Project(ctx, userID(ctx), *in.Body.ProjectID); err != nil {
			return nil, err
		}
	}
	req, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	provider, err := s.Providers.Provider(strings.TrimSpace(in.Body.Provider))
	if err != nil {
		return nil, err
	}
	seconds := orElse(in.Body.Timeout, 300)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	ctx = llm.WithCaller(ctx, llm.Caller{UserID: userID(ctx), ProjectID: in.Body.ProjectID, Purpose: "generate"})
	if in.Body.Stream || strings.Contains(strings.ToLower(in.Accept), "text/event-stream") {
		return s.streamGenerated(ctx, cancel, provider, req)
	}
	defer cancel()
	resp, err := provider.Complete(ctx, req)
	if err != nil {
		return nil, err
	}
	return &generated{Body: func(hc huma.Context) { s.reply(hc, http.StatusOK, toGenerated(resp)) }}, nil
}

func toGenerated(r llm.CompleteResponse) Generated {
	return Generated{
		Response: r.Content, Provider: r.Provider, Model: r.Model, Cost: r.Cost.Units(),
		Usage: TokenUsage{r.Usage.PromptTokens, r.Usage.CompletionTokens, r.Usage.PromptTokens + r.Usage.CompletionTokens},
	}
}

func (g Generation) request() (llm.CompleteRequest, error) {
	req := llm.CompleteRequest{
		Model: plain(g.Model, 200), MaxTokens: orElse(g.MaxTokens, 2000), Temperature: orElse(g.Temperature, 0.3),
	}
	for _, m := range g.Messages {
		req.Messages = append(req.Messages, llm.Message{Role: llm.Role(m.Role), Content: m.Content})
	}
	if strings.TrimSpace(g.Prompt) != "" {
		req.Messages = append(req.Messages, llm.Message{Role: llm.RoleUser, Content: g.Prompt})
	}
	if len(req.Messages) == 0 {
		return req, invalid("body.prompt", "must say something, or messages must")
	}
	if g.Schema == nil {
		return req, nil
	}
	schema, err := json.Marshal(g.Schema)
	req.Schema = schema
	return req, err
}

func orElse[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}
