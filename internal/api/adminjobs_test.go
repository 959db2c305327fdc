package api_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

func (u *user) state(id uuid.UUID, want string) api.Job {
	u.t.Helper()
	j := u.job(id)
	for ; j.State != want; j = u.job(id) {
		pause()
	}
	return j
}

func (u *user) allJobs(query string) (ids []uuid.UUID) {
	u.t.Helper()
	var page api.Page[api.OwnedJob]
	u.must(200, "GET", "/v1/admin/jobs"+query, nil).into(u.t, &page)
	for _, j := range page.Items {
		ids = append(ids, j.ID)
	}
	return ids
}

func (u *user) change(action string, selection object) api.Changed {
	u.t.Helper()
	var changed api.Changed
	u.must(200, "POST", "/v1/admin/jobs/"+action, selection).into(u.t, &changed)
	return changed
}

func TestJobsOfAllUsersAreListed(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, a, b := s.newAdmin(), s.newUser(), s.newUser()
	first, second, third := a.text("first"), b.text("second"), b.text("third")
	b.must(200, "POST", "/v1/jobs/"+third.Job.ID.String()+"/cancel", nil)
	hour := url.QueryEscape(time.Now().Add(-time.Hour).Format(time.RFC3339))
	tomorrow := url.QueryEscape(time.Now().Add(24 * time.Hour).Format(time.RFC3339))
	all := []uuid.UUID{third.Job.ID, second.Job.ID, first.Job.ID}
	for query, want := range map[string][]uuid.UUID{
		"":                                       all,
		"?state=cancelled":                       all[:1],
		"?state=queued&user_id=" + b.id.String(): all[1:2],
		"?stage=extract&kind=ingest&class=standard": all,
		"?stage=embed": nil,
		"?resource_id=" + first.Document.ID.String():                 all[2:],
		"?error_code=worker_lost":                                    nil,
		"?discarded=true":                                            nil,
		"?discarded=false&user_id=" + a.id.String():                  all[2:],
		"?created_after=" + hour + "&created_before=" + tomorrow:     all,
		"?created_before=" + hour:                                    nil,
		"?created_after=" + tomorrow + "&created_before=" + tomorrow: nil,
	} {
		if got := admin.allJobs(query); !slices.Equal(got, want) {
			t.Errorf("%q lists %v, want %v", query, got, want)
		}
	}
	var page api.Page[api.OwnedJob]
	admin.must(200, "GET", "/v1/admin/jobs?limit=2", nil).into(t, &page)
	if j := page.Items[1]; j.UserID != b.id || j.Email != b.email || j.Resource.ID != second.Document.ID || page.NextCursor == nil {
		t.Fatalf("listed %+v", j)
	}
	if rest := admin.allJobs("?limit=2&cursor=" + *page.NextCursor); !slices.Equal(rest, all[2:]) {
		t.Errorf("the rest is %v", rest)
	}
	admin.refused(domain.CodeInvalidCursor, 400, "GET", "/v1/admin/jobs?cursor=x", nil)
	var bare []api.OwnedJob
	if admin.must(200, "GET", "/admin/jobs", nil).into(t, &bare); len(bare) != 3 {
		t.Errorf("at the root %+v", bare)
	}
}

func TestHistoriesOfJobs(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	admin, u := s.newAdmin(), s.newUser()
	failing, slow := u.text("document_malformed"), u.text("slow")
	u.state(failing.Job.ID, "failed")
	var h api.JobHistory
	admin.must(200, "GET", "/v1/admin/jobs/"+failing.Job.ID.String(), nil).into(t, &h)
	if h.Job.Email != u.email || h.Job.Error == nil || len(h.Events) == 0 || h.Events[0].Seq != 1 || h.Events[0].Type != "state" {
		t.Errorf("history %+v", h)
	}
	if len(h.Attempts) != 1 || h.Attempts[0].Outcome != "failed" || h.Attempts[0].ErrorCode != "document_malformed" ||
		h.Attempts[0].Worker == "" || h.Attempts[0].Number != 1 || h.Attempts[0].Stage != "extract" {
		t.Errorf("attempts %+v", h.Attempts)
	}
	u.state(slow.Job.ID, "running")
	admin.must(200, "GET", "/v1/admin/jobs/"+slow.Job.ID.String(), nil).into(t, &h)
	if h.Job.Worker == "" || len(h.Attempts) != 0 {
		t.Errorf("running as %+v", h.Job)
	}
	admin.refused(domain.CodeNotFound, 404, "GET", "/v1/admin/jobs/"+uuid.NewString(), nil)
	admin.change("cancel", object{"all": true})
	u.state(slow.Job.ID, "cancelled")
}

// TestDeadLetters are retried or given up, and what was done is written down.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	admin, u := s.newAdmin(), s.newUser()
	var ids []uuid.UUID
	for range 3 {
		ids = append(ids, u.text("document_malformed").Job.ID)
	}
	for _, id := range ids {
		u.state(id, "failed")
	}
	dead := "?state=failed&discarded=false"
	if n := admin.queue("extract").DeadLetters; n != 3 {
		t.Errorf("%d dead letters", n)
	}
	if got := admin.change("discard", object{"error_code": "document_malformed", "dry_run": true}); got != (api.Changed{Count: 3, DryRun: true}) {
		t.Errorf("would discard %+v", got)
	}
	if got := admin.change("discard", object{"ids": ids[:1]}); got.Count != 1 || len(admin.allJobs(dead)) != 2 {
		t.Errorf("discarded %+v", got)
	}
	if j := u.job(ids[0]); j.State != "failed" {
		t.Errorf("the discarded job is %s", j.State)
	}
	seen := map[uuid.UUID]int64{}
	for _, id := range ids {
		seen[id] = u.job(id).EventSeq
	}
	if got := admin.change("retry", object{"user_id": u.id, "stage": "extract"}); got.Count != 2 {
		t.Errorf("retried %+v", got)
	}
	for _, id := range ids[1:] { // they fail again
		for j := u.job(id); j.State != "failed" || j.EventSeq <= seen[id]; j = u.job(id) {
			pause()
		}
	}
	if got := admin.change("retry", object{"all": true, "discarded": true}); got.Count != 1 {
		t.Errorf("retried %+v of the discarded", got)
	}
	u.state(ids[0], "failed")
	if got := admin.allJobs(dead); len(got) != 3 {
		t.Errorf("a retried job is no dead letter again: %v", got)
	}

	var log api.Page[api.AuditEntry]
	admin.must(200, "GET", "/v1/admin/audit-log?action=jobs.retry", nil).into(t, &log)
	if len(log.Items) != 2 || log.Items[1].Actor != admin.email {
		t.Fatalf("written down: %+v", log.Items)
	}
	var details struct {
		Count     int
		Selection api.JobSelection
	}
	reply{body: log.Items[1].Details.RawMessage}.into(t, &details)
	if details.Count != 2 || details.Selection.Stage != "extract" || *details.Selection.UserID != u.id {
		t.Errorf("written down: %s", log.Items[1].Details)
	}
	admin.must(200, "GET", "/v1/admin/audit-log?target="+ids[0].String(), nil).into(t, &log)
	if len(log.Items) != 1 || log.Items[0].Action != "jobs.discard" {
		t.Errorf("written down of one job: %+v", log.Items)
	}
}

// TestCancellingJobsOfAllUsers reaches those that wait and those that run.
func TestCancellingJobsOfAllUsers(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	admin, u := s.newAdmin(), s.newUser()
	var ids []uuid.UUID
	for range 8 { // four run, one or more wait
		ids = append(ids, u.text("slow").Job.ID)
	}
	another := s.newUser()
	other := another.text("slow")
	s.until(func() bool { return s.held.Load() > 0 })
	if got := admin.change("cancel", object{"user_id": u.id}); got.Count != 8 || got.DryRun {
		t.Errorf("cancelled %+v", got)
	}
	for _, id := range ids {
		u.state(id, "cancelled")
	}
	if got := admin.change("cancel", object{"all": true, "dry_run": true}); got.Count != 1 {
		t.Errorf("left %+v", got)
	}
	if got := admin.allJobs("?state=cancelled"); slices.Contains(got, other.Job.ID) {
		t.Error("cancelled more than was asked for")
	}
	admin.change("cancel", object{"ids": []uuid.UUID{other.Job.ID}})
	another.state(other.Job.ID, "cancelled")
}

// TestJobActionsWantASelection, so that nothing happens to all jobs by mistake.
func TestJobActionsWantASelection(t *testing.T) {
	t.Parallel()
	admin := newSystem(t).newAdmin()
	for _, action := range []string{"retry", "cancel", "discard"} {
		for _, body := range []object{
			{}, {"dry_run": true}, {"discarded": false}, {"ids": []string{}}, {"all": true, "ids": []string{}}, {"stage": "nothing"}, {"ids": []string{"x"}},
		} {
			admin.refused(domain.CodeInvalid, 422, "POST", "/v1/admin/jobs/"+action, body)
		}
		if got := admin.change(action, object{"all": true}); got.Count != 0 {
			t.Errorf("%s of nothing: %+v", action, got)
		}
	}
}
