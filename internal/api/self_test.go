package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// TestSessionsList: one sees one's logins, and ends them one by one or together.
func TestSessionsList(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newUser()
	other, third := &user{system: s, email: u.email}, &user{system: s, email: u.email}
	other.must(200, "POST", "/v1/auth/login", object{"email": u.email, "password": password}, "User-Agent: a phone")
	other.logIn(password)
	third.logIn(password)
	var listed api.Page[api.Session]
	u.must(200, "GET", "/v1/auth/sessions", nil).into(t, &listed)
	current, phone := 0, uuid.Nil
	for _, session := range listed.Items {
		if session.Current {
			current++
		}
		if session.UserAgent == "a phone" {
			phone = session.ID
		}
		if session.ExpiresAt.Before(time.Now()) || session.LastUsedAt.Before(session.CreatedAt) {
			t.Errorf("session %+v", session)
		}
	}
	if len(listed.Items) != 4 || current != 1 || phone == uuid.Nil {
		t.Errorf("%+v", listed.Items)
	}
	u.must(204, "DELETE", "/v1/auth/sessions/"+phone.String(), nil)
	u.refused(domain.CodeNotFound, 404, "DELETE", "/v1/auth/sessions/"+phone.String(), nil)
	u.audited(phone, "session.end")
	other.must(200, "GET", "/v1/auth/me", nil)
	var ended api.Ended
	u.must(200, "DELETE", "/v1/auth/sessions", nil).into(t, &ended)
	if ended.Ended != 2 {
		t.Errorf("ended %d", ended.Ended)
	}
	u.audited(u.id, "session.end_others")
	other.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil)
	third.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": third.refresh})
	u.must(200, "DELETE", "/auth/sessions", nil).into(t, &ended)
	if ended.Ended != 0 {
		t.Errorf("ended %d more", ended.Ended)
	}
	u.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/auth/sessions?cursor=x", nil)
}

// TestOwnAccount: name and language are one's own to change, roles are not.
func TestOwnAccount(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	var changed api.User
	u.must(200, "PATCH", "/v1/users/me", object{
		"name": " Ada \n", "language": "de", "is_admin": true, "is_superuser": true, "is_verified": true, "role": "admin", "waits_for": "approval",
	}).into(t, &changed)
	if changed.Name != "Ada" || changed.Language != "de" || changed.IsAdmin || changed.IsVerified || changed.WaitsFor != "" || !changed.IsActive {
		t.Errorf("changed to %+v", changed)
	}
	u.must(200, "PATCH", "/users/me", object{"language": ""}).into(t, &changed)
	u.must(200, "PATCH", "/users/me", object{}).into(t, &changed)
	if changed.Name != "Ada" || changed.Language != "" {
		t.Errorf("changed to %+v", changed)
	}
	u.refused(domain.CodeForbidden, 403, "GET", "/v1/admin/users", nil)
}

func TestChangeOfAddress(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeOpen)
	u, other := s.newUser(), s.newUser()
	former, next := u.email, newAddress()
	u.refused(domain.CodeInvalid, 422, "PATCH", "/v1/users/me", object{"email": next})
	u.refused(domain.CodeBadCredentials, 401, "PATCH", "/v1/users/me", object{"email": next, "current_password": "wrong"})
	u.refused(domain.CodeEmailTaken, 409, "PATCH", "/v1/users/me", object{"email": other.email, "current_password": password})
	var changed api.User
	u.must(200, "PATCH", "/v1/users/me", object{"email": next, "current_password": password, "name": "Ada"}).into(t, &changed)
	if changed.Email != next || changed.IsVerified || changed.Name != "Ada" {
		t.Errorf("changed to %+v", changed)
	}
	if got := server.Next(t); got.To != former || !strings.Contains(got.Text, next) {
		t.Errorf("the former address got %+v", got)
	}
	u.audited(u.id, "account.email_change")
	u.must(200, "GET", "/v1/auth/me", nil)
	u.email = next
	u.logIn(password)
}

// TestChangeOfAddressIsVerified where addresses have to be. One that is taken is
// answered like one that is not.
func TestChangeOfAddressIsVerified(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeVerify)
	u, other := s.verified(server, newAddress()), s.verified(server, newAddress())
	former, next := u.email, newAddress()
	var changed api.User
	u.must(200, "PATCH", "/v1/users/me", object{"email": other.email, "current_password": password}).into(t, &changed)
	if changed.Email != former || changed.Pending != other.email {
		t.Errorf("changed to %+v", changed)
	}
	if got := server.Next(t); got.To != other.email || got.Subject != "You have an account already" {
		t.Errorf("the owner got %+v", got)
	}
	u.must(200, "PATCH", "/v1/users/me", object{"email": next, "current_password": password}).into(t, &changed)
	if changed.Email != former || changed.Pending != next || !changed.IsVerified {
		t.Errorf("changed to %+v", changed)
	}
	message := server.Next(t)
	_, token := message.Link(t)
	if message.To != next {
		t.Errorf("the link went to %s", message.To)
	}
	u.audited(u.id, "account.email_change_request")
	u.must(200, "POST", "/v1/auth/verify", object{"token": token}).into(t, &changed)
	if changed.Email != next || changed.Pending != "" || !changed.IsVerified {
		t.Errorf("changed to %+v", changed)
	}
	if got := server.Next(t); got.To != former || !strings.Contains(got.Text, next) {
		t.Errorf("the former address got %+v", got)
	}
	u.audited(u.id, "account.email_change")
}

// TestRaceForAnAddress: two want the same one; the first who proves it has it, and
// whoever proved it too late is told.
func TestRaceForAnAddress(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeVerify)
	wanted := newAddress()
	var tokens []string
	for range 2 {
		u := s.verified(server, newAddress())
		u.must(200, "PATCH", "/v1/users/me", object{"email": wanted, "current_password": password})
		_, token := server.Next(t).Link(t)
		tokens = append(tokens, token)
	}
	u := s.visitor()
	u.must(200, "POST", "/v1/auth/verify", object{"token": tokens[0]})
	u.refused(domain.CodeEmailTaken, 409, "POST", "/v1/auth/verify", object{"token": tokens[1]})
	r := u.must(409, "POST", "/v1/auth/verify", "token="+tokens[1], "Accept: text/html", "Content-Type: application/x-www-form-urlencoded")
	if !strings.Contains(string(r.body), "exists already") {
		t.Errorf("%s", r.body)
	}
}

func TestChangeOfAddressNeedsMail(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(o *api.Options) {
		accounts, err := auth.New(o.Store.(*postgres.Store).System(), auth.Options{Secret: secret, Hashing: cheap, Registration: auth.ModeApprove})
		if err != nil {
			t.Fatal(err)
		}
		o.Accounts = accounts
	})
	u := s.visitor()
	u.email = newAddress()
	u.must(202, "POST", "/v1/auth/register", object{"email": u.email, "password": password})
	s.sql("UPDATE users SET is_active = true")
	u.logIn(password)
	u.refused(domain.CodeMailMissing, 403, "PATCH", "/v1/users/me", object{"email": newAddress(), "current_password": password})
}

// TestChangePassword: it takes the present one, ends the other sessions and leaves
// this one.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	s, server := newMailSystem(t, auth.ModeOpen)
	u := s.newUser()
	other := &user{system: s, email: u.email}
	other.logIn(password)
	const changed = "another password"
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/change-password", object{"current_password": "wrong", "new_password": changed})
	u.refused(domain.CodeInvalid, 422, "POST", "/v1/auth/change-password", object{"current_password": password, "new_password": "short"})
	u.must(204, "POST", "/v1/auth/change-password", object{"current_password": password, "new_password": changed})
	if got := server.Next(t); got.To != u.email || got.Subject != "Your password was changed" {
		t.Errorf("the owner got %+v", got)
	}
	u.must(200, "GET", "/v1/auth/me", nil)
	other.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil)
	other.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": password})
	other.logIn(changed)
	s.audited(u.id, "account.password_change")
}

// TestKeysAndPasswords: API keys outlive a new password, unless they are to go.
func TestKeysAndPasswords(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	key := u.with(u.newKey("read"))
	change := object{"current_password": password, "new_password": password}
	u.must(204, "POST", "/v1/auth/change-password", change)
	key.must(200, "GET", "/v1/documents", nil)
	change["delete_api_keys"] = true
	u.must(204, "POST", "/v1/auth/change-password", change)
	key.refused(domain.CodeUnauthorized, 401, "GET", "/v1/documents", nil)
	if entry := u.audited(u.id, "account.password_change"); !strings.Contains(string(entry.Details), "api_keys") {
		t.Errorf("written down: %s", entry.Details)
	}
}

// TestLocalByChoice: users keep their work local by themselves, and cannot lift what
// an administrator ordered.
func TestLocalByChoice(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, u := s.newAdmin(), s.newUser()
	limits := userPath(u.id) + "/limits"
	check := func(local, ordered bool) {
		t.Helper()
		var got api.User
		u.must(200, "GET", "/v1/users/me", nil).into(t, &got)
		var usage api.LLMUsage
		u.must(200, "GET", "/v1/llm/usage", nil).into(t, &usage)
		var order api.UserLimits
		admin.must(200, "GET", limits, nil).into(t, &order)
		if got.LocalOnly != local || got.Ordered != ordered || usage.LocalOnly != local || order.LocalOnly != ordered {
			t.Errorf("account %v %v, usage %v, order %v; want %v %v", got.LocalOnly, got.Ordered, usage.LocalOnly, order.LocalOnly, local, ordered)
		}
	}
	check(false, false)
	u.must(200, "PATCH", "/v1/users/me", object{"local_only": true})
	check(true, false)
	admin.must(200, "PUT", limits, object{"local_only": true})
	check(true, true)
	u.refused(domain.CodeForbidden, 403, "PATCH", "/v1/users/me", object{"local_only": false})
	check(true, true)
	admin.must(200, "PUT", limits, object{"local_only": false})
	check(true, false)
	u.must(200, "PATCH", "/v1/users/me", object{"local_only": false})
	check(false, false)
}

// TestPasswordsAreNotGuessedInASession: whoever got hold of a token cannot try more
// often than at a login.
func TestPasswordsAreNotGuessedInASession(t *testing.T) {
	t.Parallel()
	u := newSystem(t, func(o *api.Options) { o.Logins = api.Rate{Every: time.Hour, Burst: 3} }).newUser()
	tries := map[string]object{
		"PATCH /v1/users/me":            {"email": newAddress(), "current_password": "wrong"},
		"POST /v1/auth/change-password": {"current_password": "wrong", "new_password": "another password"},
		"DELETE /v1/users/me":           {"password": "wrong"},
	}
	for what, body := range tries {
		method, path, _ := strings.Cut(what, " ")
		u.refused(domain.CodeBadCredentials, 401, method, path, body)
	}
	for what, body := range tries {
		method, path, _ := strings.Cut(what, " ")
		u.refused(domain.CodeRateLimited, 429, method, path, body)
	}
	u.audited(u.id, "account.login_failures")
}

// TestThrottleHoldsAcrossProcesses, counts failures only, and does not lock the
// owner out who comes from elsewhere.
func TestThrottleHoldsAcrossProcesses(t *testing.T) {
	t.Parallel()
	options := func(o *api.Options) {
		o.Logins, o.TrustedProxies = api.Rate{Every: time.Hour, Burst: 4}, []string{"127.0.0.1"}
	}
	first := newSystem(t, options)
	second := newSystem(t, options, func(o *api.Options) {
		o.Store, o.Throttles, o.Accounts, o.Own = first.store, first.store, first.accounts, first.store
	})
	u := first.newUser()
	servers := []*user{first.visitor(), second.visitor()}
	for i := range 4 {
		servers[i%2].refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": "wrong"})
	}
	for _, server := range servers {
		server.refused(domain.CodeRateLimited, 429, "POST", "/v1/auth/login", object{"email": u.email, "password": password})
		server.must(200, "POST", "/v1/auth/login", object{"email": u.email, "password": password}, "X-Forwarded-For: 192.0.2.7")
	}
	if n := first.one("SELECT count(*)::text FROM audit_log WHERE action = 'account.login_failures' AND target = $1", u.id.String()); n != "1" {
		t.Errorf("%s entries of one burst", n)
	}
	if text := first.one("SELECT string_agg(audit_log::text, '') FROM audit_log"); strings.Contains(text, u.email) {
		t.Errorf("the audit log names the address: %s", text)
	}
}

// TestManyRightLoginsAtOnce are never turned away: a page that logs in by itself
// for all its visitors depends on that.
func TestManyRightLoginsAtOnce(t *testing.T) {
	t.Parallel()
	u := newSystem(t, func(o *api.Options) { o.Logins = api.Rate{Every: time.Hour, Burst: 2} }).newUser()
	replies := make(chan reply)
	const logins = 20
	for range logins {
		go func() { replies <- u.send("POST", "/auth/login", object{"username": u.email, "password": password}) }()
	}
	for range logins {
		if r := <-replies; r.status != 200 {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
}

// TestFarewell: nothing of the account is left in any table, what runs is stopped,
// and the audit log keeps ids only.
func TestFarewell(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u, other := s.newUser(), s.newUser()
	u.owned()
	other.owned()
	u.text("slow")
	s.until(func() bool { return s.held.Load() > 0 })
	u.refused(domain.CodeBadCredentials, 401, "DELETE", "/v1/users/me", object{"password": "wrong"})
	before := s.rowsOf(other.id)
	ended := s.ended.Load()
	u.must(204, "DELETE", "/v1/users/me", object{"password": password})
	s.until(func() bool { return s.ended.Load() > ended })
	for table, n := range s.rowsOf(u.id) {
		if n > 0 && table != "audit_log" {
			t.Errorf("%s keeps %d rows", table, n)
		}
	}
	for table, n := range s.rowsOf(other.id) {
		if n < before[table] {
			t.Errorf("%s lost rows of another user: %d, was %d", table, n, before[table])
		}
	}
	for _, orphans := range []string{"document_parts", "document_pages"} {
		if n := s.one("SELECT count(*)::text FROM " + orphans + " WHERE document_id NOT IN (SELECT id FROM documents)"); n != "0" {
			t.Errorf("%s keeps %s rows", orphans, n)
		}
	}
	entry := s.audited(u.id, "account.delete")
	if text := s.one("SELECT string_agg(audit_log::text, '') FROM audit_log"); entry.ActorEmail != "" || strings.Contains(text, u.email) {
		t.Errorf("the audit log names the address: %+v", entry)
	}
	u.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil)
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": password})
	u.must(201, "POST", "/v1/auth/register", object{"email": u.email, "password": password}) // the address is free again
}

// rowsOf counts what tables hold of a user, by any column that names one.
func (s *system) rowsOf(id uuid.UUID) map[string]int {
	s.t.Helper()
	conn := s.connect()
	rows, err := conn.Query(s.t.Context(), "SELECT c.table_name, c.column_name FROM information_schema.columns c "+
		"JOIN information_schema.tables t USING (table_schema, table_name) WHERE t.table_type = 'BASE TABLE' AND c.table_schema = 'public' "+
		"AND (c.column_name IN ('user_id', 'owner_id', 'actor_id') OR c.table_name = 'users' AND c.column_name = 'id')")
	if err != nil {
		s.t.Fatal(err)
	}
	columns := map[string]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			s.t.Fatal(err)
		}
		columns[table] = column
	}
	counts := map[string]int{}
	for table, column := range columns {
		var n int
		if err := conn.QueryRow(s.t.Context(), fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = $1", table, column), id).Scan(&n); err != nil {
			s.t.Fatal(err)
		}
		counts[table] = n
	}
	if len(counts) < 12 {
		s.t.Errorf("only %d tables", len(counts))
	}
	return counts
}

// TestTheLastAdministratorCannotLeave before there is another.
func TestTheLastAdministratorCannotLeave(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin := s.newAdmin()
	admin.refused(domain.CodeLastAdmin, 409, "DELETE", "/v1/users/me", object{"password": password})
	s.newAdmin()
	admin.must(204, "DELETE", "/v1/users/me", object{"password": password})
}
