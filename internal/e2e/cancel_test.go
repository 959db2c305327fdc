package e2e_test

import (
	"net/http"
	"testing"

	"generalbackend/internal/llm/llmtest"
)

// bootWithModels starts a system over a site and a fake model server.
func bootWithModels(t *testing.T, env ...string) (*system, *site, *llmtest.Server) {
	t.Helper()
	web, models := newSite(t), llmtest.NewServer()
	t.Cleanup(models.Close)
	models.OnChat(fromSchema)
	env = append([]string{
		"URL_ALLOW_PRIVATE=true", "OLLAMA_BASE_URL=" + models.URL, "LLM_MODEL=" + llmtest.ChatModel, "EMBEDDING_MODEL=" + llmtest.EmbedModel,
	}, env...)
	return boot(t, fast, env...), web, models
}

func TestCancelStopsTheWork(t *testing.T) {
	t.Parallel()
	s, web, models := bootWithModels(t)
	u := register(t, s.url)
	ready := u.succeeded(u.text("posting", note("posting"))).Resource.ID

	t.Run("a page that does not come", func(t *testing.T) {
		u := u.as(t)
		fetching := u.web(web.slow("cancelled"))
		web.awaitWaiting(t, 1)
		u.cancel(fetching.ID)
		web.awaitGone(t, 1)
		u.cancelled(fetching)
	})
	t.Run("an embedding", func(t *testing.T) {
		u := u.as(t)
		before := models.Requests("/api/embed")
		models.Fail("/api/embed", llmtest.Hang, -1)
		defer models.Heal()
		embedding := u.text("note", note("cancelled while embedding"))
		eventually(t, workDeadline, "the model is asked", func() bool { return models.Requests("/api/embed") > before })
		gone := models.Cancelled()
		u.cancel(embedding.ID)
		models.AwaitCancelled(gone + 1)
		u.cancelled(embedding)
	})
	t.Run("a judgement", func(t *testing.T) {
		u := u.as(t)
		before, gone := models.Requests("/api/chat"), models.Cancelled()
		models.Fail("/api/chat", llmtest.Hang, -1)
		defer models.Heal()
		judging := u.match(ready, ready)
		eventually(t, workDeadline, "the model is asked", func() bool { return models.Requests("/api/chat") > before })
		u.cancel(judging.ID)
		models.AwaitCancelled(gone + 1)
		u.cancelled(judging)
	})
	t.Run("a job that waits", func(t *testing.T) {
		u := u.as(t)
		s.worker(extractWorker).stop()
		defer s.worker(extractWorker).start()
		waiting := u.text("note", note("cancelled while waiting"))
		var at job
		u.must(http.StatusOK, "POST", "/v1/jobs/"+waiting.ID+"/cancel", nil).into(t, &at)
		if at.State != "cancelled" {
			t.Errorf("a job that waits is %s after it was cancelled", at.State)
		}
	})
	u.succeeded(u.text("afterwards", note("afterwards")))
	oracle{t, s}.historiesWhole()
	oracle{t, s}.nobodyLeft()
}

// cancelled demands that a job ends as cancelled, stays so, and leaves nothing
// that could be taken for a result.
func (u *user) cancelled(j job) {
	u.t.Helper()
	if j = u.settled(j); j.State != "cancelled" {
		u.t.Errorf("job %s is %s (%s), want cancelled", j.ID, j.State, j.code())
	}
	r := u.send("POST", "/v1/jobs/"+j.ID+"/cancel", nil)
	if code := r.problem(u.t).Code; r.status != http.StatusConflict || code != "not_cancellable" {
		u.t.Errorf("cancelling again: status %d, code %s", r.status, code)
	}
	path := "/v1/documents/"
	if j.Resource.Type == "match" {
		path = "/v1/cv-matcher/matches/"
	}
	var resource struct{ State string }
	u.must(http.StatusOK, "GET", path+j.Resource.ID, nil).into(u.t, &resource)
	if resource.State != "failed" {
		u.t.Errorf("the %s of a cancelled job is %s", j.Resource.Type, resource.State)
	}
}

func TestShutdownCostsNoAttempt(t *testing.T) {
	t.Parallel()
	web := newSite(t)
	s := boot(t, fast, "URL_ALLOW_PRIVATE=true", "URL_TIMEOUT=10m", "SHUTDOWN_TIMEOUT=24s")
	u := register(t, s.url)
	fetching := u.web(web.slow("interrupted"))
	web.awaitWaiting(t, 1)
	extract := s.worker(extractWorker)
	extract.stop()
	web.awaitGone(t, 1)
	if now := u.job(fetching.ID); now.State != "queued" && now.State != "dispatched" || now.Attempts != 0 {
		t.Errorf("after the worker was stopped the job is %s with %d attempts", now.State, now.Attempts)
	}
	extract.start()
	web.awaitWaiting(t, 1)
	if now := u.job(fetching.ID); now.State != "running" || now.Attempts != 1 {
		t.Errorf("in the next worker the job is %s with %d attempts", now.State, now.Attempts)
	}
	web.release()
	u.succeeded(fetching)
	oracle{t, s}.faultless([]*user{u}, []string{fetching.ID})
}
