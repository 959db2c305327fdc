package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Export is what a user owns, as it was at one moment, read in constant memory.
type Export struct {
	ctx    context.Context //nolint:containedctx // it lives as long as one reply
	tx     pgx.Tx
	userID uuid.UUID
	tables []exportedTable
}

// exportedTable is one whose rows have an owner.
type exportedTable struct {
	Name    string
	Columns []string // that are left out of its rows
}

// Exporting says which tables and columns with an owner are left out of exports,
// and why. All others are in, new ones by themselves.
var (
	exportLeavesOut = []string{
		"user_tokens", // secrets
		"mails",       // on their way, and gone when they were sent
		"chunks",      // made of the documents' texts, which are in
		"embeddings",  // the same
		"photo_bytes", // files of their own
	}
	exportHides = map[string][]string{
		"documents": {"content"}, // a file of its own
		"jobs":      {"trace", "fence", "worker", "lease_until", "event_seq", "lost"},
	}
)

// ExportSink takes the files of an export, one after the other; zip.Writer is one.
type ExportSink interface {
	Create(name string) (io.Writer, error)
}

// exportIdle is how long the reader of an export may take for a part.
const exportIdle = "10min"

// BeginExport opens an export. It is closed by Close, or by the end of ctx.
func (s *Store) BeginExport(ctx context.Context, userID uuid.UUID) (*Export, error) {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return nil, translate(err)
	}
	e := &Export{ctx: ctx, tx: tx, userID: userID}
	_, err = tx.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
	if err == nil {
		_, err = tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = '"+exportIdle+"'")
	}
	if err == nil {
		e.tables, err = e.owned()
	}
	if err == nil {
		err = e.hold()
	}
	if err != nil {
		return nil, errors.Join(translate(err), e.Close())
	}
	return e, nil
}

// Close ends the export.
func (e *Export) Close() error {
	err := e.tx.Rollback(context.WithoutCancel(e.ctx))
	if errors.Is(err, pgx.ErrTxClosed) {
		return nil
	}
	return err
}

// hold keeps the tables as they are until the end. What stands in the way is
// found out here, while it can still be told.
func (e *Export) hold() error {
	names := "documents, document_parts, photos, photo_bytes"
	for _, t := range e.tables {
		names += ", " + pgx.Identifier{t.Name}.Sanitize()
	}
	_, err := e.tx.Exec(e.ctx, "LOCK TABLE "+names+" IN ACCESS SHARE MODE")
	return err
}

// owned finds the tables that have owners. Binary columns are hashes, or files of
// their own; vectors follow from the texts.
func (e *Export) owned() ([]exportedTable, error) {
	rows, err := e.tx.Query(e.ctx, `
		SELECT c.relname::text, coalesce(array_agg(a.attname::text) FILTER (WHERE t.typname IN ('bytea', 'tsvector', 'vector', 'halfvec')), '{}')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
		  AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = 'user_id' AND NOT o.attisdropped)
		  AND c.relname <> ALL ($1)
		GROUP BY c.relname ORDER BY c.relname`, exportLeavesOut)
	if err != nil {
		return nil, err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[exportedTable])
	for i := range tables {
		t := &tables[i]
		t.Columns = append(t.Columns, exportHides[t.Name]...)
	}
	return tables, err
}

// WriteTo writes every table as a file of JSON lines, and what is a file by
// itself as one: originals, texts and photos.
func (e *Export) WriteTo(to ExportSink) error {
	for _, t := range e.tables {
		if err := e.writeTable(to, t); err != nil {
			return fmt.Errorf("export %s: %w", t.Name, err)
		}
	}
	if err := e.writeDocuments(to); err != nil {
		return fmt.Errorf("export documents: %w", err)
	}
	if err := e.writePhotos(to); err != nil {
		return fmt.Errorf("export photos: %w", err)
	}
	return nil
}

func (e *Export) writeTable(to ExportSink, t exportedTable) error {
	file, err := to.Create(t.Name + ".jsonl")
	if err != nil {
		return err
	}
	query := fmt.Sprintf("SELECT (to_jsonb(t) - %s::text[])::text FROM %s t WHERE t.user_id = '%s'",
		quoteTexts(t.Columns), pgx.Identifier{t.Name}.Sanitize(), e.userID)
	return e.each(query, func(row pgx.CollectableRow) error {
		line, err := pgx.RowTo[string](row)
		if err == nil {
			_, err = io.WriteString(file, line+"\n")
		}
		return err
	})
}

// quoteTexts writes names of columns as an array, for where parameters cannot be.
func quoteTexts(names []string) string {
	out := "ARRAY["
	for i, name := range slices.Sorted(slices.Values(names)) {
		if i > 0 {
			out += ","
		}
		out += "'" + name + "'"
	}
	return out + "]"
}

// rowsAtOnce is how many rows are held in memory.
const rowsAtOnce = 20

// each calls fn for every row. Other queries may run meanwhile.
func (e *Export) each(query string, fn func(pgx.CollectableRow) error) error {
	const cursor = "exported"
	if _, err := e.tx.Exec(e.ctx, "DECLARE "+cursor+" NO SCROLL CURSOR FOR "+query); err != nil {
		return err
	}
	for {
		rows, err := e.tx.Query(e.ctx, fmt.Sprintf("FETCH %d FROM %s", rowsAtOnce, cursor))
		if err != nil {
			return err
		}
		got := 0
		_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
			got++
			return struct{}{}, fn(row)
		})
		if err != nil {
			return err
		}
		if got < rowsAtOnce {
			_, err := e.tx.Exec(e.ctx, "CLOSE "+cursor)
			return err
		}
	}
}
