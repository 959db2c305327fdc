// Package content collects the text of a document page by page, within a
// budget. All readers of documents write into it.
package content

import (
	"bytes"
	"errors"
	"unicode"
	"unicode/utf8"
)

// ErrTooLong says that a document holds more text or markup than allowed.
var ErrTooLong = errors.New("content: too long")

// ErrMalformed says that a document is not what its type promises.
var ErrMalformed = errors.New("content: malformed")

// ErrEncrypted says that a document needs a password.
var ErrEncrypted = errors.New("content: encrypted")

// Document is the text and the description of a document.
type Document struct {
	Pages    []string
	Title    string
	Language string // as the document itself claims
	Metadata map[string]string
	Damaged  bool // text after some point is missing
}

// Builder collects text. Its zero value has no room: use NewBuilder.
type Builder struct {
	budget int
	page   []byte
	pages  []string
	err    error
}

// NewBuilder returns a Builder that takes at most budget bytes.
func NewBuilder(budget int) *Builder { return &Builder{budget: budget} }

// Err returns ErrTooLong once the budget is used up.
func (b *Builder) Err() error { return b.err }

// Fail makes err the Builder's error, unless it has one.
func (b *Builder) Fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// MaxDepth is how deep markup may be nested; documents of people stay far below.
const MaxDepth = 10_000

// Len counts the bytes written so far, page breaks aside.
func (b *Builder) Len() int {
	n := len(b.page)
	for _, p := range b.pages {
		n += len(p)
	}
	return n
}

// Write adds text to the current page.
func (b *Builder) Write(s string) {
	if len(s) > b.budget {
		b.err = ErrTooLong
		b.budget = 0
		return
	}
	b.budget -= len(s)
	b.page = append(b.page, s...)
}

// Line ends the current line, unless it is empty.
func (b *Builder) Line() {
	if n := len(b.page); n > 0 && b.page[n-1] != '\n' {
		b.Write("\n")
	}
}

// Cell ends a table cell: its paragraphs' last line break becomes a tab.
func (b *Builder) Cell() {
	b.trim("\n")
	b.Write("\t")
}

// Row ends a table row.
func (b *Builder) Row() {
	b.trim("\t")
	b.Line()
}

// Space separates what follows from the word before it.
func (b *Builder) Space() {
	if r, _ := utf8.DecodeLastRune(b.page); len(b.page) > 0 && !unicode.IsSpace(r) {
		b.Write(" ")
	}
}

// Break ends the page. A page without text is not ended, so that a break which
// a format states twice counts once.
func (b *Builder) Break() {
	if len(bytes.TrimSpace(b.page)) > 0 {
		b.EndPage()
	}
}

// EndPage ends the page even when it is empty, for formats with true pages.
func (b *Builder) EndPage() {
	b.pages = append(b.pages, string(b.page))
	b.page = b.page[:0]
}

// Pages ends the last page and returns them all.
func (b *Builder) Pages() []string {
	b.Break()
	return b.pages
}

func (b *Builder) trim(cutset string) {
	b.page = bytes.TrimRight(b.page, cutset)
}
