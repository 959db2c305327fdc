package api_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/llm/ollama"
)

// withModel is an option: a model's server that answers as the test says.
func withModel(t *testing.T) (*llmtest.Server, func(*api.Options)) {
	t.Helper()
	model := llmtest.NewServer()
	t.Cleanup(model.Close)
	client, err := ollama.New(ollama.Config{BaseURL: model.URL})
	if err != nil {
		t.Fatal(err)
	}
	return model, func(o *api.Options) { o.Providers = llmtest.NewRegistry(llmtest.ChatModel, offline.New(), client) }
}

func TestInterview(t *testing.T) {
	t.Parallel()
	model, option := withModel(t)
	system := newSystem(t, option)
	system.work()
	s := system.newUser().teller(object{"born_on": "1938-05-17"})
	var accepted api.AcceptedInterview
	s.must(202, "POST", s.path+"/interview", object{}, "Idempotency-Key: k").into(t, &accepted)
	if accepted.Question.State != "pending" || accepted.Job.Kind != "story" {
		t.Errorf("accepted %+v", accepted)
	}
	if made := accepted.Job.Resource; made.Type != "question" || made.Href != s.path+"/questions/"+accepted.Question.ID.String() {
		t.Errorf("the job makes %+v", made)
	}
	var again api.AcceptedInterview
	s.must(202, "POST", s.path+"/interview", object{}, "Idempotency-Key: k").into(t, &again)
	if again.Question.ID != accepted.Question.ID || again.Job.ID != accepted.Job.ID {
		t.Errorf("the same key asked again: %+v", again)
	}
	s.refused(domain.CodeIdempotencyReused, 422, "POST", s.path+"/interview", object{"provider": "ollama"}, "Idempotency-Key: k")
	s.await(accepted.Job.ID) // or it would ask about what is told next
	model.OnChat(func(llmtest.ChatRequest) string {
		return `{"question": "Was ist in den vielen Jahren bis heute geschehen?"}`
	})
	var q api.Question
	s.must(201, "POST", s.path+"/interview", object{"provider": "ollama"}, "Prefer: wait=300").into(t, &q)
	if q.AskedBy != "llm" || q.Text != "Was ist in den vielen Jahren bis heute geschehen?" || q.State != "ready" || q.Reason == "" {
		t.Errorf("asked %+v", q)
	}
	m := s.tell(object{"text": "Ich kam 1944 in die Schule.", "question_id": q.ID, "when": object{"earliest": "1944"}})
	s.must(200, "GET", s.path+"/questions/"+q.ID.String(), nil).into(t, &q)
	if q.AnsweredBy == nil || *q.AnsweredBy != m.ID || m.QuestionID == nil {
		t.Errorf("answered %+v by %+v", q, m)
	}
	s.must(201, "POST", s.path+"/interview", object{"provider": "offline"}, "Prefer: wait=300").into(t, &q)
	if q.AskedBy != "offline" || q.Topic != "gap" || q.Text != "Was geschah in den Jahren "+q.Subject+"?" {
		t.Errorf("asked %+v", q)
	}
	var page api.Page[api.Question]
	s.must(200, "GET", s.path+"/questions?limit=2", nil).into(t, &page)
	if len(page.Items) != 2 || page.Items[0].ID != q.ID || page.NextCursor == nil {
		t.Errorf("listed %+v", page)
	}
	s.refused(domain.CodeProviderUnknown, 422, "POST", s.path+"/interview", object{"provider": "nobody"})
	s.refused(domain.CodeNotFound, 404, "POST", "/v1/stories"+nobody+"/interview", object{})
	s.refused(domain.CodeNotFound, 404, "GET", "/v1/stories"+nobody+"/questions", nil)
	s.refused(domain.CodeNotFound, 404, "GET", s.path+"/questions"+nobody, nil)
	s.refused(domain.CodeInvalidCursor, 400, "GET", s.path+"/questions?cursor=x", nil)
	s.must(204, "DELETE", s.memoryPath(m), nil)
	s.must(200, "GET", s.path+"/questions/"+page.Items[1].ID.String(), nil).into(t, &q)
	if q.AnsweredBy != nil {
		t.Error("a memory that is gone still answers")
	}
}

func TestTooManyQuestions(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	for range 20 {
		s.must(202, "POST", s.path+"/interview", object{})
	}
	s.refused(domain.CodeConflict, 409, "POST", s.path+"/interview", object{})
}

func TestRefine(t *testing.T) {
	t.Parallel()
	model, option := withModel(t)
	system := newSystem(t, option)
	system.work()
	s := system.newUser().teller(nil)
	m := s.tell(object{"text": "ich bin mit Anna 1944 in die schule gekommen"})
	path := s.memoryPath(m) + "/refine"
	answer := "Ich bin mit Anna 1944 in die Schule gekommen."
	model.OnChat(func(llmtest.ChatRequest) string {
		data, err := json.Marshal(map[string]string{"text": answer})
		if err != nil {
			return err.Error()
		}
		return string(data)
	})
	var r api.Refinement
	s.must(201, "POST", path, object{"provider": "ollama"}, "Prefer: wait=300").into(t, &r)
	s.must(200, "GET", s.memoryPath(m), nil).into(t, &m)
	if r.Text != answer || r.RefinedBy != "llm" || r.Version != 2 || m.Text != answer || !m.IsRefined || *m.RefinedText != answer || m.OriginalText == answer {
		t.Errorf("refined to %+v, memory %+v", r, m)
	}
	answer = "Ich bin mit Anna und Peter 1944 in die Schule gekommen."
	s.refused(domain.CodeRefinementUnfaithful, 422, "POST", path, object{"provider": "ollama"}, "Prefer: wait=300")
	s.must(200, "GET", s.memoryPath(m), nil).into(t, &m)
	if m.CurrentVersion != 2 || len(m.Versions) != 2 {
		t.Errorf("an unfaithful text was kept: %+v", m)
	}
	s.must(201, "POST", path, object{"suggest": true, "style": "plain"}, "Prefer: wait=300").into(t, &r)
	if r.RefinedBy != "offline" || r.Suggestions == nil || r.Suggestions.When == nil || r.Suggestions.When.Quote != "1944" || *r.Suggestions.When.Earliest != "1944-01-01" {
		t.Errorf("refined to %+v", r)
	}
	var accepted api.AcceptedRefinement
	s.must(202, "POST", path, object{}, "Idempotency-Key: k").into(t, &accepted)
	var again api.AcceptedRefinement
	s.must(202, "POST", path, object{}, "Idempotency-Key: k").into(t, &again)
	if again.Refinement.ID != accepted.Refinement.ID {
		t.Errorf("the same key refined again: %+v", again)
	}
	s.refused(domain.CodeIdempotencyReused, 422, "POST", path, object{"style": "plain"}, "Idempotency-Key: k")
	s.must(200, "GET", s.path+"/refinements/"+r.ID.String(), nil)
	s.refused(domain.CodeNotFound, 404, "GET", s.path+"/refinements"+nobody, nil)
	s.refused(domain.CodeNotFound, 404, "GET", s.path+"/refinements/"+uuid.NewString(), nil)
	s.refused(domain.CodeProviderUnknown, 422, "POST", path, object{"provider": "nobody"})
	s.refused(domain.CodeInvalid, 422, "POST", path, object{"style": "baroque"})
	s.refused(domain.CodeNotFound, 404, "POST", s.path+"/memories"+nobody+"/refine", object{})
}

// TestDeletedStoriesStopTheirJobs: nothing of a story goes on when it is gone.
func TestDeletedStoriesStopTheirJobs(t *testing.T) {
	t.Parallel()
	s := newSystem(t).newUser().teller(nil)
	m := s.tell(object{"text": "x"})
	var question api.AcceptedInterview
	s.must(202, "POST", s.path+"/interview", object{}).into(t, &question)
	var refinement api.AcceptedRefinement
	s.must(202, "POST", s.memoryPath(m)+"/refine", object{}).into(t, &refinement)
	s.must(204, "DELETE", s.memoryPath(m), nil)
	if state := s.job(refinement.Job.ID).State; state != "cancelled" {
		t.Errorf("the refinement's job is %s", state)
	}
	s.must(204, "DELETE", s.path, nil)
	if state := s.job(question.Job.ID).State; state != "cancelled" {
		t.Errorf("the question's job is %s", state)
	}
}
