package domain

import (
	"time"

	"github.com/google/uuid"
)

// Cost is an amount of the configured currency in billionths.
type Cost int64

// CostUnit is one unit of the currency.
const CostUnit Cost = 1e9

// Units is the amount in units of the currency.
func (c Cost) Units() float64 { return float64(c) / float64(CostUnit) }

// LLMUsage is what one call of a language model used up, or one user's share of
// a batch.
type LLMUsage struct {
	UserID           uuid.UUID
	ProjectID        *uuid.UUID
	JobID            *uuid.UUID
	Purpose          string
	Provider         string
	Model            string
	PromptTokens     int64
	CompletionTokens int64
	Cost             Cost
	Estimated        bool // the provider did not say, as when a stream broke off
}

// UsageDay adds up calls of one model on one day (UTC).
type UsageDay struct {
	Day              time.Time
	Provider         string
	Model            string
	Calls            int64
	PromptTokens     int64
	CompletionTokens int64
	Cost             Cost
}

// LLMLimits are what an administrator allows one user; nil leaves the
// deployment's limit, 0 allows nothing.
type LLMLimits struct {
	MonthlyTokens     *int64
	MonthlyCost       *Cost
	RequestsPerMinute *int
}

// LLMPolicy is what holds for one caller now.
type LLMPolicy struct {
	OrderedLocal     bool // by an administrator
	UserLocalOnly    bool // by that order, or the user's own choice
	ProjectLocalOnly bool
	Limits           LLMLimits
	UsedTokens       int64 // in this calendar month (UTC)
	UsedCost         Cost
}
