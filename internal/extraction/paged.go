package extraction

import (
	"errors"
	"strings"
	"unicode"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction/content"
	"generalbackend/internal/extraction/mupdf"
)

const (
	maxHeadings = 2000

	// A page with less text than this is a scan with a stamp or a page number
	// when images cover most of it, or some of it while the text has no letter.
	fewChars    = 16
	mostlyImage = 0.5
)

// parsePaged reads a document with MuPDF. Pages go out one by one, and what
// could still crash goes last, so that the pages are not lost with it.
func parsePaged(kind domain.DocumentType, data []byte, limits Limits, out output) (summary, error) {
	doc, err := mupdf.Open(data, "."+string(kind))
	if err != nil {
		return summary{}, err
	}
	defer doc.Close()
	n, err := doc.Pages()
	switch {
	case err != nil:
		return summary{}, err
	case n > limits.MaxPages:
		return summary{}, errTooManyPages
	case n <= 0: // MuPDF opens a truncated file without complaint
		return summary{}, mupdf.ErrMalformed
	}
	if err := out.total(n); err != nil {
		return summary{}, err
	}
	room := limits.MaxText
	for i := range n {
		p, err := readPage(doc, i)
		if err != nil {
			return summary{}, err
		}
		if room -= len(p.Text); room < 0 {
			return summary{}, content.ErrTooLong
		}
		if err := out.page(p); err != nil {
			return summary{}, err
		}
	}
	return describe(doc, kind), nil
}

// readPage reads one page; a page that cannot be read is reported as such.
func readPage(doc *mupdf.Document, i int) (domain.Page, error) {
	p := domain.Page{Number: i + 1}
	text, damaged, err := doc.Text(i)
	if errors.Is(err, mupdf.ErrMemory) {
		return p, err
	}
	if err != nil {
		p.Quality.Reason = reasonFailed
		return p, nil
	}
	p.Quality, p.Text = assess(text), clean(text)
	if p.Quality.Chars < fewChars {
		p.Quality = marks(doc, i, p)
	}
	if damaged && p.Quality.Readable {
		p.Quality.Reason = reasonTruncated
	}
	return p, nil
}

// marks tells a blank page from one whose text is drawn or scanned.
func marks(doc *mupdf.Document, i int, p domain.Page) domain.PageQuality {
	q := p.Quality
	images, drawn, err := doc.Marks(i)
	if err != nil {
		return q
	}
	stamped := images >= mostlyImage || images > 0 && !strings.ContainsFunc(p.Text, unicode.IsLetter)
	if q.Chars == 0 && drawn || q.Readable && stamped {
		q.Readable, q.Reason = false, reasonNoText
	}
	return q
}

func describe(doc *mupdf.Document, kind domain.DocumentType) summary {
	s := summary{Type: kind, Metadata: map[string]string{}}
	for key, name := range map[string]string{
		"format": "format", "info:Title": "title", "info:Author": "author", "info:Subject": "subject",
		"info:Keywords": "keywords", "info:Creator": "creator", "info:Producer": "producer",
		"info:CreationDate": "created", "info:ModDate": "modified",
	} {
		if value := clean(doc.Metadata(key)); value != "" {
			s.Metadata[name] = value
		}
	}
	s.Title = s.Metadata["title"]
	for _, h := range doc.Outline(maxHeadings) {
		if title := clean(h.Title); title != "" {
			s.Outline = append(s.Outline, domain.OutlineEntry{Level: h.Level, Title: title, Page: h.Page})
		}
	}
	return s
}
