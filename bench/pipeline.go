package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"generalbackend/internal/chunking"
	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/extraction"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/cluster"
	"generalbackend/internal/queue/embedded"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

type pipelineOptions struct {
	documents int
	clients   int
}

// The slots of the stages as they are configured by default.
const (
	extractSlots = 2
	embedSlots   = 4
)

func pipelineScenario(flags *flag.FlagSet) scenario {
	var o pipelineOptions
	flags.IntVar(&o.documents, "pipeline-documents", 150, "documents of two pages that are taken in")
	flags.IntVar(&o.clients, "pipeline-clients", 4, "uploads at once")
	return scenario{"pipeline", func(ctx context.Context, b *bench) error { return runPipeline(ctx, b, o) }}
}

func runPipeline(ctx context.Context, b *bench, o pipelineOptions) (err error) {
	server, err := startPostgres(ctx, b)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	files, err := makeCVs(o.documents, 1)
	if err != nil {
		return err
	}
	b.report.set("%d made PDFs of %d pages, provider offline, %d uploads at once, %d extract and %d embed slots, fsync on",
		o.documents, cvPages, o.clients, extractSlots, embedSlots)
	for round := range b.rounds {
		b.say("pipeline: round %d", round+1)
		whole, err := wholePipeline(ctx, b, server, fmt.Sprintf("pipeline_%d", round), files, o)
		if err != nil {
			return fmt.Errorf("whole: %w", err)
		}
		b.report.add("whole", "documents/s", float64(o.documents)/whole.Seconds())
		parts, err := partsAlone(ctx, b, server, fmt.Sprintf("parts_%d", round), files, o)
		if err != nil {
			return fmt.Errorf("parts: %w", err)
		}
		var sum time.Duration
		for _, p := range parts {
			b.report.add(p.name+" alone", "documents/s", float64(o.documents)/p.took.Seconds())
			sum += p.took
		}
		b.report.add("sum of the parts", "documents/s", float64(o.documents)/sum.Seconds())
	}
	b.report.compare("whole", "documents/s", "sum of the parts")
	return nil
}

// wholePipeline takes documents in through the running product and returns how
// long it took from the first byte sent until all were ready.
func wholePipeline(ctx context.Context, b *bench, server *cluster.Cluster, database string, files [][]byte, o pipelineOptions) (took time.Duration, err error) {
	dsn, drop, err := newDatabase(ctx, server, database)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	p, err := startProcess(ctx, b, "standalone", "DATABASE_URL="+dsn)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	user, err := register(ctx, p.url)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	if _, err := uploadAll(ctx, user, files, o.clients); err != nil {
		return 0, err
	}
	err = awaitReady(ctx, dsn, user.user, len(files))
	return time.Since(started), err
}

func uploadAll(ctx context.Context, user *client, files [][]byte, clients int) ([]accepted, error) {
	answers := make([]accepted, len(files))
	err := parallel(ctx, len(files), clients, func(ctx context.Context, i int) (err error) {
		answers[i], err = user.upload(ctx, fmt.Sprintf("cv-%d.pdf", i), bytes.NewReader(files[i]))
		return err
	})
	return answers, err
}

// awaitReady waits until all documents of a user can be searched.
func awaitReady(ctx context.Context, dsn string, user uuid.UUID, documents int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		var ready, failed int
		err := conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'failed')
			FROM documents WHERE user_id = $1`, user).Scan(&ready, &failed)
		switch {
		case err != nil:
			return err
		case failed > 0:
			return fmt.Errorf("%d documents failed", failed)
		case ready == documents:
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// part is one stage's share of the work, done alone.
type part struct {
	name string
	took time.Duration
}

// partsAlone does the same work stage by stage, each with nothing beside it.
func partsAlone(ctx context.Context, b *bench, server *cluster.Cluster, database string, files [][]byte, o pipelineOptions) (parts []part, err error) {
	dsn, drop, err := newDatabase(ctx, server, database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	started := time.Now()
	lap := func(name string) {
		parts = append(parts, part{name, time.Since(started)})
	}
	answers, took, err := uploadsAlone(ctx, b, dsn, files, o)
	if err != nil {
		return nil, err
	}
	parts = append(parts, part{"upload", took})

	store, err := postgres.Open(ctx, dsn, 20)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	w := stageWork{store: store.System(), files: files, answers: answers, extracted: make([]domain.Extraction, len(files)), chunks: make([][]domain.Chunk, len(files)), vectors: make([][][]float32, len(files))}
	sandbox := extraction.NewSandbox(extraction.DefaultLimits(), extractSlots, quiet())
	defer sandbox.Close()

	started = time.Now()
	if err := w.extract(ctx, sandbox); err != nil {
		return nil, err
	}
	lap("extraction")
	space, batcher, err := offlineSpace(ctx, store.System())
	if err != nil {
		return nil, err
	}
	defer batcher.Close()
	started = time.Now()
	if err := w.embed(ctx, batcher); err != nil {
		return nil, err
	}
	lap("chunking and embedding")
	saved, err := w.save(ctx, space)
	return append(parts, part{"saving", saved}), err
}

// uploadsAlone uploads to an API that has no workers.
func uploadsAlone(ctx context.Context, b *bench, dsn string, files [][]byte, o pipelineOptions) (answers []accepted, took time.Duration, err error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, 0, err
	}
	broker, err := embedded.Start(filepath.Join(b.dir, "nats", uuid.NewString()), port)
	if err != nil {
		return nil, 0, err
	}
	defer broker.Stop()
	p, err := startProcess(ctx, b, "api", "DATABASE_URL="+dsn, fmt.Sprintf("NATS_URL=nats://127.0.0.1:%d", port))
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	c, err := register(ctx, p.url)
	if err != nil {
		return nil, 0, err
	}
	started := time.Now()
	answers, err = uploadAll(ctx, c, files, o.clients)
	return answers, time.Since(started), err
}

// stageWork is what the stages make of the files, by file.
type stageWork struct {
	store     *postgres.Store
	files     [][]byte
	answers   []accepted
	extracted []domain.Extraction
	chunks    [][]domain.Chunk
	vectors   [][][]float32
}

func (w *stageWork) extract(ctx context.Context, sandbox *extraction.Sandbox) error {
	return parallel(ctx, len(w.files), extractSlots, func(ctx context.Context, i int) (err error) {
		w.extracted[i], err = sandbox.Extract(ctx, extraction.Source{Owner: "one", Type: domain.TypePDF, Open: extraction.Bytes(w.files[i])}, nil)
		return err
	})
}

func offlineSpace(ctx context.Context, store *postgres.Store) (domain.EmbeddingSpace, *embedding.Batcher, error) {
	provider := offline.New()
	space, err := embedding.Space(ctx, provider, offline.Model)
	if err != nil {
		return space, nil, err
	}
	if space, err = store.EnsureSpace(ctx, space); err != nil {
		return space, nil, err
	}
	return space, embedding.NewBatcher(provider, space), nil
}

func (w *stageWork) embed(ctx context.Context, batcher *embedding.Batcher) error {
	space := batcher.Space()
	return parallel(ctx, len(w.files), embedSlots, func(ctx context.Context, i int) (err error) {
		x := w.extracted[i]
		w.chunks[i] = chunking.Split(x.Pages, chunking.Options{Tokens: space.ChunkTokens, Overlap: space.OverlapToken, Language: x.Language})
		texts := make([]string, len(w.chunks[i]))
		for n := range texts {
			texts[n] = embedding.Normalize(w.chunks[i][n].Content)
			w.chunks[i][n].Hash = embedding.Hash(texts[n])
		}
		w.vectors[i], err = batcher.Embed(ctx, texts, embedding.Standard)
		return err
	})
}

// save writes what both stages leave. Taking the jobs is the engine's business
// and is not part of the time.
func (w *stageWork) save(ctx context.Context, space domain.EmbeddingSpace) (time.Duration, error) {
	ingest := postgres.Ingest{Store: w.store}
	leases, err := w.claim(ctx, domain.StageExtract)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	err = parallel(ctx, len(w.files), extractSlots, func(ctx context.Context, i int) error {
		return ingest.SaveExtraction(ctx, leases[w.answers[i].Job.ID], w.answers[i].Document.ID, w.extracted[i])
	})
	took := time.Since(started)
	if err != nil {
		return took, err
	}
	if leases, err = w.claim(ctx, domain.StageEmbed); err != nil {
		return took, err
	}
	started = time.Now()
	err = parallel(ctx, len(w.files), embedSlots, func(ctx context.Context, i int) error {
		return w.store.SaveChunks(ctx, leases[w.answers[i].Job.ID], w.answers[i].Document.ID, space.ID, w.chunks[i], w.vectors[i])
	})
	return took + time.Since(started), err
}

// claim takes all jobs of a stage at once.
func (w *stageWork) claim(ctx context.Context, stage domain.Stage) (map[uuid.UUID]domain.Lease, error) {
	ids := make([]uuid.UUID, len(w.answers))
	for i, a := range w.answers {
		ids[i] = a.Job.ID
	}
	tasks, err := w.store.Claim(ctx, stage, ids, "bench", time.Hour)
	leases := make(map[uuid.UUID]domain.Lease, len(tasks))
	for _, t := range tasks {
		leases[t.Job.ID] = t.Lease
	}
	if err == nil && len(leases) != len(ids) {
		err = fmt.Errorf("%d of %d jobs could be taken for %s", len(leases), len(ids), stage)
	}
	return leases, err
}
