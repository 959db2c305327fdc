package postgres

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/postgres/internal/dbsqlc"
)

// PartSize is how many bytes of an original one row holds.
const PartSize = 1 << 20

// AppendPart adds the next part of an upload.
func (s *Store) AppendPart(ctx context.Context, documentID uuid.UUID, ordinal int, part []byte) error {
	return translate(insertPart(ctx, s.queries, dbsqlc.InsertPartParams{DocumentID: documentID, Ordinal: int32(ordinal), Bytes: part}))
}

func insertPart(ctx context.Context, q *dbsqlc.Queries, part dbsqlc.InsertPartParams) error {
	n, err := q.InsertPart(ctx, part)
	if err == nil && n == 0 {
		err = errNotFound
	}
	return err
}

// Original reads the bytes of a document as they were uploaded, one part at a
// time. Whether the document is the caller's to read is checked before.
func (s *Store) Original(ctx context.Context, documentID uuid.UUID) (io.ReadCloser, error) {
	return &original{ctx: ctx, queries: s.queries, documentID: documentID}, nil
}

// original is a reader over document_parts.
type original struct {
	ctx        context.Context //nolint:containedctx // io.Reader has no context of its own
	queries    *dbsqlc.Queries
	documentID uuid.UUID
	next       int32
	part       []byte
}

func (o *original) Read(p []byte) (int, error) {
	if len(o.part) == 0 {
		part, err := o.queries.Part(o.ctx, dbsqlc.PartParams{DocumentID: o.documentID, Ordinal: o.next})
		if errors.Is(err, pgx.ErrNoRows) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, translate(err)
		}
		o.part, o.next = part, o.next+1
	}
	n := copy(p, o.part)
	o.part = o.part[n:]
	return n, nil
}

func (o *original) Close() error { return nil }

// appendParts splits bytes into parts, replacing what was stored.
func appendParts(ctx context.Context, q *dbsqlc.Queries, documentID uuid.UUID, data []byte) error {
	if err := q.DeleteParts(ctx, documentID); err != nil {
		return err
	}
	for ordinal := int32(0); len(data) > 0; ordinal++ {
		n := min(len(data), PartSize)
		if err := insertPart(ctx, q, dbsqlc.InsertPartParams{DocumentID: documentID, Ordinal: ordinal, Bytes: data[:n]}); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}
