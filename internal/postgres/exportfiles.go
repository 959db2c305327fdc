package postgres

import (
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// ids are those of a user's rows in a table, a page at a time.
func (e *Export) ids(query string, fn func(id uuid.UUID, kind string) error) error {
	after := uuid.Nil
	for {
		rows, err := e.tx.Query(e.ctx, query, e.userID, after)
		if err != nil {
			return err
		}
		type named struct {
			ID   uuid.UUID
			Kind string
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[named])
		if err != nil || len(page) == 0 {
			return err
		}
		for _, n := range page {
			if err := fn(n.ID, n.Kind); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

func (e *Export) writeDocuments(to ExportSink) error {
	const query = "SELECT id, type FROM documents WHERE user_id = $1 AND id > $2 AND state <> 'uploading' ORDER BY id LIMIT 500"
	return e.ids(query, func(id uuid.UUID, kind string) error {
		if kind == "url" || kind == "text" {
			kind = map[string]string{"url": "bin", "text": "txt"}[kind]
		}
		err := e.pieces(to, fmt.Sprintf("documents/%s/original.%s", id, kind), func(n int) ([]byte, error) {
			return readBytes(e, "SELECT bytes FROM document_parts WHERE document_id = $1 AND ordinal = $2", id, n)
		})
		if err != nil {
			return err
		}
		return e.pieces(to, fmt.Sprintf("documents/%s/text.txt", id), func(n int) ([]byte, error) {
			const size = 256 << 10
			return readBytes(e, "SELECT convert_to(substr(content, $2::int * $3::int + 1, $3::int), 'UTF8') FROM documents WHERE id = $1", id, n, size)
		})
	})
}

func (e *Export) writePhotos(to ExportSink) error {
	const query = "SELECT id, 'jpg' FROM photos WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT 500"
	return e.ids(query, func(id uuid.UUID, _ string) error {
		return e.pieces(to, fmt.Sprintf("photos/%s.jpg", id), func(n int) ([]byte, error) {
			if n > 0 {
				return nil, nil
			}
			return readBytes(e, "SELECT bytes FROM photo_bytes WHERE photo_id = $1 AND size = 'full'", id)
		})
	})
}

// readBytes reads the bytes of one row; none where there is no such row.
func readBytes(e *Export, query string, args ...any) (data []byte, err error) {
	err = e.tx.QueryRow(e.ctx, query, args...).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return data, err
}

// pieces writes a file piece by piece, until there is an empty one. Without any
// there is no file.
func (e *Export) pieces(to ExportSink, name string, piece func(n int) ([]byte, error)) error {
	var file io.Writer
	for n := 0; ; n++ {
		data, err := piece(n)
		if err != nil || len(data) == 0 {
			return err
		}
		if file == nil {
			if file, err = to.Create(name); err != nil {
				return err
			}
		}
		if _, err := file.Write(data); err != nil {
			return err
		}
	}
}
