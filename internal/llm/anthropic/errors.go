package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

// display is what people call the server.
const display = "Anthropic"

// failure names what went wrong. Only the status and the kind of a reply are
// kept for the log, as its text may quote the request.
func failure(ctx context.Context, model string, err error) error {
	if interrupted := llm.Interrupted(ctx); interrupted != nil {
		return interrupted
	}
	var reply *sdk.Error
	var transport *url.Error
	switch {
	case errors.As(err, &reply):
		e := named(reply, model)
		if reply.Response != nil {
			e.RetryAfter = wire.RetryAfter(reply.Response.Header)
		}
		return e.WithCause(fmt.Errorf("status %d %s, request %s", reply.StatusCode, reply.Type(), reply.RequestID))
	case errors.As(err, &transport):
		return wire.TransportError(ctx, display, "Check ANTHROPIC_BASE_URL and the network.", err)
	}
	return wire.BrokenOff(err)
}

// named goes by the kind of error before the status: an error in the middle of a
// stream comes with status 200.
func named(reply *sdk.Error, model string) *domain.Error {
	text := strings.ToLower(message(reply))
	switch kind := reply.Type(); {
	case kind == "overloaded_error":
		return wire.StatusError(http.StatusServiceUnavailable, display)
	case kind == "rate_limit_error":
		return wire.StatusError(http.StatusTooManyRequests, display)
	case reply.StatusCode == http.StatusNotFound:
		return llm.ModelNotFound(Name, model)
	case strings.Contains(text, "prompt is too long"), strings.Contains(text, "context limit"):
		return domain.Errorf(domain.CodeContextTooLong, "The text is longer than the language model can read at once.")
	case strings.Contains(text, "credit balance"):
		return domain.Errorf(domain.CodeModelUnavailable, "The account at %s has no credit left.", display)
	case reply.StatusCode == http.StatusOK:
		return wire.BrokenOff(nil)
	}
	if e := wire.StatusError(reply.StatusCode, display); e != nil {
		return e
	}
	if reply.StatusCode >= http.StatusInternalServerError {
		return domain.Errorf(domain.CodeModelUnavailable, "%s failed with an error of its own.", display)
	}
	e := domain.Errorf(domain.CodeInvalid, "%s did not accept the request.", display)
	if strings.Contains(text, "temperature") {
		return e.WithHint(hintHeat)
	}
	return e
}

func message(reply *sdk.Error) string {
	var body struct {
		Error struct{ Message string }
	}
	_ = json.Unmarshal([]byte(reply.RawJSON()), &body) // the status tells what the text does not
	return body.Error.Message
}

const hintHeat = "This model takes no temperature."

// refusesHeat reports whether a request was refused for its temperature.
func refusesHeat(err error) bool {
	return domain.CodeOf(err) == domain.CodeInvalid && domain.AsError(err).Hint == hintHeat
}
