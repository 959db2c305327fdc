package api

import (
	"context"
	"net/http"
	"time"

	"generalbackend/internal/domain"
)

// Spaces knows in which embedding space a model embeds.
type Spaces interface {
	// Describe finds out what a space of a provider and a model would be. It has
	// no ID.
	Describe(ctx context.Context, provider, model string) (domain.EmbeddingSpace, error)
	// Speed measures how many passages of a length the model embeds a second.
	Speed(ctx context.Context, space domain.EmbeddingSpace, characters int) (float64, error)
}

// EmbeddingSpace is where vectors can be compared: one model, and one way of
// cutting texts into passages.
type EmbeddingSpace struct {
	ID            int64     `json:"id" example:"2"`
	Provider      string    `json:"provider" example:"ollama"`
	Model         string    `json:"model" example:"all-minilm"`
	Dimensions    int       `json:"dimensions" example:"384"`
	PassageTokens int       `json:"passage_tokens" doc:"Most tokens of a passage, estimated" example:"179"`
	OverlapTokens int       `json:"overlap_tokens" doc:"That a passage repeats of the one before" example:"22"`
	State         string    `json:"state" enum:"building,active,retired" doc:"Search uses the active one"`
	Documents     int64     `json:"documents" example:"1200"`
	Passages      int64     `json:"passages" example:"48000"`
	CreatedAt     time.Time `json:"created_at"`
}

// SpacePath names an embedding space in an address.
type SpacePath struct {
	ID int64 `path:"space_id" minimum:"1" example:"2"`
}

func (s *server) spaceOperations() {
	registerList(s, endpoint{
		id: "list-embedding-spaces", method: http.MethodGet, path: "/admin/embedding-spaces", tag: adminTag, admin: true,
		summary: "List the embedding spaces", description: "One is active. What others hold serves to go on with a re-embedding, or to go back.",
	}, s.listSpaces)
	register(s, endpoint{
		id: "delete-embedding-space", method: http.MethodDelete, path: "/admin/embedding-spaces/{space_id}", tag: adminTag, admin: true,
		summary: "Delete an embedding space", description: "With its passages and vectors, but neither the active one nor one that is being built.",
		status: http.StatusNoContent, timeout: deletionTimeout, codes: []domain.Code{domain.CodeNotFound, domain.CodeConflict},
	}, s.deleteSpace)
}

func (s *server) listSpaces(ctx context.Context, _ *struct{}) (Page[EmbeddingSpace], error) {
	rows, err := s.Admin.Spaces(ctx)
	page := Page[EmbeddingSpace]{Items: make([]EmbeddingSpace, len(rows))}
	for i, r := range rows {
		page.Items[i] = EmbeddingSpace{
			ID: r.ID, Provider: r.Provider, Model: r.Model, Dimensions: r.Dims, PassageTokens: r.ChunkTokens, OverlapTokens: r.OverlapToken,
			State: r.State, Documents: r.Documents, Passages: r.Chunks, CreatedAt: r.CreatedAt,
		}
	}
	return page, err
}

func (s *server) deleteSpace(ctx context.Context, in *SpacePath) (*struct{}, error) {
	space, err := s.Admin.Space(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Admin.DeleteSpace(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, s.audit(ctx, "space.delete", "", map[string]any{"space_id": space.ID, "provider": space.Provider, "model": space.Model})
}
