package ooxml

import (
	"encoding/xml"
	"slices"
	"strings"

	"generalbackend/internal/extraction/content"
)

// slides writes a presentation: each slide is a page, with its charts,
// diagrams, notes and comments.
func (p *pack) slides(b *content.Builder) (damaged bool, err error) {
	order, err := p.ordered("sldId")
	if err != nil {
		return false, err
	}
	for _, part := range order {
		bad, err := p.slide(b, part)
		if err != nil {
			return false, err
		}
		damaged = damaged || bad
		b.EndPage()
	}
	return damaged, nil
}

func (p *pack) slide(b *content.Builder, part string) (damaged bool, err error) {
	if damaged, err = p.drawing(b, part); err != nil {
		return false, err
	}
	rels, err := p.relations(part)
	if err != nil {
		return false, err
	}
	for _, r := range rels {
		if !slices.Contains([]string{"chart", "diagramData", "notesSlide", "comments"}, r.kind) {
			continue
		}
		if _, err := p.drawing(b, r.target); err != nil {
			return false, err
		}
	}
	return damaged, nil
}

// drawing writes all text of a part in DrawingML.
func (p *pack) drawing(b *content.Builder, part string) (damaged bool, err error) {
	dec, err := p.XML(part)
	if err != nil || dec == nil {
		return dec == nil, err
	}
	inText := false
	for b.Err() == nil {
		tok, err := dec.Token()
		if err != nil {
			return ended(err), nil
		}
		switch t := tok.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "t", "v", "text":
				inText = true
			case "br":
				b.Write("\n")
			case "Fallback":
				if err := dec.Skip(); err != nil {
					return ended(err), nil
				}
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "t":
				inText = false
			case "p", "v", "text", "tc":
				inText = false
				b.Line()
			}
		case xml.CharData:
			if inText {
				b.Write(string(t))
			}
		}
	}
	return false, nil
}

// ordered lists the parts that the main part names, in its order: elements
// called name refer to relations by r:id.
func (p *pack) ordered(name string) ([]string, error) {
	named, err := p.references(name)
	parts := make([]string, len(named))
	for i, n := range named {
		parts[i] = n.part
	}
	return parts, err
}

type reference struct {
	part  string
	label string
}

func (p *pack) references(name string) ([]reference, error) {
	rels, err := p.relations(p.main)
	if err != nil {
		return nil, err
	}
	dec, err := p.XML(p.main)
	if err != nil {
		return nil, err
	}
	var found []reference
	for {
		tok, err := dec.Token()
		if err != nil {
			return found, nil
		}
		el, ok := tok.(xml.StartElement)
		if !ok || el.Name.Local != name {
			continue
		}
		id := relationID(el)
		if i := slices.IndexFunc(rels, func(r relation) bool { return r.id == id }); i >= 0 {
			found = append(found, reference{part: rels[i].target, label: attr(el, "name")})
		}
	}
}

// relationID returns an element's r:id, which may stand beside a plain id.
func relationID(el xml.StartElement) string {
	for _, a := range el.Attr {
		if a.Name.Local == "id" && strings.HasSuffix(a.Name.Space, "relationships") {
			return a.Value
		}
	}
	return ""
}
