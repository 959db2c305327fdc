package postgrestest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"

	"github.com/jackc/pgx/v5"

	"generalbackend/internal/postgres"
	"generalbackend/schema"
)

// template is a migrated database to clone.
type template struct {
	admin string // address of a database to give orders from
	name  string
	users *os.File // held open: it makes this process a user of the cluster
}

// prepareTemplate makes the template of these migrations, unless it is there.
func prepareTemplate(ctx context.Context, admin string) (*template, error) {
	hash, err := migrationsHash()
	if err != nil {
		return nil, err
	}
	tmpl := &template{admin: admin, name: "template_" + hash}
	conn, err := connect(ctx, admin)
	if err != nil {
		return nil, fmt.Errorf("connect to the test server: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	// The lock ends with the connection. Waiters hold nothing that could block
	// the migration.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", tmpl.name); err != nil {
		return nil, fmt.Errorf("lock the template: %w", err)
	}
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", tmpl.name).Scan(&there); err != nil {
		return nil, fmt.Errorf("look for the template: %w", err)
	}
	if there {
		return tmpl, nil
	}
	return tmpl, tmpl.build(ctx)
}

// build migrates under another name, so that a template is never half made.
func (t *template) build(ctx context.Context) error {
	draft := t.name + "_draft"
	if err := run(ctx, t.admin, "DROP DATABASE IF EXISTS "+quote(draft)+" WITH (FORCE)", "CREATE DATABASE "+quote(draft)); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, address(t.admin, draft)); err != nil {
		return err
	}
	return run(ctx, t.admin,
		"ALTER DATABASE "+quote(draft)+" WITH ALLOW_CONNECTIONS false",
		"ALTER DATABASE "+quote(draft)+" RENAME TO "+quote(t.name))
}

func (t *template) clone(ctx context.Context, name string) error {
	return run(ctx, t.admin, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(t.name))
}

func (t *template) drop(ctx context.Context, name string) error {
	return run(ctx, t.admin, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func migrationsHash() (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(schema.Migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := schema.Migrations.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(hash, "%s %d\n", path, len(b))
		hash.Write(b)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read migrations: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}
