package ooxml

import (
	"encoding/xml"
	"strconv"
	"strings"

	"generalbackend/internal/extraction/content"
)

// sheets writes a workbook: each sheet is a page that begins with its name.
func (p *pack) sheets(b *content.Builder) (damaged bool, err error) {
	rels, err := p.relations(p.main)
	if err != nil {
		return false, err
	}
	book := workbook{pack: p}
	for _, r := range rels {
		switch r.kind {
		case "sharedStrings":
			err = book.readStrings(r.target)
		case "styles":
			err = book.readStyles(r.target)
		}
		if err != nil {
			return false, err
		}
	}
	refs, err := p.references("sheet")
	if err != nil {
		return false, err
	}
	for _, ref := range refs {
		b.Write(ref.label + "\n")
		bad, err := book.sheet(b, ref.part)
		if err != nil {
			return false, err
		}
		damaged = damaged || bad
		b.EndPage()
	}
	return damaged, nil
}

type workbook struct {
	*pack
	strings []string
	dates   []bool // by cell style: does it show a date
}

// readStrings reads the table that cells of type "s" point into. Phonetic
// readings stay with their word.
func (w *workbook) readStrings(part string) error {
	dec, err := w.XML(part)
	if dec == nil || err != nil {
		return err
	}
	var text strings.Builder
	inText := false
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil
		}
		switch t := tok.(type) {
		case xml.StartElement:
			inText = t.Name.Local == "t"
		case xml.EndElement:
			inText = false
			if t.Name.Local == "si" {
				w.strings = append(w.strings, text.String())
				text.Reset()
			}
		case xml.CharData:
			if inText {
				text.Write(t)
			}
		}
	}
}

func (w *workbook) sheet(b *content.Builder, part string) (damaged bool, err error) {
	dec, err := w.XML(part)
	if err != nil || dec == nil {
		return dec == nil, err
	}
	s := sheetState{workbook: w, b: b}
	for b.Err() == nil {
		tok, err := dec.Token()
		if err != nil {
			damaged = ended(err)
			break
		}
		switch t := tok.(type) {
		case xml.StartElement:
			s.start(t)
		case xml.EndElement:
			s.end(t.Name.Local)
		case xml.CharData:
			if s.inValue {
				s.value.Write(t)
			}
		}
	}
	return damaged, w.sheetNotes(b, part)
}

// sheetNotes writes a sheet's comments, text boxes and charts.
func (w *workbook) sheetNotes(b *content.Builder, part string) error {
	rels, err := w.relations(part)
	if err != nil {
		return err
	}
	for _, r := range rels {
		switch r.kind {
		case "comments":
		case "drawing":
			charts, err := w.relations(r.target)
			if err != nil {
				return err
			}
			for _, c := range charts {
				if c.kind == "chart" {
					if _, err := w.drawing(b, c.target); err != nil {
						return err
					}
				}
			}
		default:
			continue
		}
		if _, err := w.drawing(b, r.target); err != nil {
			return err
		}
	}
	return nil
}

type sheetState struct {
	*workbook
	b       *content.Builder
	kind    string // of the cell's value
	style   int
	inValue bool
	cells   bool // the row has a cell with text
	value   strings.Builder
}

func (s *sheetState) start(el xml.StartElement) {
	switch el.Name.Local {
	case "row":
		s.cells = false
	case "c":
		s.kind = attr(el, "t")
		s.style, _ = strconv.Atoi(attr(el, "s"))
		s.value.Reset()
	case "v", "t", "oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter":
		s.inValue = true
	}
}

func (s *sheetState) end(name string) {
	switch name {
	case "v", "t":
		s.inValue = false
	case "oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter":
		s.inValue = false
		s.b.Write(headerText(s.value.String()))
		s.b.Line()
		s.value.Reset()
	case "c":
		s.cell()
	case "row":
		if s.cells {
			s.b.Row()
		}
	}
}

func (s *sheetState) cell() {
	text := s.value.String()
	s.value.Reset()
	switch s.kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || i < 0 || i >= len(s.strings) {
			return
		}
		text = s.strings[i]
	case "b":
		text = map[string]string{"1": "TRUE", "0": "FALSE"}[text]
	case "", "n":
		text = s.number(text)
	}
	if text == "" {
		return
	}
	s.cells = true
	s.b.Write(text)
	s.b.Write("\t")
}

// headerText strips the codes (&L, &P, &"Arial", &12 ...) from a header.
func headerText(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '&' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c == '&':
			out.WriteByte('&')
		case c == '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
			}
		case c >= '0' && c <= '9':
			for i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' {
				i++
			}
		default:
			out.WriteByte(' ')
		}
	}
	return strings.TrimSpace(out.String())
}
