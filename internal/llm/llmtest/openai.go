package llmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
)

// NewOpenAI starts a server that speaks the protocol of OpenAI's API and of
// those who copy it. Requests need a key, whichever; Close stops it.
func NewOpenAI() *Server {
	return start(OpenAI, "/v1/chat/completions", "/v1/embeddings", func(s *Server, mux *http.ServeMux) {
		mux.HandleFunc("GET /v1/models", s.handle(s.openAIModels))
		mux.HandleFunc("POST /v1/embeddings", s.handle(s.openAIEmbed))
		mux.HandleFunc("POST /v1/chat/completions", s.handle(s.openAIChat))
	})
}

type openAIChat struct {
	Model               string        `json:"model"`
	Messages            []ChatMessage `json:"messages"`
	MaxTokens           *int          `json:"max_tokens"`
	MaxCompletionTokens *int          `json:"max_completion_tokens"`
	Temperature         *float64      `json:"temperature"`
	Stream              bool          `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	ResponseFormat struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Name   string          `json:"name"`
			Strict bool            `json:"strict"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

func (c openAIChat) common() ChatRequest {
	options := map[string]any{}
	for _, n := range []*int{c.MaxTokens, c.MaxCompletionTokens} {
		if n != nil {
			options["num_predict"] = *n
		}
	}
	if c.Temperature != nil {
		options["temperature"] = *c.Temperature
	}
	return ChatRequest{Model: c.Model, Messages: c.Messages, Format: c.ResponseFormat.JSONSchema.Schema, Options: options, Stream: &c.Stream}
}

func (s *Server) openAIChat(w http.ResponseWriter, r *http.Request, fault Fault) {
	var in openAIChat
	if !openAIDecode(w, r, &in) {
		return
	}
	common := in.common()
	answer := s.asked(common)
	switch {
	case openAIEarly(w, fault):
	case fault == Hang:
		s.hang(r)
	case in.Model != ChatModel:
		openAIMissing(w, in.Model)
	case fault == LongPrompt:
		openAIFail(w, http.StatusBadRequest, "invalid_request_error", "context_length_exceeded",
			"This model's maximum context length is 128000 tokens. However, your messages resulted in 140012 tokens.")
	case fault == FixedHeat && in.Temperature != nil:
		openAIFail(w, http.StatusBadRequest, "invalid_request_error", "unsupported_value",
			"Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.")
	case in.ResponseFormat.JSONSchema.Strict && !strict(in.ResponseFormat.JSONSchema.Schema):
		openAIFail(w, http.StatusBadRequest, "invalid_request_error", "",
			"Invalid schema for response_format '"+in.ResponseFormat.JSONSchema.Name+"': 'additionalProperties' is required to be supplied and to be false.")
	case !in.Stream:
		openAIFail(w, http.StatusBadRequest, "invalid_request_error", "", "these tests are about streams")
	default:
		s.openAIStream(w, r, in, scripted(answer, common, fault), fault)
	}
}

func (s *Server) openAIStream(w http.ResponseWriter, r *http.Request, in openAIChat, answer string, fault Fault) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	field := "content"
	if fault == Refused {
		field, answer = "refusal", "I'm sorry, but I cannot help with that."
	}
	say := func(delta map[string]any, reason any) error {
		return event(w, "", openAIChunk(in.Model, []map[string]any{{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": reason}}, nil))
	}
	_ = say(map[string]any{"role": "assistant", "content": ""}, nil)
	if !s.speak(w, r, answer, fault, func(word string) error { return say(map[string]any{field: word}, nil) }) {
		return
	}
	if fault == BrokeOff {
		_ = event(w, "", map[string]any{"error": map[string]any{"message": "The server had an error while processing your request.", "type": "server_error", "param": nil, "code": nil}})
		return
	}
	reason := "stop"
	if fault == TooLong {
		reason = "length"
	}
	_ = say(map[string]any{}, reason)
	if in.StreamOptions.IncludeUsage {
		p, c := promptTokens(in.common()), answerTokens(answer)
		_ = event(w, "", openAIChunk(in.Model, []map[string]any{}, map[string]any{"prompt_tokens": p, "completion_tokens": c, "total_tokens": p + c}))
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

func openAIChunk(model string, choices []map[string]any, usage any) map[string]any {
	return map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model,
		"system_fingerprint": "fp_1", "choices": choices, "usage": usage,
	}
}

func (s *Server) openAIEmbed(w http.ResponseWriter, r *http.Request, fault Fault) {
	var in struct {
		Model          string
		Input          any
		EncodingFormat string `json:"encoding_format"`
	}
	if !openAIDecode(w, r, &in) {
		return
	}
	texts, ok := inputs(in.Input)
	s.mu.Lock()
	s.batches = append(s.batches, texts)
	s.mu.Unlock()
	switch {
	case openAIEarly(w, fault):
	case fault == Hang:
		s.hang(r)
	case !ok || len(texts) == 0:
		openAIFail(w, http.StatusBadRequest, "invalid_request_error", "", "'$.input' is invalid.")
	case in.Model != EmbedModel:
		openAIMissing(w, in.Model)
	case overlong(texts):
		openAIFail(w, http.StatusBadRequest, "invalid_request_error", "",
			"This model's maximum context length is 8192 tokens, however you requested 9001 tokens. Please reduce your prompt.")
	default:
		openAIVectors(w, r, texts, fault)
	}
}

func openAIVectors(w http.ResponseWriter, r *http.Request, texts []string, fault Fault) {
	out, err := offline.New().Embed(r.Context(), llm.EmbedRequest{Texts: texts})
	if err != nil {
		return // the client is gone
	}
	data := []map[string]any{}
	for i, v := range distort(out.Vectors, fault) {
		data = append([]map[string]any{{"object": "embedding", "index": i, "embedding": v}}, data...) // order is not promised
	}
	body, err := json.Marshal(map[string]any{
		"object": "list", "model": EmbedModel, "data": data,
		"usage": map[string]any{"prompt_tokens": out.Usage.PromptTokens, "total_tokens": out.Usage.PromptTokens},
	})
	if err != nil {
		openAIFail(w, http.StatusInternalServerError, "server_error", "", err.Error())
		return
	}
	if fault == NaN {
		body = []byte(strings.Replace(string(body), `"embedding":[`, `"embedding":[NaN,`, 1))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(spoil(body, fault))
}

func (s *Server) openAIModels(w http.ResponseWriter, _ *http.Request, fault Fault) {
	if openAIEarly(w, fault) {
		return
	}
	list := []map[string]any{}
	for _, name := range []string{EmbedModel, ChatModel} {
		list = append(list, map[string]any{"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "system"})
	}
	reply(w, map[string]any{"object": "list", "data": list})
}

// openAIEarly answers with the faults that every path shares.
func openAIEarly(w http.ResponseWriter, fault Fault) bool {
	switch fault {
	case Overloaded:
		openAIFail(w, http.StatusServiceUnavailable, "server_error", "", "That model is currently overloaded with other requests.")
	case RateLimited:
		w.Header().Set("Retry-After", "1")
		openAIFail(w, http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "Rate limit reached for requests.")
	case MissingModel:
		openAIMissing(w, "gone")
	case Forbidden:
		w.WriteHeader(http.StatusForbidden)
	case BadOption:
		openAIFail(w, http.StatusBadRequest, "invalid_request_error", "unknown_parameter", "Unknown parameter: 'wibble'.")
	case RunnerDied:
		openAIFail(w, http.StatusInternalServerError, "server_error", "", "The server had an error while processing your request.")
	default:
		return false
	}
	return true
}

func openAIDecode(w http.ResponseWriter, r *http.Request, into any) bool {
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || key == "" {
		openAIFail(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "You didn't provide an API key.")
		return false
	}
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		openAIFail(w, http.StatusBadRequest, "invalid_request_error", "", "We could not parse the JSON body of your request.")
		return false
	}
	return true
}

func openAIMissing(w http.ResponseWriter, model string) {
	openAIFail(w, http.StatusNotFound, "invalid_request_error", "model_not_found",
		"The model `"+model+"` does not exist or you do not have access to it.")
}

func openAIFail(w http.ResponseWriter, status int, kind, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	inner := map[string]any{"message": text, "type": kind, "param": nil, "code": nil}
	if code != "" {
		inner["code"] = code
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": inner})
}

// strict reports what OpenAI demands of a schema with strict set: every object
// lists all its properties as required and allows no others.
func strict(raw json.RawMessage) bool {
	var v any
	return json.Unmarshal(raw, &v) == nil && strictValue(v)
}

func strictValue(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if !strictValue(item) {
				return false
			}
		}
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			required, _ := v["required"].([]any)
			if v["additionalProperties"] != false || len(required) != len(properties) {
				return false
			}
		}
		for _, item := range v {
			if !strictValue(item) {
				return false
			}
		}
	}
	return true
}

// event writes a server-sent event.
func event(w io.Writer, name string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if name != "" {
		name = "event: " + name + "\n"
	}
	_, err = fmt.Fprintf(w, "%sdata: %s\n\n", name, body)
	return err
}
