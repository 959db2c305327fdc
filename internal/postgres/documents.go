package postgres

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// BeginDocument reserves a document that its owner cannot see yet; parts are
// added with AppendPart and AcceptDocument makes it real. What is never
// accepted is swept away.
func (s *Store) BeginDocument(ctx context.Context, d domain.Document) error {
	metadata := d.Metadata
	if metadata == nil {
		metadata = []byte("{}")
	}
	return translate(s.queries.InsertDocument(ctx, dbsqlc.InsertDocumentParams{
		ID: d.ID, UserID: d.UserID, ProjectID: d.ProjectID, Type: d.Type,
		Filename: d.Filename, Url: d.URL, Title: d.Title, DocMetadata: metadata,
	}))
}

// AcceptDocument makes an uploaded document real and submits the job that reads
// it, in one transaction: from its commit on nothing is lost. A repeated
// idempotency key returns the first document's job and drops this one.
func (s *Store) AcceptDocument(ctx context.Context, d domain.Document, sub domain.Submission) (domain.Document, domain.Job, error) {
	var accepted domain.Document
	var job domain.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		row, err := q.AcceptDocument(ctx, dbsqlc.AcceptDocumentParams{ID: d.ID, Type: d.Type, Sha256: d.SHA256, Size: d.Size, ProjectID: d.ProjectID})
		if err != nil {
			return err
		}
		accepted = toDocument(row)
		job, err = submit(ctx, q, sub)
		if isUnique(err, "jobs_idempotency") {
			return errReplay
		}
		return err
	})
	if err != errReplay { //nolint:errorlint // a sentinel that tx passes through unwrapped
		return accepted, job, err
	}
	if err := s.DropUpload(ctx, d.UserID, d.ID); err != nil {
		return domain.Document{}, domain.Job{}, err
	}
	if job, err = s.replay(ctx, sub); err != nil {
		return domain.Document{}, domain.Job{}, err
	}
	accepted, err = s.Document(ctx, d.UserID, job.ResourceID)
	return accepted, job, err
}

var errReplay = domain.Errorf(domain.CodeConflict, "The request was made before.")

// DropUpload deletes a document that was begun and will not be accepted. One
// that was accepted stays: whoever drops it may have missed the answer.
func (s *Store) DropUpload(ctx context.Context, userID, id uuid.UUID) error {
	return translate(s.queries.DropUpload(ctx, dbsqlc.DropUploadParams{ID: id, UserID: userID}))
}

// Document returns a user's document with its text.
func (s *Store) Document(ctx context.Context, userID, id uuid.UUID) (domain.Document, error) {
	row, err := s.queries.Document(ctx, dbsqlc.DocumentParams{ID: id, UserID: userID})
	return toDocument(row), translate(err)
}

// DocumentFilter narrows a list of documents; zero fields do not.
type DocumentFilter struct {
	ProjectID *uuid.UUID
	State     domain.DocumentState
	Before    *uuid.UUID
	Limit     int
}

// Documents lists a user's documents, newest first, without their text.
func (s *Store) Documents(ctx context.Context, userID uuid.UUID, f DocumentFilter) ([]domain.Document, error) {
	rows, err := s.queries.DocumentsOfUser(ctx, dbsqlc.DocumentsOfUserParams{
		UserID: userID, ProjectID: f.ProjectID, State: null(string(f.State)), Before: f.Before, MaxRows: int32(f.Limit),
	})
	documents := make([]domain.Document, len(rows))
	for i, r := range rows {
		documents[i] = toListedDocument(r)
	}
	return documents, translate(err)
}

// DocumentStates returns the states of those of the ids that are the user's.
func (s *Store) DocumentStates(ctx context.Context, userID uuid.UUID, ids []uuid.UUID) (map[uuid.UUID]domain.DocumentState, error) {
	rows, err := s.queries.DocumentStates(ctx, dbsqlc.DocumentStatesParams{UserID: userID, Ids: ids})
	states := make(map[uuid.UUID]domain.DocumentState, len(rows))
	for _, r := range rows {
		states[r.ID] = r.State
	}
	return states, translate(err)
}

// DeleteDocument deletes a document with everything made from it, what quotes
// it included, and returns the jobs that were asked to stop.
func (s *Store) DeleteDocument(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		var err error
		if stopped, err = q.CancelJobsOfResource(ctx, dbsqlc.CancelJobsOfResourceParams{ResourceID: id, UserID: userID}); err != nil {
			return err
		}
		n, err := q.DeleteDocument(ctx, dbsqlc.DeleteDocumentParams{ID: id, UserID: userID})
		if err != nil {
			return err
		}
		if n == 0 {
			return errNotFound
		}
		return deleteQuotes(ctx, q, userID, id, &stopped)
	})
	return toJobs(stopped), err
}

// deleteQuotes removes what matches say of a deleted document.
func deleteQuotes(ctx context.Context, q *dbsqlc.Queries, userID, id uuid.UUID, stopped *[]dbsqlc.Job) error {
	matches, err := q.DeleteMatchesOfDocument(ctx, dbsqlc.DeleteMatchesOfDocumentParams{UserID: userID, DocumentID: id})
	if err != nil {
		return err
	}
	for _, match := range matches {
		jobs, err := q.CancelJobsOfResource(ctx, dbsqlc.CancelJobsOfResourceParams{ResourceID: match, UserID: userID})
		if err != nil {
			return err
		}
		*stopped = append(*stopped, jobs...)
	}
	if err := q.DeleteCandidatesOfDocument(ctx, dbsqlc.DeleteCandidatesOfDocumentParams{UserID: userID, DocumentID: id}); err != nil {
		return err
	}
	return q.RemoveApplicant(ctx, dbsqlc.RemoveApplicantParams{UserID: userID, DocumentID: id})
}

// DeleteAbandonedUploads sweeps uploads that were begun longer than age ago and
// never accepted, and returns how many.
func (s *Store) DeleteAbandonedUploads(ctx context.Context, ageSeconds float64) (int64, error) {
	n, err := s.queries.DeleteAbandonedUploads(ctx, ageSeconds)
	return n, translate(err)
}

// PagesFrom lists the pages of a user's document after a page number.
func (s *Store) PagesFrom(ctx context.Context, userID, id uuid.UUID, after, limit int) ([]domain.Page, error) {
	rows, err := s.queries.PagesFrom(ctx, dbsqlc.PagesFromParams{DocumentID: id, UserID: userID, After: int32(after), MaxRows: int32(limit)})
	if err != nil {
		return nil, translate(err)
	}
	pages := make([]domain.Page, len(rows))
	for i, r := range rows {
		if pages[i], err = toPage(r.Page, r.Text, r.Quality); err != nil {
			return nil, translate(err)
		}
	}
	return pages, nil
}

// pageColumns lays pages out as one array a column.
func pageColumns(documentID uuid.UUID, pages []domain.Page) (dbsqlc.InsertPagesParams, error) {
	p := dbsqlc.InsertPagesParams{DocumentID: documentID}
	for _, page := range pages {
		quality, err := json.Marshal(page.Quality)
		if err != nil {
			return p, err
		}
		p.Pages = append(p.Pages, int32(page.Number))
		p.Texts = append(p.Texts, page.Text)
		p.Qualities = append(p.Qualities, string(quality))
	}
	return p, nil
}
