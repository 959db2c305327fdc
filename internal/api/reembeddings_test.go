package api_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm/offline"
)

// spaces knows every model. A provider named like a code fails with it.
type spaces struct{}

func (spaces) Describe(_ context.Context, provider, model string) (domain.EmbeddingSpace, error) {
	if strings.Contains(provider, "_") {
		return domain.EmbeddingSpace{}, domain.Errorf(domain.Code(provider), "The test wants it so.")
	}
	return domain.EmbeddingSpace{Provider: provider, Model: model, Dims: 384, ChunkTokens: 100, OverlapToken: 10}, nil
}

func (spaces) Speed(_ context.Context, space domain.EmbeddingSpace, _ int) (float64, error) {
	if space.Model == "lost" {
		return 0, domain.Errorf(domain.CodeModelUnavailable, "The model is lost.")
	}
	return 2, nil
}

// batcher embeds offline, whatever the space says.
func (s *system) batcher(space domain.EmbeddingSpace) (*embedding.Batcher, error) {
	space.Model = offline.Model
	b := embedding.NewBatcher(offline.New(), space)
	s.t.Cleanup(b.Close)
	return b, nil
}

// embedded makes a space the active one and puts a ready document of a user
// into it.
func (s *system) embedded(u *user, space domain.EmbeddingSpace) domain.EmbeddingSpace {
	s.t.Helper()
	space, err := s.store.EnsureSpace(s.t.Context(), space)
	if err != nil {
		s.t.Fatal(err)
	}
	d := u.ready("the ferry")
	tx := s.begin()
	defer tx.commit()
	tx.exec(`INSERT INTO chunks (space_id, document_id, user_id, ordinal, page_from, page_to, char_from, char_to, content, content_hash, tsv)
		VALUES ($1, $2, $3, 0, 1, 1, 0, 15, 'About the ferry', '\x00', '')`, space.ID, d.ID, u.id)
	tx.exec(`INSERT INTO embeddings (chunk_id, space_id, user_id, document_id, embedding)
		SELECT id, space_id, user_id, document_id, array_fill(1, ARRAY[384])::halfvec FROM chunks WHERE document_id = $1`, d.ID)
	return space
}

var hashed = domain.EmbeddingSpace{Provider: "offline", Model: "hashing", Dims: 384, ChunkTokens: 100, OverlapToken: 10}

func (u *user) reembedding(status int, method, path string, body any) api.Reembedding {
	u.t.Helper()
	var r api.Reembedding
	u.must(status, method, "/v1/admin/reembeddings"+path, body).into(u.t, &r)
	return r
}

func (u *user) spaces() []api.EmbeddingSpace {
	u.t.Helper()
	var page api.Page[api.EmbeddingSpace]
	u.must(200, "GET", "/v1/admin/embedding-spaces", nil).into(u.t, &page)
	return page.Items
}

// ended waits until a re-embedding is no longer running.
func (u *user) ended(id uuid.UUID) api.Reembedding {
	u.t.Helper()
	for {
		if r := u.reembedding(200, "GET", "/"+id.String(), nil); r.State != "running" {
			return r
		}
		pause()
	}
}

// TestReembedding goes there and back.
func TestReembedding(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, u := s.newAdmin(), s.newUser()
	s.work()
	first := s.embedded(u, hashed)

	begun := admin.reembedding(202, "POST", "", object{"provider": "ollama", "model": "all-minilm"})
	if begun.Provider != "ollama" || begun.Model != "all-minilm" || *begun.FormerID != first.ID || begun.JobID == nil || begun.Activated {
		t.Errorf("begun as %+v", begun)
	}
	done := admin.ended(begun.ID)
	if done.State != "finished" || !done.Activated || *done.Recall != 1 || done.FinishedAt == nil || done.Error != nil ||
		done.Progress != (api.Progress{Done: 1, Total: 1, Unit: "documents"}) {
		t.Fatalf("ended as %+v, %+v", done, done.Error)
	}
	shown := admin.spaces()
	if len(shown) != 2 || shown[0].ID != done.SpaceID || shown[0].State != "active" || shown[0].Documents != 1 || shown[0].Passages != 1 ||
		shown[1].ID != first.ID || shown[1].State != "retired" {
		t.Errorf("spaces %+v", shown)
	}
	job := admin.job(*done.JobID)
	if job.Kind != "reembed" || job.Stage != "reembed" || job.Class != "bulk" || job.Resource.Type != "reembedding" {
		t.Errorf("job %+v", job)
	}
	admin.must(200, "GET", job.Resource.Href, nil)

	back := admin.ended(admin.reembedding(202, "POST", "/"+begun.ID.String()+"/rollback", nil).ID)
	if !back.Activated || back.SpaceID != first.ID || *back.FormerID != done.SpaceID {
		t.Errorf("back as %+v", back)
	}
	admin.must(204, "DELETE", spacePath(done.SpaceID), nil)
	if shown = admin.spaces(); len(shown) != 1 || shown[0].ID != first.ID {
		t.Errorf("spaces after one was deleted: %+v", shown)
	}
	admin.refused(domain.CodeConflict, 409, "POST", "/v1/admin/reembeddings/"+back.ID.String()+"/rollback", nil)
	admin.refused(domain.CodeConflict, 409, "DELETE", spacePath(first.ID), nil)
	admin.refused(domain.CodeNotFound, 404, "DELETE", spacePath(done.SpaceID), nil)
}

func spacePath(id int64) string { return "/v1/admin/embedding-spaces/" + strconv.FormatInt(id, 10) }

// TestReembeddingStops and goes on as it is told. No worker runs until the end.
func TestReembeddingStops(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin := s.newAdmin()
	if _, err := s.store.EnsureSpace(t.Context(), hashed); err != nil {
		t.Fatal(err)
	}
	order := object{"provider": "ollama", "model": "all-minilm", "passages_per_minute": 600, "user_id": admin.id}
	begun := admin.reembedding(202, "POST", "", order)
	path := "/" + begun.ID.String()
	if begun.State != "running" || begun.PerMinute != 600 || *begun.Scope.UserID != admin.id {
		t.Errorf("begun as %+v", begun)
	}
	whole := "/v1/admin/reembeddings"
	admin.refused(domain.CodeConflict, 409, "POST", whole, object{"provider": "ollama", "model": "other"})
	admin.refused(domain.CodeConflict, 409, "POST", whole, object{"provider": "offline", "model": "hashing"})
	admin.refused(domain.CodeConflict, 409, "POST", whole+path+"/resume", nil)
	admin.refused(domain.CodeConflict, 409, "POST", whole+path+"/rollback", nil)
	admin.refused(domain.CodeConflict, 409, "DELETE", spacePath(begun.SpaceID), nil)
	if r := admin.reembedding(200, "POST", path+"/pause", nil); r.State != "paused" {
		t.Errorf("paused as %+v", r)
	}
	resumed := admin.reembedding(200, "POST", path+"/resume", nil)
	if resumed.State != "running" || *resumed.JobID == *begun.JobID {
		t.Errorf("resumed as %+v", resumed)
	}
	if r := admin.reembedding(200, "POST", path+"/cancel", nil); r.State != "cancelled" || r.FinishedAt == nil {
		t.Errorf("cancelled as %+v", r)
	}
	for _, action := range []string{"/pause", "/resume", "/cancel"} {
		admin.refused(domain.CodeConflict, 409, "POST", whole+path+action, nil)
		admin.refused(domain.CodeNotFound, 404, "POST", whole+"/"+uuid.NewString()+action, nil)
	}
	admin.refused(domain.CodeNotFound, 404, "POST", whole+"/"+uuid.NewString()+"/rollback", nil)
	admin.refused(domain.CodeNotFound, 404, "GET", whole+"/"+uuid.NewString(), nil)

	again := admin.reembedding(202, "POST", "", order)
	s.work()
	if r := admin.ended(again.ID); r.State != "finished" || r.Activated || r.SpaceID != begun.SpaceID {
		t.Errorf("a part ended as %+v", r)
	}
	var page api.Page[api.Reembedding]
	admin.must(200, "GET", whole+"?limit=1", nil).into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != again.ID || page.NextCursor == nil {
		t.Errorf("list %+v", page)
	}
	admin.must(200, "GET", whole+"?cursor="+*page.NextCursor, nil).into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != begun.ID {
		t.Errorf("second page %+v", page)
	}
	admin.refused(domain.CodeInvalidCursor, 400, "GET", whole+"?cursor=x", nil)
	for _, action := range []string{"start", "pause", "resume", "cancel"} {
		var log api.Page[api.AuditEntry]
		if admin.must(200, "GET", "/v1/admin/audit-log?action=reembedding."+action, nil).into(t, &log); len(log.Items) == 0 {
			t.Errorf("%s is not in the audit log", action)
		}
	}
}

func TestReembeddingPlan(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, u := s.newAdmin(), s.newUser()
	s.work()
	s.embedded(u, hashed)
	const plan = "/v1/admin/reembeddings/plan"
	var p api.ReembeddingPlan
	admin.must(200, "POST", plan, object{"provider": "ollama", "model": "all-minilm"}).into(t, &p)
	if p.Documents != 1 || p.Passages != 1 || p.Tokens != 3 || p.Dimensions != 384 || p.Seconds == nil || *p.Seconds != 1 {
		t.Errorf("plan %+v", p)
	}
	admin.must(200, "POST", plan, object{"provider": "ollama", "model": "all-minilm", "passages_per_minute": 6}).into(t, &p)
	if *p.Seconds != 10 {
		t.Errorf("at six a minute %+v", p)
	}
	admin.must(200, "POST", plan, object{"provider": "ollama", "model": "all-minilm", "user_id": admin.id}).into(t, &p)
	if p.Documents != 0 || p.Seconds != nil {
		t.Errorf("of nobody %+v", p)
	}
	admin.refused(domain.CodeModelUnavailable, 503, "POST", plan, object{"provider": "ollama", "model": "lost"})
	for code, status := range map[domain.Code]int{
		domain.CodeProviderUnknown: 422, domain.CodeModelNotFound: 422, domain.CodeModelUnavailable: 503, domain.CodeModelOverloaded: 503,
		domain.CodeModelRateLimited: 503, domain.CodeModelTimeout: 504, domain.CodeModelMalformed: 502,
	} {
		for _, path := range []string{plan, "/v1/admin/reembeddings"} {
			admin.refused(code, status, "POST", path, object{"provider": string(code)})
		}
	}
	if shown := admin.spaces(); len(shown) != 1 {
		t.Errorf("a plan made spaces: %+v", shown)
	}
}
