package postgres

import (
	"context"
	_ "embed" // search.sql
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"generalbackend/internal/domain"
	"generalbackend/internal/retrieval"
)

// searchSQL is apart from the generated queries because it must be planned
// afresh for every search: the best plan depends on how much the user has.
//
//go:embed search.sql
var searchSQL string

// The bounds of a search: how many candidates one term may bring, how many are
// scored in all, and how deep each ranking goes into the fused one.
const (
	probeCap     = 500
	candidateCap = 1000
	rankingDepth = 50
)

// Search returns the passages that fit q best, best first.
func (s *Store) Search(ctx context.Context, q retrieval.Query) ([]domain.Passage, error) {
	rows, err := s.pool.Query(ctx, searchSQL, pgx.QueryExecModeCacheDescribe, searchArgs(q))
	if err != nil {
		return nil, translate(err)
	}
	passages, err := pgx.CollectRows(rows, toPassage)
	return passages, translate(err)
}

func searchArgs(q retrieval.Query) pgx.NamedArgs {
	args := pgx.NamedArgs{
		"space_id": q.SpaceID, "user_id": q.UserID, "document_ids": q.DocumentIDs, "project_ids": nil,
		"query": strings.ReplaceAll(q.Text, "\x00", " "), "embedding": nil,
		"vector_weight": q.VectorWeight, "max_distance": q.MaxDistance, "exact": q.Exact,
		"exact_below": vectorIndexThreshold, "probe_cap": probeCap, "candidate_cap": candidateCap,
		"depth": max(rankingDepth, q.Limit), "passages": q.Limit,
	}
	if q.ProjectID != nil {
		args["project_ids"] = []any{*q.ProjectID}
	}
	if q.Vector != nil {
		args["embedding"] = pgvector.NewHalfVector(q.Vector)
	}
	return args
}

func toPassage(row pgx.CollectableRow) (domain.Passage, error) {
	var p domain.Passage
	err := row.Scan(&p.ChunkID, &p.DocumentID, &p.Filename, &p.Title, &p.PageFrom, &p.PageTo, &p.CharFrom, &p.CharTo,
		&p.Content, &p.Score, &p.VectorRank, &p.KeywordRank, &p.Distance)
	return p, err
}
