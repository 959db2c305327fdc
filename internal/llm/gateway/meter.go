package gateway

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
)

// estimate stands for the tokens of a call whose provider did not count them, as
// when a stream was cut or cancelled.
func estimate(req llm.CompleteRequest, answered int) llm.Usage {
	prompt := 0
	for _, m := range req.Messages {
		prompt += utf8.RuneCountInString(m.Content)
	}
	return llm.Usage{PromptTokens: prompt/llm.CharsPerToken + 1, CompletionTokens: answered/llm.CharsPerToken + 1}
}

const recordPatience = 5 * time.Second

// record writes down what a call used up, shared out among its callers, and
// returns its cost. The call is over, so its end does not depend on this: what
// cannot be written is lost, and logged.
func (g *Gateway) record(ctx context.Context, provider, model string, u llm.Usage, estimated bool) domain.Cost {
	price := g.current.Load().price(provider, model)
	total := price.cost(u.PromptTokens, u.CompletionTokens)
	g.metrics.used(provider, u)
	if provider == offline.Name || u.PromptTokens+u.CompletionTokens == 0 {
		return total
	}
	var used []domain.LLMUsage
	for _, part := range shareOut(u, llm.SharesOf(ctx)) {
		c := part.caller
		if c.UserID == uuid.Nil || c.Unmetered {
			continue // the deployment's own
		}
		used = append(used, domain.LLMUsage{
			UserID: c.UserID, ProjectID: c.ProjectID, JobID: c.JobID, Purpose: c.Purpose, Provider: provider, Model: model,
			PromptTokens: int64(part.PromptTokens), CompletionTokens: int64(part.CompletionTokens),
			Cost: price.cost(part.PromptTokens, part.CompletionTokens), Estimated: estimated,
		})
	}
	if len(used) == 0 {
		return total
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	err := g.options.Store.RecordLLMUsage(ctx, used)
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound { // a user who is gone owes nothing
		g.log.ErrorContext(ctx, "usage of a language model was not recorded", "provider", provider, "model", model, "error", err)
	}
	return total
}

type part struct {
	caller llm.Caller
	llm.Usage
}

// shareOut splits usage by weight so that the parts add up to the whole.
func shareOut(u llm.Usage, shares []llm.Share) []part {
	total := 0
	for _, s := range shares {
		total += max(s.Weight, 1)
	}
	parts := make([]part, len(shares))
	weight, left := 0, u
	for i, s := range shares {
		weight += max(s.Weight, 1)
		upTo := llm.Usage{PromptTokens: u.PromptTokens * weight / total, CompletionTokens: u.CompletionTokens * weight / total}
		given := llm.Usage{
			PromptTokens:     upTo.PromptTokens - (u.PromptTokens - left.PromptTokens),
			CompletionTokens: upTo.CompletionTokens - (u.CompletionTokens - left.CompletionTokens),
		}
		left.PromptTokens -= given.PromptTokens
		left.CompletionTokens -= given.CompletionTokens
		parts[i] = part{s.Caller, given}
	}
	return parts
}
