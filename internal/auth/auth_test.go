package auth_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
)

var cheap = auth.Hashing{MemoryKiB: 64, Iterations: 1}

const password = "correct horse"

// options are those of most tests.
func options() auth.Options {
	return auth.Options{Secret: []byte(strings.Repeat("secret", 6)), Hashing: cheap}
}

func open(t *testing.T, store auth.Store, o auth.Options) *auth.Auth {
	t.Helper()
	a, err := auth.New(store, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func register(t *testing.T, a *auth.Auth, email string) domain.User {
	t.Helper()
	user, err := a.Register(t.Context(), auth.NewAccount{Email: email, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

func wantCode(t *testing.T, what string, err error, want domain.Code) {
	t.Helper()
	if err == nil || domain.CodeOf(err) != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func TestShortSecretIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := auth.New(nil, auth.Options{Secret: []byte("short")}); err == nil {
		t.Error("a short secret was accepted")
	}
}

func TestAccountsAreChecked(t *testing.T) {
	t.Parallel()
	a := open(t, nil, options())
	for name, account := range map[string]auth.NewAccount{
		"no address":     {Email: "eva", Password: password},
		"a name with it": {Email: "Eva <eva@example.org>", Password: password},
		"NUL":            {Email: "eva\x00@example.org", Password: password},
		"long address":   {Email: strings.Repeat("e", 320) + "@example.org", Password: password},
		"short password": {Email: "eva@example.org", Password: "sieben7"},
		"long password":  {Email: "eva@example.org", Password: strings.Repeat("x", 1025)},
	} {
		_, err := a.NewUser(t.Context(), account)
		wantCode(t, name, err, domain.CodeInvalid)
	}
	user, err := a.NewUser(t.Context(), auth.NewAccount{Email: " eva@example.org ", Password: "acht äöü"})
	if err != nil || user.Email != "eva@example.org" || !strings.HasPrefix(user.PasswordHash, "$argon2id$") || user.IsAdmin {
		t.Errorf("made %+v, %v", user, err)
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	a := open(t, postgrestest.NewStore(t), options())
	user := register(t, a, "eva@example.org")
	tokens, again, err := a.Login(t.Context(), "EVA@example.org", password, "a browser \xff\x00")
	if err != nil || again.ID != user.ID {
		t.Fatalf("logged in %+v, %v", again, err)
	}
	who, err := a.Authenticate(t.Context(), tokens.Access)
	if err != nil || who.User.ID != user.ID || a.Alive(t.Context(), who) != nil {
		t.Fatalf("authenticated %+v, %v", who, err)
	}
	if err := a.Logout(t.Context(), who.SessionID); err != nil {
		t.Fatal(err)
	}
	_, err = a.Authenticate(t.Context(), tokens.Access)
	wantCode(t, "access token of an ended session", err, domain.CodeUnauthorized)
	wantCode(t, "ended session", a.Alive(t.Context(), who), domain.CodeUnauthorized)
	_, _, err = a.Refresh(t.Context(), tokens.Refresh)
	wantCode(t, "refresh token of an ended session", err, domain.CodeUnauthorized)
}

// TestOneOfManyRefreshesWins: a stolen token and its owner's cannot both go on.
func TestOneOfManyRefreshesWins(t *testing.T) {
	t.Parallel()
	a := open(t, postgrestest.NewStore(t), options())
	tokens, err := a.Open(t.Context(), register(t, a, "eva@example.org"), "")
	if err != nil {
		t.Fatal(err)
	}
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, _, err := a.Refresh(t.Context(), tokens.Refresh); err == nil {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d refreshes won", won.Load())
	}
	_, err = a.Authenticate(t.Context(), tokens.Access)
	wantCode(t, "session of a token that came back", err, domain.CodeUnauthorized)
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	store := postgrestest.NewStore(t)
	now := time.Now()
	o := options()
	o.Now = func() time.Time { return now }
	o.RefreshTTL = -time.Hour
	a := open(t, store, o)
	user := register(t, a, "eva@example.org")
	tokens, err := a.Open(t.Context(), user, "")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = a.Refresh(t.Context(), tokens.Refresh)
	wantCode(t, "refresh token of an old session", err, domain.CodeUnauthorized)
	now = now.Add(31 * time.Minute)
	_, err = a.Authenticate(t.Context(), tokens.Access)
	wantCode(t, "old access token", err, domain.CodeTokenExpired)
}

// TestTokensOfAnotherSecret are worth nothing here.
func TestTokensOfAnotherSecret(t *testing.T) {
	t.Parallel()
	store := postgrestest.NewStore(t)
	a := open(t, store, options())
	tokens, err := a.Open(t.Context(), register(t, a, "eva@example.org"), "")
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Secret = []byte(strings.Repeat("another", 6))
	other := open(t, store, o)
	_, err = other.Authenticate(t.Context(), tokens.Access)
	wantCode(t, "access token", err, domain.CodeUnauthorized)
	_, _, err = other.Refresh(t.Context(), tokens.Refresh)
	wantCode(t, "refresh token", err, domain.CodeUnauthorized)
	for _, token := range []string{"", ".", uuid.NewString(), uuid.NewString() + ".", tokens.Access} {
		_, _, err = a.Refresh(t.Context(), token)
		wantCode(t, "refresh token "+token, err, domain.CodeUnauthorized)
	}
	if _, err := a.Authenticate(t.Context(), tokens.Access); err != nil {
		t.Errorf("guessing ended the session: %v", err)
	}
}

// TestCostIsRaised at the next login after it was configured.
func TestCostIsRaised(t *testing.T) {
	t.Parallel()
	store := postgrestest.NewStore(t)
	before := register(t, open(t, store, options()), "eva@example.org")
	o := options()
	o.Hashing.Iterations = 2
	dear := open(t, store, o)
	if _, _, err := dear.Login(t.Context(), before.Email, password, ""); err != nil {
		t.Fatal(err)
	}
	after := hashOf(t, store, before.Email)
	if after == before.PasswordHash || !strings.Contains(after, ",t=2,") {
		t.Errorf("the hash is %s", after)
	}
	if _, _, err := dear.Login(t.Context(), before.Email, password, ""); err != nil {
		t.Fatal(err)
	}
	if hashOf(t, store, before.Email) != after {
		t.Error("a hash of the right cost was replaced")
	}
}

func hashOf(t *testing.T, store *postgres.Store, email string) string {
	t.Helper()
	user, err := store.UserByEmail(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return user.PasswordHash
}

func TestWrongCredentialsAreAlike(t *testing.T) {
	t.Parallel()
	a := open(t, postgrestest.NewStore(t), options())
	register(t, a, "eva@example.org")
	messages := map[string]bool{}
	for _, c := range [][2]string{
		{"eva@example.org", "wrong"}, {"eva@example.org", strings.Repeat("x", 5000)}, {"adam@example.org", password}, {"", ""},
	} {
		_, _, err := a.Login(t.Context(), c[0], c[1], "")
		wantCode(t, c[0], err, domain.CodeBadCredentials)
		messages[domain.AsError(err).Message] = true
	}
	if len(messages) != 1 {
		t.Errorf("told apart: %v", messages)
	}
}
