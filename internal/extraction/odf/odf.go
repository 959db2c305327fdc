// Package odf reads the text of OpenDocument text files (ODT).
package odf

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"generalbackend/internal/extraction/archive"
	"generalbackend/internal/extraction/content"
)

// Read extracts the text of an ODT container, at most maxText bytes of it.
func Read(a *archive.Archive, maxText int) (content.Document, error) {
	if encrypted, err := isEncrypted(a); encrypted || err != nil {
		return content.Document{}, cmp.Or(err, content.ErrEncrypted)
	}
	dec, err := a.XML("content.xml")
	if err != nil {
		return content.Document{}, err
	}
	if dec == nil {
		return content.Document{}, content.ErrMalformed
	}
	l, err := newLists(a)
	if err != nil {
		return content.Document{}, err
	}
	w := &writer{Builder: content.NewBuilder(maxText), lists: l}
	if err := w.margins(a, "header"); err != nil {
		return content.Document{}, err
	}
	damaged := w.flow(dec, "body")
	w.flushNotes()
	if err := w.margins(a, "footer"); err != nil {
		return content.Document{}, err
	}
	doc := content.Document{Pages: w.Pages(), Damaged: damaged, Metadata: map[string]string{}}
	describe(a, &doc)
	return doc, errors.Join(w.Err(), a.Err())
}

// isEncrypted reports whether the manifest says that members are encrypted.
func isEncrypted(a *archive.Archive) (bool, error) {
	manifest, err := a.Read("META-INF/manifest.xml")
	return strings.Contains(string(manifest), "encryption-data"), err
}

type writer struct {
	*content.Builder
	lists  *lists
	inText int      // open paragraphs and headings
	count  int      // footnotes and endnotes so far
	notes  []string // of the current page
}

// margins writes the page headers or footers, which live with the styles.
func (w *writer) margins(a *archive.Archive, name string) error {
	dec, err := a.XML("styles.xml")
	if dec == nil || err != nil {
		return err
	}
	for w.Err() == nil {
		tok, err := dec.Token()
		if err != nil {
			return nil
		}
		el, ok := tok.(xml.StartElement)
		if ok && el.Name.Local == name && strings.Contains(el.Name.Space, "style") {
			w.inText = 0
			w.flow(dec, "")
			w.Line()
		}
	}
	return nil
}

// flow writes the text inside the element called root, or with root "" inside
// the element that dec stands in. It reports damage.
func (w *writer) flow(dec *xml.Decoder, root string) (damaged bool) {
	inside := root == ""
	depth := 0
	for w.Err() == nil {
		tok, err := dec.Token()
		if err != nil {
			return !errors.Is(err, io.EOF)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			inside = inside || t.Name.Local == root
			if skipped(t.Name.Local) {
				if err := dec.Skip(); err != nil {
					return true
				}
				continue
			}
			if t.Name.Local == "note" || t.Name.Local == "annotation" {
				w.note(dec, t.Name.Local == "note")
				continue
			}
			if depth++; depth > content.MaxDepth {
				w.Fail(content.ErrTooLong)
			}
			w.start(t)
		case xml.EndElement:
			if depth--; depth < 0 {
				return false
			}
			w.end(t.Name.Local)
		case xml.CharData:
			if inside && w.inText > 0 {
				w.Write(collapse(string(t)))
			}
		}
	}
	return false
}

// skipped names what is not text: deleted passages, settings of forms, and
// alternative contents.
func skipped(name string) bool {
	switch name {
	case "tracked-changes", "forms", "automatic-styles", "font-face-decls", "scripts",
		"sequence-decls", "variable-decls", "user-field-decls", "binary-data", "event-listeners":
		return true
	}
	return false
}

func (w *writer) start(el xml.StartElement) {
	switch el.Name.Local {
	case "p", "h":
		if w.inText > 0 {
			w.Line() // a text box within a paragraph
		}
		w.inText++
		w.Write(w.lists.label())
	case "tab":
		w.Write("\t")
	case "line-break":
		w.Write("\n")
	case "s":
		w.spaces(el)
	case "soft-page-break":
		w.flushNotes()
		w.Break()
	case "desc":
		w.Space()
		w.inText++
	case "list":
		w.lists.start(el)
	case "list-item":
		w.lists.startItem(el)
	}
}

func (w *writer) end(name string) {
	switch name {
	case "p", "h", "desc":
		w.inText = max(0, w.inText-1)
		w.Line()
	case "table-cell":
		w.Cell()
	case "table-row":
		w.Row()
	case "list":
		w.lists.end()
	}
}

// note keeps a footnote, an endnote or a comment for the end of the page, and
// marks the place of the former two.
func (w *writer) note(dec *xml.Decoder, numbered bool) {
	const longest = 1 << 20
	inner := &writer{Builder: content.NewBuilder(longest), lists: &lists{}}
	inner.flow(dec, "")
	text := strings.TrimSpace(strings.Join(inner.Pages(), "\n"))
	if numbered {
		w.count++
		mark := fmt.Sprintf("[%d]", w.count)
		w.Write(mark)
		text = mark + " " + text
	}
	w.notes = append(w.notes, text)
}

func (w *writer) flushNotes() {
	for _, text := range w.notes {
		w.Line()
		w.Write(text)
		w.Line()
	}
	w.notes = nil
}

// spaces writes a run of spaces, of which text:c may claim any number.
func (w *writer) spaces(el xml.StartElement) {
	n, _ := strconv.Atoi(attribute(el, "c"))
	w.Write(strings.Repeat(" ", min(max(n, 1), 64)))
}

// collapse joins runs of white space, as OpenDocument demands.
func collapse(s string) string {
	var out strings.Builder
	space := false
	for _, r := range s {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			if !space {
				out.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		out.WriteRune(r)
	}
	return out.String()
}

// describe fills in what the document says of itself.
func describe(a *archive.Archive, doc *content.Document) {
	dec, err := a.XML("meta.xml")
	if dec == nil || err != nil {
		return
	}
	keys := map[string]string{
		"title": "title", "creator": "author", "subject": "subject", "keyword": "keywords",
		"description": "description", "creation-date": "created", "date": "modified", "language": "language",
	}
	key := ""
	for {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		switch t := tok.(type) {
		case xml.StartElement:
			key = keys[t.Name.Local]
		case xml.EndElement:
			key = ""
		case xml.CharData:
			if key != "" {
				doc.Metadata[key] = strings.TrimSpace(string(t))
			}
		}
	}
	doc.Title = doc.Metadata["title"]
	doc.Language = doc.Metadata["language"]
}
