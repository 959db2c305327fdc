// Package ooxml reads the text of Office Open XML files, transitional and
// strict: DOCX, PPTX and XLSX.
package ooxml

import (
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"

	"generalbackend/internal/extraction/archive"
	"generalbackend/internal/extraction/content"
)

// Kind is one of the three main formats.
type Kind string

// The kinds.
const (
	KindNone  Kind = ""
	KindWord  Kind = "docx"
	KindSlide Kind = "pptx"
	KindSheet Kind = "xlsx"
)

// relation is an edge of the package's graph of parts.
type relation struct {
	id     string
	kind   string // last segment of the relationship type
	target string // part name
}

// pack is an open OPC package.
type pack struct {
	*archive.Archive
	main string
	kind Kind
}

// Detect tells which kind of package an archive is, KindNone for none.
func Detect(a *archive.Archive) Kind {
	p, err := open(a)
	if err != nil {
		return KindNone
	}
	return p.kind
}

// Read extracts the text of a package, at most maxText bytes of it.
func Read(a *archive.Archive, maxText int) (content.Document, error) {
	p, err := open(a)
	if err != nil {
		return content.Document{}, err
	}
	b := content.NewBuilder(maxText)
	var damaged bool
	switch p.kind {
	case KindWord:
		damaged, err = p.word(b)
	case KindSlide:
		damaged, err = p.slides(b)
	case KindSheet:
		damaged, err = p.sheets(b)
	default:
		return content.Document{}, content.ErrMalformed
	}
	if err != nil {
		return content.Document{}, err
	}
	doc := content.Document{Pages: b.Pages(), Damaged: damaged}
	p.properties(&doc)
	return doc, errors.Join(b.Err(), a.Err())
}

func open(a *archive.Archive) (*pack, error) {
	p := &pack{Archive: a}
	rels, err := p.relations("")
	if err != nil {
		return nil, err
	}
	for _, r := range rels {
		if r.kind == "officeDocument" && p.Has(r.target) {
			p.main = r.target
		}
	}
	for _, name := range []string{"word/document.xml", "ppt/presentation.xml", "xl/workbook.xml"} {
		if p.main == "" && p.Has(name) {
			p.main = name
		}
	}
	if p.main == "" {
		return nil, content.ErrMalformed
	}
	p.kind, err = p.root()
	return p, err
}

// root tells the kind from the main part's root element.
func (p *pack) root() (Kind, error) {
	dec, err := p.XML(p.main)
	if err != nil {
		return KindNone, err
	}
	for {
		tok, err := dec.Token()
		if err != nil {
			return KindNone, errors.Join(content.ErrMalformed, err)
		}
		if el, ok := tok.(xml.StartElement); ok {
			switch el.Name.Local {
			case "document":
				return KindWord, nil
			case "presentation":
				return KindSlide, nil
			case "workbook":
				return KindSheet, nil
			}
			return KindNone, nil
		}
	}
}

// relations lists a part's internal relations; part "" is the package itself.
// A damaged list gives the relations before the damage.
func (p *pack) relations(part string) ([]relation, error) {
	dir, file := path.Split(part)
	dec, err := p.XML(dir + "_rels/" + file + ".rels")
	if dec == nil || err != nil {
		return nil, err
	}
	var rels []relation
	for {
		tok, err := dec.Token()
		if err != nil {
			return rels, nil
		}
		el, ok := tok.(xml.StartElement)
		if !ok || el.Name.Local != "Relationship" || attr(el, "TargetMode") == "External" {
			continue
		}
		target := attr(el, "Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(dir, target)
		}
		kind := attr(el, "Type")
		rels = append(rels, relation{
			id:     attr(el, "Id"),
			kind:   kind[strings.LastIndexByte(kind, '/')+1:],
			target: strings.TrimPrefix(target, "/"),
		})
	}
}

// properties fills in what the package says of itself.
func (p *pack) properties(doc *content.Document) {
	doc.Metadata = map[string]string{}
	names := map[string]string{
		"title": "title", "creator": "author", "subject": "subject", "keywords": "keywords",
		"description": "description", "created": "created", "modified": "modified", "language": "language",
	}
	rels, _ := p.relations("")
	for _, r := range rels {
		if r.kind != "core-properties" && r.kind != "coreProperties" {
			continue
		}
		for name, value := range p.leaves(r.target) {
			if key := names[name]; key != "" && strings.TrimSpace(value) != "" {
				doc.Metadata[key] = strings.TrimSpace(value)
			}
		}
	}
	doc.Title = doc.Metadata["title"]
	doc.Language = doc.Metadata["language"]
}

// leaves maps the local names of a part's elements to their text.
func (p *pack) leaves(part string) map[string]string {
	found := map[string]string{}
	dec, err := p.XML(part)
	if dec == nil || err != nil {
		return found
	}
	name := ""
	for {
		tok, err := dec.Token()
		if err != nil {
			return found
		}
		switch t := tok.(type) {
		case xml.StartElement:
			name = t.Name.Local
		case xml.EndElement:
			name = ""
		case xml.CharData:
			if name != "" {
				found[name] += string(t)
			}
		}
	}
}

// ended separates the end of a part from damage in it.
func ended(err error) (damaged bool) { return !errors.Is(err, io.EOF) }

func attr(el xml.StartElement, local string) string {
	for _, a := range el.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}
