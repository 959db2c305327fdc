package jobs

import (
	"math/rand/v2"
	"time"

	"generalbackend/internal/domain"
)

// Delays between attempts. The shortest one outlasts the ack that follows the
// commit, so that the job is not published while its old message still stands.
const (
	shortestDelay = 250 * time.Millisecond
	firstDelay    = time.Second
	longestDelay  = 5 * time.Minute
	providerDelay = 2 * time.Second
	longestOutage = 30 * time.Second // between looks at a provider that is down
	readyDelay    = time.Second
)

// retryDelay is how long to wait after the given attempt, the claims-th of its
// job, free ones included: exponential with full jitter
// (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/),
// or what the provider asked for.
func retryDelay(attempt int, claims int64, cause *domain.Error) time.Duration {
	switch {
	case cause.RetryAfter > 0:
		return min(cause.RetryAfter, longestDelay) + jitter(time.Second)
	case cause.Code == domain.CodeNotReady:
		return readyDelay
	case free(cause.Code):
		wait := min(providerDelay<<min(claims, 8), longestOutage)
		return wait/2 + jitter(wait/2)
	}
	ceiling := min(firstDelay<<min(attempt, 16), longestDelay)
	return shortestDelay + jitter(ceiling)
}

func jitter(d time.Duration) time.Duration { return rand.N(d) }

// free reports whether an attempt that ended so costs the job nothing: a
// provider asked us to wait, the database was away, or another document is not
// ready yet.
func free(code domain.Code) bool {
	return code.Free() || code == domain.CodeUnavailable || code == domain.CodeNotReady
}
