package retrieval_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
	"generalbackend/internal/retrieval"
)

// library is a real database whose documents went through the embed stage.
type library struct {
	t        *testing.T
	store    *postgres.Store
	batcher  *embedding.Batcher
	searcher *retrieval.Searcher
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	store := postgrestest.NewStore(t)
	space, err := embedding.Space(t.Context(), offline.New(), offline.Model)
	if err != nil {
		t.Fatal(err)
	}
	if space, err = store.EnsureSpace(t.Context(), space); err != nil {
		t.Fatal(err)
	}
	batcher := embedding.NewBatcher(offline.New(), space)
	t.Cleanup(batcher.Close)
	return &library{t: t, store: store, batcher: batcher, searcher: &retrieval.Searcher{Store: store, Embedder: batcher, Log: quiet(), Patience: time.Minute}}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (l *library) user() uuid.UUID {
	l.t.Helper()
	id := uuid.Must(uuid.NewV7())
	if _, err := l.store.CreateUser(l.t.Context(), domain.User{ID: id, Email: id.String() + "@example.org", PasswordHash: "x"}); err != nil {
		l.t.Fatal(err)
	}
	return id
}

func (l *library) project(user uuid.UUID) *uuid.UUID {
	l.t.Helper()
	p, err := l.store.CreateProject(l.t.Context(), domain.Project{ID: uuid.Must(uuid.NewV7()), UserID: user, Type: "private_gpt", Name: "test", Config: []byte("{}")})
	if err != nil {
		l.t.Fatal(err)
	}
	return &p.ID
}

// add takes a document through both stages of its job.
func (l *library) add(user uuid.UUID, project *uuid.UUID, language string, pages ...string) uuid.UUID {
	l.t.Helper()
	ctx := l.t.Context()
	d := domain.Document{ID: uuid.Must(uuid.NewV7()), UserID: user, ProjectID: project, Type: domain.TypeText, Filename: "text.txt"}
	if err := l.store.BeginDocument(ctx, d); err != nil {
		l.t.Fatal(err)
	}
	_, job, err := l.store.AcceptDocument(ctx, d, domain.Submission{
		UserID: user, ProjectID: project, Kind: domain.KindIngest, Stage: domain.StageExtract, Class: domain.ClassBulk, ResourceID: d.ID,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	ingest := postgres.Ingest{Store: l.store}
	x := domain.Extraction{Type: domain.TypeText, Language: language, PageCount: len(pages), State: domain.DocumentReady}
	for i, text := range pages {
		x.Pages = append(x.Pages, domain.Page{Number: i + 1, Text: text, Quality: domain.PageQuality{Readable: true}})
	}
	if err := ingest.SaveExtraction(ctx, l.claim(job, domain.StageExtract).Lease, d.ID, x); err != nil {
		l.t.Fatal(err)
	}
	worker := embedding.Worker{Store: ingest, Batcher: l.batcher, Log: quiet()}
	if err := worker.Work(ctx, l.claim(job, domain.StageEmbed)); err != nil {
		l.t.Fatal(err)
	}
	return d.ID
}

func (l *library) claim(job domain.Job, stage domain.Stage) domain.Task {
	l.t.Helper()
	tasks, err := l.store.Claim(l.t.Context(), stage, []uuid.UUID{job.ID}, "test", time.Minute)
	if err != nil || len(tasks) != 1 {
		l.t.Fatalf("claim of %s: %d tasks, %v", stage, len(tasks), err)
	}
	tasks[0].Progress = func(domain.Progress) {}
	return tasks[0]
}

func (l *library) search(r retrieval.Request) retrieval.Result {
	l.t.Helper()
	got, err := l.searcher.Search(l.t.Context(), r)
	if err != nil {
		l.t.Fatalf("search for %q: %v", r.Text, err)
	}
	return got
}
