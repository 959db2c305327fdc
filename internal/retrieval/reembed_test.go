package retrieval_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/postgres"
	"generalbackend/internal/retrieval"
)

// model is the built-in provider under another name. It can be told to keep a
// user's texts out, to do something first, and to make vectors that mean nothing.
type model struct {
	llm.Provider
	without uuid.UUID
	first   func()
	random  bool
	calls   int
}

func (*model) Name() string { return "model" }

func (m *model) admit(ctx context.Context, _ string) error {
	if llm.CallerOf(ctx).UserID == m.without {
		return domain.Errorf(domain.CodeLocalOnly, "This stays here.")
	}
	return nil
}

func (m *model) Embed(ctx context.Context, req llm.EmbedRequest) (llm.EmbedResponse, error) {
	if m.first != nil {
		first := m.first
		m.first = nil
		first()
	}
	for i := range req.Texts {
		if m.random {
			m.calls++
			req.Texts[i] = strings.Repeat("x", m.calls)
		}
	}
	req.Model = offline.Model
	return m.Provider.Embed(ctx, req)
}

// another is a space of the library's documents in a model, cut smaller.
func (l *library) another(m *model) (domain.EmbeddingSpace, *embedding.Reembedder) {
	l.t.Helper()
	m.Provider = offline.New()
	space := domain.EmbeddingSpace{Provider: m.Name(), Model: "m", Dims: l.batcher.Space().Dims, ChunkTokens: 12, OverlapToken: 2}
	return space, &embedding.Reembedder{
		Store: postgres.Ingest{Store: l.store}, Admit: m.admit, Log: quiet(),
		Batchers: func(space domain.EmbeddingSpace) (*embedding.Batcher, error) {
			b := embedding.NewBatcher(m, space)
			l.t.Cleanup(b.Close)
			return b, nil
		},
	}
}

// begin opens a re-embedding.
func (l *library) begin(owner uuid.UUID, r domain.Reembedding) (domain.Reembedding, domain.Job) {
	l.t.Helper()
	r.ID = uuid.Must(uuid.NewV7())
	job, err := l.store.BeginReembedding(l.t.Context(), r, reembedding(owner, r.ID))
	if err != nil {
		l.t.Fatal(err)
	}
	return l.standing(r.ID), job
}

func reembedding(owner, id uuid.UUID) domain.Submission {
	return domain.Submission{UserID: owner, Kind: domain.KindReembed, Stage: domain.StageReembed, Class: domain.ClassBulk, ResourceID: id}
}

func (l *library) standing(id uuid.UUID) domain.Reembedding {
	l.t.Helper()
	r, err := l.store.Reembedding(l.t.Context(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// use searches in a space from now on.
func (l *library) use(p llm.Provider, space domain.EmbeddingSpace) {
	l.t.Helper()
	b := embedding.NewBatcher(p, space)
	l.t.Cleanup(b.Close)
	l.batcher, l.searcher.Embedder = b, b
}

const (
	ferry  = "The ferry to the island leaves at nine every morning. It takes bicycles, but no cars and no horses."
	baker  = "The baker opens at six and bakes rye bread on Fridays. Children get a roll for nothing."
	garden = "The garden behind the school has apple trees and a pond. Frogs live there in spring."
)

// TestReembedding changes the model of a library under way.
func TestReembedding(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user := l.user()
	first := []uuid.UUID{l.add(user, nil, "en", ferry), l.add(user, nil, "en", baker, ferry)}
	former := l.batcher.Space()
	var late uuid.UUID
	m := &model{}
	m.first = func() { // while it runs, search goes on and documents come and go
		if found := l.search(retrieval.Request{UserID: user, Text: "ferry island"}); len(found.Passages) != 2 || found.Provider != offline.Name {
			t.Errorf("meanwhile found %+v", found)
		}
		late = l.add(user, nil, "en", garden)
	}
	space, worker := l.another(m)
	r, job := l.begin(user, domain.Reembedding{Space: space})
	if err := worker.Work(t.Context(), l.claim(job, domain.StageReembed)); err != nil {
		t.Fatal(err)
	}
	r = l.standing(r.ID)
	if r.State != domain.ReembeddingFinished || !r.Activated || *r.Recall != 1 || r.Progress.Done != 3 || r.Progress.Total != 3 {
		t.Fatalf("ended as %+v", r)
	}
	// Who still embeds in the space before stores nothing there any more.
	if err := l.try(user, "too late"); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("saved in the space before: %v", err)
	}
	l.use(m, r.Space)
	for text, want := range map[string]uuid.UUID{"bicycles horses": first[0], "rye bread": first[1], "frogs pond": late} {
		found := l.search(retrieval.Request{UserID: user, Text: text})
		if found.Provider != "model" || len(found.Passages) == 0 || found.Passages[0].DocumentID != want && text != "bicycles horses" {
			t.Errorf("%s: %+v", text, found)
		}
	}
	l.counts(map[int64][2]int64{former.ID: {3, 3}, r.Space.ID: {3, 15}})

	// The way back has only to embed what came since.
	since := l.add(user, nil, "en", "A heron stands at the weir.")
	m.first = func() { t.Error("the way back asked the model it leaves") }
	back, job := l.begin(user, domain.Reembedding{Space: former})
	worker.Batchers = func(space domain.EmbeddingSpace) (*embedding.Batcher, error) {
		b := embedding.NewBatcher(offline.New(), space)
		t.Cleanup(b.Close)
		return b, nil
	}
	if err := worker.Work(t.Context(), l.claim(job, domain.StageReembed)); err != nil {
		t.Fatal(err)
	}
	l.use(offline.New(), l.standing(back.ID).Space)
	if found := l.search(retrieval.Request{UserID: user, Text: "heron weir"}); len(found.Passages) == 0 || found.Passages[0].DocumentID != since {
		t.Errorf("after the way back: %+v", found)
	}
	if err := l.store.DeleteSpace(t.Context(), r.Space.ID); err != nil {
		t.Fatal(err)
	}
	l.counts(map[int64][2]int64{former.ID: {4, 4}})
}

// try takes a document to the end of its job and returns how that failed.
func (l *library) try(user uuid.UUID, text string) error {
	l.t.Helper()
	d := domain.Document{ID: uuid.Must(uuid.NewV7()), UserID: user, Type: domain.TypeText, Filename: "text.txt"}
	if err := l.store.BeginDocument(l.t.Context(), d); err != nil {
		l.t.Fatal(err)
	}
	_, job, err := l.store.AcceptDocument(l.t.Context(), d, domain.Submission{
		UserID: user, Kind: domain.KindIngest, Stage: domain.StageEmbed, Class: domain.ClassBulk, ResourceID: d.ID,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	chunk := domain.Chunk{PageFrom: 1, PageTo: 1, CharTo: len(text), Content: text}
	vector := make([]float32, l.batcher.Space().Dims)
	vector[0] = 1
	return l.store.SaveChunks(l.t.Context(), l.claim(job, domain.StageEmbed).Lease, d.ID, l.batcher.Space().ID, []domain.Chunk{chunk}, [][]float32{vector})
}

// counts compares the spaces with how many documents and chunks they should have.
func (l *library) counts(want map[int64][2]int64) {
	l.t.Helper()
	spaces, err := l.store.Spaces(l.t.Context())
	if err != nil || len(spaces) != len(want) {
		l.t.Fatalf("%d spaces, want %d; %v", len(spaces), len(want), err)
	}
	for _, s := range spaces {
		if got := [2]int64{s.Documents, s.Chunks}; got != want[s.ID] {
			l.t.Errorf("space %d has %d documents and chunks, want %d", s.ID, got, want[s.ID])
		}
	}
}

// TestReembeddingGoesOn where it was interrupted.
func TestReembeddingGoesOn(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user, shy := l.user(), l.user()
	for range 3 {
		l.add(user, nil, "en", ferry)
		l.add(shy, nil, "en", garden)
	}
	m := &model{without: shy}
	space, worker := l.another(m)
	r, job := l.begin(user, domain.Reembedding{Space: space})
	err := worker.Work(t.Context(), l.claim(job, domain.StageReembed))
	if domain.CodeOf(err) != domain.CodeReembeddingIncomplete || !strings.Contains(err.Error(), "embedded: 3") || !strings.Contains(err.Error(), "This stays here.") {
		t.Fatalf("with texts that were refused: %v", err)
	}
	if found := l.search(retrieval.Request{UserID: user, Text: "ferry"}); found.Provider != offline.Name || len(found.Passages) != 3 {
		t.Errorf("afterwards found %+v", found)
	}
	if _, err := l.store.ResumeReembedding(t.Context(), r.ID, reembedding(user, r.ID)); domain.CodeOf(err) != domain.CodeConflict {
		t.Errorf("resumed while it runs: %v", err)
	}
	if jobs, err := l.store.PauseReembedding(t.Context(), r.ID); err != nil || len(jobs) != 1 || l.standing(r.ID).State != domain.ReembeddingPaused {
		t.Fatalf("paused %d jobs, %v, %s", len(jobs), err, l.standing(r.ID).State)
	}
	if _, err := l.store.CancelAttempt(t.Context(), domain.Lease{JobID: job.ID, Fence: 1}); err != nil {
		t.Fatal(err)
	}
	if job, err = l.store.ResumeReembedding(t.Context(), r.ID, reembedding(user, r.ID)); err != nil {
		t.Fatal(err)
	}
	m.without = uuid.Nil
	if err := worker.Work(t.Context(), l.claim(job, domain.StageReembed)); err != nil {
		t.Fatal(err)
	}
	if r = l.standing(r.ID); !r.Activated || r.Progress.Done != 6 {
		t.Errorf("ended as %+v", r)
	}
}

func TestReembeddingOfAPartChangesNothing(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user, other := l.user(), l.user()
	project := l.project(user)
	inProject := l.add(user, project, "en", ferry)
	l.add(user, nil, "en", baker)
	l.add(other, nil, "en", garden)
	space, worker := l.another(&model{})
	for i, scope := range []domain.ReembeddingScope{{DocumentID: &inProject}, {ProjectID: project}, {UserID: &user}} {
		r, job := l.begin(user, domain.Reembedding{Space: space, Scope: scope})
		if err := worker.Work(t.Context(), l.claim(job, domain.StageReembed)); err != nil {
			t.Fatal(err)
		}
		if r = l.standing(r.ID); r.State != domain.ReembeddingFinished || r.Activated || r.Progress.Done != []int{1, 1, 2}[i] {
			t.Errorf("%+v ended as %+v", scope, r)
		}
	}
	plan, err := l.store.PlanReembedding(t.Context(), space, domain.ReembeddingScope{})
	if err != nil || plan.Documents != 1 {
		t.Errorf("left to do: %+v, %v", plan, err)
	}
	if active, err := l.store.ActiveSpace(t.Context()); err != nil || active.Provider != offline.Name {
		t.Errorf("active is %+v, %v", active, err)
	}
}

// TestReembeddingChecksTheNewSpace: vectors without meaning never serve.
func TestReembeddingChecksTheNewSpace(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user := l.user()
	for i := range 30 {
		l.add(user, nil, "en", strings.Repeat(string(rune('a'+i%26))+"bc ", i+3))
	}
	space, worker := l.another(&model{random: true})
	_, job := l.begin(user, domain.Reembedding{Space: space})
	if err := worker.Work(t.Context(), l.claim(job, domain.StageReembed)); domain.CodeOf(err) != domain.CodeRecallLow {
		t.Fatalf("with vectors that mean nothing: %v", err)
	}
	if active, err := l.store.ActiveSpace(t.Context()); err != nil || active.Provider != offline.Name {
		t.Errorf("active is %+v, %v", active, err)
	}
}

// TestReembeddingStops with its job.
func TestReembeddingStops(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	user := l.user()
	l.add(user, nil, "en", ferry)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	space, worker := l.another(&model{first: cancel})
	_, job := l.begin(user, domain.Reembedding{Space: space})
	if err := worker.Work(ctx, l.claim(job, domain.StageReembed)); !errors.Is(err, context.Canceled) && domain.CodeOf(err) != domain.CodeCancelled {
		t.Errorf("ended with %v", err)
	}
}
