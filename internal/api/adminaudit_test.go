package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

// TestAdministrativeActsAreWrittenDown without what is personal, and outlive the
// people: of those who are gone the id remains.
func TestAdministrativeActsAreWrittenDown(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, other := s.newAdmin(), s.newAdmin()
	var made api.User
	other.must(201, "POST", "/v1/admin/users", object{"email": "Ada@example.org", "password": "a very secret word"}).into(t, &made)
	other.must(200, "PATCH", userPath(made.ID), object{"is_active": false, "password": "a very secret word"}, "X-Request-ID: request-4711")
	admin.must(200, "DELETE", userPath(made.ID), nil)
	admin.must(200, "POST", "/v1/admin/queues/chat/pause", nil)
	admin.must(200, "POST", "/v1/admin/queues/chat/resume", nil)

	list := func(query string) (actions []string, page api.Page[api.AuditEntry]) {
		t.Helper()
		r := admin.must(200, "GET", "/v1/admin/audit-log"+query, nil)
		r.into(t, &page)
		if strings.Contains(string(r.body), "secret word") || strings.Contains(string(r.body), "Ada@") {
			t.Errorf("the log holds what it should not: %s", r.body)
		}
		for _, e := range page.Items {
			actions = append(actions, e.Action)
		}
		return actions, page
	}
	hour := url.QueryEscape(time.Now().Add(-time.Hour).Format(time.RFC3339))
	all := []string{"queue.resume", "queue.pause", "user.delete", "user.update", "user.create"}
	for query, want := range map[string][]string{
		"":                               all,
		"?after=" + hour:                 all,
		"?before=" + hour:                nil,
		"?actor_id=" + other.id.String(): all[3:],
		"?actor=" + url.QueryEscape(strings.ToUpper(other.email)): all[3:],
		"?action=user.delete":             {all[2]},
		"?target=" + made.ID.String():     all[2:],
		"?target=chat&action=queue.pause": all[1:2],
	} {
		if got, _ := list(query); !slices.Equal(got, want) {
			t.Errorf("%q lists %v, want %v", query, got, want)
		}
	}
	_, page := list("?limit=3")
	if page.NextCursor == nil {
		t.Fatal("no cursor")
	}
	rest, page := list("?limit=3&cursor=" + *page.NextCursor)
	if !slices.Equal(rest, all[3:]) || page.Items[0].RequestID != "request-4711" || page.Items[0].Actor != other.email || *page.Items[0].ActorID != other.id {
		t.Errorf("the rest is %+v", page.Items)
	}
	admin.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/admin/audit-log?cursor=x", nil)
	var bare []api.AuditEntry
	if admin.must(200, "GET", "/admin/audit-log", nil).into(t, &bare); len(bare) != 5 {
		t.Errorf("at the root %+v", bare)
	}
	admin.must(200, "DELETE", userPath(other.id), nil)
	if got, page := list("?actor_id=" + other.id.String()); !slices.Equal(got, all[3:]) || page.Items[0].Actor != "" {
		t.Errorf("of a deleted account remains %+v", page.Items)
	}
}

// TestActsWithoutDetails have an object for them, too, as the description says.
func TestActsWithoutDetails(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin := s.newAdmin()
	admin.must(204, "DELETE", "/v1/auth/api-keys/"+admin.newKey("read").ID.String(), nil)
	r := admin.must(200, "GET", "/v1/admin/audit-log?action=api_key.delete", nil)
	if !strings.Contains(string(r.body), `"details":{}`) {
		t.Errorf("%s", r.body)
	}
}
