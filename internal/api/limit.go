package api

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"golang.org/x/time/rate"

	"generalbackend/internal/domain"
)

// limiter counts per key, in this process.
type limiter struct {
	rate    Rate
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// maxBuckets bounds memory when an attacker has many addresses.
const maxBuckets = 100_000

func newLimiter(r Rate) *limiter {
	return &limiter{rate: r, buckets: map[string]*rate.Limiter{}}
}

// take uses up one of a key's tokens, or answers CodeRateLimited.
func (l *limiter) take(key string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, ok := l.buckets[key]
	if !ok {
		l.makeRoom()
		bucket = rate.NewLimiter(rate.Every(l.rate.Every), l.rate.Burst)
		l.buckets[key] = bucket
	}
	if bucket.Allow() {
		return nil
	}
	wait := time.Duration((1 - bucket.Tokens()) * float64(l.rate.Every))
	e := domain.Errorf(domain.CodeRateLimited, "Too many attempts. Try again in %d seconds.", int(math.Ceil(wait.Seconds())))
	e.RetryAfter = wait
	return e
}

// makeRoom drops those that are full again; if none is, it starts afresh.
func (l *limiter) makeRoom() {
	if len(l.buckets) < maxBuckets {
		return
	}
	for key, bucket := range l.buckets {
		if bucket.Tokens() >= float64(l.rate.Burst) {
			delete(l.buckets, key)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

// limitAddress counts requests per client address.
func (s *server) limitAddress(ctx huma.Context, next func(huma.Context)) {
	address := clientAddress(humagin.Unwrap(ctx).ClientIP())
	if err := s.auths.take(address); err != nil {
		s.refuse(ctx, err)
		return
	}
	next(huma.WithValue(ctx, addressKey{}, address))
}

type addressKey struct{}

// clientAddress is what one subscriber has: an IPv4 address or an IPv6 network.
func clientAddress(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	address = address.Unmap()
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}
