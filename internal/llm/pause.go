package llm

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"

	"generalbackend/internal/domain"
)

// malformedTries bounds how often an answer that was cut or makes no sense is
// asked for again: the request itself may be the cause.
const malformedTries = 2

// pause is the back-off of one call: exponential, but never shorter than what
// the provider asked for.
type pause struct {
	*backoff.ExponentialBackOff
	after     time.Duration // the provider's wish
	malformed int
}

type patienceKey struct{}

// WithPatience bounds all tries of one call together, where less than the limit
// of the provider is wanted because another one can be asked.
func WithPatience(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, d)
}

func newPause(ctx context.Context, l Limits) *pause {
	if d, ok := ctx.Value(patienceKey{}).(time.Duration); ok {
		l.MaxElapsed = min(l.MaxElapsed, d)
	}
	return &pause{ExponentialBackOff: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(l.FirstPause),
		backoff.WithMaxInterval(10*time.Second),
		backoff.WithMaxElapsedTime(l.MaxElapsed),
	)}
}

// NextBackOff implements backoff.BackOff.
func (p *pause) NextBackOff() time.Duration {
	next := p.ExponentialBackOff.NextBackOff()
	if next == backoff.Stop || p.after <= next {
		return next
	}
	if p.GetElapsedTime()+p.after >= p.MaxElapsedTime {
		return backoff.Stop
	}
	return p.after
}

// judge marks errors that another try cannot mend.
func (p *pause) judge(err error) error {
	var final *backoff.PermanentError
	if err == nil || errors.As(err, &final) {
		return err
	}
	e := domain.AsError(err)
	p.after = e.RetryAfter
	switch e.Code {
	case domain.CodeModelUnavailable, domain.CodeModelOverloaded, domain.CodeModelRateLimited:
		return err
	case domain.CodeModelMalformed:
		if p.malformed++; p.malformed < malformedTries {
			return err
		}
	}
	return backoff.Permanent(err)
}
