package jobs

import (
	"testing"
	"time"

	"generalbackend/internal/domain"
)

func TestRetryDelay(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		attempt   int
		claims    int64
		cause     domain.Error
		low, high time.Duration
	}{
		"the first failure waits little":         {1, 1, domain.Error{Code: domain.CodeInternal}, shortestDelay, shortestDelay + 2*time.Second},
		"later ones wait longer":                 {4, 4, domain.Error{Code: domain.CodeInternal}, shortestDelay, shortestDelay + 16*time.Second},
		"but not for ever":                       {60, 60, domain.Error{Code: domain.CodeInternal}, shortestDelay, shortestDelay + longestDelay},
		"a provider's wish is granted":           {1, 1, domain.Error{Code: domain.CodeModelRateLimited, RetryAfter: time.Minute}, time.Minute, time.Minute + time.Second},
		"within reason":                          {1, 1, domain.Error{Code: domain.CodeModelRateLimited, RetryAfter: 99 * time.Hour}, longestDelay, longestDelay + time.Second},
		"a provider that is down is asked less":  {1, 30, domain.Error{Code: domain.CodeModelUnavailable}, longestOutage / 2, longestOutage},
		"a document is soon ready":               {1, 1, domain.Error{Code: domain.CodeNotReady}, readyDelay, readyDelay},
		"the database comes back within seconds": {1, 1, domain.Error{Code: domain.CodeUnavailable}, providerDelay, 2 * providerDelay},
	}
	for name, c := range cases {
		for range 100 {
			if d := retryDelay(c.attempt, c.claims, &c.cause); d < c.low || d > c.high {
				t.Fatalf("%s: %v, want %v to %v", name, d, c.low, c.high)
			}
		}
	}
}
