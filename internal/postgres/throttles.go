package postgres

import (
	"context"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Throttled returns how long it takes until a key is wholly free, zero when it is.
func (s *Store) Throttled(ctx context.Context, key []byte) (time.Duration, error) {
	seconds, err := s.queries.Throttle(ctx, key)
	if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
		return 0, nil
	}
	return time.Duration(seconds * float64(time.Second)), err
}

// ChargeThrottle adds one attempt, which takes every to be forgotten, and returns
// how long it takes until the key is wholly free; never longer than latest.
func (s *Store) ChargeThrottle(ctx context.Context, key []byte, every, latest time.Duration) (time.Duration, error) {
	seconds, err := s.queries.ChargeThrottle(ctx, dbsqlc.ChargeThrottleParams{
		Key: key, EverySeconds: every.Seconds(), LatestSeconds: latest.Seconds(),
	})
	return time.Duration(seconds * float64(time.Second)), translate(err)
}

// TakeThrottle adds one attempt, unless it would take longer than most then until
// the key is wholly free. It reports whether it did.
func (s *Store) TakeThrottle(ctx context.Context, key []byte, every, most time.Duration) (bool, error) {
	n, err := s.queries.TakeThrottle(ctx, dbsqlc.TakeThrottleParams{Key: key, EverySeconds: every.Seconds(), MostSeconds: most.Seconds()})
	return n > 0, translate(err)
}

// ForgetThrottle frees a key.
func (s *Store) ForgetThrottle(ctx context.Context, key []byte) error {
	return translate(s.queries.ForgetThrottle(ctx, key))
}
