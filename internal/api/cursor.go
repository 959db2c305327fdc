package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Page is one page of a list. NextCursor is null on the last.
type Page[T any] struct {
	Items      []T     `json:"items" doc:"Newest first"`
	NextCursor *string `json:"next_cursor" doc:"Pass as cursor to get the next page; null on the last"`
}

// Paging is what every list takes.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" doc:"At most so many; 50 by default"`
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the previous page"`
}

const (
	pageSize     = 50
	rootPageSize = 1000 // a bare array has no place for a cursor
)

// size is one more than is shown, to know whether there are more.
func (p Paging) size(root bool) int {
	switch {
	case p.Limit > 0:
		return p.Limit + 1
	case root:
		return rootPageSize + 1
	}
	return pageSize + 1
}

// cursors makes opaque positions in lists. They are signed together with whose
// list it is, so that only our own, in their own place, are accepted.
type cursors struct{ key []byte }

func newCursors(secret []byte) cursors {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("cursor"))
	return cursors{key: h.Sum(nil)}
}

const cursorCode = 8 // bytes

func (c cursors) code(list string, user, position []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	for _, part := range [][]byte{[]byte(list), {0}, user, position} {
		h.Write(part)
	}
	return h.Sum(nil)[:cursorCode]
}

func (c cursors) encode(list string, user, position uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(append(position[:], c.code(list, user[:], position[:])...))
}

// decode returns nil for no cursor.
func (c cursors) decode(list string, user uuid.UUID, cursor string) (*uuid.UUID, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // no cursor is the first page
	}
	bad := domain.Errorf(domain.CodeInvalidCursor, "The cursor is not one of this list. Start again without it.")
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) != len(uuid.UUID{})+cursorCode {
		return nil, bad
	}
	position := uuid.UUID(raw[:len(uuid.UUID{})])
	if !hmac.Equal(raw[len(position):], c.code(list, user[:], position[:])) {
		return nil, bad
	}
	return &position, nil
}

// cut makes a page of at most size-1 of the rows that were read.
func cut[R, T any](c cursors, list string, user uuid.UUID, rows []R, size int, id func(R) uuid.UUID, show func(R) T) Page[T] {
	page := Page[T]{Items: []T{}}
	if len(rows) == size {
		rows = rows[:size-1]
		next := c.encode(list, user, id(rows[len(rows)-1]))
		page.NextCursor = &next
	}
	for _, r := range rows {
		page.Items = append(page.Items, show(r))
	}
	return page
}
