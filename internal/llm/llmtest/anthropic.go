package llmtest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// NewAnthropic starts a server that speaks the protocol of Anthropic's Messages
// API. Requests need a key, whichever; Close stops it.
func NewAnthropic() *Server {
	return start(Anthropic, "/v1/messages", "", func(s *Server, mux *http.ServeMux) {
		mux.HandleFunc("GET /v1/models", s.handle(s.anthropicModels))
		mux.HandleFunc("POST /v1/messages", s.handle(s.anthropicChat))
	})
}

type anthropicChat struct {
	Model       string   `json:"model"`
	MaxTokens   int      `json:"max_tokens"`
	Temperature *float64 `json:"temperature"`
	Stream      bool     `json:"stream"`
	System      []struct {
		Text string `json:"text"`
	} `json:"system"`
	Messages []struct {
		Role    string `json:"role"`
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Name        string          `json:"name"`
		InputSchema json.RawMessage `json:"input_schema"`
	} `json:"tools"`
	ToolChoice struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tool_choice"`
}

func (c anthropicChat) common() ChatRequest {
	out := ChatRequest{Model: c.Model, Options: map[string]any{"num_predict": c.MaxTokens}, Stream: &c.Stream}
	if c.Temperature != nil {
		out.Options["temperature"] = *c.Temperature
	}
	for _, block := range c.System {
		out.Messages = append(out.Messages, ChatMessage{Role: "system", Content: block.Text})
	}
	for _, m := range c.Messages {
		var text strings.Builder
		for _, block := range m.Content {
			text.WriteString(block.Text)
		}
		out.Messages = append(out.Messages, ChatMessage{Role: m.Role, Content: text.String()})
	}
	if len(c.Tools) > 0 {
		out.Format = c.Tools[0].InputSchema
	}
	return out
}

func (s *Server) anthropicChat(w http.ResponseWriter, r *http.Request, fault Fault) {
	var in anthropicChat
	if !anthropicDecode(w, r, &in) {
		return
	}
	common := in.common()
	answer := s.asked(common)
	switch {
	case anthropicEarly(w, fault):
	case fault == Hang:
		s.hang(r)
	case in.Model != ChatModel:
		anthropicFail(w, http.StatusNotFound, "not_found_error", "model: "+in.Model)
	case in.MaxTokens <= 0 || len(in.Messages) == 0 || in.Messages[0].Role != "user":
		anthropicFail(w, http.StatusBadRequest, "invalid_request_error", "messages: first message must use the \"user\" role")
	case fault == LongPrompt:
		anthropicFail(w, http.StatusBadRequest, "invalid_request_error", "prompt is too long: 210412 tokens > 200000 maximum")
	case fault == FixedHeat && in.Temperature != nil:
		anthropicFail(w, http.StatusBadRequest, "invalid_request_error", "temperature: sampling parameters are not supported by this model")
	case !in.Stream:
		anthropicFail(w, http.StatusBadRequest, "invalid_request_error", "these tests are about streams")
	default:
		s.anthropicStream(w, r, in, scripted(answer, common, fault), fault)
	}
}

func (s *Server) anthropicStream(w http.ResponseWriter, r *http.Request, in anthropicChat, answer string, fault Fault) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	say := func(kind string, data map[string]any) error {
		data["type"] = kind
		return event(w, kind, data)
	}
	_ = say("message_start", map[string]any{"message": map[string]any{
		"id": "msg_1", "type": "message", "role": "assistant", "content": []any{}, "model": in.Model,
		"stop_reason": nil, "stop_sequence": nil,
		"usage": map[string]any{"input_tokens": promptTokens(in.common()), "output_tokens": 1},
	}})
	_ = say("ping", map[string]any{})
	block := map[string]any{"type": "text", "text": ""}
	delta, part, reason := "text_delta", "text", "end_turn"
	if in.ToolChoice.Type == "tool" {
		block = map[string]any{"type": "tool_use", "id": "toolu_1", "name": in.ToolChoice.Name, "input": map[string]any{}}
		delta, part, reason = "input_json_delta", "partial_json", "tool_use"
	}
	_ = say("content_block_start", map[string]any{"index": 0, "content_block": block})
	if !s.speak(w, r, answer, fault, func(word string) error {
		return say("content_block_delta", map[string]any{"index": 0, "delta": map[string]any{"type": delta, part: word}})
	}) {
		return
	}
	switch fault {
	case BrokeOff:
		_ = event(w, "error", map[string]any{"type": "error", "error": map[string]any{"type": "overloaded_error", "message": "Overloaded"}})
		return
	case TooLong:
		reason = "max_tokens"
	case Refused:
		reason = "refusal"
	}
	_ = say("content_block_stop", map[string]any{"index": 0})
	_ = say("message_delta", map[string]any{
		"delta": map[string]any{"stop_reason": reason, "stop_sequence": nil},
		"usage": map[string]any{"output_tokens": answerTokens(answer)},
	})
	_ = say("message_stop", map[string]any{})
}

func (s *Server) anthropicModels(w http.ResponseWriter, _ *http.Request, fault Fault) {
	if anthropicEarly(w, fault) {
		return
	}
	reply(w, map[string]any{
		"data": []map[string]any{{
			"type": "model", "id": ChatModel, "display_name": "A model", "created_at": "2026-01-01T00:00:00Z",
			"max_input_tokens": 200_000, "max_tokens": 64_000,
		}},
		"has_more": false, "first_id": ChatModel, "last_id": ChatModel,
	})
}

// anthropicEarly answers with the faults that every path shares.
func anthropicEarly(w http.ResponseWriter, fault Fault) bool {
	const overloaded = 529
	switch fault {
	case Overloaded:
		anthropicFail(w, overloaded, "overloaded_error", "Overloaded")
	case RateLimited:
		w.Header().Set("Retry-After", "1")
		anthropicFail(w, http.StatusTooManyRequests, "rate_limit_error", "This request would exceed your organization's rate limit.")
	case MissingModel:
		anthropicFail(w, http.StatusNotFound, "not_found_error", "model: gone")
	case Forbidden:
		w.WriteHeader(http.StatusForbidden)
	case BadOption:
		anthropicFail(w, http.StatusBadRequest, "invalid_request_error", "wibble: Extra inputs are not permitted")
	case RunnerDied:
		anthropicFail(w, http.StatusInternalServerError, "api_error", "Internal server error")
	default:
		return false
	}
	return true
}

func anthropicDecode(w http.ResponseWriter, r *http.Request, into any) bool {
	if r.Header.Get("X-Api-Key") == "" || r.Header.Get("Anthropic-Version") == "" {
		anthropicFail(w, http.StatusUnauthorized, "authentication_error", "x-api-key header is required")
		return false
	}
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		anthropicFail(w, http.StatusBadRequest, "invalid_request_error", "The request body is not valid JSON")
		return false
	}
	return true
}

func anthropicFail(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "error", "error": map[string]any{"type": kind, "message": text}, "request_id": "req_1",
	})
}
