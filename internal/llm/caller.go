package llm

import (
	"context"

	"github.com/google/uuid"
)

// Caller says on whose behalf a model is asked, so that usage is counted, limits
// hold and private work stays on local models.
type Caller struct {
	UserID    uuid.UUID
	ProjectID *uuid.UUID
	JobID     *uuid.UUID
	Purpose   string // "chat", "match", "story", "generate", "embed"
}

type callerKey struct{}

// WithCaller returns a context whose calls are made for c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns on whose behalf ctx asks; the zero Caller is the deployment
// itself.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
