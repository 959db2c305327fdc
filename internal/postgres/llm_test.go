package postgres_test

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

func TestLLMConfigIsChangedByWhoeverReadItLast(t *testing.T) {
	t.Parallel()
	store := open(t)
	if raw, version, err := store.LLMConfig(t.Context()); raw != nil || version != 0 || err != nil {
		t.Fatalf("before the first save: %s, %d, %v", raw, version, err)
	}
	for want := int64(1); want <= 2; want++ {
		if version, err := store.SaveLLMConfig(t.Context(), json.RawMessage(`{"a":1}`), want-1); version != want || err != nil {
			t.Fatalf("save gives %d, %v; want %d", version, err, want)
		}
	}
	for _, stale := range []int64{0, 1, 7} {
		if _, err := store.SaveLLMConfig(t.Context(), json.RawMessage(`{"a":2}`), stale); domain.CodeOf(err) != domain.CodeConflict {
			t.Errorf("save over version %d: %v", stale, err)
		}
	}
	if raw, version, err := store.LLMConfig(t.Context()); version != 2 || string(raw) != `{"a": 1}` || err != nil {
		t.Errorf("%s, %d, %v", raw, version, err)
	}
}

func TestUsageAddsUp(t *testing.T) {
	t.Parallel()
	store := open(t)
	ada, bob := newUser(t, store), newUser(t, store)
	entry := domain.LLMUsage{UserID: ada, JobID: new(uuid.New()), Purpose: "chat", Provider: "grok", Model: "m", PromptTokens: 100, CompletionTokens: 20, Cost: 7}
	theirs := entry
	theirs.UserID = bob
	for range 2 {
		if err := store.RecordLLMUsage(t.Context(), []domain.LLMUsage{entry, theirs}); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, store, "UPDATE llm_usage SET created_at = (SELECT min(created_at) FROM llm_usage)") // of one day, also around midnight
	var today time.Time
	if err := store.Pool().QueryRow(t.Context(), "SELECT min(created_at) FROM llm_usage").Scan(&today); err != nil {
		t.Fatal(err)
	}
	today = today.UTC().Truncate(24 * time.Hour)
	policy, err := store.LLMPolicy(t.Context(), ada, nil)
	if err != nil || policy.UsedTokens != 240 || policy.UsedCost != 14 {
		t.Errorf("policy %+v, %v", policy, err)
	}
	since, until := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	want := domain.UsageDay{Day: today, Provider: "grok", Model: "m", Calls: 2, PromptTokens: 200, CompletionTokens: 40, Cost: 14}
	mine, err := store.UsageOfUser(t.Context(), ada, since, until)
	if diff := cmp.Diff([]domain.UsageDay{want}, mine); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	want.Calls, want.PromptTokens, want.CompletionTokens, want.Cost = 4, 400, 80, 28
	all, err := store.UsageByDay(t.Context(), since, until)
	if diff := cmp.Diff([]domain.UsageDay{want}, all); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if none, err := store.UsageByDay(t.Context(), since.AddDate(0, 0, -1), since); len(none) != 0 || err != nil {
		t.Errorf("yesterday: %v, %v", none, err)
	}
}

// TestOldUsageIsAddedUp: a row for a day stands for its calls, and what is told of
// them stays; younger calls stay by themselves.
func TestOldUsageIsAddedUp(t *testing.T) {
	t.Parallel()
	store := open(t)
	ada, bob := newUser(t, store), newUser(t, store)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for _, age := range []int{0, 3, 3, 3, 4, 400} {
		at := today.AddDate(0, 0, -age).Add(23 * time.Hour)
		execute(t, store, `INSERT INTO llm_usage (user_id, job_id, purpose, provider, model, prompt_tokens, completion_tokens, cost, created_at)
			SELECT u, gen_random_uuid(), 'chat', 'grok', m, 10, 2, 3, $3 FROM unnest(ARRAY[$1, $2]::uuid[]) u, unnest(ARRAY['a', 'b']) m`, ada, bob, at)
	}
	since, until := today.AddDate(-2, 0, 0), today.AddDate(0, 0, 1)
	before, err := store.UsageByDay(t.Context(), since, until)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if err := store.AddUpLLMUsage(t.Context(), today.AddDate(0, 0, -3).Add(time.Hour)); err != nil {
				t.Error(err)
			}
			if err := store.AddUpLLMUsage(t.Context(), today.AddDate(0, 0, -2)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	after, err := store.UsageByDay(t.Context(), since, until)
	if diff := cmp.Diff(before, after); diff != "" || err != nil {
		t.Errorf("%v (-before +after):\n%s", err, diff)
	}
	mine, err := store.UsageOfUser(t.Context(), ada, today.AddDate(0, 0, -3), today.AddDate(0, 0, -2))
	if err != nil || len(mine) != 2 || mine[0].Calls != 3 || mine[0].PromptTokens != 30 {
		t.Errorf("three days ago: %+v, %v", mine, err)
	}
	if rows := countOf(t, store, `llm_usage`); rows != 4*4 {
		t.Errorf("%d rows, want one for each day, user and model", rows)
	}
}

func TestPolicyOfUserAndProject(t *testing.T) {
	t.Parallel()
	store := open(t)
	u := newUser(t, store)
	p, err := store.CreateProject(t.Context(), domain.Project{
		ID: uuid.New(), UserID: u, Type: domain.ProjectOther, Name: "p", Config: json.RawMessage(`{}`), LocalOnly: true,
	})
	if err != nil || !p.LocalOnly {
		t.Fatalf("%+v, %v", p, err)
	}
	limits := domain.LLMLimits{MonthlyTokens: new(int64(5)), MonthlyCost: new(domain.Cost(6)), RequestsPerMinute: new(7)}
	if err := store.SetLLMLimits(t.Context(), u, limits); err != nil {
		t.Fatal(err)
	}
	got, err := store.LLMPolicy(t.Context(), u, &p.ID)
	if diff := cmp.Diff(domain.LLMPolicy{ProjectLocalOnly: true, Limits: limits}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if other, err := store.LLMPolicy(t.Context(), newUser(t, store), &p.ID); other.ProjectLocalOnly || err != nil {
		t.Errorf("a foreign project counts: %+v, %v", other, err)
	}
	if err := store.SetLocalOnly(t.Context(), u, true); err != nil {
		t.Fatal(err)
	}
	if got, err := store.LLMPolicy(t.Context(), u, nil); !got.UserLocalOnly || !got.OrderedLocal || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, _, err := store.UpdateUser(t.Context(), u, domain.UserChange{ChoseLocal: new(true)}); err != nil {
		t.Fatal(err)
	}
	if err := store.SetLocalOnly(t.Context(), u, false); err != nil {
		t.Fatal(err)
	}
	if got, err := store.LLMPolicy(t.Context(), u, nil); !got.UserLocalOnly || got.OrderedLocal || err != nil {
		t.Errorf("the order is lifted, the choice is not: %+v, %v", got, err)
	}
	for _, err := range []error{store.SetLocalOnly(t.Context(), uuid.New(), true), store.SetLLMLimits(t.Context(), uuid.New(), limits)} {
		if domain.CodeOf(err) != domain.CodeNotFound {
			t.Errorf("a user who does not exist: %v", err)
		}
	}
}

func TestRequestsAreCountedAcrossCallers(t *testing.T) {
	t.Parallel()
	store := open(t)
	u := newUser(t, store)
	var passed atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			wait, err := store.CountLLMRequest(t.Context(), u, 5)
			if err != nil {
				t.Error(err)
			}
			switch {
			case wait == 0:
				passed.Add(1)
			case wait > time.Minute:
				t.Errorf("wait %s", wait)
			}
		})
	}
	all.Wait()
	if passed.Load() != 5 {
		t.Errorf("%d passed, want 5", passed.Load())
	}
	if wait, err := store.CountLLMRequest(t.Context(), newUser(t, store), 5); wait != 0 || err != nil {
		t.Errorf("another user waits %s, %v", wait, err)
	}
	if wait, err := store.CountLLMRequest(t.Context(), u, 0); wait <= 0 || err != nil {
		t.Errorf("a limit of none lets through: %s, %v", wait, err)
	}
	if _, err := store.Pool().Exec(t.Context(), "UPDATE llm_rates SET started_at = started_at - interval '1 minute'"); err != nil {
		t.Fatal(err)
	}
	if wait, err := store.CountLLMRequest(t.Context(), u, 5); wait != 0 || err != nil {
		t.Errorf("the next minute: %s, %v", wait, err)
	}
}
