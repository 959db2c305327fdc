package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
)

// passages makes texts and vectors.
type passages struct {
	vocabulary []string
	clusters   [][]float32 // nil: vectors are those of the built-in provider
}

const (
	topics       = 400
	passageWords = 120
	// Noise in units of a topic vector's length: passages of a topic are near
	// each other, and a question is nearer to its passage than others are.
	passageNoise = 0.9
	queryNoise   = 0.5
)

// newPassages makes a vocabulary of 20,000 words and, where wanted, topics.
func newPassages(clustered bool) passages {
	r := rand.New(rand.NewPCG(7, 7))
	syllables := strings.Fields("ba ke li mo nu ra se ti vo wa der gen hal kon mar nis pol ren sta tor ul ver zen ing ant or est ian")
	p := passages{vocabulary: append([]string{}, words...)}
	for len(p.vocabulary) < 20_000 {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteString(syllables[r.IntN(len(syllables))])
		}
		p.vocabulary = append(p.vocabulary, b.String())
	}
	if clustered {
		for range topics {
			p.clusters = append(p.clusters, near(r, make([]float32, offline.Dims), 1))
		}
	}
	return p
}

// text is a passage: frequent words for the most part, and some of its topic.
func (p passages) text(r *rand.Rand, topic int) string {
	var b strings.Builder
	for n := range passageWords {
		u := r.Float64()
		word := p.vocabulary[int(math.Pow(u, 4)*float64(len(p.vocabulary)))] // about as skewed as prose
		if r.IntN(5) == 0 {
			word = p.vocabulary[(topic*37+r.IntN(60))%len(p.vocabulary)]
		}
		b.WriteString(word)
		if n%15 == 14 {
			b.WriteByte('.')
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

func (p passages) vector(r *rand.Rand, topic int, text string) []float32 {
	if p.clusters == nil {
		return offlineVector(text)
	}
	return near(r, p.clusters[topic], passageNoise)
}

func offlineVector(text string) []float32 {
	answer, err := offline.New().Embed(context.Background(), llm.EmbedRequest{Texts: []string{text}})
	if err != nil {
		panic(err) // it does nothing that could fail
	}
	return answer.Vectors[0]
}

// near is a unit vector at about the given distance from v.
func near(r *rand.Rand, v []float32, distance float64) []float32 {
	out := make([]float32, len(v))
	var norm float64
	for i := range v {
		x := float64(v[i]) + r.NormFloat64()*distance/math.Sqrt(float64(len(v)))
		out[i], norm = float32(x), norm+x*x
	}
	for i := range out {
		out[i] = float32(float64(out[i]) / math.Sqrt(norm))
	}
	return out
}

// chunksPerDocument of the loaded documents.
const chunksPerDocument = 50

// document is one document to load, with the passages it has.
type document struct {
	id, user uuid.UUID
	chunks   int
	topic    int
}

// load fills the tables, the users' documents mixed as they would arrive, and
// builds the indexes afterwards.
func (s *searchBench) load(ctx context.Context) error {
	started := time.Now()
	s.tenants = skewed(s.options.chunks)
	var documents []document
	r := rand.New(rand.NewPCG(1, 1))
	for _, t := range s.tenants {
		t.id = uuid.Must(uuid.NewV7())
		if _, err := s.store.System().CreateUser(ctx, domain.User{ID: t.id, Email: t.id.String() + "@example.org", PasswordHash: "-"}); err != nil {
			return err
		}
		for left := t.chunks; left > 0; left -= chunksPerDocument {
			documents = append(documents, document{uuid.Must(uuid.NewV7()), t.id, min(left, chunksPerDocument), r.IntN(topics)})
		}
	}
	r.Shuffle(len(documents), func(i, j int) { documents[i], documents[j] = documents[j], documents[i] })
	if err := s.exec(ctx, `DROP INDEX chunks_search`, `CREATE UNLOGGED TABLE staged
		(document_id uuid, user_id uuid, ordinal integer, content text, content_hash bytea, embedding halfvec)`); err != nil {
		return err
	}
	const portion = 40 // documents
	n := (len(documents) + portion - 1) / portion
	err := parallel(ctx, n, runtime.NumCPU(), func(ctx context.Context, i int) error {
		return s.stage(ctx, documents[i*portion:min((i+1)*portion, len(documents))], uint64(i))
	})
	if err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.say("search: loaded in %s", time.Since(started).Round(time.Second))
	started = time.Now()
	if err := s.store.System().EnsureVectorIndex(ctx); err != nil {
		return err
	}
	s.report.set("the product's own build of the vector index took %.0f s", time.Since(started).Seconds())
	return s.exec(ctx, "VACUUM ANALYZE chunks", "VACUUM ANALYZE embeddings", "VACUUM ANALYZE documents")
}

// stage makes the passages of some documents and copies them in.
func (s *searchBench) stage(ctx context.Context, documents []document, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 2))
	var rows [][]any
	for _, d := range documents {
		for ordinal := range d.chunks {
			text := s.made.text(r, d.topic)
			sum := sha256.Sum256([]byte(text))
			rows = append(rows, []any{d.id, d.user, int32(ordinal), text, sum[:], pgvector.NewHalfVector(s.made.vector(r, d.topic, text))})
		}
	}
	_, err := s.pool.CopyFrom(ctx, pgx.Identifier{"staged"},
		[]string{"document_id", "user_id", "ordinal", "content", "content_hash", "embedding"}, pgx.CopyFromRows(rows))
	return err
}

// settle turns what was staged into documents, chunks and embeddings.
func (s *searchBench) settle(ctx context.Context) error {
	return s.exec(ctx,
		`INSERT INTO documents (id, user_id, type, filename, language, page_count, state)
			SELECT DISTINCT document_id, user_id, 'txt', 'made.txt', 'en', 1, 'ready' FROM staged`,
		fmt.Sprintf(`INSERT INTO chunks (space_id, document_id, user_id, ordinal, page_from, page_to, char_from, char_to, content, content_hash, language, tsv)
			SELECT %d, document_id, user_id, ordinal, 1, 1, 0, length(content), content, content_hash, 'en', to_tsvector(text_config('en'), content) FROM staged`,
			s.space.ID),
		fmt.Sprintf(`INSERT INTO embeddings (chunk_id, space_id, user_id, document_id, embedding)
			SELECT c.id, %d, c.user_id, c.document_id, s.embedding FROM staged s
			JOIN chunks c ON c.document_id = s.document_id AND c.ordinal = s.ordinal ORDER BY c.id`, s.space.ID),
		`DROP TABLE staged`,
		`CREATE INDEX chunks_search ON chunks USING gin (user_id, tsv)`)
}

func (s *searchBench) exec(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		if _, err := s.pool.Exec(ctx, sql); err != nil {
			first, _, _ := strings.Cut(sql, "\n")
			return fmt.Errorf("%s: %w", first, err)
		}
	}
	return nil
}
