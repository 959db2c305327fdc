package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/postgres"
	"generalbackend/internal/retrieval"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"
	pgxvec "github.com/pgvector/pgvector-go/pgx"
)

type searchOptions struct {
	chunks  int
	queries int
	vectors string
}

func searchScenario(flags *flag.FlagSet) scenario {
	var o searchOptions
	flags.IntVar(&o.chunks, "search-chunks", 200_000, "passages of all users")
	flags.IntVar(&o.queries, "search-queries", 40, "searches of each user and round")
	flags.StringVar(&o.vectors, "search-vectors", clustered, "offline: of the built-in provider; clustered: made, near their document's topic as a model's are")
	return scenario{"search", func(ctx context.Context, b *bench) error { return runSearch(ctx, b, o) }}
}

func runSearch(ctx context.Context, b *bench, o searchOptions) (err error) {
	server, err := startPostgres(ctx, b)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	if err := postgres.Migrate(ctx, server.DSN("")); err != nil {
		return err
	}
	s := &searchBench{bench: b, options: o}
	if err := s.open(ctx, server.DSN("")); err != nil {
		return err
	}
	defer s.close()
	b.report.set("%d passages, vectors %s; %d searches of each user and round, one after the other; recall of the ten nearest vectors against an exact scan", o.chunks, o.vectors, o.queries)
	if err := s.load(ctx); err != nil {
		return err
	}
	for range b.rounds {
		for _, t := range s.tenants {
			if t.measured {
				if err := s.measure(ctx, t); err != nil {
					return err
				}
			}
		}
	}
	for _, t := range s.tenants {
		if t.measured {
			b.report.compare(t.subject(ours), "p50 ms", t.subject(exact))
			b.report.compare(t.subject(ours), "p99 ms", t.subject(exact))
		}
	}
	return nil
}

// clustered vectors are made, not embedded.
const clustered = "clustered"

// exact is the peer: a scan of all the user's vectors, without words.
const exact = "exact scan"

// searchBench is a database with passages of users of very different size.
type searchBench struct {
	*bench
	options searchOptions
	store   *postgres.Store
	pool    *pgxpool.Pool
	space   domain.EmbeddingSpace
	made    passages
	tenants []*tenant
}

// tenant is one user and how many passages are the user's.
type tenant struct {
	id       uuid.UUID
	chunks   int
	measured bool // the others only fill the tables
}

func (t *tenant) subject(name string) string { return fmt.Sprintf("user of %d, %s", t.chunks, name) }

func (s *searchBench) open(ctx context.Context, dsn string) error {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return err
	}
	config.AfterConnect = pgxvec.RegisterTypes
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	if s.store, err = postgres.Open(ctx, dsn, 8); err != nil {
		return err
	}
	s.made = newPassages(s.options.vectors == clustered)
	s.space, err = s.store.System().EnsureSpace(ctx, domain.EmbeddingSpace{
		Provider: s.options.vectors, Model: s.options.vectors, Dims: offline.Dims, ChunkTokens: passageWords,
	})
	return err
}

func (s *searchBench) close() {
	if s.store != nil {
		s.store.Close()
	}
	s.pool.Close()
}

// skewed spreads passages over users: half of all are one user's, the next has
// half of that, and the smallest have ten.
func skewed(total int) []*tenant {
	var tenants []*tenant
	left := total
	for _, share := range []float64{0.5, 0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.0005, 0.00005} {
		n := max(int(share*float64(total)), 10)
		if len(tenants) > 0 && tenants[len(tenants)-1].chunks == n {
			break // few in all: the smallest are as small as it gets
		}
		tenants = append(tenants, &tenant{chunks: n, measured: true})
		left -= n
	}
	for ; left > 0; left -= 100 {
		tenants = append(tenants, &tenant{chunks: min(left, 100)})
	}
	return tenants
}

// measure searches as one user: the whole search as a client asks for it, then
// how much of the exact ranking it found.
func (s *searchBench) measure(ctx context.Context, t *tenant) error {
	r := rand.New(rand.NewPCG(uint64(t.chunks), uint64(len(s.report.Figures))))
	var took, tookExact []time.Duration
	var recall float64
	for n := range s.options.queries + 3 {
		text, vector, err := s.question(ctx, r, t)
		if err != nil {
			return err
		}
		elapsed, elapsedExact, found, err := s.ask(ctx, t, text, vector)
		if err != nil {
			return err
		}
		if n < 3 { // plans and caches
			continue
		}
		took, tookExact, recall = append(took, elapsed), append(tookExact, elapsedExact), recall+found
	}
	s.report.quantiles(t.subject(ours), "", took)
	s.report.quantiles(t.subject(exact), "", tookExact)
	s.report.add(t.subject(ours), "recall@10", recall/float64(s.options.queries))
	return nil
}

// question is some words of one of the user's passages and a vector near it.
func (s *searchBench) question(ctx context.Context, r *rand.Rand, t *tenant) (string, []float32, error) {
	var content string
	var stored pgvector.HalfVector
	err := s.pool.QueryRow(ctx, `SELECT c.content, e.embedding FROM chunks c JOIN embeddings e ON e.chunk_id = c.id
		WHERE c.id = (SELECT chunk_id FROM embeddings WHERE user_id = $1 OFFSET $2 LIMIT 1)`,
		t.id, r.IntN(t.chunks)).Scan(&content, &stored)
	if err != nil {
		return "", nil, fmt.Errorf("pick a passage: %w", err)
	}
	all := strings.Fields(content)
	picked := make([]string, 3+r.IntN(4))
	for i := range picked {
		picked[i] = strings.Trim(all[r.IntN(len(all))], ".")
	}
	text := strings.Join(picked, " ")
	if s.made.clusters == nil {
		return text, offlineVector(text), nil
	}
	return text, near(r, stored.Slice(), queryNoise), nil
}

// ask answers one question in both ways and returns the share of the ten
// nearest passages that ours ranks among its ten nearest.
func (s *searchBench) ask(ctx context.Context, t *tenant, text string, vector []float32) (took, tookExact time.Duration, recall float64, err error) {
	q := retrieval.Query{
		UserID: t.id, Text: text, SpaceID: s.space.ID, Vector: vector, VectorWeight: 1, MaxDistance: 2,
		Exact: s.space.ExactOnly(), Limit: retrieval.DefaultLimit,
	}
	started := time.Now()
	if _, err := s.store.Search(postgres.As(ctx, q.UserID), q); err != nil {
		return 0, 0, 0, err
	}
	took = time.Since(started)
	started = time.Now()
	nearest, err := s.nearest(ctx, t, vector)
	if err != nil {
		return 0, 0, 0, err
	}
	tookExact = time.Since(started)
	q.Limit = retrieval.MostPassages // both rankings in full
	ranked, err := s.store.Search(postgres.As(ctx, q.UserID), q)
	hits := 0
	for _, p := range ranked {
		if p.VectorRank > 0 && p.VectorRank <= 10 && nearest[p.ChunkID] {
			hits++
		}
	}
	return took, tookExact, float64(hits) / float64(len(nearest)), err
}

// nearest is the ten nearest passages of a user, by looking at all.
func (s *searchBench) nearest(ctx context.Context, t *tenant, vector []float32) (map[int64]bool, error) {
	rows, err := s.pool.Query(ctx, `SELECT chunk_id FROM embeddings WHERE user_id = $1 AND space_id = $2
		ORDER BY (embedding <=> $3) + 0 LIMIT 10`, t.id, s.space.ID, pgvector.NewHalfVector(vector))
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	found := make(map[int64]bool, len(ids))
	for _, id := range ids {
		found[id] = true
	}
	return found, err
}
