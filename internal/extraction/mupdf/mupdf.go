// Package mupdf reads the text of PDF, XPS, MOBI and CBZ documents with
// the MuPDF library that go-fitz brings. It belongs into a sandboxed process:
// hostile input can crash it.
package mupdf

// #include <stdlib.h>
// #include "binding.h"
import "C"

import (
	"errors"
	"runtime"
	"unsafe"

	_ "github.com/gen2brain/go-fitz" // links MuPDF
)

// The ways in which a document cannot be read.
var (
	ErrEncrypted = errors.New("mupdf: the document needs a password")
	ErrMalformed = errors.New("mupdf: the document cannot be read")
	ErrMemory    = errors.New("mupdf: out of memory")
	errVersion   = errors.New("mupdf: the linked library has another version")
)

// storeBytes bounds MuPDF's cache of fonts and the like.
const storeBytes = 32 << 20

// Document is an open document. It is not safe for concurrent use, and no two
// documents may be used at once in one process.
type Document struct {
	doc *C.bind_doc
	pin runtime.Pinner
}

// Heading is an entry of the document's outline; Page is 0 when unknown.
type Heading struct {
	Level int
	Page  int
	Title string
}

// Open reads data as the kind that extension names, such as ".pdf". The
// document must be closed.
func Open(data []byte, extension string) (*Document, error) {
	if len(data) == 0 {
		return nil, ErrMalformed
	}
	magic := C.CString(extension)
	defer C.free(unsafe.Pointer(magic))
	d := &Document{}
	d.pin.Pin(&data[0])
	status := C.bind_open((*C.uchar)(&data[0]), C.size_t(len(data)), magic, storeBytes, &d.doc)
	if err := check(status); err != nil {
		d.pin.Unpin()
		return nil, err
	}
	return d, nil
}

// Close frees the document.
func (d *Document) Close() {
	C.bind_close(d.doc)
	d.pin.Unpin()
}

// Pages counts the pages. A damaged document can have none, or claim absurdly
// many.
func (d *Document) Pages() (int, error) {
	var n C.int
	err := check(C.bind_count_pages(d.doc, &n))
	return int(n), err
}

// Text returns the text of a page, counted from 0, with its form fields and
// annotations, and whether errors in the page were stepped over.
func (d *Document) Text(page int) (text string, damaged bool, err error) {
	var chars *C.char
	var size C.size_t
	var faults C.int
	err = check(C.bind_page_text(d.doc, C.int(page), &chars, &size, &faults))
	defer C.free(unsafe.Pointer(chars))
	if err != nil {
		return "", false, err
	}
	return C.GoStringN(chars, C.int(size)), faults > 0, nil
}

// Marks returns the share of a page's area that images cover, 0 to 1, and
// whether anything at all is drawn on the page.
func (d *Document) Marks(page int) (images float64, drawn bool, err error) {
	var share C.float
	var marks C.int
	err = check(C.bind_page_marks(d.doc, C.int(page), &share, &marks))
	return float64(share), marks != 0, err
}

// Metadata looks up a key such as "info:Title"; absent keys give "".
func (d *Document) Metadata(key string) string {
	k := C.CString(key)
	defer C.free(unsafe.Pointer(k))
	var buf [2048]C.char
	if C.bind_metadata(d.doc, k, &buf[0], C.int(len(buf))) != C.BIND_OK {
		return ""
	}
	return C.GoString(&buf[0])
}

// Outline returns at most limit headings of the document's own outline.
func (d *Document) Outline(limit int) []Heading {
	if limit < 1 {
		return nil
	}
	found := make([]C.bind_heading, limit)
	n := int(C.bind_outline(d.doc, &found[0], C.int(limit)))
	headings := make([]Heading, n)
	for i := range headings {
		headings[i] = Heading{
			Level: int(found[i].level),
			Page:  int(found[i].page),
			Title: C.GoString(&found[i].title[0]),
		}
	}
	return headings
}

func check(status C.int) error {
	switch status {
	case C.BIND_OK:
		return nil
	case C.BIND_ENCRYPTED:
		return ErrEncrypted
	case C.BIND_MEMORY:
		return ErrMemory
	case C.BIND_VERSION:
		return errVersion
	default:
		return ErrMalformed
	}
}
