package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"strings"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// NewURL asks for a page or file on the web.
type NewURL struct {
	URL       string     `json:"url" minLength:"1" maxLength:"2048" example:"https://example.org/page"`
	ProjectID *uuid.UUID `json:"project_id,omitempty" format:"uuid" nullable:"true"`
}

// NewText is a text to keep as a document.
type NewText struct {
	Content   string     `json:"content" doc:"Plain text or Markdown" example:"Ran three production clusters."`
	Title     string     `json:"title,omitempty" maxLength:"255" example:"Curriculum vitae"`
	ProjectID *uuid.UUID `json:"project_id,omitempty" format:"uuid" nullable:"true"`
}

type urlInput struct {
	Submission
	Body NewURL
}

type textInput struct {
	Submission
	Body NewText
}

func (s *server) addURL(ctx context.Context, in *urlInput) (*submitted, error) {
	address, err := publicURL(in.Body.URL, s.AllowPrivate)
	if err != nil {
		return nil, err
	}
	return s.add(ctx, in.Submission, domain.Document{
		UserID: userID(ctx), ProjectID: in.Body.ProjectID, Type: domain.TypeURL, URL: address,
	}, nil)
}

// maxText bounds a text in JSON, which is held in memory several times over.
const maxText = 8 << 20

func (s *server) textLimit() int64 { return min(s.MaxUploadBytes, maxText) }

func (s *server) addText(ctx context.Context, in *textInput) (*submitted, error) {
	content := []byte(in.Body.Content)
	switch {
	case strings.TrimSpace(in.Body.Content) == "":
		return nil, errEmptyDocument
	case int64(len(content)) > s.textLimit():
		return nil, tooLarge(s.textLimit())
	}
	sum := sha256.Sum256(content)
	return s.add(ctx, in.Submission, domain.Document{
		UserID: userID(ctx), ProjectID: in.Body.ProjectID, Type: domain.TypeText, Title: plain(in.Body.Title, 255),
		SHA256: sum[:], Size: int64(len(content)),
	}, content)
}

// add stores a document that came in a JSON body, and its original.
func (s *server) add(ctx context.Context, in Submission, d domain.Document, original []byte) (*submitted, error) {
	sub, err := ingestSubmission(ctx, in, d)
	if err != nil {
		return nil, err
	}
	job, err := s.replay(ctx, sub)
	if err != nil {
		return nil, err
	}
	if job != nil {
		return s.replayDocument(ctx, in, *job)
	}
	if d.ProjectID != nil {
		if _, err := s.Store.Project(ctx, d.UserID, *d.ProjectID); err != nil {
			return nil, err
		}
	}
	if d.ID, err = uuid.NewV7(); err != nil {
		return nil, err
	}
	drop := func() { s.drop(ctx, d.UserID, d.ID) }
	if err := s.Store.BeginDocument(ctx, d); err != nil {
		return nil, err
	}
	if err := s.appendParts(ctx, d.ID, original); err != nil {
		drop()
		return nil, err
	}
	return s.accept(ctx, in, d, drop)
}

func (s *server) appendParts(ctx context.Context, id uuid.UUID, original []byte) error {
	ordinal := 0
	for buffer := bytes.NewBuffer(original); buffer.Len() > 0; ordinal++ {
		if err := s.Store.AppendPart(ctx, id, ordinal, buffer.Next(postgres.PartSize)); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) replayDocument(ctx context.Context, in Submission, job domain.Job) (*submitted, error) {
	document, err := s.Store.Document(ctx, job.UserID, job.ResourceID)
	if err != nil {
		return nil, err
	}
	return s.followDocument(ctx, in, document, job)
}
