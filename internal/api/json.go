package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// Object is a JSON object whose fields are not ours to know.
type Object struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// unmarshal refuses what Postgres cannot store as text.
func unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("is not valid UTF-8")
	}
	if hasNUL(data) {
		return errors.New(`must not contain the character \u0000`)
	}
	return json.Unmarshal(data, v)
}

// hasNUL looks for an escaped NUL: an escape begins after an even number of
// backslashes. A bare one is no JSON.
func hasNUL(data []byte) bool {
	escape := []byte(`\u0000`)
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], escape)
		if i < 0 {
			return false
		}
		at += i
		before := 0
		for before < at && data[at-before-1] == '\\' {
			before++
		}
		if before%2 == 0 {
			return true
		}
	}
}

// plain makes one line of what a client named something.
func plain(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit])
	}
	return strings.TrimSpace(s)
}
