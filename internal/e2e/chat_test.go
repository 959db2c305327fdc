package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"generalbackend/internal/llm/llmtest"
)

// answer is as much of a chat message as tests look at.
type answer struct {
	ID, Content, State string
	Error              *struct{ Code string }
	Metadata           struct {
		Answered  bool
		Provider  string
		Citations []struct {
			DocumentID string `json:"document_id"`
			Quote      string
			Verified   bool
		}
	} `json:"chat_metadata"`
}

// piece is a server-sent event whose id need not be a number.
type piece struct {
	id, name string
	data     json.RawMessage
}

func (p piece) text(t testing.TB) string {
	t.Helper()
	var token struct{ Text string }
	if err := json.Unmarshal(p.data, &token); err != nil {
		t.Fatalf("%v: %s", err, p.data)
	}
	return token.Text
}

// hears reads a stream of an answer until it ends, breaks or was heard enough of.
func (u *user) hears(method, path string, body any, last string, enough func([]piece) bool) []piece {
	u.t.Helper()
	ctx, hangUp := context.WithTimeout(u.t.Context(), workDeadline)
	defer hangUp()
	data, _ := encode(body)
	req, err := http.NewRequestWithContext(ctx, method, u.base+path, strings.NewReader(string(data)))
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+u.token)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Content-Type", "application/json")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	stream := http.Client{Transport: u.client.Transport}
	resp, err := stream.Do(req)
	if err != nil {
		u.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		u.t.Fatalf("%s %s: status %d", method, path, resp.StatusCode)
	}
	var heard []piece
	var now piece
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		switch field, value, _ := strings.Cut(lines.Text(), ": "); field {
		case "id":
			now.id = value
		case "event":
			now.name = value
		case "data":
			now.data = json.RawMessage(value)
		case "":
			if now.data != nil {
				if heard = append(heard, now); enough(heard) {
					return heard
				}
			}
			now = piece{}
		}
	}
	return heard
}

const timetable = "The ferry to the island leaves at nine every morning in summer. Tickets for bicycles cost four euros."

// TestAnswerOutlivesTheAPI kills the API while a model is half through an
// answer. The worker goes on, and a client that comes back hears each word once.
func TestAnswerOutlivesTheAPI(t *testing.T) {
	t.Parallel()
	s, _, models := bootWithModels(t)
	models.OnChat(func(llmtest.ChatRequest) string { return "It leaves at nine every morning in summer [1]." })
	u := register(t, s.url)
	var project struct{ ID string }
	u.must(http.StatusCreated, "POST", "/v1/projects", object{"name": "ferries", "type": "private_gpt"}).into(t, &project)
	source := u.succeeded(u.submit("/v1/documents/text", object{"title": "Timetable", "content": timetable, "project_id": project.ID})).Resource.ID
	chat := "/v1/chat/" + project.ID

	models.Fail("/api/chat", llmtest.Stalled, 1)
	first := u.hears("POST", chat, object{"message": "When does the ferry leave?"}, "", func(heard []piece) bool {
		return strings.Contains(join(t, heard), "nine")
	})
	var accepted struct{ Message answer }
	if err := json.Unmarshal(first[0].data, &accepted); err != nil || first[0].name != "accepted" {
		t.Fatalf("the stream began with %+v", first[0])
	}
	s.api.kill()
	s.api.up()
	models.Release()

	message := chat + "/messages/" + accepted.Message.ID
	rest := u.hears("GET", message+"/stream", nil, first[len(first)-1].id, func([]piece) bool { return false })
	var done answer
	end := rest[len(rest)-1]
	if err := json.Unmarshal(end.data, &done); err != nil || end.name != "done" {
		t.Fatalf("the stream ended with %s %s", end.name, end.data)
	}
	if got := join(t, first) + join(t, rest); strings.TrimSpace(got) != done.Content {
		t.Errorf("heard %q, want %q", got, done.Content)
	}
	if c := done.Metadata.Citations; !done.Metadata.Answered || len(c) != 1 || c[0].DocumentID != source || !strings.Contains(timetable, c[0].Quote) {
		t.Errorf("the answer cites %+v", c)
	}
	var stored answer
	if u.must(http.StatusOK, "GET", message, nil).into(t, &stored); stored.Content != done.Content || stored.State != "ready" {
		t.Errorf("stored as %+v", stored)
	}
	oracle{t, s}.historiesWhole()
}

func join(t testing.TB, heard []piece) string {
	t.Helper()
	var b strings.Builder
	for _, p := range heard {
		if p.name == "token" {
			b.WriteString(p.text(t))
		}
	}
	return b.String()
}

// TestStoppedAnswer: stopping reaches the model over processes, and what was
// said until then stays.
func TestStoppedAnswer(t *testing.T) {
	t.Parallel()
	s, _, models := bootWithModels(t)
	u := register(t, s.url)
	var project struct{ ID string }
	u.must(http.StatusCreated, "POST", "/v1/projects", object{"name": "ferries"}).into(t, &project)
	u.succeeded(u.submit("/v1/documents/text", object{"title": "Timetable", "content": timetable, "project_id": project.ID}))
	const whole = "It leaves at nine every morning [1]."
	models.OnChat(func(llmtest.ChatRequest) string { return whole })
	models.Fail("/api/chat", llmtest.Stalled, 1)

	r := u.must(http.StatusAccepted, "POST", "/v1/chat/"+project.ID, object{"message": "When does the ferry leave?"})
	var accepted struct{ Message answer }
	r.into(t, &accepted)
	message := "/v1/chat/" + project.ID + "/messages/" + accepted.Message.ID
	u.hears("GET", message+"/stream", nil, "", func(heard []piece) bool { return join(t, heard) != "" })
	u.cancel(jobOf(t, r).ID)
	models.AwaitCancelled(1)
	if j := u.settled(jobOf(t, r)); j.State != "cancelled" {
		t.Errorf("the job is %s", j.State)
	}
	var stopped answer
	u.must(http.StatusOK, "GET", message, nil).into(t, &stopped)
	if stopped.State != "failed" || stopped.Error == nil || stopped.Error.Code != "cancelled" || !strings.HasPrefix(whole, stopped.Content) {
		t.Errorf("the stopped answer is %+v", stopped)
	}
	eventually(t, workDeadline, "another question is answered", func() bool {
		r, err := u.try("POST", "/v1/chat/"+project.ID, object{"message": "When does the ferry leave?"}, "Prefer: wait=60")
		return err == nil && r.status == http.StatusCreated
	})
}
