package api

import (
	"context"
	"math"
	"net/http"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

type limitStore interface {
	LLMPolicy(ctx context.Context, userID uuid.UUID, projectID *uuid.UUID) (domain.LLMPolicy, error)
	SetLLMLimits(ctx context.Context, userID uuid.UUID, l domain.LLMLimits) error
	SetLocalOnly(ctx context.Context, userID uuid.UUID, localOnly bool) error
}

// Limits are what one user may ask of language models. Null leaves the
// deployment's limit, 0 allows nothing.
type Limits struct {
	MonthlyTokens     *int64   `json:"monthly_tokens,omitempty" minimum:"0" maximum:"1000000000000000" nullable:"true" doc:"In a calendar month (UTC)" example:"2000000"`
	MonthlyCost       *float64 `json:"monthly_cost,omitempty" minimum:"0" maximum:"1000000000" nullable:"true" doc:"In the currency of the configured prices" example:"20"`
	RequestsPerMinute *int     `json:"requests_per_minute,omitempty" minimum:"0" maximum:"1000000" nullable:"true" example:"60"`
	LocalOnly         bool     `json:"local_only,omitempty" doc:"Nothing of this user ever reaches a cloud provider. Users can choose that for themselves as well; without an order their choice holds"`
}

func (l Limits) domain() domain.LLMLimits {
	limits := domain.LLMLimits{MonthlyTokens: l.MonthlyTokens, RequestsPerMinute: l.RequestsPerMinute}
	if l.MonthlyCost != nil {
		limits.MonthlyCost = new(domain.Cost(math.Round(*l.MonthlyCost * float64(domain.CostUnit))))
	}
	return limits
}

// UserLimits are a user's limits and what was used up of them.
type UserLimits struct {
	MonthlyTokens     *int64   `json:"monthly_tokens" nullable:"true" doc:"Null where the deployment's limit holds" example:"2000000"`
	MonthlyCost       *float64 `json:"monthly_cost" nullable:"true" example:"20"`
	RequestsPerMinute *int     `json:"requests_per_minute" nullable:"true" example:"60"`
	LocalOnly         bool     `json:"local_only" doc:"Ordered here. What the user chose is in the account"`
	UsedTokens        int64    `json:"used_tokens" doc:"In this calendar month (UTC)" example:"151000"`
	UsedCost          float64  `json:"used_cost" example:"1.5"`
}

type limitsInput struct {
	UserPath
	Body Limits
}

type limitsOutput struct {
	Body UserLimits
}

func (s *server) limitOperations() {
	const path = "/admin/users/{user_id}/limits"
	missing := []domain.Code{domain.CodeNotFound}
	register(s, endpoint{
		id: "get-user-limits", method: http.MethodGet, path: path, tag: adminTag, admin: true,
		summary: "What a user may ask of language models", codes: missing,
	}, s.getLimits)
	register(s, endpoint{
		id: "replace-user-limits", method: http.MethodPut, path: path, tag: adminTag, admin: true,
		summary: "Limit what a user may ask of language models", description: "What is left out is no limit of this user's own any more.",
		codes: missing,
	}, s.replaceLimits)
}

func (s *server) getLimits(ctx context.Context, in *UserPath) (*limitsOutput, error) {
	policy, err := s.Admin.LLMPolicy(ctx, in.ID, nil)
	limits := UserLimits{
		MonthlyTokens: policy.Limits.MonthlyTokens, RequestsPerMinute: policy.Limits.RequestsPerMinute,
		LocalOnly: policy.OrderedLocal, UsedTokens: policy.UsedTokens, UsedCost: policy.UsedCost.Units(),
	}
	if cost := policy.Limits.MonthlyCost; cost != nil {
		limits.MonthlyCost = new(cost.Units())
	}
	return &limitsOutput{Body: limits}, err
}

func (s *server) replaceLimits(ctx context.Context, in *limitsInput) (*limitsOutput, error) {
	if err := s.Admin.SetLLMLimits(ctx, in.ID, in.Body.domain()); err != nil {
		return nil, err
	}
	if err := s.Admin.SetLocalOnly(ctx, in.ID, in.Body.LocalOnly); err != nil {
		return nil, err
	}
	if err := s.audit(ctx, "user.limits", in.ID.String(), in.Body); err != nil {
		return nil, err
	}
	return s.getLimits(ctx, &in.UserPath)
}
