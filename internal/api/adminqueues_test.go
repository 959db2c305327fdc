package api_test

import (
	"slices"
	"testing"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

func (u *user) queue(stage string) api.Queue {
	u.t.Helper()
	var all api.Queues
	u.must(200, "GET", "/v1/admin/queues", nil).into(u.t, &all)
	i := slices.IndexFunc(all.Queues, func(q api.Queue) bool { return q.Stage == stage })
	if i < 0 {
		u.t.Fatalf("no stage %s in %+v", stage, all)
	}
	return all.Queues[i]
}

// TestPausedStages start nothing and lose nothing.
func TestPausedStages(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, u := s.newAdmin(), s.newUser()
	var q api.Queue
	admin.must(200, "POST", "/v1/admin/queues/extract/pause", object{"reason": "a new model server"}).into(t, &q)
	if !q.Paused || q.Pause == nil || q.Pause.Reason != "a new model server" || q.Pause.Email != admin.email || *q.Pause.By != admin.id {
		t.Errorf("paused as %+v", q)
	}
	admin.must(200, "POST", "/admin/queues/extract/pause", nil).into(t, &q) // changes nothing
	if !q.Paused || q.Pause.Reason != "a new model server" {
		t.Errorf("paused again as %+v", q)
	}
	s.work()
	submitted := []accepted{u.text("first"), u.text("second"), u.text("third")}
	match := u.text("not_found") // fails in the end
	if q = admin.queue("extract"); q.Backlog.Ready != 4 || q.Classes[1].Ready != 4 || q.Classes[1].Class != "standard" || q.DrainSeconds != nil {
		t.Errorf("waiting: %+v", q)
	}
	q = api.Queue{}
	admin.must(200, "POST", "/v1/admin/queues/extract/resume", nil).into(t, &q)
	if q.Paused || q.Pause != nil {
		t.Errorf("resumed as %+v", q)
	}
	for _, a := range submitted {
		for u.job(a.Job.ID).State != "succeeded" {
			pause()
		}
	}
	for u.job(match.Job.ID).State != "failed" {
		pause()
	}
	admin.must(200, "POST", "/v1/admin/queues/extract/resume", nil) // changes nothing
	s.until(func() bool {                                           // of workers that were heard lately
		q = admin.queue("extract")
		return q.Slots == 4
	})
	if q.DeadLetters != 1 || q.MeanSeconds == nil || q.RatePerMinute != 0.6 || q.DrainSeconds == nil || *q.DrainSeconds != 0 {
		t.Errorf("done: %+v", q)
	}
	admin.refused(domain.CodeNotFound, 404, "POST", "/v1/admin/queues/nothing/pause", nil)
	admin.refused(domain.CodeNotFound, 404, "POST", "/v1/admin/queues/nothing/resume", nil)
	admin.refused(domain.CodeInvalid, 422, "POST", "/v1/admin/queues/extract/pause", object{"reason": 1})
}

// TestBusyUsersAreShown, the busiest first.
func TestBusyUsersAreShown(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, busy, busier := s.newAdmin(), s.newUser(), s.newUser()
	busy.text("one")
	busier.text("one")
	busier.text("two")
	var all api.Queues
	admin.must(200, "GET", "/v1/admin/queues", nil).into(t, &all)
	if len(all.Users) != 2 || all.Users[0].Email != busier.email || all.Users[0].Ready != 2 || all.Users[1].UserID != busy.id {
		t.Errorf("users %+v", all.Users)
	}
	admin.must(200, "GET", "/v1/admin/queues?users=1", nil).into(t, &all)
	if len(all.Users) != 1 || len(all.Queues) != len(domain.Stages()) {
		t.Errorf("one user: %+v", all)
	}
}

func TestWorkersAreListed(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin := s.newAdmin()
	s.work()
	var page api.Page[api.Worker]
	s.until(func() bool {
		admin.must(200, "GET", "/v1/admin/workers", nil).into(t, &page)
		return len(page.Items) == len(domain.Stages())
	})
	var stages []string
	for _, w := range page.Items {
		stages = append(stages, w.Stages...)
		if !w.Alive || w.Slots != 4 || w.Version == "" || w.ID == "" || w.StartedAt.IsZero() || w.LastSeenAt.IsZero() {
			t.Errorf("worker %+v", w)
		}
	}
	if slices.Sort(stages); !slices.Contains(stages, "extract") || !slices.Contains(stages, "embed") {
		t.Errorf("workers of %v", stages)
	}
	var bare []api.Worker
	admin.must(200, "GET", "/admin/workers", nil).into(t, &bare)
	if len(bare) != len(page.Items) {
		t.Errorf("at the root %+v", bare)
	}
}
