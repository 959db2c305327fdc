package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// failure names what went wrong. Only the status, the kind and the code of a
// reply are kept for the log, as its text may quote the request.
func (p *Provider) failure(ctx context.Context, model string, err error) error {
	if interrupted := llm.Interrupted(ctx); interrupted != nil {
		return interrupted
	}
	var reply *sdk.Error
	var transport *url.Error
	var inStream *ssestream.StreamError
	switch {
	case errors.As(err, &reply):
		e := p.status(reply, model)
		if reply.Response != nil {
			e.RetryAfter = wire.RetryAfter(reply.Response.Header)
		}
		return e.WithCause(fmt.Errorf("status %d %s %s", reply.StatusCode, reply.Type, reply.Code))
	case errors.As(err, &inStream):
		return streamError(inStream)
	case errors.As(err, &transport):
		return wire.TransportError(ctx, p.Name(), "Check the address and the key of the provider.", err)
	}
	return wire.BrokenOff(err)
}

func (p *Provider) status(reply *sdk.Error, model string) *domain.Error {
	text := strings.ToLower(reply.Message)
	switch {
	case reply.Code == "insufficient_quota":
		return domain.Errorf(domain.CodeModelUnavailable, "The account at %s has no credit left.", p.Name())
	case reply.StatusCode == http.StatusNotFound, reply.Code == "model_not_found":
		return llm.ModelNotFound(p.Name(), model)
	case reply.Code == "context_length_exceeded", strings.Contains(text, "maximum context length"), strings.Contains(text, "maximum prompt length"):
		return domain.Errorf(domain.CodeContextTooLong, "The text is longer than the language model can read at once.")
	case reply.Code == "content_filter", reply.Code == "content_policy_violation":
		return domain.Errorf(domain.CodeModelRefused, "The language model declined to answer.")
	}
	if e := wire.StatusError(reply.StatusCode, p.Name()); e != nil {
		return e
	}
	if reply.StatusCode >= http.StatusInternalServerError {
		return domain.Errorf(domain.CodeModelUnavailable, "%s failed with an error of its own.", p.Name())
	}
	e := domain.Errorf(domain.CodeInvalid, "%s did not accept the request.", p.Name())
	if strings.Contains(text, "temperature") {
		return e.WithHint(hintHeat)
	}
	return e
}

const hintHeat = "This model takes no temperature."

// refusesHeat reports whether a request was refused for its temperature.
func refusesHeat(err error) bool {
	return domain.CodeOf(err) == domain.CodeInvalid && domain.AsError(err).Hint == hintHeat
}

// streamError names an error that came in place of the rest of an answer.
func streamError(e *ssestream.StreamError) error {
	var data struct {
		Error struct{ Type, Code string }
	}
	_ = json.Unmarshal(e.Event.Data, &data) // a form we do not know is as broken
	return wire.BrokenOff(fmt.Errorf("error in the stream: %s %s", data.Error.Type, data.Error.Code))
}
