package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"generalbackend/internal/llm/llmtest"
)

// TestAnswerOutlivesItsWorker kills the worker that is half through an answer:
// the next attempt voids what was said, and its words are the answer.
func TestAnswerOutlivesItsWorker(t *testing.T) {
	t.Parallel()
	interrupted(t, func(s *system, _ *llmtest.Server) {
		s.worker(matchWorker).kill()
		s.worker(matchWorker).up()
	}, func(heard []piece, done answer) {
		starts := 0
		var last []piece
		for i, p := range heard {
			if p.name == "start" {
				starts++
				last = heard[i:]
			}
		}
		if got := strings.TrimSpace(join(t, last)); starts != 2 || got != done.Content {
			t.Errorf("after %d attempts the last said %q, want %q", starts, got, done.Content)
		}
	})
}

// TestAnswerOutlivesTheBroker robs the broker of its streams under an answer:
// words get lost, the answer does not.
func TestAnswerOutlivesTheBroker(t *testing.T) {
	t.Parallel()
	interrupted(t, func(s *system, models *llmtest.Server) {
		s.wipeStream()
		models.Release()
	}, func(heard []piece, _ answer) {
		seen := map[string]bool{}
		for _, p := range heard {
			if p.id != "" && seen[p.id] {
				t.Errorf("event %s came twice", p.id)
			}
			seen[p.id] = true
		}
	})
}

// interrupted lets something happen while an answer is half said, and sees that
// the stream ends with the whole of it.
func interrupted(t *testing.T, happen func(*system, *llmtest.Server), check func(heard []piece, done answer)) {
	t.Helper()
	const whole = "It leaves at nine every morning in summer [1]."
	s, _, models := bootWithModels(t)
	models.OnChat(func(llmtest.ChatRequest) string { return whole })
	u := register(t, s.url)
	var project struct{ ID string }
	u.must(http.StatusCreated, "POST", "/v1/projects", object{"name": "ferries"}).into(t, &project)
	u.succeeded(u.submit("/v1/documents/text", object{"title": "Timetable", "content": timetable, "project_id": project.ID}))
	models.Fail("/api/chat", llmtest.Stalled, 1)
	happened := false
	heard := u.hears("POST", "/v1/chat/"+project.ID, object{"message": "When does the ferry leave?"}, "", func(heard []piece) bool {
		if !happened && strings.Contains(join(t, heard), "nine") {
			happened = true
			happen(s, models)
		}
		return false
	})
	if !happened || len(heard) == 0 {
		t.Fatalf("heard %+v", heard)
	}
	var done answer
	end := heard[len(heard)-1]
	if err := json.Unmarshal(end.data, &done); err != nil || end.name != "done" || done.Content != whole {
		t.Fatalf("the stream ended with %s %s", end.name, end.data)
	}
	check(heard, done)
	oracle{t, s}.historiesWhole()
}
