package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// policy is what holds for the caller of ctx. The deployment itself, the zero
// Caller, has no limits.
func (g *Gateway) policy(ctx context.Context, caller llm.Caller) (domain.LLMPolicy, error) {
	if caller.UserID == uuid.Nil {
		return domain.LLMPolicy{}, nil
	}
	p, err := g.options.Store.LLMPolicy(ctx, caller.UserID, caller.ProjectID)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		err = llm.Interrupted(ctx)
	}
	return p, err // a store that is slow is not a model that is
}

func (g *Gateway) localOnly(p domain.LLMPolicy) bool {
	return g.current.Load().LocalOnly || p.UserLocalOnly || p.ProjectLocalOnly
}

// limits are the user's own where an administrator set them, else everybody's;
// nil is no limit.
func (g *Gateway) limits(p domain.LLMPolicy) domain.LLMLimits {
	c, l := g.current.Load(), p.Limits
	if l.MonthlyTokens == nil && c.MonthlyTokens > 0 {
		l.MonthlyTokens = new(c.MonthlyTokens)
	}
	if l.MonthlyCost == nil && c.MonthlyCost > 0 {
		l.MonthlyCost = new(domain.Cost(c.MonthlyCost * float64(domain.CostUnit)))
	}
	if l.RequestsPerMinute == nil && c.RequestsPerMinute > 0 {
		l.RequestsPerMinute = new(c.RequestsPerMinute)
	}
	return l
}

// Allowance is what holds for a user and what of it is used up; a limit that is
// nil does not exist.
type Allowance struct {
	domain.LLMLimits
	UsedTokens int64
	UsedCost   domain.Cost
	LocalOnly  bool
	Currency   string
}

// Allowance tells a user's limits and how much of them is left.
func (g *Gateway) Allowance(ctx context.Context, userID uuid.UUID) (Allowance, error) {
	p, err := g.policy(ctx, llm.Caller{UserID: userID})
	return Allowance{
		LLMLimits: g.limits(p), UsedTokens: p.UsedTokens, UsedCost: p.UsedCost,
		LocalOnly: g.localOnly(p), Currency: g.current.Load().Currency,
	}, err
}

// overBudget fails when a month's tokens or cost are used up. A call that begins
// within the budget may end above it, since nobody knows its cost before.
func (g *Gateway) overBudget(p domain.LLMPolicy) error {
	l := g.limits(p)
	if (l.MonthlyTokens == nil || p.UsedTokens < *l.MonthlyTokens) && (l.MonthlyCost == nil || p.UsedCost < *l.MonthlyCost) {
		return nil
	}
	return domain.Errorf(domain.CodeBudgetExceeded, "Your budget for language models is used up for this month.").
		WithHint("It begins anew on the first of next month (UTC). An administrator can raise it.")
}

// admit counts a request of the caller, or refuses it. A job that has asked
// before waits here until it may ask again, because beginning anew would ask
// everything again; one that has not gives its slot back.
func (g *Gateway) admit(ctx context.Context, caller llm.Caller, p domain.LLMPolicy) error {
	if err := g.overBudget(p); err != nil {
		return err
	}
	limit := g.limits(p).RequestsPerMinute
	earlier := llm.CountCall(ctx)
	if limit == nil || caller.UserID == uuid.Nil {
		return nil
	}
	for {
		wait, err := g.options.Store.CountLLMRequest(ctx, caller.UserID, *limit)
		if err != nil || wait == 0 {
			return err
		}
		if caller.JobID == nil || earlier == 0 || *limit == 0 {
			return tooFast(*limit, wait)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func tooFast(limit int, wait time.Duration) error {
	e := domain.Errorf(domain.CodeLLMRateLimited, "You may ask language models %d times a minute.", limit)
	e.RetryAfter = wait
	return e
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return llm.Interrupted(ctx)
	case <-t.C:
		return nil
	}
}

// AdmitEmbedding reports whether texts of the caller of ctx may be embedded by a
// provider. It is asked before they join a batch, which is for many callers.
func (g *Gateway) AdmitEmbedding(ctx context.Context, provider string) error {
	caller := llm.CallerOf(ctx)
	p, err := g.policy(ctx, caller)
	if err != nil {
		return err
	}
	if s, ok := g.source(provider); ok && !s.Local && g.localOnly(p) {
		return localOnlyError()
	}
	if caller.Unmetered {
		return nil
	}
	return g.overBudget(p)
}
