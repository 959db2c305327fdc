package gateway_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/gateway"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
)

// usage is what was recorded for a user.
func (s *system) usage(user uuid.UUID) []domain.UsageDay {
	s.t.Helper()
	days, err := s.store.UsageOfUser(s.t.Context(), user, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		s.t.Fatal(err)
	}
	var used []domain.UsageDay
	for _, d := range days { // two of them around midnight
		d.Day = time.Time{}
		i := slices.IndexFunc(used, func(u domain.UsageDay) bool { return u.Provider == d.Provider && u.Model == d.Model })
		if i < 0 {
			used = append(used, d)
			continue
		}
		u := &used[i]
		u.Calls, u.PromptTokens, u.CompletionTokens, u.Cost = u.Calls+d.Calls, u.PromptTokens+d.PromptTokens, u.CompletionTokens+d.CompletionTokens, u.Cost+d.Cost
	}
	slices.SortFunc(used, func(a, b domain.UsageDay) int { return strings.Compare(a.Provider, b.Provider) })
	return used
}

func TestUsageAndCostAreRecorded(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	ctx, user := s.caller()
	s.grok.OnChat(func(llmtest.ChatRequest) string { return "one two" })
	for range 2 {
		got, err := s.ask(ctx, "grok", "")
		if err != nil || got.Usage != (llm.Usage{PromptTokens: 3, CompletionTokens: 2}) || got.Cost != 39_000 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if _, err := s.ask(ctx, "ollama", ""); err != nil {
		t.Fatal(err)
	}
	want := []domain.UsageDay{
		{Provider: "grok", Model: llmtest.ChatModel, Calls: 2, PromptTokens: 6, CompletionTokens: 4, Cost: 78_000},
		{Provider: "ollama", Model: llmtest.ChatModel, Calls: 1, PromptTokens: 3, CompletionTokens: 2},
	}
	if diff := cmp.Diff(want, s.usage(user)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestACancelledStreamIsEstimated(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	ctx, user := s.caller()
	s.grok.OnChat(func(llmtest.ChatRequest) string { return strings.Repeat("word ", 20) })
	s.grok.Fail(s.grok.ChatPath, llmtest.Stalled, 1)
	p, err := s.Provider("grok")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard := 0
	_, err = p.Stream(ctx, question(""), func(string) error {
		if heard++; heard == 10 {
			cancel()
		}
		return nil
	})
	wantCode(t, err, domain.CodeCancelled)
	s.grok.AwaitCancelled(1)
	used := s.usage(user)
	if len(used) != 1 || used[0].CompletionTokens < 10 || used[0].PromptTokens == 0 || used[0].Cost == 0 {
		t.Errorf("recorded %+v", used)
	}
}

func TestABatchIsSharedOut(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	_, ada := s.caller()
	_, bob := s.caller()
	p, err := s.Provider("grok")
	if err != nil {
		t.Fatal(err)
	}
	job := uuid.New()
	shares := []llm.Share{
		{Caller: llm.Caller{UserID: ada, JobID: &job, Purpose: "embed"}, Weight: 30},
		{Caller: llm.Caller{UserID: bob, Purpose: "embed"}, Weight: 10},
		{Caller: llm.Caller{}, Weight: 9},
	}
	resp, err := p.Embed(llm.WithShares(t.Context(), shares), llm.EmbedRequest{Model: llmtest.EmbedModel, Texts: []string{
		strings.Repeat("a ", 15), strings.Repeat("b ", 5), "c",
	}})
	if err != nil || resp.Usage.PromptTokens != 21 {
		t.Fatalf("%+v, %v", resp.Usage, err)
	}
	for user, want := range map[uuid.UUID]int64{ada: 12, bob: 5} {
		if used := s.usage(user); len(used) != 1 || used[0].PromptTokens != want {
			t.Errorf("recorded %+v, want %d tokens", used, want)
		}
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config func(*gateway.Config)
		own    domain.LLMLimits
	}{
		"tokens":     {config: func(c *gateway.Config) { c.MonthlyTokens = 5 }},
		"cost":       {config: func(c *gateway.Config) { c.MonthlyCost = 0.000_01 }},
		"own tokens": {config: func(c *gateway.Config) { c.MonthlyTokens = 1000 }, own: domain.LLMLimits{MonthlyTokens: new(int64(5))}},
		"own cost":   {own: domain.LLMLimits{MonthlyCost: new(domain.Cost(10_000))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, tt.config)
			ctx, user := s.caller()
			if err := s.store.SetLLMLimits(ctx, user, tt.own); err != nil {
				t.Fatal(err)
			}
			if _, err := s.ask(ctx, "grok", ""); err != nil {
				t.Fatal(err)
			}
			_, err := s.ask(ctx, "grok", "")
			wantCode(t, err, domain.CodeBudgetExceeded)
			wantCode(t, s.AdmitEmbedding(ctx, "ollama"), domain.CodeBudgetExceeded)
			if err := s.AdmitEmbedding(llm.WithCaller(ctx, llm.Caller{UserID: user, Unmetered: true}), "ollama"); err != nil {
				t.Errorf("what is not counted was held against the budget: %v", err)
			}
			if _, grok, _ := s.chats(); grok != 1 {
				t.Errorf("%d requests, want 1", grok)
			}
			other, _ := s.caller()
			if _, err := s.ask(other, "ollama", ""); err != nil {
				t.Errorf("another user: %v", err)
			}
		})
	}
}

func TestRateLimitHoldsAcrossProcesses(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *gateway.Config) { c.RequestsPerMinute = 2 })
	config, _, _ := s.Config()
	second := s.open(config, silent{})
	ctx, user := s.caller()
	for _, g := range []*gateway.Gateway{s.Gateway, second} {
		if _, err := g.Default().Complete(ctx, question("")); err != nil {
			t.Fatal(err)
		}
	}
	for _, g := range []*gateway.Gateway{s.Gateway, second} {
		_, err := g.Default().Complete(ctx, question(""))
		wantCode(t, err, domain.CodeLLMRateLimited)
		if after := domain.AsError(err).RetryAfter; after <= 0 || after > time.Minute {
			t.Errorf("come back after %s", after)
		}
	}
	if err := s.store.SetLLMLimits(ctx, user, domain.LLMLimits{RequestsPerMinute: new(3)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ask(ctx, "", ""); err != nil {
		t.Errorf("the user's own limit does not hold: %v", err)
	}
}

func TestAJobThatHasAskedWaitsForTheNextMinute(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.NewDatabase(t)
	store, err := postgres.Open(t.Context(), dsn, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	s := newSystemOn(t, store.System(), func(c *gateway.Config) { c.RequestsPerMinute = 1 })
	ctx, user := s.caller()
	job := uuid.New()
	asJob := func() context.Context {
		return llm.WithCaller(ctx, llm.Caller{UserID: user, JobID: &job, Purpose: "match"})
	}
	attempt := asJob()
	if _, err := s.ask(attempt, "", ""); err != nil {
		t.Fatal(err)
	}
	_, err = s.ask(asJob(), "", "") // a fresh attempt gives its slot back
	wantCode(t, err, domain.CodeLLMRateLimited)
	if !domain.CodeOf(err).Free() {
		t.Error("waiting costs the job an attempt")
	}
	almost := "UPDATE llm_rates SET started_at = now() - interval '59.8 seconds'"
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), almost); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ask(attempt, "", ""); err != nil {
		t.Errorf("a job under way did not wait: %v", err)
	}
	cancelled, cancel := context.WithCancel(attempt)
	cancel()
	_, err = s.ask(cancelled, "", "")
	wantCode(t, err, domain.CodeCancelled)
}
