package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"generalbackend/internal/api"
	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

func TestRolesAreNotTheVisitorsToSet(t *testing.T) {
	t.Parallel()
	u := &user{system: newSystem(t)}
	var login api.Login
	u.must(201, "POST", "/v1/auth/register", object{
		"email": "Eva@example.org", "password": password, "name": "Eva",
		"is_admin": true, "is_superuser": true, "is_verified": true, "role": "admin",
	}).into(t, &login)
	if got := login.User; got.IsAdmin || got.IsVerified || got.Name != "Eva" || !got.IsActive {
		t.Errorf("registered as %+v", got)
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	form := url.Values{"username": {strings.ToUpper(u.email)}, "password": {password}, "grant_type": {"password"}}
	for name, r := range map[string]reply{
		"JSON":         u.must(200, "POST", "/v1/auth/login", object{"email": u.email, "password": password}),
		"old JSON":     u.must(200, "POST", "/auth/login", object{"username": u.email, "password": password}),
		"OAuth2 form":  u.must(200, "POST", "/v1/auth/login", form.Encode(), "Content-Type: application/x-www-form-urlencoded"),
		"with charset": u.must(200, "POST", "/auth/login", form.Encode(), "Content-Type: application/x-www-form-urlencoded; charset=UTF-8"),
	} {
		var login api.Login
		r.into(t, &login)
		if login.TokenType != "bearer" || login.ExpiresIn != 1800 || login.User.ID != u.id {
			t.Errorf("%s: %s", name, r.body)
		}
		u.must(200, "GET", "/v1/auth/me", nil, "Authorization: Bearer "+login.AccessToken)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	u.must(204, "POST", "/v1/auth/logout", nil)
	u.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil)
	u.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": u.refresh})
}

// TestRefresh: each refresh token works once; one that comes back ends the
// session, the newest tokens included.
func TestRefresh(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	var next api.Login
	u.must(200, "POST", "/v1/auth/refresh", object{"refresh_token": u.refresh}).into(t, &next)
	u.must(200, "GET", "/v1/auth/me", nil, "Authorization: Bearer "+next.AccessToken)
	guess := strings.Split(u.refresh, ".")[0] + "." + strings.Repeat("A", 64)
	u.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": guess})
	u.must(200, "GET", "/v1/auth/me", nil, "Authorization: Bearer "+next.AccessToken) // a guess ends nothing
	u.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": u.refresh})
	u.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil, "Authorization: Bearer "+next.AccessToken)
	u.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": next.RefreshToken})
}

func TestRegistrationClosed(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(o *api.Options) {
		closed, err := auth.New(o.Store.(*postgres.Store).System(), auth.Options{Secret: secret, Hashing: cheap, Registration: auth.ModeClosed})
		if err != nil {
			t.Fatal(err)
		}
		o.Accounts = closed
	})
	(&user{system: s}).refused(domain.CodeRegistrationShut, 403, "POST", "/v1/auth/register", object{"email": "a@example.org", "password": password})
}

// TestFailedLoginsAreThrottled alike for accounts that exist and that do not;
// a login that succeeds costs nothing.
func TestFailedLoginsAreThrottled(t *testing.T) {
	t.Parallel()
	u := newSystem(t, func(o *api.Options) { o.Logins = api.Rate{Every: time.Hour, Burst: 3} }).newUser()
	other := u.newUser()
	for range 5 {
		u.must(200, "POST", "/v1/auth/login", object{"email": u.email, "password": password})
	}
	for _, email := range []string{u.email, "nobody@example.org"} {
		for range 3 {
			u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": email, "password": "wrong"})
		}
		r := u.refused(domain.CodeRateLimited, 429, "POST", "/v1/auth/login", object{"email": strings.ToUpper(email), "password": password})
		if r.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	u.must(200, "POST", "/v1/auth/login", object{"email": other.email, "password": password})
}

func TestAddressesAreLimited(t *testing.T) {
	t.Parallel()
	u := &user{system: newSystem(t, func(o *api.Options) { o.AuthLimit = api.Rate{Every: time.Hour, Burst: 2} })}
	for range 2 {
		u.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": "x"})
	}
	// A header that anybody can send does not make another address.
	r := u.refused(domain.CodeRateLimited, 429, "POST", "/v1/auth/refresh", object{"refresh_token": "x"}, "X-Forwarded-For: 192.0.2.7", "Origin: "+origin)
	if r.header.Get("Access-Control-Allow-Origin") != origin {
		t.Error("no CORS header")
	}
}

// TestOldHashes: a bcrypt hash of the previous system, made of the password's
// first 72 bytes, is accepted and replaced.
func TestOldHashes(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	long := strings.Repeat("long password ", 8)
	hash, err := bcrypt.GenerateFromPassword([]byte(long[:72]), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	u.sql("UPDATE users SET password_hash = $2 WHERE id = $1", u.id, string(hash))
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": "wrong"})
	for range 2 {
		u.must(200, "POST", "/v1/auth/login", object{"email": u.email, "password": long})
	}
	stored, err := u.store.UserByEmail(t.Context(), u.email)
	if err != nil || !strings.HasPrefix(stored.PasswordHash, "$argon2id$") {
		t.Errorf("the hash is %.12s, %v", stored.PasswordHash, err)
	}
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": long[:72]})
}
