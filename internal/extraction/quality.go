package extraction

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"generalbackend/internal/domain"
)

// The reasons for which a page is not readable. A blank page has lost nothing,
// so it alone does not make a document partial.
const (
	reasonNoText    = "no_text"
	reasonGarbled   = "garbled"
	reasonTruncated = "truncated"
	reasonFailed    = "failed"
	reasonBlank     = "blank"
)

// The shares of characters from which a page is of no use: of those that are no
// characters, and of those together with private ones, which are often icons.
const (
	tooBroken  = 0.15
	tooGarbled = 0.3
)

// assess measures a page's text as it was extracted, before cleaning.
func assess(text string) domain.PageQuality {
	var q domain.PageQuality
	broken, private := 0, 0
	for _, r := range text {
		if unicode.IsSpace(r) {
			continue
		}
		q.Chars++
		switch {
		case meaningless(r):
			broken++
		case unicode.Is(unicode.Co, r):
			private++
		}
	}
	if q.Chars == 0 {
		q.Reason = reasonBlank
		return q
	}
	q.Garbled = float64(broken+private) / float64(q.Chars)
	q.Readable = q.Garbled <= tooGarbled && float64(broken)/float64(q.Chars) <= tooBroken
	if !q.Readable {
		q.Reason = reasonGarbled
	}
	return q
}

// meaningless reports whether a rune is no character: the mark of a glyph that
// could not be mapped, a control or a noncharacter.
func meaningless(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) ||
		r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF
}

// clean makes text fit for storage and for comparing quotes: valid UTF-8 in
// normal form C without control characters or soft hyphens, lines without
// trailing space, at most one empty line in a row.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = norm.NFC.String(strings.Map(printable, text))
	var out strings.Builder
	out.Grow(len(text))
	empty := 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\u00a0")
		if line == "" {
			empty++
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\n\n"[:min(empty, 1)+1])
		}
		empty = 0
		out.WriteString(line)
	}
	return out.String()
}

func printable(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\f' || r == '\v' || r == '\u2028' || r == '\u2029' || r == '\u0085':
		return '\n'
	case r == '\u00ad' || r == '\ufeff' || unicode.IsControl(r) || r&0xFFFE == 0xFFFE:
		return -1
	}
	return r
}

// storable is the last guard before text leaves the package, whatever a child
// sent: valid UTF-8 without NUL.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
