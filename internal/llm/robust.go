package llm

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/sony/gobreaker/v2"

	"generalbackend/internal/domain"
)

// Limits says how hard Robust tries and how much it asks at once. Zero values
// get the defaults in brackets.
type Limits struct {
	Completions int           // completions in flight [2]
	Embeddings  int           // embedding requests in flight [1]
	MaxElapsed  time.Duration // all tries of one call together [1 min]
	FirstPause  time.Duration // before the second try [250 ms]
	TripAfter   uint32        // provider failures in a row that open the breaker [5]
	OpenFor     time.Duration // how long it stays open [15 s]
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Completions: or(l.Completions, 2),
		Embeddings:  or(l.Embeddings, 1),
		MaxElapsed:  or(l.MaxElapsed, time.Minute),
		FirstPause:  or(l.FirstPause, 250*time.Millisecond),
		TripAfter:   or(l.TripAfter, 5),
		OpenFor:     or(l.OpenFor, 15*time.Second),
	}
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// Robust wraps a Provider with retries, a circuit breaker, limits of requests
// in flight, and checked structured output. It is itself a Provider.
type Robust struct {
	provider    Provider
	limits      Limits
	breaker     *gobreaker.CircuitBreaker[any]
	completions chan struct{}
	embeddings  chan struct{}
}

// NewRobust wraps p.
func NewRobust(p Provider, limits Limits) *Robust {
	limits = limits.withDefaults()
	return &Robust{
		provider:    p,
		limits:      limits,
		completions: make(chan struct{}, limits.Completions),
		embeddings:  make(chan struct{}, limits.Embeddings),
		breaker: gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
			Name:         p.Name(),
			Timeout:      limits.OpenFor,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= limits.TripAfter },
			IsSuccessful: func(err error) bool { return err == nil },
			IsExcluded:   func(err error) bool { return err != nil && !providerDown(err) },
		}),
	}
}

// providerDown tells failures of the provider as a whole from failures of one
// request: only the former may open the breaker.
func providerDown(err error) bool {
	switch domain.CodeOf(err) {
	case domain.CodeModelUnavailable, domain.CodeModelOverloaded, domain.CodeModelRateLimited, domain.CodeModelTimeout:
		return true
	}
	return false
}

// Name implements Provider.
func (r *Robust) Name() string { return r.provider.Name() }

// Open reports whether the breaker is open: the provider is down, and work that
// needs it should not be taken on.
func (r *Robust) Open() bool { return r.breaker.State() == gobreaker.StateOpen }

// Complete implements Provider. With a schema the answer is valid against it:
// an answer that is not is shown to the model once with the reason, and a
// second bad one is model_malformed.
func (r *Robust) Complete(ctx context.Context, req CompleteRequest) (CompleteResponse, error) {
	if err := checkComplete(req); err != nil {
		return CompleteResponse{}, err
	}
	ask := func(req CompleteRequest) (CompleteResponse, error) {
		return call(ctx, r, r.completions, func() (CompleteResponse, error) { return r.provider.Complete(ctx, req) })
	}
	if len(req.Schema) == 0 {
		return ask(req)
	}
	return completeStructured(req, ask)
}

// Stream implements Provider. It tries again only while nothing was emitted. A
// schema is refused, as an answer can only be checked when it is whole.
func (r *Robust) Stream(ctx context.Context, req CompleteRequest, emit func(piece string) error) (CompleteResponse, error) {
	if err := checkComplete(req); err != nil {
		return CompleteResponse{}, err
	}
	if len(req.Schema) > 0 {
		return CompleteResponse{}, domain.Errorf(domain.CodeInvalid, "An answer with a JSON schema cannot be streamed.")
	}
	emitted := false
	return call(ctx, r, r.completions, func() (CompleteResponse, error) {
		resp, err := r.provider.Stream(ctx, req, func(piece string) error {
			emitted = true
			return emit(piece)
		})
		if err != nil && emitted {
			err = backoff.Permanent(err)
		}
		return resp, err
	})
}

// Embed implements Provider.
func (r *Robust) Embed(ctx context.Context, req EmbedRequest) (EmbedResponse, error) {
	return call(ctx, r, r.embeddings, func() (EmbedResponse, error) { return r.provider.Embed(ctx, req) })
}

// Models implements Provider.
func (r *Robust) Models(ctx context.Context) ([]Model, error) {
	return call(ctx, r, nil, func() ([]Model, error) { return r.provider.Models(ctx) })
}

// Describe implements Describer.
func (r *Robust) Describe(ctx context.Context, model string) (Model, error) {
	return call(ctx, r, nil, func() (Model, error) { return Describe(ctx, r.provider, model) })
}

// call runs f with retries; each try holds a slot and passes the breaker, so
// that a pause between tries keeps nobody else waiting.
func call[T any](ctx context.Context, r *Robust, slots chan struct{}, f func() (T, error)) (T, error) {
	pause := newPause(ctx, r.limits)
	once := func() (T, error) {
		v, err := try(ctx, r, slots, f)
		return v, pause.judge(err)
	}
	v, err := backoff.RetryWithData(once, backoff.WithContext(pause, ctx))
	if interrupted := Interrupted(ctx); err != nil && interrupted != nil && !isModelError(err) {
		err = interrupted
	}
	return v, err
}

func isModelError(err error) bool {
	var e *domain.Error
	return errors.As(err, &e)
}

func try[T any](ctx context.Context, r *Robust, slots chan struct{}, f func() (T, error)) (T, error) {
	var none T
	if err := acquire(ctx, slots); err != nil {
		return none, err
	}
	defer release(slots)
	v, err := r.breaker.Execute(func() (any, error) { return f() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return none, backoff.Permanent(r.down(err))
	}
	if err != nil {
		return none, err
	}
	return v.(T), nil
}

// down says when the breaker lets somebody through again.
func (r *Robust) down(cause error) error {
	e := domain.Errorf(domain.CodeModelUnavailable, "The language model provider %s is not answering at the moment.", r.Name()).WithCause(cause)
	e.RetryAfter = r.limits.OpenFor
	return e
}

func acquire(ctx context.Context, slots chan struct{}) error {
	if slots == nil {
		return Interrupted(ctx)
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return Interrupted(ctx)
	}
}

func release(slots chan struct{}) {
	if slots != nil {
		<-slots
	}
}
