package domain

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// DocumentType is what a document's bytes are, found from the bytes.
type DocumentType string

// The document types.
const (
	TypePDF  DocumentType = "pdf"
	TypeDOCX DocumentType = "docx"
	TypeODT  DocumentType = "odt"
	TypePPTX DocumentType = "pptx"
	TypeXLSX DocumentType = "xlsx"
	TypeRTF  DocumentType = "rtf"
	TypeEPUB DocumentType = "epub"
	TypeXPS  DocumentType = "xps"
	TypeMOBI DocumentType = "mobi"
	TypeCBZ  DocumentType = "cbz"
	TypeHTML DocumentType = "html"
	TypeTXT  DocumentType = "txt"  // an uploaded text or Markdown file
	TypeURL  DocumentType = "url"  // a page fetched from the web
	TypeText DocumentType = "text" // text sent in the request
)

// DocumentState says whether a document can be used.
type DocumentState string

// The states of a document. Uploading is not visible to users.
const (
	DocumentUploading DocumentState = "uploading"
	DocumentPending   DocumentState = "pending"
	DocumentReady     DocumentState = "ready"
	DocumentPartial   DocumentState = "partial" // usable, but some pages could not be read
	DocumentFailed    DocumentState = "failed"
)

// Usable reports whether the document has text to search and match.
func (s DocumentState) Usable() bool { return s == DocumentReady || s == DocumentPartial }

// Document is a file, page or text of a user.
type Document struct {
	ID              uuid.UUID
	UserID          uuid.UUID
	ProjectID       *uuid.UUID
	Type            DocumentType
	Filename        string
	URL             string
	Title           string
	Content         string // whole text; empty until extracted and in lists
	Metadata        json.RawMessage
	SHA256          []byte
	Size            int64 // of the original, bytes
	Language        string
	PageCount       int
	UnreadablePages []int // pages without usable text, when partial
	State           DocumentState
	Error           *JobError
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// Page is the text of one page; Number counts from 1.
type Page struct {
	Number  int
	Text    string
	Quality PageQuality
}

// PageQuality says how far a page's text can be trusted.
type PageQuality struct {
	Chars    int     `json:"chars"`            // characters that are not white space
	Garbled  float64 `json:"garbled"`          // share of replacement, control or unmapped characters, 0 to 1
	Readable bool    `json:"readable"`         // false: image only, blank or garbled beyond use
	Reason   string  `json:"reason,omitempty"` // "no_text", "garbled", "truncated", "failed", "blank"
}

// Extraction is what the extract stage found in a document.
type Extraction struct {
	Type      DocumentType
	Title     string
	Language  string // ISO 639-1 or "" when unsure
	Pages     []Page
	PageCount int
	State     DocumentState // DocumentReady or DocumentPartial
	Warnings  []string
	Outline   []OutlineEntry
	Metadata  map[string]string
	FinalURL  string // after redirects, for type url
	Original  []byte // fetched bytes to keep, for type url
}

// OutlineEntry is one heading of a document's own table of contents.
type OutlineEntry struct {
	Level int    `json:"level"`
	Title string `json:"title"`
	Page  int    `json:"page"`
}
