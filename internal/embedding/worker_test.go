package embedding_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm/llmtest"
)

// store is the embed stage's store in memory; it remembers what was saved.
type store struct {
	space   domain.EmbeddingSpace
	pages   []domain.Page
	cached  map[string][]float32
	fail    error
	lease   domain.Lease
	chunks  []domain.Chunk
	vectors [][]float32
}

func (s *store) Document(_ context.Context, id uuid.UUID) (domain.Document, error) {
	return domain.Document{ID: id, Language: "de"}, s.fail
}

func (s *store) Pages(context.Context, uuid.UUID) ([]domain.Page, error) { return s.pages, nil }

func (s *store) ActiveSpace(context.Context) (domain.EmbeddingSpace, error) { return s.space, nil }

func (s *store) CachedVectors(_ context.Context, _ int64, _ uuid.UUID, hashes [][]byte) (map[string][]float32, error) {
	found := make(map[string][]float32)
	for _, h := range hashes {
		if v, ok := s.cached[string(h)]; ok {
			found[string(h)] = v
		}
	}
	return found, nil
}

func (s *store) SaveChunks(_ context.Context, lease domain.Lease, _ uuid.UUID, _ int64, chunks []domain.Chunk, vectors [][]float32) error {
	s.lease, s.chunks, s.vectors = lease, chunks, vectors
	return nil
}

func TestWorkerEmbedsEachTextOnce(t *testing.T) {
	t.Parallel()
	server, w, s := startWorker(t)
	const known, twice = "Der erste Satz ist schon bekannt.", "Der zweite Satz steht zweimal da."
	s.pages = pages(known, twice, twice, "Der letzte Satz ist auch neu.")
	vector := make([]float32, 384)
	vector[3] = 1
	s.cached = map[string][]float32{string(embedding.Hash(embedding.Normalize(known))): vector}

	var reports []domain.Progress
	task := task(&reports)
	if err := w.Work(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if len(s.chunks) != 4 || len(s.vectors) != 4 || s.lease != task.Lease {
		t.Fatalf("saved %d chunks, %d vectors under %+v", len(s.chunks), len(s.vectors), s.lease)
	}
	if !cmp.Equal(s.vectors[0], vector) || !cmp.Equal(s.vectors[1], s.vectors[2]) || cmp.Equal(s.vectors[2], s.vectors[3]) {
		t.Error("the vectors do not belong to their texts")
	}
	if got := server.Batches(); len(got) != 1 || len(got[0]) != 2 {
		t.Errorf("embedded %q, want the two unknown texts", got)
	}
	for i, c := range s.chunks {
		if c.Language != "de" || c.PageFrom != i+1 || len(c.Hash) != 32 {
			t.Errorf("chunk %d is %+v", i, c)
		}
	}
	want := []domain.Progress{{Done: 2, Total: 4, Unit: "chunks"}, {Done: 4, Total: 4, Unit: "chunks"}}
	if diff := cmp.Diff(want, reports); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestWorkerSavesNothingAfterAFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := map[string]struct {
		arrange func(*llmtest.Server, *store)
		want    domain.Code
	}{
		"another space":  {func(_ *llmtest.Server, s *store) { s.space.ID++ }, domain.CodeUnavailable},
		"store fails":    {func(_ *llmtest.Server, s *store) { s.fail = broken }, domain.CodeInternal},
		"embedder fails": {func(f *llmtest.Server, _ *store) { f.Fail("/api/embed", llmtest.NaN, -1) }, domain.CodeModelMalformed},
		"model is gone":  {func(f *llmtest.Server, _ *store) { f.Fail("/api/embed", llmtest.MissingModel, -1) }, domain.CodeModelNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, w, s := startWorker(t)
			s.pages = pages("Ein Satz.")
			tt.arrange(server, s)
			wantCode(t, w.Work(t.Context(), task(new([]domain.Progress))), tt.want)
			if s.chunks != nil {
				t.Error("chunks were saved")
			}
		})
	}
}

func TestWorkerTakesADocumentWithoutText(t *testing.T) {
	t.Parallel()
	_, w, s := startWorker(t)
	if err := w.Work(t.Context(), task(new([]domain.Progress))); err != nil {
		t.Fatal(err)
	}
	if s.lease.Fence == 0 || len(s.chunks) != 0 {
		t.Errorf("saved %v under %+v", s.chunks, s.lease)
	}
}

func startWorker(t *testing.T) (*llmtest.Server, *embedding.Worker, *store) {
	t.Helper()
	server, b := start(t)
	s := &store{space: b.Space()}
	s.space.ChunkTokens = 20
	return server, &embedding.Worker{Store: s, Batcher: b, Log: slog.New(slog.DiscardHandler)}, s
}

// pages holds one text each, long enough to be a passage of its own.
func pages(texts ...string) []domain.Page {
	out := make([]domain.Page, len(texts))
	for i, text := range texts {
		out[i] = domain.Page{Number: i + 1, Text: strings.TrimSpace(text)}
	}
	return out
}

func task(reports *[]domain.Progress) domain.Task {
	return domain.Task{
		Job:      domain.Job{ID: uuid.New(), ResourceID: uuid.New()},
		Lease:    domain.Lease{Fence: 5},
		Progress: func(p domain.Progress) { *reports = append(*reports, p) },
	}
}
