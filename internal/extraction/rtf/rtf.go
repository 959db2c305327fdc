// Package rtf reads the text of Rich Text Format files.
package rtf

import (
	"bytes"
	"strconv"
	"unicode/utf16"

	"golang.org/x/text/encoding"

	"generalbackend/internal/extraction/content"
)

// Read extracts the text of an RTF file, at most maxText bytes of it.
func Read(data []byte, maxText int) (content.Document, error) {
	if !bytes.HasPrefix(data, []byte(`{\rtf`)) {
		return content.Document{}, content.ErrMalformed
	}
	r := &reader{
		data:  data,
		b:     content.NewBuilder(maxText),
		fonts: map[int]encoding.Encoding{},
		info:  map[string]string{},
		state: state{skip: 1, encoding: codepage(1252)},
		base:  codepage(1252),
	}
	r.run()
	r.flush()
	doc := content.Document{
		Pages:    r.b.Pages(),
		Title:    r.info["title"],
		Metadata: r.info,
		Damaged:  len(r.stack) > 0,
	}
	return doc, r.b.Err()
}

// destination says where a group's text goes.
type destination int

const (
	toBody destination = iota
	toNowhere
	toFonts
	toInfo
)

// state is what a group inherits and its end restores.
type state struct {
	dest     destination
	key      string // of the info destination
	font     int
	skip     int // \uc: bytes that stand for a \u in older readers
	hidden   bool
	encoding encoding.Encoding
}

type reader struct {
	data    []byte
	pos     int
	b       *content.Builder
	fonts   map[int]encoding.Encoding
	base    encoding.Encoding
	info    map[string]string
	state   state
	stack   []state
	bytes   []byte   // of the current encoding, not yet decoded
	units   []uint16 // of \u, not yet decoded
	pending int      // bytes still to be skipped after \u
	ignore  bool     // \* was read
}

func (r *reader) run() {
	for r.pos < len(r.data) && r.b.Err() == nil && len(r.stack) < content.MaxDepth {
		c := r.data[r.pos]
		r.pos++
		switch c {
		case '{':
			r.flush()
			r.stack = append(r.stack, r.state)
			r.pending = 0
		case '}':
			r.closeGroup()
		case '\\':
			r.control()
		case '\r', '\n', 0:
		default:
			r.byte(c)
		}
	}
}

func (r *reader) closeGroup() {
	r.flush()
	r.pending = 0
	r.ignore = false
	if n := len(r.stack); n > 0 {
		r.state = r.stack[n-1]
		r.stack = r.stack[:n-1]
	}
	if len(r.stack) == 0 {
		r.pos = len(r.data) // what follows the document is padding
	}
}

// control reads a control word or symbol; the backslash is already read.
func (r *reader) control() {
	if r.pos >= len(r.data) {
		return
	}
	c := r.data[r.pos]
	if !isLetter(c) {
		r.pos++
		r.symbol(c)
		return
	}
	start := r.pos
	for r.pos < len(r.data) && isLetter(r.data[r.pos]) && r.pos-start < 32 {
		r.pos++
	}
	word := string(r.data[start:r.pos])
	param, has := r.parameter()
	if r.pos < len(r.data) && r.data[r.pos] == ' ' {
		r.pos++
	}
	r.word(word, param, has)
}

func (r *reader) parameter() (value int, has bool) {
	start := r.pos
	if r.pos < len(r.data) && r.data[r.pos] == '-' {
		r.pos++
	}
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' && r.pos-start < 11 {
		r.pos++
	}
	value, err := strconv.Atoi(string(r.data[start:r.pos]))
	return value, err == nil
}

func (r *reader) symbol(c byte) {
	switch c {
	case '\'':
		r.hex()
	case '*':
		r.ignore = r.pos >= 3 && r.data[r.pos-3] == '{' // elsewhere it means nothing
	case '\\', '{', '}':
		r.byte(c)
	case '~':
		r.text("\u00a0")
	case '_':
		r.text("\u2011")
	case '\r', '\n':
		r.line()
	}
}

func (r *reader) hex() {
	if r.pos+2 > len(r.data) {
		r.pos = len(r.data)
		return
	}
	v, err := strconv.ParseUint(string(r.data[r.pos:r.pos+2]), 16, 8)
	r.pos += 2
	if err == nil {
		r.byte(byte(v))
	}
}

// byte takes one byte of text in the current encoding.
func (r *reader) byte(c byte) {
	if r.pending > 0 {
		r.pending--
		return
	}
	if len(r.units) > 0 {
		r.flush()
	}
	r.bytes = append(r.bytes, c)
}

func (r *reader) unicode(value int) {
	if len(r.bytes) > 0 {
		r.flush()
	}
	r.units = append(r.units, uint16(value))
	r.pending = r.state.skip
}

// flush decodes what was collected and sends it where the group says.
func (r *reader) flush() {
	var s string
	switch {
	case len(r.units) > 0:
		s = string(utf16.Decode(r.units))
	case len(r.bytes) > 0:
		s = decode(r.state.encoding, r.bytes)
	default:
		return
	}
	r.units, r.bytes = r.units[:0], r.bytes[:0]
	switch {
	case r.state.dest == toInfo:
		r.info[r.state.key] += s
	case r.state.dest == toBody && !r.state.hidden:
		r.b.Write(s)
	}
}

func (r *reader) text(s string) {
	r.flush()
	if r.state.dest == toBody && !r.state.hidden {
		r.b.Write(s)
	}
}

func (r *reader) line() { r.text("\n") }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
