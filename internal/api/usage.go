package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// UsageStore tells what users used up of language models.
type UsageStore interface {
	UsageOfUser(ctx context.Context, userID uuid.UUID, since, until time.Time) ([]domain.UsageDay, error)
}

// LLMUsage is what the user asked of language models.
type LLMUsage struct {
	Days              []LLMUsageDay `json:"days" doc:"By day (UTC) and model, newest first"`
	Currency          string        `json:"currency" example:"USD"`
	MonthTokens       int64         `json:"month_tokens" doc:"In this calendar month (UTC)" example:"151000"`
	MonthCost         float64       `json:"month_cost" example:"1.5"`
	TokensLeft        *int64        `json:"tokens_left" nullable:"true" doc:"Of this month's budget; null: there is none" example:"1849000"`
	CostLeft          *float64      `json:"cost_left" nullable:"true" doc:"Of this month's budget; null: there is none" example:"18.5"`
	RequestsPerMinute *int          `json:"requests_per_minute" nullable:"true" doc:"Null: as many as you like" example:"60"`
	LocalOnly         bool          `json:"local_only" doc:"Nothing reaches a cloud provider"`
}

// LLMUsageDay adds up a day's calls of one model.
type LLMUsageDay struct {
	Day              string  `json:"day" format:"date" example:"2026-11-23"`
	Provider         string  `json:"provider" example:"ollama"`
	Model            string  `json:"model" example:"llama3.2"`
	Calls            int64   `json:"calls" example:"12"`
	PromptTokens     int64   `json:"prompt_tokens" example:"9000"`
	CompletionTokens int64   `json:"completion_tokens" example:"1200"`
	Cost             float64 `json:"cost" example:"0.045"`
}

type llmUsageInput struct {
	Days int `query:"days" minimum:"1" maximum:"366" default:"30" doc:"How many, today included" example:"30"`
}

type llmUsageOutput struct {
	Body LLMUsage
}

func (s *server) llmUsageOperation() {
	register(s, endpoint{
		id: "llm-usage", scope: domain.ScopeLLM, method: http.MethodGet, path: "/llm/usage", tag: "llm", summary: "What I used up, and what is left",
	}, s.llmUsage)
}

func (s *server) llmUsage(ctx context.Context, in *llmUsageInput) (*llmUsageOutput, error) {
	tomorrow := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	days, err := s.Usage.UsageOfUser(ctx, userID(ctx), tomorrow.AddDate(0, 0, -in.Days), tomorrow)
	if err != nil {
		return nil, err
	}
	a, err := s.LLM.Allowance(ctx, userID(ctx))
	if err != nil {
		return nil, err
	}
	out := LLMUsage{
		Days: []LLMUsageDay{}, Currency: a.Currency, MonthTokens: a.UsedTokens, MonthCost: a.UsedCost.Units(),
		RequestsPerMinute: a.RequestsPerMinute, LocalOnly: a.LocalOnly,
	}
	if a.MonthlyTokens != nil {
		out.TokensLeft = new(max(0, *a.MonthlyTokens-a.UsedTokens))
	}
	if a.MonthlyCost != nil {
		out.CostLeft = new(max(0, *a.MonthlyCost-a.UsedCost).Units())
	}
	for _, d := range days {
		out.Days = append(out.Days, LLMUsageDay{
			Day: d.Day.Format(time.DateOnly), Provider: d.Provider, Model: d.Model, Calls: d.Calls,
			PromptTokens: d.PromptTokens, CompletionTokens: d.CompletionTokens, Cost: d.Cost.Units(),
		})
	}
	return &llmUsageOutput{Body: out}, nil
}
