package postgres

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// ActiveSpace returns the embedding space that search uses.
func (s *Store) ActiveSpace(ctx context.Context) (domain.EmbeddingSpace, error) {
	row, err := s.queries.ActiveSpace(ctx)
	return toSpace(row.EmbeddingSpace), translate(err)
}

// EnsureSpace returns the active space. The given one becomes active when there
// is none yet, or when the active one holds nothing: what is embedded stays
// where it is.
func (s *Store) EnsureSpace(ctx context.Context, want domain.EmbeddingSpace) (domain.EmbeddingSpace, error) {
	var space domain.EmbeddingSpace
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		active, err := q.ActiveSpace(ctx)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if space = toSpace(active.EmbeddingSpace); err == nil && (sameSpace(space, want) || active.Used) {
			return nil
		}
		if err := q.RetireSpaces(ctx); err != nil {
			return err
		}
		row, err := q.InsertSpace(ctx, dbsqlc.InsertSpaceParams{
			Provider: want.Provider, Model: want.Model, Dims: int32(want.Dims),
			ChunkTokens: int32(want.ChunkTokens), OverlapTokens: int32(want.OverlapToken), State: "active",
		})
		space = toSpace(row)
		return err
	})
	if domain.CodeOf(err) == domain.CodeConflict { // another process was first
		return s.ActiveSpace(ctx)
	}
	return space, err
}

func sameSpace(a, b domain.EmbeddingSpace) bool {
	return a.Provider == b.Provider && a.Model == b.Model && a.Dims == b.Dims &&
		a.ChunkTokens == b.ChunkTokens && a.OverlapToken == b.OverlapToken
}

func toSpace(r dbsqlc.EmbeddingSpace) domain.EmbeddingSpace {
	return domain.EmbeddingSpace{
		ID: r.ID, Provider: r.Provider, Model: r.Model, Dims: int(r.Dims),
		ChunkTokens: int(r.ChunkTokens), OverlapToken: int(r.OverlapTokens), State: r.State,
	}
}

// Spaces lists the embedding spaces with what is in them, newest first.
func (s *Store) Spaces(ctx context.Context) ([]domain.SpaceUse, error) {
	rows, err := s.queries.Spaces(ctx)
	spaces := make([]domain.SpaceUse, len(rows))
	for i, r := range rows {
		spaces[i] = domain.SpaceUse{
			EmbeddingSpace: toSpace(r.EmbeddingSpace), Documents: r.Documents, Chunks: r.Chunks, CreatedAt: r.EmbeddingSpace.CreatedAt,
		}
	}
	return spaces, translate(err)
}

// Space returns an embedding space.
func (s *Store) Space(ctx context.Context, id int64) (domain.EmbeddingSpace, error) {
	row, err := s.queries.Space(ctx, id)
	return toSpace(row), translate(err)
}

// DeleteSpace deletes a space with all that is in it, but neither the active one
// nor one that is being built.
func (s *Store) DeleteSpace(ctx context.Context, id int64) error {
	if _, err := s.Space(ctx, id); err != nil {
		return err
	}
	n, err := s.queries.DeleteSpace(ctx, id)
	if err != nil {
		return translate(err)
	}
	if n == 0 {
		return domain.Errorf(domain.CodeConflict, "The space is in use.").WithHint("Cancel the re-embedding that builds it, or make another space the active one.")
	}
	return s.onOwnConnection(ctx, []string{"DROP INDEX CONCURRENTLY IF EXISTS " + vectorIndexName(id)})
}

// Samples returns some chunks of a space, as good as chosen by chance.
func (s *Store) Samples(ctx context.Context, spaceID int64, limit int) ([]domain.Sample, error) {
	rows, err := s.queries.SampleChunks(ctx, dbsqlc.SampleChunksParams{SpaceID: spaceID, MaxRows: int32(limit)})
	samples := make([]domain.Sample, len(rows))
	for i, r := range rows {
		samples[i] = domain.Sample{UserID: r.UserID, ProjectID: r.ProjectID, Content: r.Content, Hash: r.ContentHash}
	}
	return samples, translate(err)
}

// NearestHashes returns the hashes of a user's chunks nearest to a vector in a
// space, found the way search finds them.
func (s *Store) NearestHashes(ctx context.Context, space domain.EmbeddingSpace, userID uuid.UUID, vector []float32, limit int) ([][]byte, error) {
	hashes, err := s.queries.NearestHashes(ctx, dbsqlc.NearestHashesParams{
		SpaceID: space.ID, UserID: userID, Embedding: pgvector.NewHalfVector(vector), Wanted: int32(limit),
		Exact: space.ExactOnly(), ExactBelow: vectorIndexThreshold,
	})
	return hashes, translate(err)
}

// PlanReembedding says what of the active space another one lacks. A space that
// does not exist yet lacks everything.
func (s *Store) PlanReembedding(ctx context.Context, space domain.EmbeddingSpace, scope domain.ReembeddingScope) (domain.ReembeddingPlan, error) {
	id, err := s.queries.SpaceLike(ctx, dbsqlc.SpaceLikeParams{
		Provider: space.Provider, Model: space.Model, Dims: int32(space.Dims),
		ChunkTokens: int32(space.ChunkTokens), OverlapTokens: int32(space.OverlapToken),
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return domain.ReembeddingPlan{}, translate(err)
	}
	row, err := s.queries.PlanReembedding(ctx, dbsqlc.PlanReembeddingParams{
		SpaceID: id, UserID: scope.UserID, ProjectID: scope.ProjectID, DocumentID: scope.DocumentID,
	})
	return domain.ReembeddingPlan(row), translate(err)
}
