package api_test

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/mail"
	"generalbackend/internal/mail/mailtest"
	"generalbackend/internal/postgres"
)

const publicURL = "https://app.example.org"

// newMailSystem is a system in a registration mode, with a post office: mail goes
// to a real server.
func newMailSystem(t *testing.T, mode auth.Mode, change ...func(*api.Options)) (*system, *mailtest.Server) {
	t.Helper()
	var accounts *auth.Auth
	s := newSystem(t, append([]func(*api.Options){func(o *api.Options) {
		var err error
		accounts, err = auth.New(o.Store.(*postgres.Store).System(), auth.Options{
			Secret: secret, Hashing: cheap, Registration: mode, PublicURL: publicURL, Mail: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Accounts, o.NewAccounts = accounts, accounts
	}}, change...)...)
	s.accounts = accounts
	server := mailtest.NewServer(t, mail.StartTLS)
	timing := mail.Timing{Poll: 10 * time.Millisecond, First: 10 * time.Millisecond}
	outbox := mail.NewOutbox(s.store, accounts, server.Settings(mail.StartTLS), timing, slog.New(slog.DiscardHandler))
	s.background(outbox.Run)
	return s, server
}

// visitor has no account.
func (s *system) visitor() *user { return &user{system: s} }

func newAddress() string { return uuid.NewString() + "@example.org" }

// registered makes an account and goes through what it waits for.
func (s *system) verified(server *mailtest.Server, email string) *user {
	s.t.Helper()
	u := &user{system: s, email: email}
	u.must(202, "POST", "/v1/auth/register", object{"email": email, "password": password})
	_, token := server.Next(s.t).Link(s.t)
	u.must(200, "POST", "/v1/auth/verify", object{"token": token})
	u.logIn(password)
	return u
}

func (u *user) logIn(password string) {
	u.t.Helper()
	var login api.Login
	u.must(200, "POST", "/v1/auth/login", object{"email": u.email, "password": password}).into(u.t, &login)
	u.id, u.token, u.refresh = login.User.ID, login.AccessToken, login.RefreshToken
}

// TestVerification: the account is good for nothing until the mailed link was
// used; looking at the link does not use it, and it works once.
func TestVerification(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeVerify)
	u := s.visitor()
	u.email = newAddress()
	var waiting api.Registered
	u.must(202, "POST", "/v1/auth/register", object{"email": u.email, "password": password, "language": "de"}).into(t, &waiting)
	if waiting.WaitsFor != "verification" {
		t.Errorf("waits for %q", waiting.WaitsFor)
	}
	r := u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": password})
	if !strings.Contains(string(r.body), "mailed") {
		t.Errorf("no hint at the link: %s", r.body)
	}
	message := server.Next(t)
	address, token := message.Link(t)
	if message.To != u.email || message.Subject != "Bestätigen Sie Ihre E-Mail-Adresse" || address != publicURL+"/auth/verify" {
		t.Errorf("mail to %s, %q, link %s", message.To, message.Subject, address)
	}
	for range 2 {
		var state api.LinkState
		u.must(200, "GET", "/v1/auth/verify?token="+token, nil).into(t, &state)
		if state.Email != u.email {
			t.Errorf("the link is for %q", state.Email)
		}
	}
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": password})
	var verified api.User
	u.must(200, "POST", "/auth/verify", object{"token": token}).into(t, &verified)
	if !verified.IsVerified || verified.Email != u.email || verified.IsAdmin {
		t.Errorf("verified %+v", verified)
	}
	u.refused(domain.CodeLinkInvalid, 400, "POST", "/v1/auth/verify", object{"token": token})
	u.refused(domain.CodeLinkInvalid, 400, "GET", "/v1/auth/verify?token="+token, nil)
	u.logIn(password)
}

// TestRegistrationTellsNothing: where accounts wait, an address that is taken is
// answered like any other. Its owner hears of it; nobody else does.
func TestRegistrationTellsNothing(t *testing.T) {
	t.Parallel()
	for _, mode := range []auth.Mode{auth.ModeVerify, auth.ModeApprove} {
		s, server := newMailSystem(t, mode)
		taken, err := s.accounts.NewUser(t.Context(), auth.NewAccount{Email: newAddress(), Password: "the owner's password"})
		if err == nil {
			taken, err = s.store.CreateUser(t.Context(), taken)
		}
		if err != nil {
			t.Fatal(err)
		}
		u := s.visitor()
		same := u.must(202, "POST", "/v1/auth/register", object{"email": strings.ToUpper(taken.Email), "password": password})
		if got := server.Next(t); got.To != taken.Email || got.Subject != "You have an account already" || strings.Contains(got.Text, "token=") {
			t.Errorf("%s: the owner got %+v", mode, got)
		}
		fresh := u.must(202, "POST", "/v1/auth/register", object{"email": newAddress(), "password": password})
		if diff := cmp.Diff(string(same.body), string(fresh.body)); diff != "" {
			t.Errorf("%s: told apart: %s", mode, diff)
		}
		for name := range fresh.header {
			if same.header.Get(name) != fresh.header.Get(name) && name != "X-Request-Id" && name != "Date" {
				t.Errorf("%s: told apart by %s", mode, name)
			}
		}
		u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": taken.Email, "password": password})
		after, err := s.store.User(t.Context(), taken.ID)
		if err != nil || after.PasswordHash != taken.PasswordHash || after.WaitsFor != "" {
			t.Errorf("%s: the account was touched: %+v %v", mode, after, err)
		}
	}
}

// TestWhoFollowsALinkGetsTheirOwnPassword, however often others registered the
// address before or after.
func TestWhoFollowsALinkGetsTheirOwnPassword(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeVerify)
	u := s.visitor()
	u.email = newAddress()
	var tokens []string
	for _, chosen := range []string{"the first stranger's", "the owner's own one", "the last stranger's"} {
		u.must(202, "POST", "/v1/auth/register", object{"email": u.email, "password": chosen})
		_, token := server.Next(t).Link(t)
		tokens = append(tokens, token)
	}
	u.must(200, "POST", "/v1/auth/verify", object{"token": tokens[1]})
	u.logIn("the owner's own one")
	u.must(200, "POST", "/v1/auth/verify", object{"token": tokens[2]}) // proves the address once more, and no more
	u.logIn("the owner's own one")
}

// TestAnotherVerificationSetsAPassword: who asks for a link anew may not be who
// registered, so the password is chosen with it.
func TestAnotherVerificationSetsAPassword(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeVerify)
	u := s.visitor()
	u.email = newAddress()
	u.must(202, "POST", "/v1/auth/register", object{"email": u.email, "password": "a stranger's password"})
	server.Next(t)
	u.must(202, "POST", "/v1/auth/request-verify-token", object{"email": u.email})
	address, token := server.Next(t).Link(t)
	if address != publicURL+"/auth/reset-password" {
		t.Errorf("the link leads to %s", address)
	}
	u.must(200, "POST", "/v1/auth/reset-password", object{"token": token, "password": password})
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": "a stranger's password"})
	u.logIn(password)
}

// TestVerificationLater: an account that is usable can prove its address too.
func TestVerificationLater(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeOpen)
	u := s.newUser()
	u.must(202, "POST", "/v1/auth/request-verify-token", object{"email": u.email})
	_, token := server.Next(t).Link(t)
	u.must(200, "POST", "/v1/auth/verify", object{"token": token})
	u.must(202, "POST", "/v1/auth/request-verify-token", object{"email": u.email}) // nothing to prove: no mail
	u.must(202, "POST", "/v1/auth/request-verify-token", object{"email": newAddress()})
	s.mailSent()
	if server.Waiting() > 0 {
		t.Errorf("mail for no reason: %+v", server.Next(t))
	}
}

// mailSent waits until nothing waits to be sent.
func (s *system) mailSent() {
	s.t.Helper()
	s.until(func() bool { return s.one("SELECT count(*)::text FROM mails") == "0" })
}

// sql changes the database behind the system's back.
func (s *system) sql(statement string, args ...any) {
	s.t.Helper()
	conn := s.connect()
	defer conn.Close(context.Background())
	if _, err := conn.Exec(s.t.Context(), statement, args...); err != nil {
		s.t.Fatal(err)
	}
}

// one reads a text from the database.
func (s *system) one(query string, args ...any) (value string) {
	s.t.Helper()
	conn := s.connect()
	defer conn.Close(context.Background()) // some ask until the answer is what they wait for
	if err := conn.QueryRow(s.t.Context(), query, args...).Scan(&value); err != nil {
		s.t.Fatal(err)
	}
	return value
}

func (s *system) until(met func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !met(); pause() {
		if time.Now().After(deadline) {
			s.t.Fatal("waited in vain")
		}
	}
}

// TestApproval: the account is inactive until an administrator activates it; both
// are told.
func TestApproval(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeApprove)
	admin := domain.User{ID: uuid.New(), Email: newAddress(), PasswordHash: "x", IsAdmin: true, Language: "de"}
	if _, err := s.store.CreateUser(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	u := s.visitor()
	u.email = newAddress()
	var waiting api.Registered
	u.must(202, "POST", "/v1/auth/register", object{"email": u.email, "password": password, "is_active": true, "is_admin": true}).into(t, &waiting)
	if got := server.Next(t); waiting.WaitsFor != "approval" || got.To != admin.Email || !strings.Contains(got.Text, u.email) {
		t.Errorf("waits for %q, the administrator got %+v", waiting.WaitsFor, got)
	}
	u.must(202, "POST", "/v1/auth/register", object{"email": u.email, "password": "another password"}) // changes nothing
	u.must(202, "POST", "/v1/auth/forgot-password", object{"email": u.email})                          // opens nothing
	s.mailSent()
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": password})
	account, err := s.store.UserByEmail(t.Context(), u.email)
	if err != nil || account.IsActive || account.IsAdmin || account.WaitsFor != domain.WaitApproval {
		t.Fatalf("%+v %v", account, err)
	}
	if _, _, err := s.store.UpdateUser(t.Context(), account.ID, domain.UserChange{IsActive: new(true)}); err != nil {
		t.Fatal(err)
	}
	if got := server.Next(t); got.To != u.email || got.Subject != "Your account was approved" {
		t.Errorf("the user got %+v", got)
	}
	u.logIn(password)
	for _, active := range []bool{false, true} { // shutting and opening again is no approval
		if _, _, err := s.store.UpdateUser(t.Context(), account.ID, domain.UserChange{IsActive: &active}); err != nil {
			t.Fatal(err)
		}
	}
	s.mailSent()
	if server.Waiting() > 0 {
		t.Errorf("more mail: %+v", server.Next(t))
	}
}

// TestReset: a new password by mail ends all sessions and other links, and proves
// the address.
func TestReset(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeOpen)
	u := s.newUser()
	for _, path := range []string{"/v1/auth/forgot-password", "/auth/forgot-password"} {
		known := u.must(202, "POST", path, object{"email": " " + strings.ToUpper(u.email)[:8] + u.email[8:] + " "})
		unknown := u.must(202, "POST", path, object{"email": newAddress()})
		if diff := cmp.Diff(string(known.body), string(unknown.body)); diff != "" {
			t.Errorf("told apart: %s", diff)
		}
	}
	_, first := server.Next(t).Link(t)
	address, second := server.Next(t).Link(t)
	if address != publicURL+"/auth/reset-password" {
		t.Errorf("the link leads to %s", address)
	}
	u.must(200, "GET", "/v1/auth/reset-password?token="+first, nil)
	u.refused(domain.CodeInvalid, 422, "POST", "/v1/auth/reset-password", object{"token": first, "password": "short"})
	u.refused(domain.CodeLinkInvalid, 400, "POST", "/v1/auth/verify", object{"token": first}) // for another purpose
	const changed = "another password"
	var reset api.User
	u.must(200, "POST", "/v1/auth/reset-password", object{"token": first, "password": changed}).into(t, &reset)
	if reset.ID != u.id || !reset.IsVerified {
		t.Errorf("reset %+v", reset)
	}
	for _, token := range []string{first, second} {
		u.refused(domain.CodeLinkInvalid, 400, "POST", "/v1/auth/reset-password", object{"token": token, "password": changed})
		u.refused(domain.CodeLinkInvalid, 400, "GET", "/v1/auth/reset-password?token="+token, nil)
	}
	u.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil)
	u.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": u.refresh})
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": password})
	u.logIn(changed)
	if got := server.Next(t); got.To != u.email || got.Subject != "Your password was changed" {
		t.Errorf("the owner got %+v", got)
	}
	s.audited(u.id, "account.password_reset")
}

// audited demands an entry of what a user did, or what was done to them.
func (s *system) audited(id uuid.UUID, action string) domain.AuditEntry {
	s.t.Helper()
	entries, err := s.store.AuditLog(s.t.Context(), postgres.AuditFilter{Action: action, Limit: 100})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Target == id.String() || e.ActorID != nil && *e.ActorID == id {
			return e
		}
	}
	s.t.Errorf("no entry %s of %s", action, id)
	return domain.AuditEntry{}
}

// TestLinksExpire, and a link that was made up does not reach the database.
func TestLinksExpire(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeOpen)
	u := s.newUser()
	u.must(202, "POST", "/v1/auth/forgot-password", object{"email": u.email})
	_, token := server.Next(t).Link(t)
	last := map[bool]string{true: "B", false: "A"}[strings.HasSuffix(token, "A")]
	for _, bad := range []string{"x", token[:len(token)-1], token[:len(token)-1] + last, "A" + token, strings.Repeat("A", 64)} {
		u.refused(domain.CodeLinkInvalid, 400, "POST", "/v1/auth/reset-password", object{"token": bad, "password": password})
	}
	u.refused(domain.CodeInvalid, 422, "GET", "/v1/auth/verify", nil)
	u.refused(domain.CodeInvalid, 422, "POST", "/v1/auth/verify", object{"token": ""})
	s.sql("UPDATE user_tokens SET expires_at = now()")
	u.refused(domain.CodeLinkInvalid, 400, "POST", "/v1/auth/reset-password", object{"token": token, "password": password})
}

// TestNothingStoredOpensAnything: neither the line of mails nor the links hold
// what a link carries.
func TestNothingStoredOpensAnything(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeOpen)
	u := s.newUser()
	u.must(202, "POST", "/v1/auth/forgot-password", object{"email": u.email})
	_, token := server.Next(t).Link(t)
	s.mailSent()
	if stored := s.one("SELECT string_agg(user_tokens::text, '') FROM user_tokens"); stored == "" || strings.Contains(stored, token[30:]) {
		t.Errorf("stored: %s", stored)
	}
	if left := s.one("SELECT count(*)::text FROM mails"); left != "0" {
		t.Errorf("%s mails are left", left)
	}
}

// TestLinkPages: a browser gets a page with a form that needs no script, in the
// language of the account.
func TestLinkPages(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeVerify)
	u := s.visitor()
	u.email = newAddress()
	const html, formType = "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Content-Type: application/x-www-form-urlencoded"
	page := func(status int, method, path string, body any, want string) {
		t.Helper()
		r := u.must(status, method, path, body, html, formType, "Accept-Language: de-DE,de")
		policy := r.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || !strings.Contains(string(r.body), want) || !strings.Contains(policy, "form-action 'self'") {
			t.Errorf("%s %s: policy %q, %s", method, path, policy, r.body)
		}
		if strings.Contains(string(r.body), "<script") || strings.Contains(string(r.body), "http") {
			t.Errorf("%s %s loads something: %s", method, path, r.body)
		}
	}
	u.must(202, "POST", "/v1/auth/register", object{"email": u.email, "password": password, "language": "de"})
	_, token := server.Next(t).Link(t)
	form := url.Values{"token": {token}}
	page(200, "GET", "/auth/verify?token="+token, nil, "Bestätigen</button>")
	page(200, "GET", "/v1/auth/verify?token="+token, nil, `action="verify"`)
	page(200, "POST", "/v1/auth/verify", form.Encode(), "Die Adresse ist bestätigt")
	page(400, "POST", "/v1/auth/verify", form.Encode(), "used already")
	page(400, "GET", "/v1/auth/verify?token=%3Cb%3E", nil, "not complete")
	u.must(202, "POST", "/v1/auth/forgot-password", object{"email": u.email})
	_, token = server.Next(t).Link(t)
	form = url.Values{"token": {token}, "password": {"short"}}
	owner := &user{system: s, email: u.email}
	owner.logIn(password)
	key := owner.with(owner.newKey("read"))
	key.must(200, "GET", "/v1/documents", nil)
	page(200, "GET", "/v1/auth/reset-password?token="+token, nil, `type="password"`)
	page(422, "POST", "/v1/auth/reset-password", form.Encode(), `value="`+token+`"`)
	form.Set("password", password)
	form.Set("delete_api_keys", "true")
	page(200, "POST", "/v1/auth/reset-password", form.Encode(), "Das neue Passwort ist gesetzt")
	key.refused(domain.CodeUnauthorized, 401, "GET", "/v1/documents", nil)
	page(400, "POST", "/v1/auth/reset-password", form.Encode(), "used already")
	page(400, "GET", "/v1/auth/reset-password?token="+token, nil, "used already")
	u.refused(domain.CodeUnsupportedType, 415, "POST", "/v1/auth/verify", "token", "Content-Type: text/plain")
}

// TestMailIsLimited: from one client address by an answer, from all together
// without one, alike for accounts that do not exist.
func TestMailIsLimited(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeOpen, func(o *api.Options) {
		o.Letters = api.Rate{Every: time.Hour, Burst: 2}
		o.TrustedProxies = []string{"127.0.0.1"}
	})
	u := s.newUser()
	for _, path := range []string{"/v1/auth/forgot-password", "/v1/auth/request-verify-token"} {
		for _, email := range []string{newAddress(), newAddress()} {
			for range 2 {
				u.must(202, "POST", path, object{"email": email})
			}
			r := u.refused(domain.CodeRateLimited, 429, "POST", path, object{"email": email})
			if r.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	for i := range 9 { // nine client addresses
		u.must(202, "POST", "/v1/auth/forgot-password", object{"email": u.email}, "X-Forwarded-For: 192.0.2."+string(rune('1'+i)))
	}
	s.mailSent()
	if got := server.Waiting(); got != 6 {
		t.Errorf("%d mails to one mailbox", got)
	}
}

// TestWithoutMail says so at once, for every address.
func TestWithoutMail(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(o *api.Options) {
		accounts, err := auth.New(o.Store.(*postgres.Store).System(), auth.Options{Secret: secret, Hashing: cheap})
		if err != nil {
			t.Fatal(err)
		}
		o.Accounts = accounts
	})
	u := s.newUser()
	for _, path := range []string{"/v1/auth/forgot-password", "/v1/auth/request-verify-token"} {
		for _, email := range []string{u.email, newAddress()} {
			u.refused(domain.CodeMailMissing, 403, "POST", path, object{"email": email})
		}
	}
}
