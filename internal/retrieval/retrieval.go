// Package retrieval finds the passages that answer a question among a user's
// documents: by meaning and by words together, by words alone where no embedder
// answers.
package retrieval

import (
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm/offline"
)

// Mode says by what the passages were found.
type Mode string

// The modes.
const (
	Hybrid  Mode = "hybrid"
	Keyword Mode = "keyword"
)

// The bounds of a request.
const (
	LongestQuery = 2000 // characters
	DefaultLimit = 10
	MostPassages = 100
	mostDocument = 1000
)

// Request is a question to the passages of one user. Nil filters do not narrow.
type Request struct {
	UserID      uuid.UUID
	ProjectID   *uuid.UUID
	DocumentIDs []uuid.UUID
	Text        string
	Limit       int // 0: DefaultLimit
}

// Result holds the passages, best first, and how they were found.
type Result struct {
	Passages []domain.Passage
	Mode     Mode
	Provider string // of the vectors; "" in mode keyword
	Model    string
}

// Query is what a store is asked: a Request with the vector of its text. Without
// a vector the search is by keyword alone.
type Query struct {
	UserID       uuid.UUID
	ProjectID    *uuid.UUID
	DocumentIDs  []uuid.UUID
	Text         string
	SpaceID      int64
	Vector       []float32
	VectorWeight float64 // of the vector ranking against the keyword ranking's 1
	MaxDistance  float64 // cosine distance beyond which a passage is not near
	Exact        bool    // scan all vectors, however many
	Limit        int
}

// Store finds passages.
type Store interface {
	Search(ctx context.Context, q Query) ([]domain.Passage, error)
}

// Embedder turns a question into a vector of a space.
type Embedder interface {
	Query(ctx context.Context, text string) (vector []float32, space domain.EmbeddingSpace, err error)
}

// Searcher answers requests.
type Searcher struct {
	Store    Store
	Embedder Embedder
	Log      *slog.Logger
	Patience time.Duration // how long a search waits for the embedder; 0: DefaultPatience
}

// DefaultPatience lets a query wait for one batch of passages under way.
const DefaultPatience = 5 * time.Second

// Search finds the passages that fit the request best.
func (s *Searcher) Search(ctx context.Context, r Request) (Result, error) {
	q, err := check(r)
	if err != nil {
		return Result{}, err
	}
	result := Result{Mode: Keyword}
	vector, space, err := s.embed(ctx, q.Text)
	switch {
	case ctx.Err() != nil:
		return Result{}, ctx.Err()
	case err != nil:
		s.Log.WarnContext(ctx, "search by keyword alone: the embedder failed", "code", domain.CodeOf(err), "error", err)
	default:
		q.Vector, q.SpaceID = vector, space.ID
		q.VectorWeight, q.MaxDistance = weights(space.Provider)
		q.Exact = space.ExactOnly()
		result.Mode, result.Provider, result.Model = Hybrid, space.Provider, space.Model
	}
	result.Passages, err = s.Store.Search(ctx, q)
	return result, err
}

// check refuses what cannot be searched and brings the rest into the store's
// form.
func check(r Request) (Query, error) {
	text := strings.TrimSpace(strings.ToValidUTF8(r.Text, " "))
	switch {
	case text == "":
		return Query{}, domain.Errorf(domain.CodeInvalid, "The question is empty.")
	case utf8.RuneCountInString(text) > LongestQuery:
		return Query{}, domain.Errorf(domain.CodeInvalid, "The question is longer than %d characters.", LongestQuery)
	case r.Limit < 0 || r.Limit > MostPassages:
		return Query{}, domain.Errorf(domain.CodeInvalid, "The limit must be between 1 and %d.", MostPassages)
	case len(r.DocumentIDs) > mostDocument:
		return Query{}, domain.Errorf(domain.CodeInvalid, "A search can name at most %d documents.", mostDocument)
	}
	if r.Limit == 0 {
		r.Limit = DefaultLimit
	}
	return Query{UserID: r.UserID, ProjectID: r.ProjectID, DocumentIDs: r.DocumentIDs, Text: text, Limit: r.Limit}, nil
}

// weights says how far vectors of a provider are trusted. Hashed words know
// nothing that the keyword ranking does not know better, but for inflection and
// compounds; a model's vectors count as much as words.
func weights(provider string) (weight, maxDistance float64) {
	if provider == offline.Name {
		return 0.1, 0.85
	}
	return 1, 1
}

func (s *Searcher) embed(ctx context.Context, text string) ([]float32, domain.EmbeddingSpace, error) {
	patience := s.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.Embedder.Query(ctx, text)
}
