package ollama

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// display is what people call the server.
const display = "Ollama"

// statusError names a reply that is not a 200. The status alone does not tell:
// a real server answers 400 when its embedding process died and 500 to a bad
// option.
func statusError(resp *http.Response, model string, body []byte) error {
	text := errorText(body)
	e := nameStatus(resp.StatusCode, strings.ToLower(text), model)
	e.RetryAfter = wire.RetryAfter(resp.Header)
	return e.WithCause(fmt.Errorf("status %d: %.500s", resp.StatusCode, text))
}

func nameStatus(status int, text, model string) *domain.Error {
	if status == http.StatusNotFound && strings.Contains(text, "not found") && model != "" {
		return llm.ModelNotFound(Name, model).WithHint("Fetch it with: ollama pull " + model)
	}
	if e := wire.StatusError(status, display); e != nil {
		return e
	}
	return nameText(status, text, model)
}

func nameText(status int, text, model string) *domain.Error {
	switch {
	case strings.Contains(text, "exceeds the context length"):
		return domain.Errorf(domain.CodeContextTooLong, "The text is longer than the language model can read at once.")
	case strings.Contains(text, "embedding request"), strings.Contains(text, "runner"),
		strings.Contains(text, "eof"), strings.Contains(text, "prediction aborted"), strings.Contains(text, "signal arrived"):
		return domain.Errorf(domain.CodeModelMalformed, "The language model broke off while answering.")
	case strings.Contains(text, "does not support"):
		return domain.Errorf(domain.CodeInvalid, "The model %q cannot do what was asked of it.", model)
	case status == http.StatusInternalServerError && !strings.Contains(text, "format") && !strings.Contains(text, "option"):
		return domain.Errorf(domain.CodeModelMalformed, "Ollama failed with an error of its own.")
	default:
		return domain.Errorf(domain.CodeInvalid, "Ollama did not accept the request.")
	}
}

// errorText reads {"error":"text"} and the OpenAI-like {"error":{"message":"text"}}.
func errorText(body []byte) string {
	var plain struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &plain) != nil || plain.Error == nil {
		return string(body)
	}
	var text string
	if json.Unmarshal(plain.Error, &text) == nil {
		return text
	}
	var nested struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(plain.Error, &nested) == nil {
		return nested.Message
	}
	return string(body)
}
