package app

import (
	"context"
	"log/slog"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/retrieval"
)

// Search finds passages for the edge, for matches and for chats.
type Search struct{ searcher *retrieval.Searcher }

// NewSearch searches the store with the queries' vectors from the embedder.
func NewSearch(store *postgres.Store, embedder *Embedder, log *slog.Logger) *Search {
	return &Search{&retrieval.Searcher{Store: store, Embedder: embedder, Log: log}}
}

// Search answers a search request.
func (s *Search) Search(ctx context.Context, q api.SearchQuery) (api.SearchResult, error) {
	found, err := s.searcher.Search(ctx, retrieval.Request{
		UserID: q.UserID, ProjectID: q.ProjectID, DocumentIDs: q.Documents, Text: q.Text, Limit: q.Limit,
	})
	return api.SearchResult{
		Mode: string(found.Mode), Provider: found.Provider, Model: found.Model, Passages: found.Passages,
	}, err
}

// Passages finds evidence in the documents of one applicant.
func (s *Search) Passages(ctx context.Context, userID uuid.UUID, documents []uuid.UUID, query string, limit int) ([]domain.Passage, error) {
	found, err := s.searcher.Search(ctx, retrieval.Request{UserID: userID, DocumentIDs: documents, Text: query, Limit: limit})
	return found.Passages, err
}

// ProjectPassages finds what may answer a question in the documents of a project.
func (s *Search) ProjectPassages(ctx context.Context, userID, projectID uuid.UUID, documents []uuid.UUID, query string, limit int) ([]domain.Passage, string, error) {
	found, err := s.searcher.Search(ctx, retrieval.Request{
		UserID: userID, ProjectID: &projectID, DocumentIDs: documents, Text: query, Limit: limit,
	})
	return found.Passages, string(found.Mode), err
}
