package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

// newAdmin is a user whom the store made an administrator.
func (s *system) newAdmin() *user {
	s.t.Helper()
	u := s.newUser()
	if _, _, err := s.store.UpdateUser(s.t.Context(), u.id, domain.UserChange{IsAdmin: new(true)}); err != nil {
		s.t.Fatal(err)
	}
	return u
}

func userPath(id uuid.UUID) string { return "/v1/admin/users/" + id.String() }

func TestAccountsAreMadeAndChangedByAdministrators(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin := s.newAdmin()
	email := uuid.NewString() + "@example.org"
	var made, got api.User
	admin.must(201, "POST", "/v1/admin/users", object{"email": email, "password": password, "name": "Ada", "language": "de"}).into(t, &made)
	if made.Email != email || made.Name != "Ada" || made.Language != "de" || !made.IsActive || !made.IsVerified || made.IsAdmin {
		t.Errorf("made %+v", made)
	}
	anybody := &user{system: s}
	anybody.must(200, "POST", "/v1/auth/login", object{"email": email, "password": password})
	admin.must(200, "GET", userPath(made.ID), nil).into(t, &got)
	if got != made {
		t.Errorf("got %+v, made %+v", got, made)
	}

	other := uuid.NewString() + "@example.org"
	admin.must(200, "PATCH", userPath(made.ID), object{
		"email": other, "name": "Bea", "language": "en", "is_admin": true, "is_verified": false, "password": "another password",
	}).into(t, &got)
	if got.Email != other || got.Name != "Bea" || got.Language != "en" || !got.IsAdmin || got.IsVerified || !got.IsActive {
		t.Errorf("changed to %+v", got)
	}
	admin.must(200, "PATCH", userPath(made.ID), object{"is_verified": true})
	anybody.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": other, "password": password})
	anybody.must(200, "POST", "/v1/auth/login", object{"email": other, "password": "another password"})

	unused := uuid.NewString() + "@example.org"
	admin.must(201, "POST", "/v1/admin/users", object{"email": unused, "password": password, "is_admin": true, "is_active": false, "is_verified": false}).into(t, &got)
	if got.IsActive || got.IsVerified || !got.IsAdmin {
		t.Errorf("made %+v", got)
	}
	anybody.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": unused, "password": password})
}

func TestAccountsOfAdministratorsAreChecked(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, taken := s.newAdmin(), s.newUser()
	for _, body := range []object{
		{"email": "no address", "password": password},
		{"email": "Ada <ada@example.org>", "password": password},
		{"email": "ada@example.org", "password": "short"},
		{"email": "ada@example.org"},
	} {
		admin.refused(domain.CodeInvalid, 422, "POST", "/v1/admin/users", body)
	}
	for _, body := range []object{{"email": "Ada <ada@example.org>"}, {"password": "short"}, {"is_admin": "yes"}} {
		admin.refused(domain.CodeInvalid, 422, "PATCH", userPath(taken.id), body)
	}
	admin.refused(domain.CodeEmailTaken, 409, "POST", "/v1/admin/users", object{"email": strings.ToUpper(taken.email), "password": password})
	admin.refused(domain.CodeEmailTaken, 409, "PATCH", userPath(admin.id), object{"email": taken.email})
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		admin.refused(domain.CodeNotFound, 404, method, userPath(uuid.New()), object{})
	}
}

func TestAccountsAreListed(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin := s.newAdmin()
	first, second := s.newUser(), s.newUser()
	admin.must(200, "PATCH", userPath(second.id), object{"is_active": false, "is_verified": true})
	list := func(query string) (ids []uuid.UUID) {
		t.Helper()
		var page api.Page[api.User]
		admin.must(200, "GET", "/v1/admin/users"+query, nil).into(t, &page)
		for _, u := range page.Items {
			ids = append(ids, u.ID)
		}
		return ids
	}
	for query, want := range map[string][]uuid.UUID{
		"":                  {second.id, first.id, admin.id},
		"?is_admin=true":    {admin.id},
		"?is_active=false":  {second.id},
		"?is_verified=true": {second.id},
		"?email=" + strings.ToUpper(first.email[:20]): {first.id},
		"?email=%25": nil,
		"?is_admin=false&is_active=true&email=example.o": {first.id},
	} {
		if got := list(query); !slices.Equal(got, want) {
			t.Errorf("%q lists %v, want %v", query, got, want)
		}
	}
	var page api.Page[api.User]
	admin.must(200, "GET", "/v1/admin/users?limit=2", nil).into(t, &page)
	if len(page.Items) != 2 || page.NextCursor == nil {
		t.Fatalf("page %+v", page)
	}
	if rest := list("?limit=2&cursor=" + *page.NextCursor); !slices.Equal(rest, []uuid.UUID{admin.id}) {
		t.Errorf("the rest is %v", rest)
	}
	admin.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/admin/users?cursor=x", nil)
	var bare []api.User
	admin.must(200, "GET", "/admin/users", nil).into(t, &bare)
	if len(bare) != 3 || bare[0].CreatedAt.IsZero() {
		t.Errorf("at the root %+v", bare)
	}
}

// TestShutAccountsAreShutAtOnce: tokens that are still valid help nobody whose
// account was deactivated, and activating it brings no session back.
func TestShutAccountsAreShutAtOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, u := s.newAdmin(), s.newAdmin()
	u.must(200, "GET", "/v1/admin/users", nil)
	admin.must(200, "PATCH", userPath(u.id), object{"is_active": false})
	u.refused(domain.CodeUnauthorized, 401, "GET", "/v1/admin/users", nil)
	u.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": u.refresh})
	u.refused(domain.CodeBadCredentials, 401, "POST", "/v1/auth/login", object{"email": u.email, "password": password}, "Authorization: ")
	admin.must(200, "PATCH", userPath(u.id), object{"is_active": true})
	u.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil)
	u.refused(domain.CodeUnauthorized, 401, "POST", "/v1/auth/refresh", object{"refresh_token": u.refresh})
	u.must(200, "POST", "/v1/auth/login", object{"email": u.email, "password": password})

	other := s.newUser()
	admin.must(200, "PATCH", userPath(other.id), object{"password": "another password"})
	other.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil)
}

// TestShuttingAnAccountCancelsItsJobs, the running one and those that wait, and
// nobody else's.
func TestShuttingAnAccountCancelsItsJobs(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	admin, u, other := s.newAdmin(), s.newUser(), s.newUser()
	running := u.text("slow").Job.ID
	for u.job(running).State != "running" {
		pause()
	}
	s.sql("INSERT INTO stage_pauses (stage) VALUES ('extract')")
	waiting, theirs := u.text("waits").Job.ID, other.text("waits").Job.ID
	admin.must(200, "PATCH", userPath(u.id), object{"is_active": false})
	s.until(func() bool {
		return s.one("SELECT count(*)::text FROM jobs WHERE id IN ($1, $2) AND state = 'cancelled'", running, waiting) == "2"
	})
	if details := string(s.audited(u.id, "user.update").Details); !strings.Contains(details, `"cancelled_jobs": 2`) {
		t.Errorf("written down: %s", details)
	}
	if job := other.job(theirs); job.State == "cancelled" {
		t.Error("another user's job is cancelled")
	}
}

// TestDemotedAdministratorsAreRefusedAtOnce with the token that let them in.
func TestDemotedAdministratorsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, u := s.newAdmin(), s.newAdmin()
	u.must(200, "GET", "/v1/admin/users", nil)
	admin.must(200, "PATCH", userPath(u.id), object{"is_admin": false})
	u.refused(domain.CodeForbidden, 403, "GET", "/v1/admin/users", nil)
	u.refused(domain.CodeForbidden, 403, "PATCH", userPath(u.id), object{"is_admin": true})
	u.must(200, "GET", "/v1/auth/me", nil)
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, other := s.newAdmin(), s.newAdmin()
	for _, change := range []object{{"is_admin": false}, {"is_active": false}} {
		admin.must(200, "PATCH", userPath(other.id), change)
		admin.refused(domain.CodeLastAdmin, 409, "PATCH", userPath(admin.id), change)
		admin.must(200, "PATCH", userPath(other.id), object{"is_admin": true, "is_active": true})
	}
	admin.refused(domain.CodeOwnAccount, 409, "DELETE", userPath(admin.id), nil)
	admin.refused(domain.CodeOwnAccount, 409, "DELETE", strings.TrimPrefix(userPath(admin.id), "/v1"), nil)
	admin.must(200, "DELETE", userPath(other.id), nil)
	admin.refused(domain.CodeLastAdmin, 409, "PATCH", userPath(admin.id), object{"is_admin": false})
}

// TestTwoAdministratorsCannotDeleteEachOther: while one is on the way out, the
// other, who asks for this, is the last.
func TestTwoAdministratorsCannotDeleteEachOther(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, other := s.newAdmin(), s.newAdmin()
	leaving := s.begin()
	leaving.exec("UPDATE users SET is_admin = false WHERE id = $1", admin.id)
	answer := make(chan reply)
	go func() { answer <- admin.send("DELETE", userPath(other.id), nil) }()
	leaving.awaitBlocked()
	leaving.commit()
	checkProblem(t, "delete", <-answer, domain.CodeLastAdmin, 409)
	other.must(200, "GET", "/v1/admin/users", nil)
}

// TestDeletingAnAccountStopsItsJobs, the running one included.
func TestDeletingAnAccountStopsItsJobs(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	admin, u := s.newAdmin(), s.newUser()
	u.ready("mine")
	u.text("slow")
	s.until(func() bool { return s.held.Load() > 0 })
	admin.must(200, "DELETE", userPath(u.id), nil)
	u.refused(domain.CodeUnauthorized, 401, "GET", "/v1/auth/me", nil)
	admin.refused(domain.CodeNotFound, 404, "GET", userPath(u.id), nil)
	s.until(func() bool { return s.ended.Load() > 0 })
	var done api.Done
	another := s.newUser()
	admin.must(200, "DELETE", "/admin/users/"+another.id.String(), nil).into(t, &done)
	if done.Message == "" {
		t.Error("no message")
	}
}

// TestWaitingAccountsAreLetIn by activating or verifying them.
func TestWaitingAccountsAreLetIn(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, anybody := s.newAdmin(), &user{system: s}
	for wait, change := range map[domain.Wait]object{
		domain.WaitApproval: {"is_active": true}, domain.WaitVerification: {"is_verified": true},
	} {
		waiting := s.newUser()
		_, err := s.connect().Exec(t.Context(), "UPDATE users SET waits_for = $2, is_active = $3 WHERE id = $1", waiting.id, string(wait), wait != domain.WaitApproval)
		if err != nil {
			t.Fatal(err)
		}
		login := object{"email": waiting.email, "password": password}
		if r := anybody.send("POST", "/v1/auth/login", login); r.status < 400 {
			t.Errorf("%s: logged in while waiting: %s", wait, r.body)
		}
		var page api.Page[api.User]
		admin.must(200, "GET", "/v1/admin/users?waits_for="+string(wait), nil).into(t, &page)
		if len(page.Items) != 1 || page.Items[0].ID != waiting.id || page.Items[0].WaitsFor != string(wait) {
			t.Fatalf("%s: listed %+v", wait, page.Items)
		}
		admin.must(200, "PATCH", userPath(waiting.id), change)
		anybody.must(200, "POST", "/v1/auth/login", login)
	}
}
