package extraction

import (
	"errors"
	"fmt"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction/archive"
	"generalbackend/internal/extraction/content"
	"generalbackend/internal/extraction/epub"
	"generalbackend/internal/extraction/mupdf"
	"generalbackend/internal/extraction/odf"
	"generalbackend/internal/extraction/ooxml"
	"generalbackend/internal/extraction/plaintext"
	"generalbackend/internal/extraction/rtf"
	"generalbackend/internal/extraction/webpage"
)

// output is where a parser puts what it finds, as it finds it.
type output interface {
	total(pages int) error
	page(p domain.Page) error
}

var (
	errTooManyPages = errors.New("too many pages")
	errParserPanic  = errors.New("parser panic")
)

// parse reads a document in the child.
func parse(req request, data []byte, limits Limits, out output) (summary, error) {
	switch req.Type {
	case domain.TypePDF, domain.TypeXPS, domain.TypeMOBI, domain.TypeCBZ:
		return parsePaged(req.Type, data, limits, out)
	case domain.TypeDOCX, domain.TypePPTX, domain.TypeXLSX, domain.TypeODT, domain.TypeEPUB:
		return parseArchive(req.Type, data, limits, out)
	}
	doc, err := parseFlat(req, data, limits)
	if err != nil {
		return summary{}, err
	}
	return emit(req.Type, doc, limits, out)
}

func parseFlat(req request, data []byte, limits Limits) (content.Document, error) {
	switch req.Type {
	case domain.TypeRTF:
		return rtf.Read(data, limits.MaxText)
	case domain.TypeHTML:
		if req.URL != "" {
			return webpage.Article(data, req.ContentType, req.URL, limits.MaxText)
		}
		return webpage.Read(data, req.ContentType, limits.MaxText)
	case domain.TypeTXT, domain.TypeText:
		return plaintext.Read(data, limits.MaxText)
	default:
		return content.Document{}, fmt.Errorf("%w: type %q", content.ErrMalformed, req.Type)
	}
}

// parseArchive reads a zip container as what it is, which may be another
// office format than its first bytes suggested.
func parseArchive(claimed domain.DocumentType, data []byte, limits Limits, out output) (summary, error) {
	a, err := archive.Open(data, archive.Limits{Entries: limits.MaxEntries, Bytes: limits.MaxUnpacked})
	if err != nil {
		return summary{}, err
	}
	kind := claimed
	var doc content.Document
	switch claimed {
	case domain.TypeODT:
		doc, err = odf.Read(a, limits.MaxText)
	case domain.TypeEPUB:
		doc, err = epub.Read(a, limits.MaxText)
	default:
		kind = domain.DocumentType(ooxml.Detect(a))
		doc, err = ooxml.Read(a, limits.MaxText)
	}
	if err != nil {
		return summary{}, err
	}
	return emit(kind, doc, limits, out)
}

// emit sends a document that was read as a whole.
func emit(kind domain.DocumentType, doc content.Document, limits Limits, out output) (summary, error) {
	if len(doc.Pages) > limits.MaxPages {
		return summary{}, errTooManyPages
	}
	if err := out.total(len(doc.Pages)); err != nil {
		return summary{}, err
	}
	for i, text := range doc.Pages {
		p := domain.Page{Number: i + 1, Quality: assess(text), Text: clean(text)}
		if doc.Damaged && i == len(doc.Pages)-1 && p.Quality.Readable {
			p.Quality.Reason = reasonTruncated
		}
		if err := out.page(p); err != nil {
			return summary{}, err
		}
	}
	return summary{
		Type: kind, Title: doc.Title, Language: doc.Language, Damaged: doc.Damaged, Metadata: doc.Metadata,
	}, nil
}

// codeOf says what a parser's error means to the user.
func codeOf(err error) domain.Code {
	switch {
	case errors.Is(err, content.ErrEncrypted), errors.Is(err, mupdf.ErrEncrypted):
		return domain.CodeDocumentEncrypted
	case errors.Is(err, content.ErrTooLong), errors.Is(err, mupdf.ErrMemory),
		errors.Is(err, errTooManyPages), errors.Is(err, errFrameTooLong):
		return domain.CodeDocumentTooComplex
	case errors.Is(err, content.ErrMalformed), errors.Is(err, mupdf.ErrMalformed),
		errors.Is(err, errParserPanic):
		return domain.CodeDocumentMalformed
	default:
		return domain.CodeInternal
	}
}
