package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// CachedVectors returns the vectors a user's unchanged texts have already, by
// string(hash). It looks at the user's own texts only, so that nobody can tell
// from the speed of an upload what others have uploaded.
func (s *Store) CachedVectors(ctx context.Context, spaceID int64, userID uuid.UUID, hashes [][]byte) (map[string][]float32, error) {
	vectors := make(map[string][]float32, len(hashes))
	rows, err := s.pool.Query(ctx, "SELECT content_hash, embedding FROM cached_vectors($1, $2, $3)", spaceID, userID, hashes)
	if err != nil {
		return vectors, translate(err)
	}
	var hash []byte
	var vector pgvector.HalfVector
	_, err = pgx.ForEachRow(rows, []any{&hash, &vector}, func() error {
		vectors[string(hash)] = vector.Slice()
		return nil
	})
	return vectors, translate(err)
}

// SaveChunks stores a document's chunks and vectors in the active space, makes
// the document usable and ends its job, in one transaction. A chunk without a
// hash of its embedded text gets that of its content. Where another space became
// active meanwhile nothing is stored, and the attempt can be repeated.
func (s *Store) SaveChunks(ctx context.Context, lease domain.Lease, documentID uuid.UUID, spaceID int64, chunks []domain.Chunk, vectors [][]float32) error {
	return s.fenced(ctx, lease, func(q *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error {
		if err := q.DeleteChunks(ctx, documentID); err != nil {
			return err
		}
		if len(chunks) > 0 {
			if err := holdActive(ctx, q, spaceID); err != nil {
				return err
			}
		}
		owned := domain.OwnedDocument{ID: documentID, UserID: held.UserID, ProjectID: held.ProjectID}
		if err := insertChunks(ctx, q, owned, spaceID, chunks, vectors); err != nil {
			return err
		}
		if err := q.FinishDocument(ctx, documentID); err != nil {
			return err
		}
		return q.FinishJob(ctx, held.ID)
	})
}

// holdActive keeps a space active until the transaction ends.
func holdActive(ctx context.Context, q *dbsqlc.Queries, spaceID int64) error {
	active, err := q.HoldActiveSpace(ctx, spaceID)
	if err == nil && !active {
		err = domain.Errorf(domain.CodeUnavailable, "The embedding model was changed meanwhile.")
	}
	return err
}

// insertChunks adds a document's chunks, and the vector of each, to a space.
func insertChunks(ctx context.Context, q *dbsqlc.Queries, d domain.OwnedDocument, spaceID int64, chunks []domain.Chunk, vectors [][]float32) error {
	if len(chunks) != len(vectors) {
		return fmt.Errorf("%d chunks, %d vectors", len(chunks), len(vectors))
	}
	rows, err := q.InsertChunks(ctx, chunkColumns(d, spaceID, chunks))
	if err != nil {
		return err
	}
	embeddings := dbsqlc.InsertEmbeddingsParams{SpaceID: spaceID, UserID: d.UserID, ProjectID: d.ProjectID, DocumentID: d.ID}
	for _, r := range rows {
		embeddings.ChunkIds = append(embeddings.ChunkIds, r.ID)
		embeddings.Embeddings = append(embeddings.Embeddings, pgvector.NewHalfVector(vectors[r.Ordinal]))
	}
	return q.InsertEmbeddings(ctx, embeddings)
}

// chunkColumns lays chunks out as one array a column. Ordinals are renumbered
// from 0 so that they index the vectors.
func chunkColumns(d domain.OwnedDocument, spaceID int64, chunks []domain.Chunk) dbsqlc.InsertChunksParams {
	p := dbsqlc.InsertChunksParams{SpaceID: spaceID, DocumentID: d.ID, UserID: d.UserID, ProjectID: d.ProjectID}
	for i, c := range chunks {
		hash := c.Hash
		if hash == nil {
			sum := sha256.Sum256([]byte(c.Content))
			hash = sum[:]
		}
		p.Ordinals = append(p.Ordinals, int32(i))
		p.PagesFrom = append(p.PagesFrom, int32(c.PageFrom))
		p.PagesTo = append(p.PagesTo, int32(c.PageTo))
		p.CharsFrom = append(p.CharsFrom, int32(c.CharFrom))
		p.CharsTo = append(p.CharsTo, int32(c.CharTo))
		p.Contents = append(p.Contents, c.Content)
		p.ContentHashes = append(p.ContentHashes, hash)
		p.Languages = append(p.Languages, c.Language)
	}
	return p
}

// vectorIndexThreshold is the number of a user's chunks above which exact
// search is slower than an approximate index.
const vectorIndexThreshold = 20_000

// EnsureVectorIndex builds the approximate index of the active space once a
// user has grown beyond exact search, without blocking writers. Smaller
// deployments are spared its cost on every insert.
func (s *Store) EnsureVectorIndex(ctx context.Context) error {
	space, err := s.ActiveSpace(ctx)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return s.IndexVectors(ctx, space)
}

// IndexVectors does for any space what EnsureVectorIndex does for the active one.
func (s *Store) IndexVectors(ctx context.Context, space domain.EmbeddingSpace) error {
	if space.ExactOnly() {
		return nil
	}
	name := vectorIndexName(space.ID)
	var grown, built, broken bool
	err := s.pool.QueryRow(ctx, `SELECT
		EXISTS (SELECT 1 FROM embeddings WHERE space_id = $1 GROUP BY user_id HAVING count(*) > $2),
		EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($3) AND indisvalid),
		EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($3) AND NOT indisvalid)`,
		space.ID, vectorIndexThreshold, name).Scan(&grown, &built, &broken)
	if err != nil || built || !grown {
		return translate(err)
	}
	// The statements run outside a transaction and name what no parameter can.
	var ddl []string
	if broken { // an earlier build was interrupted
		ddl = append(ddl, "DROP INDEX CONCURRENTLY "+name)
	}
	// Without room for the whole graph a build takes two to three times as long. Parallel
	// workers would share that room in /dev/shm, which containers keep small.
	ddl = append(ddl, "SET statement_timeout = 0", "SET maintenance_work_mem = '512MB'", "SET max_parallel_maintenance_workers = 0")
	ddl = append(ddl, fmt.Sprintf(`CREATE INDEX CONCURRENTLY %s ON embeddings
		USING hnsw ((embedding::halfvec(%d)) halfvec_cosine_ops) WHERE space_id = %d`, name, space.Dims, space.ID))
	return s.onOwnConnection(ctx, ddl)
}

// onOwnConnection runs statements on a connection that is closed afterwards,
// with whatever they set.
func (s *Store) onOwnConnection(ctx context.Context, statements []string) error {
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return translate(err)
	}
	conn := pooled.Hijack()
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return translate(err)
		}
	}
	return nil
}

func vectorIndexName(spaceID int64) string { return fmt.Sprintf("embeddings_hnsw_%d", spaceID) }
