package ollama

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// transportError names a failure before any reply.
func transportError(ctx context.Context, err error) error {
	if interrupted := llm.Interrupted(ctx); interrupted != nil {
		return interrupted
	}
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() {
		return domain.Errorf(domain.CodeModelTimeout, "Ollama did not answer in time.").WithCause(err)
	}
	return domain.Errorf(domain.CodeModelUnavailable, "Ollama cannot be reached.").
		WithHint("Check that it runs and that OLLAMA_BASE_URL is right.").WithCause(err)
}

// statusError names a reply that is not a 200. The status alone does not tell:
// a real server answers 400 when its embedding process died and 500 to a bad
// option.
func statusError(resp *http.Response, model string, body []byte) error {
	text := errorText(body)
	e := nameStatus(resp.StatusCode, strings.ToLower(text), model)
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"))
	return e.WithCause(fmt.Errorf("status %d: %.500s", resp.StatusCode, text))
}

func nameStatus(status int, text, model string) *domain.Error {
	switch {
	case status == http.StatusNotFound && strings.Contains(text, "not found") && model != "":
		return llm.ModelNotFound(Name, model).WithHint("Fetch it with: ollama pull " + model)
	case status == http.StatusServiceUnavailable:
		return domain.Errorf(domain.CodeModelOverloaded, "Ollama has too much to do at the moment.")
	case status == http.StatusTooManyRequests:
		return domain.Errorf(domain.CodeModelRateLimited, "Ollama asks to wait before the next request.")
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return domain.Errorf(domain.CodeModelUnavailable, "Ollama cannot be reached.")
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return domain.Errorf(domain.CodeModelUnavailable, "Ollama refuses to talk to us.").
			WithHint("Check OLLAMA_HOST and OLLAMA_ORIGINS of the server.")
	default:
		return nameText(status, text, model)
	}
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

func retryAfter(header string) time.Duration {
	if s, err := strconv.Atoi(header); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(t))
	}
	return 0
}
