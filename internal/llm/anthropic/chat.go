package anthropic

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// Complete implements llm.Provider. It streams, so that cancelling ctx stops the
// model and long answers are no matter.
func (p *Provider) Complete(ctx context.Context, req llm.CompleteRequest) (llm.CompleteResponse, error) {
	return p.Stream(ctx, req, func(string) error { return nil })
}

// Stream implements llm.Provider. It succeeds only after the event
// message_stop.
func (p *Provider) Stream(ctx context.Context, req llm.CompleteRequest, emit func(piece string) error) (llm.CompleteResponse, error) {
	if req.MaxTokens <= 0 || len(req.Messages) == 0 {
		return llm.CompleteResponse{}, domain.Errorf(domain.CodeInvalid, "A completion needs a message and a positive limit of tokens.")
	}
	params, wrapped, err := p.params(req)
	if err != nil {
		return llm.CompleteResponse{}, err
	}
	answer, err := p.read(ctx, params, emit)
	if params.Temperature.Valid() && refusesHeat(err) {
		p.heat.Fix(req.Model)
		params.Temperature = sdk.MessageNewParams{}.Temperature
		answer, err = p.read(ctx, params, emit)
	}
	if wrapped && err == nil {
		answer.Content, err = unwrap(answer.Content)
	}
	return answer, err
}

func (p *Provider) params(req llm.CompleteRequest) (params sdk.MessageNewParams, wrapped bool, err error) {
	params = sdk.MessageNewParams{Model: req.Model, MaxTokens: int64(req.MaxTokens)}
	if !p.heat.Fixed(req.Model) {
		params.Temperature = sdk.Float(min(req.Temperature, 1)) // others go up to 2
	}
	for _, m := range req.Messages {
		switch m.Role {
		case llm.RoleSystem:
			params.System = append(params.System, sdk.TextBlockParam{Text: m.Content})
		case llm.RoleAssistant:
			params.Messages = append(params.Messages, sdk.NewAssistantMessage(sdk.NewTextBlock(said(m.Content))))
		default:
			params.Messages = append(params.Messages, sdk.NewUserMessage(sdk.NewTextBlock(said(m.Content))))
		}
	}
	if len(params.Messages) == 0 { // the API wants one turn of a user
		params.Messages = append(params.Messages, sdk.NewUserMessage(sdk.NewTextBlock("Go on.")))
	}
	if len(req.Schema) > 0 {
		wrapped, err = answerTool(req.Schema, &params)
	}
	return params, wrapped, err
}

// said stands for text without any visible character, which the API refuses.
func said(text string) string {
	if strings.TrimSpace(text) == "" {
		return "(nothing)"
	}
	return text
}

const toolName = "answer"

// answerTool makes the model call a tool whose input is the answer: this takes
// any JSON schema and works with every model. A tool's input is an object, so
// another kind of answer is wrapped in one.
func answerTool(raw json.RawMessage, params *sdk.MessageNewParams) (wrapped bool, err error) {
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		return false, domain.Errorf(domain.CodeInvalid, "The JSON schema of the answer is not valid.").WithCause(err)
	}
	if schema["type"] != "object" {
		wrapped = true
		schema = map[string]any{"properties": map[string]any{toolName: schema}, "required": []any{toolName}}
	}
	delete(schema, "type") // the client sets it
	params.Tools = []sdk.ToolUnionParam{{OfTool: &sdk.ToolParam{
		Name: toolName, Description: sdk.String("Gives the answer."), InputSchema: sdk.ToolInputSchemaParam{ExtraFields: schema},
	}}}
	params.ToolChoice = sdk.ToolChoiceParamOfTool(toolName)
	return wrapped, nil
}

func unwrap(content string) (string, error) {
	var outer map[string]json.RawMessage
	if err := json.Unmarshal([]byte(content), &outer); err != nil || outer[toolName] == nil {
		return content, nil //nolint:nilerr // whoever asked validates the answer and has it repaired
	}
	return string(outer[toolName]), nil
}

// reading is an answer as far as it came.
type reading struct {
	content strings.Builder
	model   string
	stop    sdk.StopReason
	done    bool
	usage   llm.Usage
}

func (p *Provider) read(ctx context.Context, params sdk.MessageNewParams, emit func(piece string) error) (llm.CompleteResponse, error) {
	stream := p.messages.NewStreaming(ctx, params)
	defer stream.Close()
	r := reading{model: params.Model}
	for stream.Next() {
		if err := r.take(stream.Current(), emit); err != nil {
			return llm.CompleteResponse{}, err
		}
	}
	if err := stream.Err(); err != nil {
		return llm.CompleteResponse{}, failure(ctx, params.Model, err)
	}
	if interrupted := llm.Interrupted(ctx); interrupted != nil && !r.done {
		return llm.CompleteResponse{}, interrupted
	}
	return llm.CompleteResponse{Content: r.content.String(), Provider: Name, Model: r.model, Usage: r.usage}, r.finished()
}

func (r *reading) take(e sdk.MessageStreamEventUnion, emit func(piece string) error) error {
	switch e.Type {
	case "message_start":
		r.model = e.Message.Model
		r.usage.PromptTokens = int(e.Message.Usage.InputTokens + e.Message.Usage.CacheCreationInputTokens + e.Message.Usage.CacheReadInputTokens)
	case "message_delta":
		r.stop, r.usage.CompletionTokens = e.Delta.StopReason, int(e.Usage.OutputTokens)
	case "message_stop":
		r.done = true
	case "content_block_delta":
		piece := e.Delta.Text + e.Delta.PartialJSON
		r.content.WriteString(piece)
		if piece != "" {
			return emit(piece)
		}
	}
	return nil
}

func (r *reading) finished() error {
	switch {
	case !r.done:
		return wire.BrokenOff(io.ErrUnexpectedEOF)
	case r.stop == sdk.StopReasonEndTurn, r.stop == sdk.StopReasonStopSequence, r.stop == sdk.StopReasonToolUse:
		return nil
	case r.stop == sdk.StopReasonRefusal:
		return domain.Errorf(domain.CodeModelRefused, "The language model declined to answer.")
	case r.stop == sdk.StopReasonModelContextWindowExceeded:
		return domain.Errorf(domain.CodeContextTooLong, "The question and its answer are longer than the language model can hold at once.")
	case r.stop == sdk.StopReasonMaxTokens:
		return domain.Errorf(domain.CodeModelMalformed, "The language model's answer was longer than allowed.")
	}
	return wire.BrokenOff(io.ErrUnexpectedEOF)
}
