package e2e_test

import (
	"net/http"
	"testing"

	"generalbackend/internal/llm/llmtest"
)

// outcome says what becomes of a job while a fault lasts.
type outcome int

const (
	waits   outcome = iota // for as long as it takes, at no cost
	retries                // a few times, then fails
	fails                  // at once: only a person can mend it
)

// TestModelFaults lets a model server fail in each way it can. Whatever was
// accepted either recovers when the fault is lifted, or failed with its code and
// can be tried again.
func TestModelFaults(t *testing.T) {
	t.Parallel()
	s, _, models := bootWithModels(t, "LLM_TIMEOUT=10s")
	u := register(t, s.url)
	ready := u.succeeded(u.text("posting", note("posting"))).Resource.ID
	for _, test := range []struct {
		fault llmtest.Fault
		code  string
		then  outcome
	}{
		{llmtest.TooFew, "model_malformed", retries},
		{llmtest.NaN, "model_malformed", retries},
		{llmtest.Zero, "model_malformed", retries},
		{llmtest.WrongDims, "model_malformed", retries},
		{llmtest.InvalidJSON, "model_malformed", retries},
		{llmtest.WrongShape, "model_malformed", retries},
		{llmtest.RunnerDied, "model_malformed", retries},
		{llmtest.MissingModel, "model_not_found", fails},
		{llmtest.Hang, "model_timeout", retries},
		{llmtest.RateLimited, "model_rate_limited", waits},
		{llmtest.Overloaded, "model_overloaded", waits},
		{llmtest.Forbidden, "model_unavailable", waits},
	} {
		t.Run("embed, "+string(test.fault), func(t *testing.T) {
			u := u.as(t)
			models.Fail("/api/embed", test.fault, -1)
			hurt := u.text("note", note("hurt by "+string(test.fault)))
			u.endures(models, hurt, test.code, test.then)
		})
	}
	for _, test := range []struct {
		fault llmtest.Fault
		code  string
		then  outcome
	}{
		{llmtest.InvalidJSON, "model_malformed", retries},
		{llmtest.WrongShape, "model_malformed", retries},
		{llmtest.CutStream, "model_malformed", retries},
		{llmtest.Repetition, "model_malformed", retries},
		{llmtest.RunnerDied, "model_malformed", retries},
		{llmtest.MissingModel, "model_not_found", fails},
		{llmtest.Hang, "model_timeout", retries},
		{llmtest.Overloaded, "model_overloaded", waits},
	} {
		t.Run("chat, "+string(test.fault), func(t *testing.T) {
			u := u.as(t)
			applicant := u.succeeded(u.text("applicant", note("judged under "+string(test.fault)))).Resource.ID
			models.Fail("/api/chat", test.fault, -1)
			u.endures(models, u.match(ready, applicant), test.code, test.then)
		})
	}
	oracle{t, s}.historiesWhole()
	oracle{t, s}.documentsWhole()
}

// endures waits until a fault shows at a job, lifts it, and sees the job through.
func (u *user) endures(models *llmtest.Server, hurt job, code string, then outcome) {
	u.t.Helper()
	now := u.until(hurt, "shows "+code, func(j job) bool { return j.code() != "" })
	models.Heal()
	if got := now.code(); got != code && (then != waits || got != "model_unavailable") { // the breaker's word for it
		u.t.Errorf("the job says %s, want %s", got, code)
	}
	if (then == fails) != (now.State == "failed") {
		u.t.Errorf("the job is %s after its first attempt", now.State)
	}
	if now.State == "failed" {
		u.must(http.StatusOK, "POST", "/v1/jobs/"+hurt.ID+"/retry", nil)
	}
	u.succeeded(hurt)
}

func TestModelDownForGood(t *testing.T) {
	t.Parallel()
	s, _, models := bootWithModels(t)
	u := register(t, s.url)
	u.succeeded(u.text("kettle", note("kettle")))
	u.hybrid("kettle on the stove")

	models.Fail("/api/embed", llmtest.Overloaded, -1)
	found := u.search("kettle on the stove")
	if found.Mode != "keyword" || len(found.Results) == 0 {
		t.Errorf("without the model: mode %s with %d passages", found.Mode, len(found.Results))
	}
	failing := u.text("stuck", note("malformed for good"))
	models.Heal()
	u.succeeded(failing)

	models.Fail("/api/embed", llmtest.NaN, -1)
	failing = u.settled(u.text("stuck", note("malformed for good, again")))
	if failing.State != "failed" || failing.code() != "model_malformed" {
		t.Errorf("the job is %s with %s, want failed with model_malformed", failing.State, failing.code())
	}
	models.Heal()
	u.must(http.StatusOK, "POST", "/v1/jobs/"+failing.ID+"/retry", nil)
	u.succeeded(failing)
	u.hybrid("kettle")
	oracle{t, s}.documentsWhole()
}
