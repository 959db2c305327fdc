package llm

import (
	"context"
	"errors"

	"generalbackend/internal/domain"
)

// Interrupted turns the end of ctx into the error a caller sees: cancelled when
// someone stopped the work, model_timeout when its time ran out. It returns nil
// while ctx still runs.
func Interrupted(ctx context.Context) error {
	switch err := ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return domain.Errorf(domain.CodeModelTimeout, "The language model did not answer in time.").WithCause(err)
	default:
		return domain.Errorf(domain.CodeCancelled, "The request was cancelled.").WithCause(err)
	}
}

// checkComplete refuses requests that no provider should ever see: without a
// limit of tokens a small model can talk for hours.
func checkComplete(req CompleteRequest) error {
	if req.MaxTokens <= 0 {
		return domain.Errorf(domain.CodeInvalid, "A completion needs a positive limit of tokens.")
	}
	if len(req.Messages) == 0 {
		return domain.Errorf(domain.CodeInvalid, "A completion needs at least one message.")
	}
	return nil
}
