package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// LLMConfig returns the language model configuration as an administrator saved
// it, and its version; version 0 says that there is none.
func (s *Store) LLMConfig(ctx context.Context) (config json.RawMessage, version int64, err error) {
	row, err := s.queries.LLMConfig(AsSystem(ctx))
	if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
		return nil, 0, nil
	}
	return row.Config, row.Version, err
}

// SaveLLMConfig replaces the configuration of the given version and returns the
// new one; CodeConflict when somebody was faster.
func (s *Store) SaveLLMConfig(ctx context.Context, config json.RawMessage, version int64) (int64, error) {
	var saved int64
	var err error
	if version == 0 {
		saved, err = s.queries.InsertLLMConfig(AsSystem(ctx), config)
	} else {
		saved, err = s.queries.UpdateLLMConfig(AsSystem(ctx), dbsqlc.UpdateLLMConfigParams{Version: version, Config: config})
	}
	if err == nil && saved == 0 {
		err = domain.Errorf(domain.CodeConflict, "The configuration was changed meanwhile. Read it again and repeat the change.")
	}
	return version + 1, translate(err)
}

// LLMPolicy returns what holds for a user, in a project where one is given.
func (s *Store) LLMPolicy(ctx context.Context, userID uuid.UUID, projectID *uuid.UUID) (domain.LLMPolicy, error) {
	row, err := s.queries.LLMPolicy(AsSystem(ctx), dbsqlc.LLMPolicyParams{UserID: userID, ProjectID: projectID})
	return domain.LLMPolicy{
		OrderedLocal: row.OrderedLocal, UserLocalOnly: row.UserLocalOnly, ProjectLocalOnly: row.ProjectLocalOnly,
		Limits: domain.LLMLimits{
			MonthlyTokens: row.MonthlyTokens, MonthlyCost: (*domain.Cost)(row.MonthlyCost), RequestsPerMinute: toInt(row.RequestsPerMinute),
		},
		UsedTokens: row.UsedTokens, UsedCost: domain.Cost(row.UsedCost),
	}, translate(err)
}

// SetLLMLimits replaces what one user may use up.
func (s *Store) SetLLMLimits(ctx context.Context, userID uuid.UUID, l domain.LLMLimits) error {
	params := dbsqlc.PutLLMLimitsParams{UserID: userID, MonthlyTokens: l.MonthlyTokens, MonthlyCost: (*int64)(l.MonthlyCost)}
	if l.RequestsPerMinute != nil {
		n := int32(*l.RequestsPerMinute)
		params.RequestsPerMinute = &n
	}
	return translate(s.queries.PutLLMLimits(AsSystem(ctx), params))
}

// CountLLMRequest counts a request of a user in the current minute, which begins
// with the first one. It returns how long to wait when there were limit already,
// and counts nothing then.
func (s *Store) CountLLMRequest(ctx context.Context, userID uuid.UUID, limit int) (wait time.Duration, err error) {
	ctx = AsSystem(ctx)
	if limit > 0 {
		counted, err := s.queries.CountLLMRequest(ctx, dbsqlc.CountLLMRequestParams{UserID: userID, MaxRequests: int32(limit)})
		if err != nil || counted > 0 {
			return 0, translate(err)
		}
	}
	seconds, err := s.queries.LLMRateLeft(ctx, userID)
	if err = translate(err); err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		return 0, err
	}
	if limit <= 0 {
		seconds = time.Minute.Seconds()
	}
	return max(time.Millisecond, time.Duration(seconds*float64(time.Second))), nil
}

// RecordLLMUsage writes down what was used up. Users are taken in order, so that
// two batches with the same users do not wait for each other.
func (s *Store) RecordLLMUsage(ctx context.Context, used []domain.LLMUsage) error {
	ctx = AsSystem(ctx)
	used = slices.SortedStableFunc(slices.Values(used), func(a, b domain.LLMUsage) int { return bytes.Compare(a.UserID[:], b.UserID[:]) })
	return s.tx(ctx, func(q *dbsqlc.Queries) error {
		for _, u := range used {
			err := q.InsertLLMUsage(ctx, dbsqlc.InsertLLMUsageParams{
				UserID: u.UserID, ProjectID: u.ProjectID, JobID: u.JobID, Purpose: u.Purpose, Provider: u.Provider, Model: u.Model,
				PromptTokens: u.PromptTokens, CompletionTokens: u.CompletionTokens, Cost: int64(u.Cost), Estimated: u.Estimated,
			})
			if err != nil {
				return err
			}
			err = q.AddToLLMMonth(ctx, dbsqlc.AddToLLMMonthParams{
				UserID: u.UserID, Tokens: u.PromptTokens + u.CompletionTokens, Cost: int64(u.Cost),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// AddUpLLMUsage makes one row of all calls before a moment, for each day (UTC),
// user, project, purpose, provider and model. Several processes may do it at once.
func (s *Store) AddUpLLMUsage(ctx context.Context, before time.Time) error {
	ctx = AsSystem(ctx)
	before = before.UTC().Truncate(24 * time.Hour)
	for {
		oldest, err := s.queries.OldestLLMCall(ctx, before)
		if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		day := oldest.UTC().Truncate(24 * time.Hour)
		err = s.tx(ctx, func(q *dbsqlc.Queries) error {
			if err := q.LockLLMSums(ctx); err != nil {
				return err
			}
			return q.AddUpLLMUsage(ctx, dbsqlc.AddUpLLMUsageParams{Since: day, Until: day.AddDate(0, 0, 1)})
		})
		if err != nil {
			return err
		}
	}
}

// UsageByDay adds up the language model usage of all users by day (UTC),
// provider and model, newest day first, from since until before until.
func (s *Store) UsageByDay(ctx context.Context, since, until time.Time) ([]domain.UsageDay, error) {
	return s.usageByDay(AsSystem(ctx), nil, since, until)
}

// UsageOfUser is UsageByDay for one user.
func (s *Store) UsageOfUser(ctx context.Context, userID uuid.UUID, since, until time.Time) ([]domain.UsageDay, error) {
	return s.usageByDay(ctx, &userID, since, until)
}

func (s *Store) usageByDay(ctx context.Context, userID *uuid.UUID, since, until time.Time) ([]domain.UsageDay, error) {
	rows, err := s.queries.LLMUsageByDay(ctx, dbsqlc.LLMUsageByDayParams{Since: since, Until: until, UserID: userID})
	days := make([]domain.UsageDay, len(rows))
	for i, r := range rows {
		days[i] = domain.UsageDay{
			Day: r.Day.Time, Provider: r.Provider, Model: r.Model, Calls: r.Calls,
			PromptTokens: r.PromptTokens, CompletionTokens: r.CompletionTokens, Cost: domain.Cost(r.Cost),
		}
	}
	return days, translate(err)
}

// SetLocalOnly orders a user's work to stay away from cloud providers, or lifts the
// order. What the user chose stays.
func (s *Store) SetLocalOnly(ctx context.Context, userID uuid.UUID, localOnly bool) error {
	n, err := s.queries.SetUserLocalOnly(ctx, dbsqlc.SetUserLocalOnlyParams{ID: userID, LocalOnly: localOnly})
	if err == nil && n == 0 {
		err = errNotFound
	}
	return translate(err)
}

func toInt(n *int32) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}
