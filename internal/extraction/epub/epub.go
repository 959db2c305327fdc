// Package epub reads the text of EPUB books: each document of the reading order
// is a page.
package epub

import (
	"encoding/xml"
	"net/url"
	"path"
	"strings"

	"generalbackend/internal/extraction/archive"
	"generalbackend/internal/extraction/content"
	"generalbackend/internal/extraction/webpage"
)

// book is the part of a package document that matters here.
type book struct {
	Metadata struct {
		Title    []string `xml:"title"`
		Creator  []string `xml:"creator"`
		Language []string `xml:"language"`
		Date     []string `xml:"date"`
	} `xml:"metadata"`
	Items []struct {
		ID   string `xml:"id,attr"`
		Href string `xml:"href,attr"`
	} `xml:"manifest>item"`
	Order []struct {
		Item string `xml:"idref,attr"`
	} `xml:"spine>itemref"`
}

// Read extracts the text of a book, at most maxText bytes of it.
func Read(a *archive.Archive, maxText int) (content.Document, error) {
	if rights, err := a.Read("META-INF/rights.xml"); rights != nil || err != nil {
		return content.Document{}, content.ErrEncrypted
	}
	name, err := rootFile(a)
	if err != nil {
		return content.Document{}, err
	}
	var b book
	dec, err := a.XML(name)
	if err != nil {
		return content.Document{}, err
	}
	if dec == nil || dec.Decode(&b) != nil {
		return content.Document{}, content.ErrMalformed
	}
	doc := content.Document{Metadata: map[string]string{}, Title: first(b.Metadata.Title), Language: first(b.Metadata.Language)}
	for key, values := range map[string][]string{
		"title": b.Metadata.Title, "author": b.Metadata.Creator, "created": b.Metadata.Date,
	} {
		if joined := strings.Join(values, ", "); joined != "" {
			doc.Metadata[key] = joined
		}
	}
	err = chapters(a, b, path.Dir(name), maxText, &doc)
	return doc, err
}

// chapters reads the documents in reading order. One that is missing is damage;
// one without text keeps its place as an empty page.
func chapters(a *archive.Archive, b book, dir string, room int, doc *content.Document) error {
	href := map[string]string{}
	for _, item := range b.Items {
		href[item.ID] = item.Href
	}
	for _, ref := range b.Order {
		name, err := url.PathUnescape(href[ref.Item])
		if err != nil || name == "" {
			doc.Damaged = true
			continue
		}
		data, err := a.Read(path.Join(dir, name))
		if err != nil {
			return err
		}
		if data == nil {
			doc.Damaged = true
			continue
		}
		chapter, err := webpage.Read(data, "application/xhtml+xml; charset=utf-8", room)
		if err != nil {
			return err
		}
		text := strings.Join(chapter.Pages, "\n")
		room -= len(text)
		doc.Pages = append(doc.Pages, text)
	}
	return a.Err()
}

// rootFile finds the package document.
func rootFile(a *archive.Archive) (string, error) {
	dec, err := a.XML("META-INF/container.xml")
	if err != nil {
		return "", err
	}
	for dec != nil {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		el, ok := tok.(xml.StartElement)
		if !ok || el.Name.Local != "rootfile" {
			continue
		}
		for _, at := range el.Attr {
			if at.Name.Local == "full-path" {
				return at.Value, nil
			}
		}
	}
	for _, name := range a.Names() {
		if strings.HasSuffix(strings.ToLower(name), ".opf") {
			return name, nil
		}
	}
	return "", content.ErrMalformed
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return strings.TrimSpace(values[0])
}
