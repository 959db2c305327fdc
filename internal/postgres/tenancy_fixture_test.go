package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
)

// tenancy is a database in which every table holds a row of every user. The rows
// are made from what the catalogue says of the tables, so that a new table is in
// the tests before anybody thinks of it; checks of what a row says are dropped.
type tenancy struct {
	t      *testing.T
	dsn    string
	store  *postgres.Store
	admin  *pgx.Conn
	secure []string // the tables of users, those they refer to first
	column map[string][]column
	rows   map[uuid.UUID]map[string]map[string]any
}

type column struct {
	Name     string
	Type     string
	Default  bool
	Identity bool
	Null     bool
	Parent   *string // table of a foreign key
	Key      *string // its column
}

func newTenancy(t *testing.T) *tenancy {
	t.Helper()
	dsn := postgrestest.NewDatabase(t)
	x := &tenancy{
		t: t, dsn: dsn, store: postgrestest.Open(t, dsn),
		column: map[string][]column{}, rows: map[uuid.UUID]map[string]map[string]any{},
	}
	var err error
	if x.admin, err = pgx.Connect(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.admin.Close(context.Background()) })
	secure := x.tables("SELECT relname FROM pg_class WHERE relrowsecurity")
	for _, table := range secure {
		x.column[table] = x.columns(table)
	}
	x.must("SET session_replication_role = replica") // triggers make rows of their own
	x.order("documents")                             // which jobs are about
	for _, table := range secure {
		x.order(table)
	}
	for _, drop := range x.tables(`SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
		FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace`) {
		x.must(drop)
	}
	return x
}

// order puts a table behind those it refers to.
func (x *tenancy) order(table string) {
	if slices.Contains(x.secure, table) {
		return
	}
	for _, c := range x.column[table] {
		if c.Parent != nil && *c.Parent != table && !c.Null && x.column[*c.Parent] != nil {
			x.order(*c.Parent)
		}
	}
	x.secure = append(x.secure, table)
}

func (x *tenancy) tables(query string) []string {
	x.t.Helper()
	rows, err := x.admin.Query(x.t.Context(), query+" ORDER BY 1")
	if err != nil {
		x.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) == 0 {
		x.t.Fatalf("%v, %v", tables, err)
	}
	return tables
}

func (x *tenancy) columns(table string) []column {
	x.t.Helper()
	rows, err := x.admin.Query(x.t.Context(), `
		SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.atthasdef AS "default",
		       a.attidentity <> '' AS identity, NOT a.attnotnull AS "null", f.parent, f.key
		FROM pg_attribute a LEFT JOIN LATERAL (
		    SELECT p.relname::text AS parent, k.attname::text AS key
		    FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid
		    JOIN pg_attribute k ON k.attrelid = p.oid AND k.attnum = c.confkey[array_position(c.conkey, a.attnum)]
		    WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND a.attnum = ANY (c.conkey)
		    ORDER BY array_length(c.conkey, 1) LIMIT 1) f ON true
		WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, table)
	if err != nil {
		x.t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByName[column])
	if err != nil {
		x.t.Fatal(err)
	}
	return columns
}

// add makes a user with one row in every table, and returns its id.
func (x *tenancy) add() uuid.UUID {
	x.t.Helper()
	user := uuid.Must(uuid.NewV7())
	x.rows[user] = map[string]map[string]any{}
	x.must(`INSERT INTO embedding_spaces (provider, model, dims, chunk_tokens, overlap_tokens, state)
		VALUES ('p', 'm', 3, 1, 0, 'active') ON CONFLICT DO NOTHING`)
	for _, table := range x.secure {
		row := map[string]any{}
		for _, c := range x.column[table] {
			if value := x.value(user, table, c); value != nil {
				row[c.Name] = value
			}
		}
		x.rows[user][table] = x.insert(table, row)
	}
	return user
}

// insert stores a row and returns it as it became.
func (x *tenancy) insert(table string, row map[string]any) map[string]any {
	x.t.Helper()
	names := make([]string, 0, len(row))
	for name := range row {
		names = append(names, pgx.Identifier{name}.Sanitize())
	}
	body, err := json.Marshal(row)
	if err != nil {
		x.t.Fatal(err)
	}
	columns := strings.Join(names, ", ")
	var stored []byte
	err = x.admin.QueryRow(x.t.Context(), fmt.Sprintf(`INSERT INTO %[1]s (%[2]s)
		SELECT %[2]s FROM json_populate_record(NULL::%[1]s, $1) RETURNING to_json(%[1]s)`, table, columns), body).Scan(&stored)
	if err != nil {
		x.t.Fatalf("no row of %s can be made from the catalogue (%s): %v", table, body, err)
	}
	made := map[string]any{}
	if err := json.Unmarshal(stored, &made); err != nil {
		x.t.Fatal(err)
	}
	return made
}

// value is what a column of a user's row holds; nil leaves it to its default.
func (x *tenancy) value(user uuid.UUID, table string, c column) any {
	switch {
	case table == "users" && c.Name == "id", c.Name == "user_id":
		return user
	case table == "users" && c.Name == "email":
		return user.String() + "@example.org"
	case table == "documents" && c.Name == "state":
		return "ready"
	case table == "jobs" && c.Name == "kind":
		return "ingest"
	case table == "jobs" && c.Name == "resource_id":
		return x.rows[user]["documents"]["id"]
	case c.Name == "project_id":
		return x.rows[user]["projects"]["id"]
	case c.Parent != nil && x.rows[user][*c.Parent] != nil && !c.Null:
		return x.rows[user][*c.Parent][*c.Key]
	case c.Parent != nil && *c.Parent == "embedding_spaces":
		return 1
	case c.Identity, c.Default, c.Null:
		return nil
	}
	return plainValue(c)
}

func plainValue(c column) any {
	switch c.Type {
	case "text":
		return "text"
	case "uuid":
		return uuid.New()
	case "bytea":
		return `\x` + strings.ReplaceAll(uuid.NewString(), "-", "")
	case "jsonb", "json":
		return map[string]any{}
	case "boolean":
		return false
	case "timestamp with time zone", "timestamp without time zone", "date":
		return "2026-01-01"
	case "tsvector":
		return "'text':1"
	case "halfvec", "vector":
		return "[1,2,3]"
	}
	if strings.HasSuffix(c.Type, "[]") {
		return []any{}
	}
	return 1
}

func (x *tenancy) must(statement string, args ...any) {
	x.t.Helper()
	if _, err := x.admin.Exec(x.t.Context(), statement, args...); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tenancy) exec(ctx context.Context, statement string, args ...any) error {
	_, err := x.affected(ctx, statement, args...)
	return err
}

func (x *tenancy) affected(ctx context.Context, statement string, args ...any) (int64, error) {
	tag, err := x.store.Pool().Exec(ctx, statement, args...)
	return tag.RowsAffected(), err
}

// denied tells that Postgres refused for lack of rights.
func denied(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501"
}

// owner is the column that says whose a row is.
func owner(table string) string {
	if table == "users" {
		return "id"
	}
	return "user_id"
}

// count counts the rows of a user that ctx sees, -1 where it may not look.
func (x *tenancy) count(ctx context.Context, table string, user uuid.UUID) int {
	x.t.Helper()
	n := 0
	err := x.store.Pool().QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = $1", table, owner(table)), user).Scan(&n)
	if denied(err) {
		return -1
	}
	if err != nil {
		x.t.Fatalf("%s: %v", table, err)
	}
	return n
}

// attack tries to change, take, delete and add rows of victim.
func (x *tenancy) attack(ctx context.Context, table string, self, victim uuid.UUID) {
	x.t.Helper()
	mine := owner(table)
	for _, statement := range []string{
		fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %[2]s <> $1", table, mine),
		fmt.Sprintf("DELETE FROM %s WHERE %s <> $1", table, mine),
	} {
		if n, err := x.affected(ctx, statement, self); n != 0 || err != nil && !denied(err) {
			x.t.Errorf("%s: %d rows, %v", statement, n, err)
		}
	}
	row, err := json.Marshal(x.rows[victim][table])
	if err != nil {
		x.t.Fatal(err)
	}
	add := fmt.Sprintf("INSERT INTO %[1]s OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_record(NULL::%[1]s, $1)", table)
	if err := x.exec(ctx, add, row); !denied(err) {
		x.t.Errorf("a row for another user is not refused in %s: %v", table, err)
	}
	give := fmt.Sprintf("UPDATE %s SET %s = $1", table, mine)
	if n, err := x.affected(ctx, give, victim); err == nil && n > 0 || err != nil && !denied(err) {
		x.t.Errorf("%s: %d rows, %v", give, n, err)
	}
}
