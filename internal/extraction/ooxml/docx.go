package ooxml

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"generalbackend/internal/extraction/content"
)

// word writes a text document: headers, body with the notes of each page at
// its end, then footers, and what belongs to no page.
func (p *pack) word(b *content.Builder) (damaged bool, err error) {
	rels, err := p.relations(p.main)
	if err != nil {
		return false, err
	}
	w := &wordWriter{Builder: b, notes: map[string]string{}, numbers: map[string]int{}}
	for _, r := range rels {
		if r.kind == "footnotes" || r.kind == "endnotes" || r.kind == "comments" {
			if err := w.collect(p, r); err != nil {
				return false, err
			}
		}
	}
	if err := w.parts(p, rels, "header"); err != nil {
		return false, err
	}
	dec, err := p.XML(p.main)
	if err != nil {
		return false, err
	}
	damaged = w.story(dec)
	w.flushNotes()
	if err := w.parts(p, rels, "footer", "chart", "diagramData"); err != nil {
		return false, err
	}
	w.leftNotes()
	return damaged, nil
}

// wordWriter writes the stories of a text document.
type wordWriter struct {
	*content.Builder
	notes   map[string]string // by kind and id
	order   []string
	pending []string // referenced on the current page
	numbers map[string]int
	inNote  bool
}

// parts writes every part of the given kinds once.
func (w *wordWriter) parts(p *pack, rels []relation, kinds ...string) error {
	seen := map[string]bool{}
	for _, kind := range kinds {
		for _, r := range rels {
			if r.kind != kind || seen[r.target] {
				continue
			}
			seen[r.target] = true
			dec, err := p.XML(r.target)
			if err != nil {
				return err
			}
			if dec != nil {
				w.story(dec)
				w.Line()
			}
		}
	}
	return nil
}

// collect reads a part of notes into memory, each by its id.
func (w *wordWriter) collect(p *pack, r relation) error {
	dec, err := p.XML(r.target)
	if dec == nil || err != nil {
		return err
	}
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil
		}
		el, ok := tok.(xml.StartElement)
		if !ok || (el.Name.Local != "footnote" && el.Name.Local != "endnote" && el.Name.Local != "comment") {
			continue
		}
		note := &wordWriter{Builder: content.NewBuilder(maxNote), inNote: true}
		note.story(dec)
		key := el.Name.Local + attr(el, "id")
		if pages := note.Pages(); len(pages) > 0 {
			w.notes[key] = pages[0]
			w.order = append(w.order, key)
		}
	}
}

// maxNote bounds one note.
const maxNote = 1 << 20

func (w *wordWriter) flushNotes() {
	for _, key := range w.pending {
		w.note(key)
	}
	w.pending = w.pending[:0]
}

func (w *wordWriter) leftNotes() {
	for _, key := range w.order {
		w.note(key)
	}
}

func (w *wordWriter) note(key string) {
	if text, ok := w.notes[key]; ok {
		w.Line()
		if n := w.numbers[key]; n > 0 {
			w.Write(fmt.Sprintf("[%d] ", n))
		}
		w.Write(strings.TrimLeft(text, " "))
		w.Line()
		delete(w.notes, key)
	}
}

// story writes one flow of paragraphs and tables: up to the end of the element
// dec stands in, or of the part. It reports damage.
func (w *wordWriter) story(dec *xml.Decoder) (damaged bool) {
	s := storyState{wordWriter: w, dec: dec}
	for w.Err() == nil {
		tok, err := dec.Token()
		if err != nil {
			return ended(err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if s.depth++; s.depth > content.MaxDepth {
				w.Fail(content.ErrTooLong)
			}
			if err := s.start(t); err != nil {
				return ended(err)
			}
		case xml.EndElement:
			s.depth--
			if s.depth < 0 {
				return false
			}
			s.end(t.Name.Local)
		case xml.CharData:
			if s.inText && !s.inCode() {
				w.Write(string(t))
			}
		}
	}
	return false
}

type storyState struct {
	*wordWriter
	dec    *xml.Decoder
	depth  int
	inText bool
	fields []bool // open complex fields; true while in the code of one
	marks  []int  // text length at the start of each open AlternateContent
}

func (s *storyState) inCode() bool {
	for _, code := range s.fields {
		if code {
			return true
		}
	}
	return false
}

func (s *storyState) skip() error {
	s.depth--
	return s.dec.Skip()
}

func (s *storyState) start(el xml.StartElement) error {
	switch el.Name.Local {
	case "t", "v":
		s.inText = true
	case "tab", "ptab":
		s.Write("\t")
	case "br", "cr":
		s.lineBreak(attr(el, "type"))
	case "lastRenderedPageBreak":
		s.pageBreak()
	case "noBreakHyphen":
		s.Write("\u2011")
	case "sym":
		s.symbol(attr(el, "char"))
	case "footnoteReference", "endnoteReference", "commentReference":
		s.refer(strings.TrimSuffix(el.Name.Local, "Reference"), attr(el, "id"))
	case "docPr":
		if text := attr(el, "descr"); text != "" {
			s.Space()
			s.Write(text + " ")
		}
	case "fldChar":
		s.field(attr(el, "fldCharType"))
	case "txbxContent":
		s.Line()
	case "AlternateContent":
		s.marks = append(s.marks, s.Len())
	case "Fallback":
		if n := len(s.marks); n > 0 && s.Len() > s.marks[n-1] {
			return s.skip()
		}
	case "pPr", "rPr", "sectPr", "tblPr", "tblGrid", "trPr", "tcPr", "sdtPr",
		"moveFrom", "instrText", "numFmt", "formatCode", "spPr", "txPr":
		return s.skip()
	}
	return nil
}

func (s *storyState) end(name string) {
	switch name {
	case "t", "v":
		s.inText = false
		if name == "v" {
			s.Line()
		}
	case "p":
		s.Line()
	case "tc":
		s.Cell()
	case "tr":
		s.Row()
	case "AlternateContent":
		if n := len(s.marks); n > 0 {
			s.marks = s.marks[:n-1]
		}
	}
}

func (s *storyState) lineBreak(kind string) {
	if kind == "page" {
		s.pageBreak()
		return
	}
	s.Write("\n")
}

// pageBreak ends the page with its notes. Notes themselves have no pages.
func (s *storyState) pageBreak() {
	if s.inNote {
		return
	}
	s.flushNotes()
	s.Break()
}

// symbol writes a character of a symbol font where Unicode has it at the same
// place; the private area of such fonts says nothing.
func (s *storyState) symbol(code string) {
	r, err := strconv.ParseInt(code, 16, 32)
	if err == nil && r >= 0x20 && (r < 0xE000 || r > 0xF8FF) {
		s.Write(string(rune(r)))
		return
	}
	s.Space()
}

// refer remembers a note for the end of the page, and marks the place of a
// footnote or an endnote.
func (s *storyState) refer(kind, id string) {
	key := kind + id
	if _, ok := s.notes[key]; s.inNote || !ok {
		return
	}
	s.pending = append(s.pending, key)
	if kind != "comment" && s.numbers[key] == 0 {
		s.numbers[key] = len(s.numbers) + 1
		s.Write(fmt.Sprintf("[%d]", s.numbers[key]))
	}
}

func (s *storyState) field(kind string) {
	n := len(s.fields)
	switch {
	case kind == "begin":
		s.fields = append(s.fields, true)
	case kind == "separate" && n > 0:
		s.fields[n-1] = false
	case kind == "end" && n > 0:
		s.fields = s.fields[:n-1]
	}
}
