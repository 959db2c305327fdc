package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Ingest is the store as the stages of an ingest job see it: keyed by the job's
// document, not by who asks.
type Ingest struct{ *Store }

// Document returns a document by id alone.
func (i Ingest) Document(ctx context.Context, id uuid.UUID) (domain.Document, error) {
	row, err := i.queries.DocumentForWork(ctx, id)
	return toDocument(row), translate(err)
}

// Pages returns all pages of a document.
func (i Ingest) Pages(ctx context.Context, documentID uuid.UUID) ([]domain.Page, error) {
	rows, err := i.queries.Pages(ctx, documentID)
	if err != nil {
		return nil, translate(err)
	}
	pages := make([]domain.Page, len(rows))
	for n, r := range rows {
		if pages[n], err = toPage(r.Page, r.Text, r.Quality); err != nil {
			return nil, translate(err)
		}
	}
	return pages, nil
}

// SaveExtraction stores what was read and moves the job on to be embedded.
func (i Ingest) SaveExtraction(ctx context.Context, lease domain.Lease, documentID uuid.UUID, x domain.Extraction) error {
	pages, err := pageColumns(documentID, x.Pages)
	if err != nil {
		return err
	}
	update, err := extractedDocument(documentID, x)
	if err != nil {
		return err
	}
	return i.fenced(ctx, lease, func(q *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error {
		if err := q.DeletePages(ctx, documentID); err != nil {
			return err
		}
		pages.UserID = held.UserID
		if err := q.InsertPages(ctx, pages); err != nil {
			return err
		}
		if x.Original != nil {
			if err := appendParts(ctx, q, documentID, x.Original); err != nil {
				return err
			}
		}
		if err := q.SaveExtractedDocument(ctx, update); err != nil {
			return err
		}
		return q.AdvanceJob(ctx, dbsqlc.AdvanceJobParams{ID: held.ID, Stage: domain.StageEmbed})
	})
}

// extractedDocument lays an extraction out as columns.
func extractedDocument(id uuid.UUID, x domain.Extraction) (dbsqlc.SaveExtractedDocumentParams, error) {
	texts := make([]string, len(x.Pages))
	unreadable := []int32{}
	for n, p := range x.Pages {
		texts[n] = p.Text
		if !p.Quality.Readable {
			unreadable = append(unreadable, int32(p.Number))
		}
	}
	metadata, err := json.Marshal(struct {
		Properties map[string]string     `json:"properties,omitempty"`
		Outline    []domain.OutlineEntry `json:"outline,omitempty"`
		Warnings   []string              `json:"warnings,omitempty"`
		FinalURL   string                `json:"final_url,omitempty"`
	}{x.Metadata, x.Outline, x.Warnings, x.FinalURL})
	state := string(x.State)
	params := dbsqlc.SaveExtractedDocumentParams{
		ID: id, Type: x.Type, Title: x.Title, Content: strings.Join(texts, domain.PageSeparator),
		DocMetadata: metadata, Language: x.Language, PageCount: int32(x.PageCount),
		UnreadablePages: unreadable, ExtractedState: &state, Size: int64(len(x.Original)),
	}
	if x.Original != nil {
		sum := sha256.Sum256(x.Original)
		params.Sha256 = sum[:]
	}
	return params, err
}
