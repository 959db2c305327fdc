package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// exactBelow is the number of rows up to which counting is cheap: some ten
// milliseconds. Where the planner expects more, its estimate is the answer. It
// comes from the size of the table and its last ANALYZE, and is mostly within a
// few percent.
const exactBelow = 100_000

// Stats say how much of everything there is.
type Stats struct {
	Users     UserCounts
	Tables    map[string]int64 // by the names in counted
	Jobs      []JobCount       // by kind, then state; none that are 0
	Originals int64            // bytes on disk of what users handed in
	Database  int64            // bytes on disk, originals included
	Estimated []string         // what was not counted: "users", "jobs" or a table
}

// UserCounts counts accounts.
type UserCounts struct{ Total, Admins, Active int64 }

// JobCount counts the jobs of one kind in one state.
type JobCount struct {
	Kind  domain.Kind
	State domain.State
	Jobs  int64
}

// counted are the tables that are told by number alone. Their names are the
// program's own.
func counted() map[string]string {
	return map[string]string{
		"projects": "projects", "documents": "documents", "pages": "document_pages", "chunks": "chunks",
		"matches": "matches", "chats": "chats", "stories": "stories", "memories": "memories",
	}
}

// Stats counts what is few and estimates what is many, so that it takes some
// hundred milliseconds at most.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	c := census{Store: s, stats: Stats{Tables: map[string]int64{}}}
	for _, step := range []func(context.Context) error{c.users, c.tables, c.jobs, c.bytes} {
		if err := step(ctx); err != nil {
			return Stats{}, translate(err)
		}
	}
	slices.Sort(c.stats.Estimated)
	return c.stats, nil
}

// census takes stats.
type census struct {
	*Store
	stats Stats
}

func (c *census) users(ctx context.Context) error {
	total, err := c.estimate(ctx, "users")
	if err != nil {
		return err
	}
	if total < exactBelow {
		row, err := c.queries.UsersAtAll(ctx)
		c.stats.Users = UserCounts(row)
		return err
	}
	c.stats.Estimated = append(c.stats.Estimated, "users")
	c.stats.Users.Total = total
	if c.stats.Users.Active, err = c.estimate(ctx, "users WHERE is_active"); err != nil {
		return err
	}
	c.stats.Users.Admins, err = c.queries.Admins(ctx)
	return err
}

func (c *census) tables(ctx context.Context) error {
	for name, table := range counted() {
		n, err := c.estimate(ctx, table)
		if err == nil && n < exactBelow {
			err = c.pool.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n)
		} else {
			c.stats.Estimated = append(c.stats.Estimated, name)
		}
		if err != nil {
			return err
		}
		c.stats.Tables[name] = n
	}
	return nil
}

func (c *census) jobs(ctx context.Context) error {
	total, err := c.estimate(ctx, "jobs")
	if err != nil {
		return err
	}
	if total < exactBelow {
		rows, err := c.queries.JobsAtAll(ctx)
		for _, r := range rows {
			c.stats.Jobs = append(c.stats.Jobs, JobCount(r))
		}
		return c.sorted(err)
	}
	c.stats.Estimated = append(c.stats.Estimated, "jobs")
	for _, state := range domain.States() {
		if err := c.jobsIn(ctx, state); err != nil {
			return err
		}
	}
	return c.sorted(nil)
}

// jobsIn counts states that an index serves while they are few: an operator
// wants these exact.
func (c *census) jobsIn(ctx context.Context, state domain.State) error {
	few := int64(0)
	if state != domain.StateSucceeded && state != domain.StateCancelled {
		n, err := c.estimate(ctx, fmt.Sprintf("jobs WHERE state = '%s'", state))
		if err != nil {
			return err
		}
		few = exactBelow - n
	}
	if few > 0 {
		rows, err := c.queries.JobsInState(ctx, state)
		for _, r := range rows {
			c.stats.Jobs = append(c.stats.Jobs, JobCount{Kind: r.Kind, State: state, Jobs: r.Jobs})
		}
		return err
	}
	for _, kind := range domain.Kinds() {
		n, err := c.estimate(ctx, fmt.Sprintf("jobs WHERE state = '%s' AND kind = '%s'", state, kind))
		if err != nil {
			return err
		}
		if n > 1 { // the least the planner says
			c.stats.Jobs = append(c.stats.Jobs, JobCount{Kind: kind, State: state, Jobs: n})
		}
	}
	return nil
}

func (c *census) sorted(err error) error {
	slices.SortFunc(c.stats.Jobs, func(a, b JobCount) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.State, b.State))
	})
	return err
}

func (c *census) bytes(ctx context.Context) error {
	row, err := c.queries.Bytes(ctx)
	c.stats.Originals, c.stats.Database = row.Originals, row.AllOfIt
	return err
}

// estimate is how many rows the planner expects of a table, which may be
// followed by a condition. It reads no row.
func (s *Store) estimate(ctx context.Context, table string) (int64, error) {
	var explained []byte
	if err := s.pool.QueryRow(ctx, "EXPLAIN (FORMAT JSON) SELECT FROM "+table).Scan(&explained); err != nil {
		return 0, err
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal(explained, &plans); err != nil || len(plans) == 0 {
		return 0, fmt.Errorf("read the plan of %s: %w", table, err)
	}
	return int64(plans[0].Plan.Rows), nil
}

// NewUsersByDay counts the accounts that were made on each day (UTC) from since
// until before until; days without any are absent.
func (s *Store) NewUsersByDay(ctx context.Context, since, until time.Time) (map[time.Time]int64, error) {
	rows, err := s.queries.NewUsersByDay(ctx, dbsqlc.NewUsersByDayParams{Since: since, Until: until})
	days := make(map[time.Time]int64, len(rows))
	for _, r := range rows {
		days[r.Day.Time] = r.Users
	}
	return days, translate(err)
}
