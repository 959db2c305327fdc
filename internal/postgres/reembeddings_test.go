package postgres_test

import (
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// TestGettingOnForgivesFailures: a long job is judged by what happened since it
// last stored something.
func TestGettingOnForgivesFailures(t *testing.T) {
	t.Parallel()
	store := open(t)
	ctx, user := t.Context(), newUser(t, store)
	_, uploaded := upload(t, store, user, "", []byte("abc"))
	chunks := []domain.Chunk{{PageFrom: 1, PageTo: 1, CharTo: 3, Content: "abc", Language: "en"}}
	ingest(t, store, uploaded, []domain.Page{readable(1, "abc")}, chunks)

	r := domain.Reembedding{
		ID:    uuid.Must(uuid.NewV7()),
		Space: domain.EmbeddingSpace{Provider: "ollama", Model: "n", Dims: 3, ChunkTokens: 9, OverlapToken: 1},
	}
	job, err := store.BeginReembedding(ctx, r, domain.Submission{
		UserID: user, Kind: domain.KindReembed, Stage: domain.StageReembed, Class: domain.ClassBulk, ResourceID: r.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	begun, err := store.Reembedding(ctx, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		failed := claim(t, store, job, domain.StageReembed)
		if owned, err := store.Retry(ctx, failed, &domain.JobError{Code: domain.CodeModelTimeout, Detail: "Slow."}, 0, false); !owned || err != nil {
			t.Fatalf("owned %v, %v", owned, err)
		}
	}
	lease := claim(t, store, job, domain.StageReembed)
	if now, err := store.Job(ctx, user, job.ID); err != nil || now.Attempt != 4 {
		t.Fatalf("before it got on: attempt %d, %v", now.Attempt, err)
	}
	if err := store.SaveReembedded(ctx, lease, uploaded.ResourceID, begun.Space.ID, chunks, [][]float32{{0, 1, 0}}); err != nil {
		t.Fatal(err)
	}
	if now, err := store.Job(ctx, user, job.ID); err != nil || now.Attempt != 1 {
		t.Errorf("after it got on: attempt %d, %v", now.Attempt, err)
	}
	if n, err := store.Covered(ctx, begun.Space.ID, domain.ReembeddingScope{}); err != nil || n != 1 {
		t.Errorf("%d documents are in the new space, %v", n, err)
	}
}
