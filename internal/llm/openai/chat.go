package openai

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// Complete implements llm.Provider. It streams, so that cancelling ctx stops the
// model and a cut answer is noticed.
func (p *Provider) Complete(ctx context.Context, req llm.CompleteRequest) (llm.CompleteResponse, error) {
	return p.Stream(ctx, req, func(string) error { return nil })
}

// Stream implements llm.Provider. It succeeds only after the finish reason
// "stop".
func (p *Provider) Stream(ctx context.Context, req llm.CompleteRequest, emit func(piece string) error) (llm.CompleteResponse, error) {
	if req.MaxTokens <= 0 || len(req.Messages) == 0 {
		return llm.CompleteResponse{}, domain.Errorf(domain.CodeInvalid, "A completion needs a message and a positive limit of tokens.")
	}
	params, err := p.params(req)
	if err != nil {
		return llm.CompleteResponse{}, err
	}
	answer, err := p.read(ctx, req.Model, params, emit)
	if params.Temperature.Valid() && refusesHeat(err) {
		p.heat.Fix(req.Model)
		params.Temperature = sdk.ChatCompletionNewParams{}.Temperature
		answer, err = p.read(ctx, req.Model, params, emit)
	}
	return answer, err
}

func (p *Provider) params(req llm.CompleteRequest) (sdk.ChatCompletionNewParams, error) {
	params := sdk.ChatCompletionNewParams{
		Model:         req.Model,
		StreamOptions: sdk.ChatCompletionStreamOptionsParam{IncludeUsage: sdk.Bool(true)},
	}
	if p.newLimit {
		params.MaxCompletionTokens = sdk.Int(int64(req.MaxTokens))
	} else {
		params.MaxTokens = sdk.Int(int64(req.MaxTokens))
	}
	if !p.heat.Fixed(req.Model) {
		params.Temperature = sdk.Float(req.Temperature)
	}
	for _, m := range req.Messages {
		params.Messages = append(params.Messages, message(m))
	}
	if len(req.Schema) > 0 {
		format, err := responseFormat(req.Schema)
		if err != nil {
			return params, err
		}
		params.ResponseFormat.OfJSONSchema = format
	}
	return params, nil
}

func message(m llm.Message) sdk.ChatCompletionMessageParamUnion {
	switch m.Role {
	case llm.RoleSystem:
		return sdk.SystemMessage(m.Content)
	case llm.RoleAssistant:
		return sdk.AssistantMessage(m.Content)
	}
	return sdk.UserMessage(m.Content)
}

// responseFormat asks for strict adherence where the schema keeps to the subset
// that allows it.
func responseFormat(raw json.RawMessage) (*shared.ResponseFormatJSONSchemaParam, error) {
	var schema any
	if err := json.Unmarshal(raw, &schema); err != nil {
		return nil, domain.Errorf(domain.CodeInvalid, "The JSON schema of the answer is not valid.").WithCause(err)
	}
	return &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
		Name: "answer", Schema: schema, Strict: sdk.Bool(strict(schema)),
	}}, nil
}

// reading is an answer as far as it came.
type reading struct {
	content, refusal strings.Builder
	finish, model    string
	usage            llm.Usage
}

func (p *Provider) read(ctx context.Context, model string, params sdk.ChatCompletionNewParams, emit func(piece string) error) (llm.CompleteResponse, error) {
	stream := p.chat.Completions.NewStreaming(ctx, params)
	defer stream.Close()
	var r reading
	for stream.Next() {
		if err := r.take(stream.Current(), emit); err != nil {
			return llm.CompleteResponse{}, err
		}
	}
	if err := stream.Err(); err != nil {
		return llm.CompleteResponse{}, p.failure(ctx, model, err)
	}
	if interrupted := llm.Interrupted(ctx); interrupted != nil && r.finish == "" {
		return llm.CompleteResponse{}, interrupted
	}
	if r.model == "" {
		r.model = model
	}
	return llm.CompleteResponse{Content: r.content.String(), Provider: p.Name(), Model: r.model, Usage: r.usage}, r.finished()
}

func (r *reading) take(chunk sdk.ChatCompletionChunk, emit func(piece string) error) error {
	if u := chunk.Usage; u.TotalTokens > 0 {
		r.usage = llm.Usage{PromptTokens: int(u.PromptTokens), CompletionTokens: int(u.CompletionTokens)}
	}
	r.model = chunk.Model
	if len(chunk.Choices) == 0 {
		return nil
	}
	choice := chunk.Choices[0]
	r.content.WriteString(choice.Delta.Content)
	r.refusal.WriteString(choice.Delta.Refusal)
	if choice.FinishReason != "" {
		r.finish = choice.FinishReason
	}
	if choice.Delta.Content == "" {
		return nil
	}
	return emit(choice.Delta.Content)
}

func (r *reading) finished() error {
	switch {
	case r.finish == "content_filter", r.refusal.Len() > 0:
		return domain.Errorf(domain.CodeModelRefused, "The language model declined to answer.")
	case r.finish == "stop":
		return nil
	case r.finish == "length":
		return domain.Errorf(domain.CodeModelMalformed, "The language model's answer was longer than allowed.")
	}
	return wire.BrokenOff(io.ErrUnexpectedEOF)
}
