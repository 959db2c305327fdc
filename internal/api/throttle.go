package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"math"
	"strings"
	"time"

	"generalbackend/internal/domain"
)

// Throttles count attempts for all processes together.
type Throttles interface {
	// Throttled returns how long it takes until a key is wholly free.
	Throttled(ctx context.Context, key []byte) (time.Duration, error)
	// ChargeThrottle adds an attempt, which takes every to be forgotten, and
	// returns the same; it is never longer than latest.
	ChargeThrottle(ctx context.Context, key []byte, every, latest time.Duration) (time.Duration, error)
	// TakeThrottle adds an attempt unless that took the key beyond most.
	TakeThrottle(ctx context.Context, key []byte, every, most time.Duration) (bool, error)
	ForgetThrottle(ctx context.Context, key []byte) error
}

// throttleKey is made of who tries what. It can be compared, and no more.
func (s *server) throttleKey(parts ...string) []byte {
	h := hmac.New(sha256.New, s.Secret)
	h.Write([]byte(strings.ToLower(strings.Join(parts, "\x00"))))
	return h.Sum(nil)
}

// exhausted is how much a key may have used up before it has to wait.
func (r Rate) exhausted() time.Duration { return time.Duration(r.Burst-1) * r.Every }

// refusal is CodeRateLimited for a key that will be wholly free after a while.
func (r Rate) refusal(free time.Duration) error {
	wait := free - r.exhausted()
	if wait <= 0 {
		return nil
	}
	e := domain.Errorf(domain.CodeRateLimited, "Too many attempts. Try again in %d seconds.", int(math.Ceil(wait.Seconds())))
	e.RetryAfter = wait
	return e
}

// guess lets a password be tried, for one account from one client address. Only
// failures count, after the fact: however many log in rightly at the same time,
// none is turned away. What several fail at once delays the next all the more.
// A count of the account alone would let strangers lock its owner out.
func (s *server) guess(ctx context.Context, account string, try func() error) error {
	address, _ := ctx.Value(addressKey{}).(string)
	key := s.throttleKey("login", address, account)
	free, err := s.Throttles.Throttled(ctx, key)
	if err != nil {
		return err
	}
	if err := s.Logins.refusal(free); err != nil {
		return err
	}
	failed := try()
	switch {
	case domain.CodeOf(failed) == domain.CodeBadCredentials:
		err = s.failedGuess(ctx, key, account, address)
	case failed == nil && free > 0:
		err = s.Throttles.ForgetThrottle(ctx, key)
	}
	if err != nil {
		return err
	}
	return failed
}

// failedGuess counts, and writes down the moment from which it has to wait. The
// account may not exist: the address that was typed is not written down.
func (s *server) failedGuess(ctx context.Context, key []byte, account, address string) error {
	free, err := s.Throttles.ChargeThrottle(ctx, key, s.Logins.Every, 2*time.Duration(s.Logins.Burst)*s.Logins.Every)
	if err != nil {
		return err
	}
	before := free - s.Logins.Every
	if free <= s.Logins.exhausted() || before > s.Logins.exhausted() {
		return nil
	}
	target, err := s.Accounts.AccountID(ctx, account)
	if err != nil {
		return err
	}
	return s.auditAs(ctx, domain.User{}, "account.login_failures", target, map[string]any{
		"address": address, "failures": s.Logins.Burst,
	})
}

// takeLetter counts what one client address has mailed to one recipient, alike
// for accounts that exist and that do not.
func (s *server) takeLetter(ctx context.Context, recipient string) error {
	address, _ := ctx.Value(addressKey{}).(string)
	key := s.throttleKey("letter", address, strings.TrimSpace(recipient))
	taken, err := s.Throttles.TakeThrottle(ctx, key, s.Letters.Every, time.Duration(s.Letters.Burst)*s.Letters.Every)
	if err != nil || taken {
		return err
	}
	free, err := s.Throttles.Throttled(ctx, key)
	if err != nil {
		return err
	}
	return s.Letters.refusal(free)
}
