package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Search asks for passages in my documents.
type Search struct {
	Query     string      `json:"query" minLength:"1" maxLength:"2000" example:"experience with Kubernetes"`
	Limit     int         `json:"limit,omitempty" minimum:"1" maximum:"100" default:"10"`
	ProjectID *uuid.UUID  `json:"project_id,omitempty" format:"uuid" nullable:"true" doc:"Only in this project"`
	Documents []uuid.UUID `json:"document_ids,omitempty" maxItems:"1000" doc:"Only in these documents"`
}

// SearchReply is what was found, best first, and how.
type SearchReply struct {
	Mode     string    `json:"mode" enum:"hybrid,keyword" doc:"keyword when the embedder is down"`
	Provider string    `json:"provider" doc:"Who embedded the query; empty in mode keyword" example:"offline"`
	Model    string    `json:"model" example:"llama3.2"`
	Results  []Passage `json:"results"`
}

// Passage is a part of a document.
type Passage struct {
	DocumentID  uuid.UUID `json:"document_id" format:"uuid"`
	Filename    string    `json:"filename" example:"cv.pdf"`
	Title       string    `json:"title" example:"Curriculum vitae"`
	PageFrom    int       `json:"page_from"`
	PageTo      int       `json:"page_to"`
	CharFrom    int       `json:"char_from" doc:"First character in the document's content"`
	CharTo      int       `json:"char_to"`
	Content     string    `json:"content" example:"Ran three production clusters."`
	Score       float64   `json:"score" doc:"Fused; higher is better. Comparable within one reply only"`
	VectorRank  int       `json:"vector_rank" doc:"0 when it was not among the nearest vectors"`
	KeywordRank int       `json:"keyword_rank" doc:"0 when no word matched"`
}

func toPassage(p domain.Passage) Passage {
	return Passage{
		DocumentID: p.DocumentID, Filename: p.Filename, Title: p.Title, PageFrom: p.PageFrom, PageTo: p.PageTo,
		CharFrom: p.CharFrom, CharTo: p.CharTo, Content: p.Content, Score: p.Score,
		VectorRank: p.VectorRank, KeywordRank: p.KeywordRank,
	}
}

type searchInput struct {
	Query     string     `query:"query" required:"true" minLength:"1" maxLength:"2000"`
	Limit     int        `query:"limit" minimum:"1" maximum:"100" default:"10"`
	ProjectID optionalID `query:"project_id" format:"uuid"`
	Documents []string   `query:"document_ids" maxItems:"1000" doc:"Separated by commas"`
}

type searchBodyInput struct {
	Body Search
}

type searchOutput struct {
	Body SearchReply
}

type passagesOutput struct {
	Body []Passage
}

func (s *server) searchOperations() {
	e := endpoint{
		id: "search", scope: domain.ScopeDocumentsRead, method: http.MethodGet, path: "/documents/search", tag: "search", summary: "Search my documents",
		description: "By meaning and by words, fused. While the embedder is down by words alone, and `mode` says so.",
		codes:       []domain.Code{domain.CodeNotFound},
	}
	registerAt(s, s.v1, e, s.search)
	registerAt(s, s.root, e, func(ctx context.Context, in *searchInput) (*passagesOutput, error) {
		out, err := s.search(ctx, in)
		if err != nil {
			return nil, err
		}
		return &passagesOutput{Body: out.Body.Results}, nil
	})
	e.id, e.method, e.reads = "search-documents", http.MethodPost, true
	register(s, e, func(ctx context.Context, in *searchBodyInput) (*searchOutput, error) { return s.find(ctx, in.Body) })
}

func (s *server) search(ctx context.Context, in *searchInput) (*searchOutput, error) {
	query := Search{Query: in.Query, Limit: in.Limit, ProjectID: in.ProjectID.get()}
	for _, text := range in.Documents {
		id, err := uuid.Parse(strings.TrimSpace(text))
		if err != nil {
			return nil, invalid("query.document_ids", "must be UUIDs")
		}
		query.Documents = append(query.Documents, id)
	}
	return s.find(ctx, query)
}

func (s *server) find(ctx context.Context, query Search) (*searchOutput, error) {
	if strings.TrimSpace(query.Query) == "" {
		return nil, invalid("query", "must not be empty")
	}
	if err := s.ownsAll(ctx, query.ProjectID, query.Documents); err != nil {
		return nil, err
	}
	found, err := s.Searcher.Search(ctx, SearchQuery{
		UserID: userID(ctx), ProjectID: query.ProjectID, Documents: query.Documents, Text: query.Query, Limit: query.Limit,
	})
	if err != nil {
		return nil, err
	}
	out := &searchOutput{Body: SearchReply{Mode: found.Mode, Provider: found.Provider, Model: found.Model, Results: []Passage{}}}
	for _, p := range found.Passages {
		out.Body.Results = append(out.Body.Results, toPassage(p))
	}
	return out, nil
}

// ownsAll answers CodeNotFound when a project or document is not the caller's.
func (s *server) ownsAll(ctx context.Context, project *uuid.UUID, documents []uuid.UUID) error {
	if project != nil {
		if _, err := s.Store.Project(ctx, userID(ctx), *project); err != nil {
			return err
		}
	}
	if len(documents) == 0 {
		return nil
	}
	states, err := s.Store.DocumentStates(ctx, userID(ctx), documents)
	if err != nil {
		return err
	}
	for _, id := range documents {
		if _, ok := states[id]; !ok {
			return errNoDocument
		}
	}
	return nil
}
