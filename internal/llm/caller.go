package llm

import (
	"context"
	"sync/atomic"

	"github.com/google/uuid"
)

// Caller says on whose behalf a model is asked, so that usage is counted, limits
// hold and private work stays on local models.
type Caller struct {
	UserID    uuid.UUID
	ProjectID *uuid.UUID
	JobID     *uuid.UUID
	Purpose   string // "chat", "match", "story", "generate", "embed", "reembed"
	Unmetered bool   // it counts for nobody: an operator's work with a user's texts
}

type callerKey struct{}

// asking is what a context carries: the caller, and how often it asked so far.
type asking struct {
	caller Caller
	calls  atomic.Int64
}

// WithCaller returns a context whose calls are made for c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, &asking{caller: c})
}

// CallerOf returns on whose behalf ctx asks; the zero Caller is the deployment
// itself.
func CallerOf(ctx context.Context) Caller {
	if a, ok := ctx.Value(callerKey{}).(*asking); ok {
		return a.caller
	}
	return Caller{}
}

// CountCall counts a call of the caller of ctx and returns how many there were
// before it since WithCaller.
func CountCall(ctx context.Context) int64 {
	if a, ok := ctx.Value(callerKey{}).(*asking); ok {
		return a.calls.Add(1) - 1
	}
	return 0
}

// Share is one caller's part of a request that is made for several. Weight is in
// any unit, the same for all.
type Share struct {
	Caller Caller
	Weight int
}

type sharesKey struct{}

// WithShares returns a context whose calls are made for several callers at once.
func WithShares(ctx context.Context, shares []Share) context.Context {
	return context.WithValue(ctx, sharesKey{}, shares)
}

// SharesOf returns for whom ctx asks: those of WithShares, or the one caller.
func SharesOf(ctx context.Context) []Share {
	if shares, ok := ctx.Value(sharesKey{}).([]Share); ok {
		return shares
	}
	return []Share{{Caller: CallerOf(ctx), Weight: 1}}
}
