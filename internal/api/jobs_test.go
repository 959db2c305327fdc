package api_test

import (
	"testing"
	"time"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

// TestPolling: a job that did not change answers 304; it says when to ask again
// until it is final.
func TestPolling(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newUser()
	first := u.text("first")
	second := u.text("second")
	path := "/v1/jobs/" + second.Job.ID.String()
	r := u.must(200, "GET", path, nil)
	var j api.Job
	r.into(t, &j)
	if j.State != "queued" || j.QueuePosition == nil || *j.QueuePosition != 1 || r.header.Get("Retry-After") == "" || j.Attempts != 0 {
		t.Errorf("waiting as %s", r.body)
	}
	etag := r.header.Get("ETag")
	if r := u.must(304, "GET", path, nil, `If-None-Match: "x", `+etag); len(r.body) > 0 || r.header.Get("ETag") != etag {
		t.Errorf("not modified, with %q and %v", r.body, r.header)
	}
	u.must(200, "POST", "/v1/jobs/"+first.Job.ID.String()+"/cancel", nil)
	r = u.must(200, "GET", path, nil, "If-None-Match: "+etag) // it moved up
	r.into(t, &j)
	if *j.QueuePosition != 0 {
		t.Errorf("the next one waits as %s", r.body)
	}
	s.work()
	for etag = r.header.Get("ETag"); j.State != "succeeded"; time.Sleep(5 * time.Millisecond) {
		r = u.send("GET", path, nil, "If-None-Match: "+etag)
		if r.status == 200 {
			r.into(t, &j)
			etag = r.header.Get("ETag")
		}
	}
	if r.header.Get("Retry-After") != "" || j.FinishedAt == nil || j.QueuePosition != nil || j.ETASeconds != nil {
		t.Errorf("done as %s with %v", r.body, r.header)
	}
	u.must(304, "GET", path, nil, "If-None-Match: "+etag)
}

func TestCancelAndRetry(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	slow, failing := u.text("slow"), u.text("document_malformed")
	path := "/v1/jobs/" + slow.Job.ID.String()
	for u.job(slow.Job.ID).State != "running" {
		time.Sleep(5 * time.Millisecond)
	}
	u.refused(domain.CodeNotRetryable, 409, "POST", path+"/retry", nil)
	var j api.Job
	u.must(200, "POST", path+"/cancel", nil).into(t, &j)
	if !j.CancelRequested {
		t.Errorf("cancelled as %+v", j)
	}
	for u.job(slow.Job.ID).State != "cancelled" {
		time.Sleep(5 * time.Millisecond)
	}
	u.refused(domain.CodeNotCancel, 409, "POST", path+"/cancel", nil)
	u.refused(domain.CodeNotRetryable, 409, "POST", path+"/retry", nil)

	path = "/v1/jobs/" + failing.Job.ID.String()
	for j = u.job(failing.Job.ID); j.State != "failed"; j = u.job(failing.Job.ID) {
		time.Sleep(5 * time.Millisecond)
	}
	if j.Error == nil || j.Error.Code != "document_malformed" || j.Error.Detail != "The test wants it so." {
		t.Errorf("failed as %+v", j.Error)
	}
	var again api.Job
	u.must(200, "POST", path+"/retry", nil).into(t, &again)
	if again.State != "queued" || again.Error != nil {
		t.Errorf("tried again as %+v", again)
	}
	var listed api.Page[api.Job]
	u.must(200, "GET", "/v1/jobs?state=cancelled&kind=ingest", nil).into(t, &listed)
	if len(listed.Items) != 1 || listed.Items[0].ID != slow.Job.ID {
		t.Errorf("listed %+v", listed)
	}
}
