package conversation_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/conversation"
	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/llm/ollama"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
	"generalbackend/internal/retrieval"
)

// room is a project with documents to ask: a real database, real retrieval, and
// a model's server that answers as the test says.
type room struct {
	t        *testing.T
	store    *postgres.Store
	batcher  *embedding.Batcher
	searcher retrieval.Searcher
	model    *llmtest.Server
	worker   *conversation.Worker
	heard    *hearing

	user, project uuid.UUID
	provider      string
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, store: postgrestest.NewStore(t), model: llmtest.NewServer(), heard: &hearing{}, provider: ollama.Name}
	t.Cleanup(r.model.Close)
	space, err := embedding.Space(t.Context(), offline.New(), offline.Model)
	if err != nil {
		t.Fatal(err)
	}
	if space, err = r.store.EnsureSpace(t.Context(), space); err != nil {
		t.Fatal(err)
	}
	r.batcher = embedding.NewBatcher(offline.New(), space)
	t.Cleanup(r.batcher.Close)
	r.searcher = retrieval.Searcher{Store: r.store, Embedder: r.batcher, Log: slog.New(slog.DiscardHandler), Patience: time.Minute}
	client, err := r.client()
	if err != nil {
		t.Fatal(err)
	}
	r.worker = conversation.NewWorker(postgres.Conversation{Store: r.store}, r, llmtest.NewRegistry(llmtest.ChatModel, client, offline.New()), r.heard,
		conversation.Options{})
	r.user = uuid.Must(uuid.NewV7())
	if _, err := r.store.CreateUser(t.Context(), domain.User{ID: r.user, Email: r.user.String() + "@example.org", PasswordHash: "x"}); err != nil {
		t.Fatal(err)
	}
	r.project = r.newProject()
	return r
}

// client asks the model's server.
func (r *room) client() (llm.Provider, error) { return ollama.New(ollama.Config{BaseURL: r.model.URL}) }

func (r *room) newProject() uuid.UUID {
	r.t.Helper()
	p, err := r.store.CreateProject(r.t.Context(), domain.Project{
		ID: uuid.Must(uuid.NewV7()), UserID: r.user, Type: domain.ProjectPrivateGPT, Name: "room", Config: []byte("{}"),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return p.ID
}

// ProjectPassages implements conversation.Searcher.
func (r *room) ProjectPassages(ctx context.Context, userID, projectID uuid.UUID, documents []uuid.UUID, query string, limit int) ([]domain.Passage, string, error) {
	found, err := r.searcher.Search(ctx, retrieval.Request{UserID: userID, ProjectID: &projectID, DocumentIDs: documents, Text: query, Limit: limit})
	return found.Passages, string(found.Mode), err
}

// add takes a document through both stages of its job.
func (r *room) add(title, language string, pages ...string) uuid.UUID {
	r.t.Helper()
	ctx := r.t.Context()
	d := domain.Document{ID: uuid.Must(uuid.NewV7()), UserID: r.user, ProjectID: &r.project, Type: domain.TypeText, Filename: title, Title: title}
	if err := r.store.BeginDocument(ctx, d); err != nil {
		r.t.Fatal(err)
	}
	_, job, err := r.store.AcceptDocument(ctx, d, domain.Submission{
		UserID: r.user, ProjectID: &r.project, Kind: domain.KindIngest, Stage: domain.StageExtract, Class: domain.ClassBulk, ResourceID: d.ID,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	x := domain.Extraction{Type: domain.TypeText, Title: title, Language: language, PageCount: len(pages), State: domain.DocumentReady}
	for i, text := range pages {
		x.Pages = append(x.Pages, domain.Page{Number: i + 1, Text: text, Quality: domain.PageQuality{Readable: true}})
	}
	ingest := postgres.Ingest{Store: r.store}
	if err := ingest.SaveExtraction(ctx, r.claim(job, domain.StageExtract).Lease, d.ID, x); err != nil {
		r.t.Fatal(err)
	}
	worker := embedding.Worker{Store: ingest, Batcher: r.batcher, Log: slog.New(slog.DiscardHandler)}
	if err := worker.Work(ctx, r.claim(job, domain.StageEmbed)); err != nil {
		r.t.Fatal(err)
	}
	return d.ID
}

func (r *room) claim(job domain.Job, stage domain.Stage) domain.Task {
	r.t.Helper()
	tasks, err := r.store.Claim(r.t.Context(), stage, []uuid.UUID{job.ID}, "test", time.Minute)
	if err != nil || len(tasks) != 1 {
		r.t.Fatalf("claim of %s: %d tasks, %v", stage, len(tasks), err)
	}
	tasks[0].Progress = func(domain.Progress) {}
	return tasks[0]
}

// question submits a question and claims its job.
func (r *room) question(text string) domain.Task {
	r.t.Helper()
	m := domain.ChatMessage{ID: uuid.Must(uuid.NewV7()), UserID: r.user, ProjectID: r.project, Role: domain.ChatUser, State: domain.ChatReady, Content: text}
	a := m
	a.ID, a.Role, a.State, a.Content = uuid.Must(uuid.NewV7()), domain.ChatAssistant, domain.ChatPending, ""
	a.Metadata.Provider = r.provider
	_, _, job, err := r.store.CreateTurn(r.t.Context(), m, a, domain.Submission{
		UserID: r.user, ProjectID: &r.project, Kind: domain.KindChat, Stage: domain.StageChat, Class: domain.ClassInteractive, ResourceID: a.ID,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.claim(job, domain.StageChat)
}

// ask has a question answered.
func (r *room) ask(text string) domain.ChatMessage {
	r.t.Helper()
	task := r.question(text)
	if err := r.worker.Work(r.t.Context(), task); err != nil {
		r.t.Fatalf("%q: %v", text, err)
	}
	return r.message(task)
}

func (r *room) message(task domain.Task) domain.ChatMessage {
	r.t.Helper()
	m, err := r.store.ChatMessage(r.t.Context(), r.user, r.project, task.Job.ResourceID)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *room) forget() {
	r.t.Helper()
	if _, err := r.store.ClearChat(r.t.Context(), r.user, r.project); err != nil {
		r.t.Fatal(err)
	}
}

// hearing keeps the pieces of answers.
type hearing struct {
	mu     sync.Mutex
	pieces []domain.TokenEvent
}

// PublishToken implements conversation.Tokens.
func (h *hearing) PublishToken(e domain.TokenEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pieces = append(h.pieces, e)
}

// of returns the pieces of a job's answer.
func (h *hearing) of(job uuid.UUID) (pieces []domain.TokenEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.pieces {
		if e.JobID == job {
			pieces = append(pieces, e)
		}
	}
	return pieces
}
