package api_test

import (
	"testing"
	"time"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

func TestStats(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	admin, u := s.newAdmin(), s.newUser()
	u.ready("text")
	u.state(u.text("document_malformed").Job.ID, "failed")
	for _, used := range []domain.LLMUsage{
		{UserID: u.id, Purpose: "chat", Provider: "ollama", Model: "small", PromptTokens: 10, CompletionTokens: 5},
		{UserID: u.id, Purpose: "chat", Provider: "cloud", Model: "large", PromptTokens: 100, CompletionTokens: 50, Cost: domain.CostUnit / 2},
	} {
		if err := s.store.RecordLLMUsage(t.Context(), []domain.LLMUsage{used}); err != nil {
			t.Fatal(err)
		}
	}
	var stats api.Stats
	admin.must(200, "GET", "/v1/admin/stats", nil).into(t, &stats)
	if stats.TotalUsers != 2 || stats.AdminUsers != 1 || stats.RegularUsers != 1 || stats.ActiveUsers != 2 || stats.Documents != 2 || stats.Pages != 1 {
		t.Errorf("stats %+v", stats)
	}
	if len(stats.Jobs) != 2 || stats.Jobs[0] != (api.JobCount{Kind: "ingest", State: "failed", Count: 1}) {
		t.Errorf("jobs %+v", stats.Jobs)
	}
	if stats.Storage.DatabaseBytes == 0 || stats.Estimated == nil || len(stats.Estimated) > 0 {
		t.Errorf("stats %+v", stats)
	}
	var sum api.DayStats // whichever day it is by now
	for _, day := range stats.Days {
		sum.NewUsers += day.NewUsers
		sum.Calls += day.Calls
		sum.PromptTokens += day.PromptTokens
		sum.CompletionTokens += day.CompletionTokens
		sum.Cost += day.Cost
	}
	if len(stats.Days) != 30 || sum != (api.DayStats{NewUsers: 2, Used: api.Used{Calls: 2, PromptTokens: 110, CompletionTokens: 55, Cost: 0.5}}) {
		t.Errorf("%d days, %+v", len(stats.Days), sum)
	}
	if len(stats.Models) != 2 || stats.Models[0].Model != "large" || stats.Models[0].Cost != 0.5 || stats.Models[1].Provider != "ollama" {
		t.Errorf("models %+v", stats.Models)
	}
	var old map[string]any
	admin.must(200, "GET", "/admin/stats", nil).into(t, &old)
	if old["total_users"] != 2.0 || old["admin_users"] != 1.0 || old["regular_users"] != 1.0 {
		t.Errorf("at the root %v", old)
	}
}

func TestStatsOfARangeOfDays(t *testing.T) {
	t.Parallel()
	admin := newSystem(t).newAdmin()
	for query, want := range map[string][2]string{
		"?from=2024-02-28&to=2024-03-01": {"2024-02-28", "2024-03-01"},
		"?to=2024-01-30":                 {"2024-01-01", "2024-01-30"},
		"?from=2024-01-01&to=2024-12-31": {"2024-01-01", "2024-12-31"},
		"?from=2024-02-29&to=2024-02-29": {"2024-02-29", "2024-02-29"},
	} {
		var stats api.Stats
		admin.must(200, "GET", "/v1/admin/stats"+query, nil).into(t, &stats)
		first, err := time.Parse(time.DateOnly, want[0])
		if err != nil {
			t.Fatal(err)
		}
		last, err := time.Parse(time.DateOnly, want[1])
		if err != nil {
			t.Fatal(err)
		}
		n := int(last.Sub(first).Hours()/24) + 1
		if stats.From != want[0] || stats.To != want[1] || len(stats.Days) != n || stats.Days[0].Date != want[0] || stats.Days[n-1].Date != want[1] {
			t.Errorf("%s: %s to %s, %d days", query, stats.From, stats.To, len(stats.Days))
		}
	}
	for _, query := range []string{"?from=2024-03-02&to=2024-03-01", "?from=2023-12-31&to=2024-12-31", "?to=yesterday", "?from=x", "?from=9999-01-01"} {
		admin.refused(domain.CodeInvalid, 422, "GET", "/v1/admin/stats"+query, nil)
	}
}
