package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// DocumentSummary is a document without its text.
type DocumentSummary struct {
	ID              uuid.UUID  `json:"id" format:"uuid"`
	UserID          uuid.UUID  `json:"user_id" format:"uuid"`
	ProjectID       *uuid.UUID `json:"project_id" format:"uuid" nullable:"true"`
	Type            string     `json:"type" doc:"What its bytes are" example:"pdf"`
	Filename        string     `json:"filename" example:"cv.pdf"`
	URL             string     `json:"url" doc:"Where it was fetched, for type url" example:"https://example.org/jobs/17"`
	Title           string     `json:"title" example:"Curriculum vitae"`
	Metadata        Object     `json:"doc_metadata" doc:"properties, outline and warnings, once it was read"`
	SHA256          string     `json:"sha256" doc:"Of the original, in hex" example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Size            int64      `json:"size" doc:"Of the original, in bytes"`
	Language        string     `json:"language" doc:"ISO 639-1, or empty" example:"en"`
	PageCount       int        `json:"page_count"`
	UnreadablePages []int      `json:"unreadable_pages" doc:"Pages without usable text, when partial"`
	State           string     `json:"state" enum:"pending,ready,partial,failed" doc:"partial is usable, but some pages could not be read"`
	Error           *JobError  `json:"error,omitempty" doc:"Why it failed"`
	CreatedAt       time.Time  `json:"created_at"`
	UpdatedAt       time.Time  `json:"updated_at"`
}

// Document is a document with its text.
type Document struct {
	DocumentSummary
	Content string `json:"content" doc:"The whole text, pages joined by an empty line" example:"Ran three production clusters."`
}

// DocumentPage is the text of one page.
type DocumentPage struct {
	Page    int                `json:"page" doc:"Counts from 1"`
	Text    string             `json:"text"`
	Quality domain.PageQuality `json:"quality" doc:"How far the text can be trusted"`
}

// AcceptedDocument is a document that a job will read.
type AcceptedDocument struct {
	Job      Job      `json:"job"`
	Document Document `json:"document"`
}

func toSummary(d domain.Document) DocumentSummary {
	return DocumentSummary{
		ID: d.ID, UserID: d.UserID, ProjectID: d.ProjectID, Type: string(d.Type), Filename: d.Filename, URL: d.URL,
		Title: d.Title, Metadata: Object{d.Metadata}, SHA256: hex.EncodeToString(d.SHA256), Size: d.Size, Language: d.Language,
		PageCount: d.PageCount, UnreadablePages: notNil(d.UnreadablePages), State: string(d.State),
		Error: toJobError(d.Error), CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
}

func toDocument(d domain.Document) Document {
	return Document{DocumentSummary: toSummary(d), Content: d.Content}
}

// notNil keeps lists from becoming null in JSON.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// DocumentPath names a document in an address.
type DocumentPath struct {
	ID uuid.UUID `path:"document_id" format:"uuid"`
}

type documentsInput struct {
	Paging
	ProjectID optionalID `query:"project_id" format:"uuid"`
	State     string     `query:"state" enum:"pending,ready,partial,failed"`
}

type pagesInput struct {
	DocumentPath
	Limit int `query:"limit" minimum:"1" maximum:"200" doc:"At most so many; 50 by default"`
	After int `query:"after" minimum:"0" doc:"Only pages after this one; the last page of the previous reply"`
}

type documentOutput struct {
	Body Document
}

type pagesOutput struct {
	Body []DocumentPage
}

func (s *server) documentOperations() {
	const tag, path = "documents", "/documents/{document_id}"
	missing := []domain.Code{domain.CodeNotFound}
	registerList(s, endpoint{
		id: "list-documents", scope: domain.ScopeDocumentsRead, method: http.MethodGet, path: "/documents", tag: tag, summary: "List my documents",
		description: "Without their text.", codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listDocuments)
	s.uploadOperations()
	register(s, endpoint{id: "get-document", scope: domain.ScopeDocumentsRead, method: http.MethodGet, path: path, tag: tag, summary: "Get a document with its text", codes: missing}, s.getDocument)
	register(s, endpoint{
		id: "get-document-pages", scope: domain.ScopeDocumentsRead, method: http.MethodGet, path: path + "/pages", tag: tag, summary: "Get the text page by page", codes: missing,
	}, s.getPages)
	register(s, endpoint{
		id: "get-document-file", scope: domain.ScopeDocumentsRead, method: http.MethodGet, path: path + "/file", tag: tag, summary: "Get the original",
		codes: append(missing, domain.CodeNotReady),
		responses: map[string]*huma.Response{"304": notModified, "200": {
			Description: "The bytes as they were uploaded or fetched",
			Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
	}, s.getOriginal)
	register(s, endpoint{
		id: "delete-document", scope: domain.ScopeDocumentsWrite, method: http.MethodDelete, path: path, tag: tag, summary: "Delete a document",
		description: "Deletes all that was made from it, matches that quote it included, and stops its job.",
		status:      http.StatusNoContent, codes: missing,
	}, s.deleteDocument)
}

func (s *server) listDocuments(ctx context.Context, in *documentsInput) (Page[DocumentSummary], error) {
	const list = "documents"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[DocumentSummary]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Store.Documents(ctx, userID(ctx), postgres.DocumentFilter{
		ProjectID: in.ProjectID.get(), State: domain.DocumentState(in.State), Before: before, Limit: size,
	})
	return cut(s.cursors, list, userID(ctx), rows, size, func(d domain.Document) uuid.UUID { return d.ID }, toSummary), err
}

func (s *server) getDocument(ctx context.Context, in *DocumentPath) (*documentOutput, error) {
	document, err := s.Store.Document(ctx, userID(ctx), in.ID)
	return &documentOutput{Body: toDocument(document)}, err
}

func (s *server) getPages(ctx context.Context, in *pagesInput) (*pagesOutput, error) {
	if err := s.owns(ctx, in.ID); err != nil {
		return nil, err
	}
	limit := in.Limit
	if limit == 0 {
		limit = pageSize
	}
	pages, err := s.Store.PagesFrom(ctx, userID(ctx), in.ID, in.After, limit)
	out := &pagesOutput{Body: []DocumentPage{}}
	for _, p := range pages {
		out.Body = append(out.Body, DocumentPage{Page: p.Number, Text: p.Text, Quality: p.Quality})
	}
	return out, err
}

// owns tells an empty document from a foreign one.
func (s *server) owns(ctx context.Context, id uuid.UUID) error {
	states, err := s.Store.DocumentStates(ctx, userID(ctx), []uuid.UUID{id})
	if err != nil {
		return err
	}
	if _, ok := states[id]; !ok {
		return errNoDocument
	}
	return nil
}

var errNoDocument = domain.Errorf(domain.CodeNotFound, "There is no such document, or it is not yours.")

func (s *server) deleteDocument(ctx context.Context, in *DocumentPath) (*struct{}, error) {
	stopped, err := s.Store.DeleteDocument(ctx, userID(ctx), in.ID)
	s.stopped(ctx, stopped, err)
	return nil, err
}

// optionalID is an id that may be absent from the query.
type optionalID struct{ id *uuid.UUID }

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *optionalID) UnmarshalText(text []byte) error {
	id, err := uuid.ParseBytes(text)
	o.id = &id
	return err
}

func (o optionalID) get() *uuid.UUID { return o.id }

// quoted is a strong ETag.
func quoted(s string) string { return strconv.Quote(s) }
