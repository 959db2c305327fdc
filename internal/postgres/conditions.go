package postgres

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// conditions is a WHERE clause of those filters that are set. It is put together
// here rather than bound by sqlc, because one statement for all combinations
// would hide from the planner which index serves.
type conditions struct {
	clauses []string
	args    []any
}

// add takes a condition whose %s stands for the argument.
func (c *conditions) add(condition string, arg any) {
	c.clauses = append(c.clauses, fmt.Sprintf(condition, c.bind(arg)))
}

// equal compares a column, unless the value is empty.
func (c *conditions) equal(column, value string) {
	if value != "" {
		c.add(column+" = %s", value)
	}
}

// is compares a truth value, unless it is nil.
func (c *conditions) is(expression string, value *bool) {
	if value != nil {
		c.add(expression+" = %s", *value)
	}
}

// always takes a condition without argument.
func (c *conditions) always(condition string) { c.clauses = append(c.clauses, condition) }

// bind adds an argument and returns its placeholder.
func (c *conditions) bind(arg any) string {
	c.args = append(c.args, arg)
	return fmt.Sprintf("$%d", len(c.args))
}

// where is the clause, or nothing.
func (c *conditions) where() string {
	if len(c.clauses) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.clauses, " AND ")
}

// skew is how far the clock of whoever made an id may be from the database's.
const skew = time.Hour

// between restricts rows with UUIDv7 keys to those made in [after, before). Keys
// begin with their time, so that the primary key serves the range.
func (c *conditions) between(key, created string, after, before *time.Time) {
	if after != nil {
		c.add(created+" >= %s", *after)
		c.add(key+" >= %s", firstID(after.Add(-skew)))
	}
	if before != nil {
		c.add(created+" < %s", *before)
		c.add(key+" < %s", firstID(before.Add(skew)))
	}
}

// firstID is below every UUIDv7 made at t or later; RFC 9562, section 5.7.
func firstID(t time.Time) (id uuid.UUID) {
	milliseconds := max(t.UnixMilli(), 0)
	for i := range 6 {
		id[i] = byte(milliseconds >> (8 * (5 - i)))
	}
	return id
}

// contains is a LIKE pattern that finds text anywhere.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
