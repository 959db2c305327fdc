package postgres_test

import (
	"database/sql"
	"io/fs"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
	"generalbackend/schema"
)

// TestMigrationsGoBack down to nothing, and up again.
func TestMigrationsGoBack(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.NewDatabase(t)
	migrations := provider(t, dsn)
	if _, err := migrations.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
}

// TestChunksGetTheirSpace when the schema learns of it, and lose it again.
func TestChunksGetTheirSpace(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.NewDatabase(t)
	const before = 22
	migrations := provider(t, dsn)
	if _, err := migrations.DownTo(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	exec := func(statement string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), 'a@example.org', 'x')`)
	exec(`INSERT INTO documents (id, user_id, type, state) SELECT gen_random_uuid(), id, 'txt', 'ready' FROM users`)
	exec(`INSERT INTO embedding_spaces (provider, model, dims, chunk_tokens, overlap_tokens, state)
		VALUES ('a', 'a', 1, 1, 0, 'retired'), ('b', 'b', 1, 1, 0, 'active')`)
	exec(`INSERT INTO chunks (document_id, user_id, ordinal, page_from, page_to, char_from, char_to, content, content_hash, tsv)
		SELECT id, user_id, n, 1, 1, 0, 1, 'x', '', '' FROM documents, generate_series(0, 1) n`)
	exec(`INSERT INTO embeddings (chunk_id, space_id, user_id, document_id, embedding)
		SELECT c.id, s.id, c.user_id, c.document_id, '[1]' FROM chunks c, embedding_spaces s WHERE c.ordinal = 0 AND s.provider = 'a'`)
	if err := postgres.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	var spaces []string
	err = conn.QueryRow(t.Context(), `SELECT array_agg(s.provider ORDER BY c.ordinal)
		FROM chunks c JOIN embedding_spaces s ON s.id = c.space_id`).Scan(&spaces)
	if err != nil || len(spaces) != 2 || spaces[0] != "a" || spaces[1] != "b" {
		t.Errorf("chunks are in the spaces %v, %v; want that of the vector, else the active one", spaces, err)
	}
	if _, err := migrations.DownTo(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM chunks").Scan(&left); err != nil || left != 1 {
		t.Errorf("%d chunks after the way back, %v; want those of the active space", left, err)
	}
}

func provider(t *testing.T, dsn string) *goose.Provider {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	migrations, err := fs.Sub(schema.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
