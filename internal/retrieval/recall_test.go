package retrieval_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
	pgxvec "github.com/pgvector/pgvector-go/pgx"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
	"generalbackend/internal/retrieval"
)

// TestRecall compares the vector ranking with an exact one for users of very
// different size, the largest beyond what is searched exactly.
func TestRecall(t *testing.T) {
	t.Parallel()
	const queries, depth, want = 25, 10, 0.95
	dsn := postgrestest.NewDatabase(t)
	store := postgrestest.Open(t, dsn)
	tenants := newTenants(t, dsn, store)
	sizes, users := []int{10, 200, 2000, 21_000}, make(map[int]uuid.UUID)
	for _, chunks := range sizes {
		users[chunks] = tenants.add(chunks)
	}
	if err := store.System().EnsureVectorIndex(t.Context()); err != nil {
		t.Fatal(err)
	}
	tenants.exec("ANALYZE")
	for _, chunks := range sizes {
		found := 0
		for range queries {
			v := tenants.vector()
			found += common(tenants.nearest(users[chunks], v, depth), search(t, store, retrieval.Query{
				UserID: users[chunks], SpaceID: tenants.space.ID, Text: "nothing", Vector: v, VectorWeight: 1, MaxDistance: 2, Limit: depth,
			}))
		}
		recall := float64(found) / (queries * depth)
		t.Logf("%6d chunks: recall@%d %.3f", chunks, depth, recall)
		if recall < want {
			t.Errorf("recall@%d of a user with %d chunks is %.3f, want at least %.2f", depth, chunks, recall, want)
		}
	}
}

func search(t *testing.T, store *postgres.Store, q retrieval.Query) map[int64]bool {
	t.Helper()
	passages, err := store.Search(postgres.As(t.Context(), q.UserID), q)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[int64]bool)
	for _, p := range passages {
		ids[p.ChunkID] = true
	}
	return ids
}

func common(a, b map[int64]bool) int {
	n := 0
	for id := range a {
		if b[id] {
			n++
		}
	}
	return n
}

// tenants fills a database with users whose vectors lie around a few hundred
// topics, as those of real texts do.
type tenants struct {
	t      *testing.T
	conn   *pgx.Conn
	space  domain.EmbeddingSpace
	random *rand.Rand
	topics [][]float32
}

const dims = 384

func newTenants(t *testing.T, dsn string, store *postgres.Store) *tenants {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if err := pgxvec.RegisterTypes(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	s := &tenants{t: t, conn: conn, random: rand.New(rand.NewPCG(1, 2))}
	s.space, err = store.System().EnsureSpace(t.Context(), domain.EmbeddingSpace{Provider: "test", Model: "topics", Dims: dims, ChunkTokens: 100})
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		s.topics = append(s.topics, s.around(make([]float32, dims)))
	}
	return s
}

// vector is a point near a topic.
func (s *tenants) vector() []float32 { return s.around(s.topics[s.random.IntN(len(s.topics))]) }

func (s *tenants) around(centre []float32) []float32 {
	v := make([]float32, len(centre))
	for i := range v {
		v[i] = centre[i] + float32(s.random.NormFloat64())
	}
	return v
}

// nearest is the truth: the chunks of a user by exact distance.
func (s *tenants) nearest(user uuid.UUID, v []float32, depth int) map[int64]bool {
	s.t.Helper()
	rows, err := s.conn.Query(s.t.Context(), `SELECT chunk_id FROM embeddings WHERE user_id = $1
		ORDER BY (embedding <=> $2) + 0 LIMIT $3`, user, pgvector.NewHalfVector(v), depth)
	if err != nil {
		s.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		s.t.Fatal(err)
	}
	found := make(map[int64]bool)
	for _, id := range ids {
		found[id] = true
	}
	return found
}

// add makes a user with so many chunks in documents of up to a thousand.
func (s *tenants) add(chunks int) uuid.UUID {
	s.t.Helper()
	user := uuid.Must(uuid.NewV7())
	s.exec(`INSERT INTO users (id, email, password_hash) VALUES ($1, $2, 'x')`, user, user.String()+"@example.org")
	for made := 0; made < chunks; made += 1000 {
		s.addDocument(user, min(1000, chunks-made))
	}
	return user
}

func (s *tenants) addDocument(user uuid.UUID, chunks int) {
	s.t.Helper()
	document := uuid.Must(uuid.NewV7())
	vectors := make([]pgvector.HalfVector, chunks)
	for i := range vectors {
		vectors[i] = pgvector.NewHalfVector(s.vector())
	}
	s.exec(`INSERT INTO documents (id, user_id, type, state, language) VALUES ($1, $2, 'txt', 'ready', 'en')`, document, user)
	s.exec(`INSERT INTO chunks (document_id, user_id, space_id, ordinal, page_from, page_to, char_from, char_to, content, content_hash, tsv)
		SELECT $1, $2, $4, n, 1, 1, 0, 4, 'text', '', '' FROM generate_series(1, $3) n`, document, user, chunks, s.space.ID)
	s.exec(`INSERT INTO embeddings (chunk_id, space_id, user_id, document_id, embedding)
		SELECT c.id, $1, $2, $3, v.embedding FROM unnest($4::halfvec[]) WITH ORDINALITY AS v (embedding, ordinality)
		JOIN chunks c ON c.document_id = $3 AND c.ordinal = v.ordinality`, s.space.ID, user, document, vectors)
}

func (s *tenants) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.conn.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatal(fmt.Errorf("%.60s: %w", sql, err))
	}
}
