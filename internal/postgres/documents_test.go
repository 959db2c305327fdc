package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
)

func open(t *testing.T) *postgres.Store {
	t.Helper()
	return postgrestest.NewStore(t)
}

func newUser(t *testing.T, store *postgres.Store) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	if _, err := store.CreateUser(t.Context(), domain.User{ID: id, Email: id.String() + "@example.org", PasswordHash: "x"}); err != nil {
		t.Fatal(err)
	}
	return id
}

// upload accepts a document with the given bytes.
func upload(t *testing.T, store *postgres.Store, user uuid.UUID, key string, parts ...[]byte) (domain.Document, domain.Job) {
	t.Helper()
	d := domain.Document{ID: uuid.Must(uuid.NewV7()), UserID: user, Type: domain.TypeTXT, Filename: "a.txt", SHA256: []byte("s"), Size: 3}
	if err := store.BeginDocument(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for i, part := range parts {
		if err := store.AppendPart(t.Context(), d.ID, i, part); err != nil {
			t.Fatal(err)
		}
	}
	accepted, job, err := store.AcceptDocument(t.Context(), d, domain.Submission{
		UserID: user, Kind: domain.KindIngest, Stage: domain.StageExtract, Class: domain.ClassInteractive,
		ResourceID: d.ID, IdempotencyKey: key, RequestHash: []byte("s"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return accepted, job
}

// ingest takes a document through both stages.
func ingest(t *testing.T, store *postgres.Store, job domain.Job, pages []domain.Page, chunks []domain.Chunk) {
	t.Helper()
	ctx := t.Context()
	space, err := store.EnsureSpace(ctx, domain.EmbeddingSpace{Provider: "offline", Model: "m", Dims: 3, ChunkTokens: 9, OverlapToken: 1})
	if err != nil {
		t.Fatal(err)
	}
	lease := claim(t, store, job, domain.StageExtract)
	state := domain.DocumentReady
	for _, p := range pages {
		if !p.Quality.Readable {
			state = domain.DocumentPartial
		}
	}
	x := domain.Extraction{Type: domain.TypeTXT, Language: "en", Pages: pages, PageCount: len(pages), State: state}
	if err := (postgres.Ingest{Store: store}).SaveExtraction(ctx, lease, job.ResourceID, x); err != nil {
		t.Fatal(err)
	}
	vectors := make([][]float32, len(chunks))
	for i := range vectors {
		vectors[i] = []float32{1, 0, 0}
	}
	if err := store.SaveChunks(ctx, claim(t, store, job, domain.StageEmbed), job.ResourceID, space.ID, chunks, vectors); err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, store *postgres.Store, job domain.Job, stage domain.Stage) domain.Lease {
	t.Helper()
	tasks, err := store.Claim(t.Context(), stage, []uuid.UUID{job.ID}, "w", time.Minute)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("%d claimed, %v", len(tasks), err)
	}
	return tasks[0].Lease
}

func readable(number int, text string) domain.Page {
	return domain.Page{Number: number, Text: text, Quality: domain.PageQuality{Chars: len(text), Readable: true}}
}

func TestUploadsAreInvisibleUntilAccepted(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	d := domain.Document{ID: uuid.Must(uuid.NewV7()), UserID: user, Type: domain.TypeTXT}
	if err := store.BeginDocument(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Document(t.Context(), user, d.ID); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("an upload under way is seen: %v", err)
	}
	if n, err := store.DeleteAbandonedUploads(t.Context(), 3600); n != 0 || err != nil {
		t.Errorf("a fresh upload was swept: %d, %v", n, err)
	}
	if n, err := store.DeleteAbandonedUploads(t.Context(), -1); n != 1 || err != nil {
		t.Errorf("an abandoned upload stayed: %d, %v", n, err)
	}
}

// When the connection breaks while an upload is being accepted, the edge cannot
// know whether it was, and drops it.
func TestDroppingAnAcceptedUploadDoesNothing(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	document, _ := upload(t, store, user, "", []byte("abc"))
	if err := store.DropUpload(t.Context(), user, document.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Document(t.Context(), user, document.ID); err != nil {
		t.Errorf("the accepted document is gone: %v", err)
	}
}

func TestOriginalsComeBackWhole(t *testing.T) {
	t.Parallel()
	store := open(t)
	parts := [][]byte{bytes.Repeat([]byte("a"), postgres.PartSize), []byte("b\x00c")}
	d, _ := upload(t, store, newUser(t, store), "", parts...)
	r, err := store.Original(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, bytes.Join(parts, nil)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestRepeatedUploadIsOneDocument(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	first, job := upload(t, store, user, "key", []byte("abc"))
	second, again := upload(t, store, user, "key", []byte("abc"))
	if first.ID != second.ID || job.ID != again.ID {
		t.Errorf("two documents of one key")
	}
	list, err := store.Documents(t.Context(), user, postgres.DocumentFilter{Limit: 10})
	if err != nil || len(list) != 1 {
		t.Errorf("%d documents, %v", len(list), err)
	}
}

func TestIngestMakesTheDocumentUsable(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	d, job := upload(t, store, user, "", []byte("abc"))
	unread := domain.Page{Number: 2, Quality: domain.PageQuality{Reason: "no_text"}}
	ingest(t, store, job, []domain.Page{readable(1, "alpha"), unread}, []domain.Chunk{{PageFrom: 1, PageTo: 1, CharTo: 5, Content: "alpha"}})
	got, err := store.Document(t.Context(), user, d.ID)
	if err != nil || got.State != domain.DocumentPartial || got.PageCount != 2 || len(got.UnreadablePages) != 1 || got.UnreadablePages[0] != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if got.Content != "alpha"+domain.PageSeparator {
		t.Errorf("content %q", got.Content)
	}
	pages, err := store.PagesFrom(t.Context(), user, d.ID, 1, 10)
	if err != nil || len(pages) != 1 || pages[0].Quality.Reason != "no_text" {
		t.Errorf("%+v, %v", pages, err)
	}
	ended, err := store.Job(t.Context(), user, job.ID)
	if err != nil || ended.State != domain.StateSucceeded {
		t.Errorf("%s, %v", ended.State, err)
	}
}

func TestFailedJobFailsItsDocument(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	d, job := upload(t, store, user, "", []byte("abc"))
	cause := domain.JobError{Code: domain.CodeNoTextFound, Detail: "No text.", Hint: "Scanned?"}
	if owned, err := store.Fail(t.Context(), claim(t, store, job, domain.StageExtract), cause); !owned || err != nil {
		t.Fatal(owned, err)
	}
	got, err := store.Document(t.Context(), user, d.ID)
	if err != nil || got.State != domain.DocumentFailed || got.Error == nil || *got.Error != cause {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := store.RetryJob(t.Context(), user, job.ID); err != nil {
		t.Fatal(err)
	}
	if got, err = store.Document(t.Context(), user, d.ID); err != nil || got.State != domain.DocumentPending || got.Error != nil {
		t.Errorf("after retry: %+v, %v", got, err)
	}
}

func TestDeleteLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	d, job := upload(t, store, user, "", []byte("abc"))
	ingest(t, store, job, []domain.Page{readable(1, "alpha")}, []domain.Chunk{{PageFrom: 1, PageTo: 1, CharTo: 5, Content: "alpha"}})
	if _, err := store.DeleteDocument(t.Context(), newUser(t, store), d.ID); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("deleting another's document: %v", err)
	}
	if _, err := store.DeleteDocument(t.Context(), user, d.ID); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"documents", "document_parts", "document_pages", "chunks", "embeddings"} {
		if n := count(t, store, table); n != 0 {
			t.Errorf("%d rows left in %s", n, table)
		}
	}
}

func TestDeleteStopsRunningWork(t *testing.T) {
	t.Parallel()
	store := open(t)
	user := newUser(t, store)
	d, job := upload(t, store, user, "", []byte("abc"))
	lease := claim(t, store, job, domain.StageExtract)
	stopped, err := store.DeleteDocument(t.Context(), user, d.ID)
	if err != nil || len(stopped) != 1 || !stopped[0].CancelRequested {
		t.Fatalf("%+v, %v", stopped, err)
	}
	err = postgres.Ingest{Store: store}.SaveExtraction(context.Background(), lease, d.ID, domain.Extraction{State: domain.DocumentReady})
	if !errors.Is(err, domain.ErrLeaseLost) {
		t.Errorf("a late effect: %v", err)
	}
}

func TestUnchangedTextHasItsVectorOnlyForItsOwner(t *testing.T) {
	t.Parallel()
	store := open(t)
	user, other := newUser(t, store), newUser(t, store)
	_, job := upload(t, store, user, "", []byte("abc"))
	ingest(t, store, job, []domain.Page{readable(1, "alpha")}, []domain.Chunk{{PageFrom: 1, PageTo: 1, CharTo: 5, Content: "alpha", Hash: []byte("h")}})
	space, err := store.ActiveSpace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for owner, want := range map[uuid.UUID]int{user: 1, other: 0} {
		vectors, err := store.CachedVectors(t.Context(), space.ID, owner, [][]byte{[]byte("h"), []byte("x")})
		if err != nil || len(vectors) != want {
			t.Errorf("%d vectors, want %d, %v", len(vectors), want, err)
		}
	}
	changed := domain.EmbeddingSpace{Provider: "ollama", Model: "n", Dims: 4, ChunkTokens: 9, OverlapToken: 1}
	if kept, err := store.EnsureSpace(t.Context(), changed); err != nil || kept.ID != space.ID {
		t.Errorf("a space that holds vectors was left: %+v, %v", kept, err)
	}
}
