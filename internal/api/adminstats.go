package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

type statsStore interface {
	Stats(ctx context.Context) (postgres.Stats, error)
	NewUsersByDay(ctx context.Context, since, until time.Time) (map[time.Time]int64, error)
	UsageByDay(ctx context.Context, since, until time.Time) ([]domain.UsageDay, error)
}

// Stats say how much of everything there is, and what came in on each day.
type Stats struct {
	TotalUsers   int64 `json:"total_users" example:"120"`
	AdminUsers   int64 `json:"admin_users" example:"2"`
	RegularUsers int64 `json:"regular_users" doc:"Those who are no administrators" example:"118"`
	ActiveUsers  int64 `json:"active_users" doc:"Those whose account is not shut" example:"119"`

	Projects  int64 `json:"projects" example:"240"`
	Documents int64 `json:"documents" example:"5200"`
	Pages     int64 `json:"pages" example:"31000"`
	Chunks    int64 `json:"chunks" example:"96000"`
	Matches   int64 `json:"matches" example:"310"`
	Chats     int64 `json:"chats" doc:"Turns, questions and answers alike" example:"1800"`
	Stories   int64 `json:"stories" example:"12"`
	Memories  int64 `json:"memories" example:"150"`

	Jobs      []JobCount `json:"jobs" doc:"By kind and state; none that are 0"`
	Storage   Storage    `json:"storage"`
	Estimated []string   `json:"estimated" doc:"What was estimated because there is much of it: names of fields above, or users" example:"chunks"`

	From   string      `json:"from" format:"date" doc:"The first of the days" example:"2026-01-01"`
	To     string      `json:"to" format:"date" doc:"The last of the days" example:"2026-01-31"`
	Days   []DayStats  `json:"days" doc:"Every day (UTC), oldest first"`
	Models []ModelUsed `json:"models" doc:"Language models that were asked on these days, dearest first"`
}

// JobCount counts the jobs of one kind in one state.
type JobCount struct {
	Kind  string `json:"kind" enum:"ingest,match,chat,story"`
	State string `json:"state" enum:"queued,dispatched,running,succeeded,failed,cancelled"`
	Count int64  `json:"count" example:"5100"`
}

// Storage is counted in bytes on disk.
type Storage struct {
	OriginalsBytes int64 `json:"originals_bytes" doc:"What users handed in" example:"734003200"`
	DatabaseBytes  int64 `json:"database_bytes" doc:"All of the database, originals included" example:"1610612736"`
}

// Used is what language models used up.
type Used struct {
	Calls            int64   `json:"calls" example:"420"`
	PromptTokens     int64   `json:"prompt_tokens" example:"910000"`
	CompletionTokens int64   `json:"completion_tokens" example:"120000"`
	Cost             float64 `json:"cost" doc:"In the currency of the configured prices" example:"1.87"`
}

func (u *Used) add(day domain.UsageDay) {
	u.Calls += day.Calls
	u.PromptTokens += day.PromptTokens
	u.CompletionTokens += day.CompletionTokens
	u.Cost += day.Cost.Units()
}

// DayStats is one day (UTC).
type DayStats struct {
	Date     string `json:"date" format:"date" example:"2026-01-31"`
	NewUsers int64  `json:"new_users" example:"3"`
	Used
}

// ModelUsed is what one model used up.
type ModelUsed struct {
	Provider string `json:"provider" example:"ollama"`
	Model    string `json:"model" example:"qwen2.5:3b"`
	Used
}

type statsInput struct {
	From string `query:"from" format:"date" doc:"The first day (UTC); 29 days before the last by default" example:"2026-01-01"`
	To   string `query:"to" format:"date" doc:"The last day (UTC), today by default" example:"2026-01-31"`
}

type statsOutput struct {
	Body Stats
}

const (
	defaultDays = 30
	mostDays    = 366
	oneDay      = 24 * time.Hour
)

// days reads the range; until is the day after the last.
func (in statsInput) days() (since, until time.Time, err error) {
	last := time.Now().UTC().Truncate(oneDay)
	if in.To != "" {
		if last, err = time.Parse(time.DateOnly, in.To); err != nil {
			return since, until, invalid("query.to", "must be a date")
		}
	}
	since, until = last.Add(-(defaultDays-1)*oneDay), last.Add(oneDay)
	if in.From != "" {
		if since, err = time.Parse(time.DateOnly, in.From); err != nil {
			return since, until, invalid("query.from", "must be a date")
		}
	}
	if !since.Before(until) || until.Sub(since) > mostDays*oneDay {
		return since, until, invalid("query.from", "must not be after query.to, nor more than 366 days before it")
	}
	return since, until, nil
}

func (s *server) statsOperation() {
	register(s, endpoint{
		id: "get-stats", method: http.MethodGet, path: "/admin/stats", tag: adminTag, summary: "How much of everything there is", admin: true,
		description: "What there is more than a hundred thousand of is estimated, and named in `estimated`.",
	}, s.getStats)
}

func (s *server) getStats(ctx context.Context, in *statsInput) (*statsOutput, error) {
	since, until, err := in.days()
	if err != nil {
		return nil, err
	}
	counts, err := s.Admin.Stats(ctx)
	if err != nil {
		return nil, err
	}
	users, err := s.Admin.NewUsersByDay(ctx, since, until)
	if err != nil {
		return nil, err
	}
	usage, err := s.usage.byDay(ctx, s.Admin, since, until)
	if err != nil {
		return nil, err
	}
	stats := toStats(counts)
	stats.From, stats.To = since.Format(time.DateOnly), until.Add(-oneDay).Format(time.DateOnly)
	stats.Days = toDays(since, until, users, usage)
	stats.Models = toModelsUsed(usage)
	return &statsOutput{Body: stats}, nil
}

func toStats(c postgres.Stats) Stats {
	stats := Stats{
		TotalUsers: c.Users.Total, AdminUsers: c.Users.Admins, RegularUsers: c.Users.Total - c.Users.Admins, ActiveUsers: c.Users.Active,
		Projects: c.Tables["projects"], Documents: c.Tables["documents"], Pages: c.Tables["pages"], Chunks: c.Tables["chunks"],
		Matches: c.Tables["matches"], Chats: c.Tables["chats"], Stories: c.Tables["stories"], Memories: c.Tables["memories"],
		Storage: Storage{OriginalsBytes: c.Originals, DatabaseBytes: c.Database}, Jobs: make([]JobCount, len(c.Jobs)),
		Estimated: append([]string{}, c.Estimated...),
	}
	for i, j := range c.Jobs {
		stats.Jobs[i] = JobCount{Kind: string(j.Kind), State: string(j.State), Count: j.Jobs}
	}
	return stats
}

func toDays(since, until time.Time, users map[time.Time]int64, usage []domain.UsageDay) []DayStats {
	days := make([]DayStats, 0, until.Sub(since)/oneDay)
	for day := since; day.Before(until); day = day.Add(oneDay) {
		shown := DayStats{Date: day.Format(time.DateOnly), NewUsers: users[day]}
		for _, u := range usage {
			if u.Day.Equal(day) {
				shown.add(u)
			}
		}
		days = append(days, shown)
	}
	return days
}

// toModelsUsed adds up days by model.
func toModelsUsed(usage []domain.UsageDay) []ModelUsed {
	byName := map[[2]string]*ModelUsed{}
	models := []ModelUsed{}
	for _, u := range usage {
		name := [2]string{u.Provider, u.Model}
		if byName[name] == nil {
			byName[name] = &ModelUsed{Provider: u.Provider, Model: u.Model}
		}
		byName[name].add(u)
	}
	for _, m := range byName {
		models = append(models, *m)
	}
	slices.SortFunc(models, func(a, b ModelUsed) int {
		return cmp.Or(cmp.Compare(b.Cost, a.Cost), cmp.Compare(b.PromptTokens+b.CompletionTokens, a.PromptTokens+a.CompletionTokens),
			cmp.Compare(a.Provider+a.Model, b.Provider+b.Model))
	})
	return models
}

// usageAge is how long the usage of a range of days is remembered: adding up
// millions of calls takes a second, and a panel asks again and again.
const usageAge = 30 * time.Second

// usageCache remembers the range that was asked for last.
type usageCache struct {
	mu           sync.Mutex
	since, until time.Time
	read         time.Time
	days         []domain.UsageDay
}

// byDay lets one caller read while others wait for what it reads.
func (c *usageCache) byDay(ctx context.Context, store statsStore, since, until time.Time) ([]domain.UsageDay, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.Equal(since) && c.until.Equal(until) && time.Since(c.read) < usageAge {
		return c.days, nil
	}
	days, err := store.UsageByDay(ctx, since, until)
	if err == nil {
		c.since, c.until, c.read, c.days = since, until, time.Now(), days
	}
	return days, err
}
