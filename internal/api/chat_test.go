package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// converse answers with a few words, each said as it comes. A question that
// reads like a code fails with it; "slow" says a word and waits until it is
// cancelled; "kept" is answered when the stream has all that was said.
func (s *system) converse(ctx context.Context, task domain.Task) error {
	conversation := postgres.Conversation{Store: s.edge}
	turn, err := conversation.Turn(ctx, task.Job.ResourceID)
	if err != nil {
		return err
	}
	var index int64
	say := func(kind domain.TokenType, text string) {
		s.queue.PublishToken(domain.TokenEvent{JobID: task.Job.ID, Attempt: task.Lease.Fence, Index: index, Type: kind, Text: text})
		index++
	}
	say(domain.TokenStart, "")
	switch {
	case turn.Question == "slow":
		say(domain.TokenText, "Well ")
		<-ctx.Done()
		s.ended.Add(1)
		say(domain.TokenEnd, "")
		return ctx.Err()
	case strings.Contains(turn.Question, "_") || turn.Question == "cancelled":
		if _, err := s.store.Fail(ctx, task.Lease, domain.JobError{Code: domain.Code(turn.Question), Detail: "The test wants it so."}); err != nil {
			return err
		}
		return domain.ErrLeaseLost
	}
	answer := turn.Answer
	for _, word := range []string{"About ", turn.Question, " [1]"} {
		say(domain.TokenText, word)
		answer.Content += word
	}
	if turn.Question == "kept" {
		s.kept(ctx, task.Job.ID, task.Lease.Fence, index-1)
	}
	answer.Metadata.Answered, answer.Metadata.Judge, answer.Metadata.Provider = true, domain.JudgeOffline, "offline"
	answer.Metadata.Citations = []domain.Citation{{Number: 1, DocumentID: uuid.New(), Page: 1, Quote: "quoted", Verified: true, Support: domain.SupportStrong}}
	err = conversation.SaveAnswer(ctx, task.Lease, answer)
	say(domain.TokenEnd, "")
	return err
}

// kept waits until the stream has a piece of an answer, for whoever comes late.
func (s *system) kept(ctx context.Context, job uuid.UUID, attempt, index int64) {
	for found := false; !found && ctx.Err() == nil; pause() {
		_ = s.queue.TokensSoFar(ctx, job, func(e domain.TokenEvent) error {
			found = found || e.Attempt == attempt && e.Index == index
			return nil
		})
	}
}

func (u *user) project() uuid.UUID {
	u.t.Helper()
	var p api.Project
	u.must(201, "POST", "/v1/projects", object{"name": "talk"}).into(u.t, &p)
	return p.ID
}

func chat(project uuid.UUID) string { return "/v1/chat/" + project.String() }

func (u *user) ask(project uuid.UUID, question string) (a api.AcceptedQuestion) {
	u.t.Helper()
	u.must(202, "POST", chat(project), object{"message": question}).into(u.t, &a)
	return a
}

func (u *user) answered(project uuid.UUID, question string) (m api.ChatMessage) {
	u.t.Helper()
	u.must(201, "POST", chat(project), object{"message": question}, "Prefer: wait=300").into(u.t, &m)
	return m
}

// events reads a stream to its end, or up to the first event of a name.
type sent struct {
	id, name string
	data     json.RawMessage
}

func (u *user) stream(method, path string, body any, until string, headers ...string) (events []sent) {
	u.t.Helper()
	ctx, cancel := context.WithCancel(u.t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u.url+path, encode(u.t, body))
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+u.token)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		u.t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || kind != "text/event-stream" {
		u.t.Fatalf("%s %s: status %d, %s", method, path, resp.StatusCode, kind)
	}
	var e sent
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = json.RawMessage(value)
		case "":
			if e.name == "" {
				continue
			}
			events = append(events, e)
			if e.name == until {
				return events
			}
			e = sent{}
		}
	}
	return events
}

// spoken joins the tokens of a stream, from the last start on.
func spoken(t *testing.T, events []sent) (text string) {
	t.Helper()
	for _, e := range events {
		var token api.ChatToken
		switch e.name {
		case "start":
			text = ""
		case "token":
			if err := json.Unmarshal(e.data, &token); err != nil {
				t.Fatal(err)
			}
			text += token.Text
		}
	}
	return text
}

func names(events []sent) (names []string) {
	for _, e := range events {
		names = append(names, e.name)
	}
	return names
}

func last(t *testing.T, events []sent) (m api.ChatMessage) {
	t.Helper()
	if len(events) == 0 {
		t.Fatal("the stream is empty")
	}
	if err := json.Unmarshal(events[len(events)-1].data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAsk(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newUser()
	project := u.project()
	a := u.ask(project, "first")
	if a.Job.Kind != "chat" || a.Job.Class != "interactive" || a.Job.Resource.Type != "chat" || a.Job.Resource.ID != a.Message.ID ||
		a.Question.Content != "first" || a.Question.State != "ready" || a.Message.State != "pending" || *a.Message.QuestionID != a.Question.ID {
		t.Errorf("accepted as %+v", a)
	}
	s.work()
	events := u.stream("GET", a.Job.Resource.Href+"/stream", nil, "")
	if m := last(t, events); m.State != "ready" || m.Content != "About first [1]" || len(m.Metadata.Citations) != 1 {
		t.Errorf("answered as %+v", m)
	}
	if m := u.answered(project, "second"); m.Content != "About second [1]" || m.Metadata.Provider != "offline" {
		t.Errorf("answered as %+v", m)
	}
	var atRoot api.ChatMessage
	u.must(201, "POST", "/chat/"+project.String(), object{"message": "third"}).into(t, &atRoot)
	if atRoot.Content != "About third [1]" {
		t.Errorf("answered as %+v", atRoot)
	}
}

// TestAskStreams: with the right Accept the answer comes with the question's
// own reply, and coming back finds it done.
func TestAskStreams(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	project := u.project()
	events := u.stream("POST", chat(project), object{"message": "kept"}, "")
	var a api.AcceptedQuestion
	if err := json.Unmarshal(events[0].data, &a); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"accepted", "start", "token", "token", "token", "done"}, names(events)); diff != "" {
		t.Error(diff)
	}
	if got := spoken(t, events); got != "About kept [1]" || last(t, events).Content != got {
		t.Errorf("heard %q, then %+v", got, last(t, events))
	}
	stream := a.Job.Resource.Href + "/stream"
	u.must(204, "GET", stream, nil, "Last-Event-ID: "+events[len(events)-1].id)
	again := u.stream("GET", stream, nil, "", "Last-Event-ID: "+events[3].id)
	if diff := cmp.Diff([]string{"token", "done"}, names(again)); diff != "" {
		t.Errorf("behind %s: %s", events[3].id, diff)
	}
	question := chat(project) + "/messages/" + a.Question.ID.String()
	if m := last(t, u.stream("GET", question+"/stream", nil, "")); m.Content != "kept" {
		t.Errorf("the question streams as %+v", m)
	}
	for _, id := range []string{"x", "1", "-1.2", "1.x", "1.2.3"} {
		u.refused(domain.CodeInvalid, 422, "GET", stream, nil, "Last-Event-ID: "+id)
	}
	u.refused(domain.CodeNotFound, 404, "GET", chat(project)+"/messages/"+uuid.NewString()+"/stream", nil)
}

// TestStreamGoesOnElsewhere: a client that loses its server in the middle of an
// answer goes on at another one; nothing is missing and nothing comes twice.
func TestStreamGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	var options api.Options
	s := newSystem(t, func(o *api.Options) { options = *o })
	u := s.newUser()
	project := u.project()
	a := u.ask(project, "anything")
	say := func(index int64, kind domain.TokenType, text string) {
		s.queue.PublishToken(domain.TokenEvent{JobID: a.Job.ID, Attempt: 7, Index: index, Type: kind, Text: text})
	}
	say(0, domain.TokenStart, "")
	say(1, domain.TokenText, "One ")
	say(2, domain.TokenText, "two ")
	s.kept(t.Context(), a.Job.ID, 7, 2)
	stream := a.Job.Resource.Href + "/stream"
	before := u.until(stream, "", "two ")
	say(3, domain.TokenText, "three ")

	other := httptest.NewServer(api.New(options))
	t.Cleanup(other.Close)
	elsewhere := *u
	elsewhere.system = &system{t: t, url: other.URL}
	say(4, domain.TokenText, "four")
	s.kept(t.Context(), a.Job.ID, 7, 4)
	after := elsewhere.until(stream, before[len(before)-1].id, "four")
	if got := spoken(t, append(before, after...)); got != "One two three four" {
		t.Errorf("heard %q", got)
	}
	u.must(200, "POST", "/v1/jobs/"+a.Job.ID.String()+"/cancel", nil)
	end := elsewhere.stream("GET", stream, nil, "", "Last-Event-ID: "+after[len(after)-1].id)
	if m := last(t, end); len(end) != 1 || end[0].name != "failed" || m.Error.Code != "cancelled" {
		t.Errorf("ended with %+v", end)
	}
}

// until follows a stream up to the token with a text.
func (u *user) until(path, after, text string) []sent {
	u.t.Helper()
	ctx, cancel := context.WithCancel(u.t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", u.url+path, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+u.token)
	req.Header.Set("Last-Event-ID", after)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		u.t.Fatal(err)
	}
	defer resp.Body.Close()
	var events []sent
	var e sent
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = json.RawMessage(value)
			events = append(events, e)
			var token api.ChatToken
			if json.Unmarshal(e.data, &token) == nil && token.Text == text {
				return events
			}
		}
	}
	u.t.Fatalf("the stream ended with %v", events)
	return nil
}

// TestLostTokens: pieces that are lost cost the client nothing but patience.
func TestLostTokens(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newUser()
	a := u.ask(u.project(), "anything")
	say := func(attempt, index int64, kind domain.TokenType, text string) {
		s.queue.PublishToken(domain.TokenEvent{JobID: a.Job.ID, Attempt: attempt, Index: index, Type: kind, Text: text})
	}
	say(3, 2, domain.TokenText, "without a beginning ")
	say(4, 0, domain.TokenStart, "")
	say(4, 1, domain.TokenText, "Right ")
	say(3, 3, domain.TokenText, "from an old attempt ")
	say(4, 1, domain.TokenText, "Right ")
	say(4, 3, domain.TokenText, "behind a gap ")
	say(5, 0, domain.TokenStart, "")
	say(5, 1, domain.TokenText, "Right again")
	s.kept(t.Context(), a.Job.ID, 5, 1)
	events := u.until(a.Job.Resource.Href+"/stream", "", "Right again")
	if diff := cmp.Diff([]string{"start", "token", "start", "token"}, names(events)); diff != "" {
		t.Error(diff)
	}
}

// TestAskErrors: what is wrong with the request is said at once, what goes
// wrong later comes as the job's error.
func TestAskErrors(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	project := u.project()
	u.refused(domain.CodeNotFound, 404, "POST", chat(uuid.New()), object{"message": "hello"})
	u.refused(domain.CodeNotFound, 404, "POST", chat(project), object{"message": "hello", "document_ids": []uuid.UUID{uuid.New()}})
	u.refused(domain.CodeProviderUnknown, 422, "POST", chat(project), object{"message": "hello", "provider": "nobody"})
	for _, body := range []object{{}, {"message": ""}, {"message": " \n"}, {"message": "x", "temperature": 3}, {"message": strings.Repeat("x", 8001)}} {
		u.refused(domain.CodeInvalid, 422, "POST", chat(project), body)
	}
	for code, status := range map[domain.Code]int{
		domain.CodeModelNotFound: 422, domain.CodeLocalOnly: 403, domain.CodeBudgetExceeded: 402,
		domain.CodeModelTimeout: 504, domain.CodeModelMalformed: 502, domain.CodeModelRefused: 422, domain.CodeContextTooLong: 422,
		domain.CodeTimedOut: 422, domain.CodeWorkerLost: 500, domain.CodeCancelled: 409,
	} {
		u.refused(code, status, "POST", chat(project), object{"message": code}, "Prefer: wait=300")
	}
	var page api.Page[api.ChatMessage]
	u.must(200, "GET", chat(project)+"?order=newest&limit=1", nil).into(t, &page)
	if m := page.Items[0]; m.State != "failed" || m.Error == nil || m.Error.Detail != "The test wants it so." {
		t.Errorf("the failed answer is %+v", m)
	}
}

// TestOneQuestionAtATime: while an answer is pending the chat is busy, for
// however many ask at once; a repeated request is no second question.
func TestOneQuestionAtATime(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newUser()
	project := u.project()
	replies := make(chan int)
	for range 8 {
		go func() {
			replies <- u.send("POST", chat(project), object{"message": "me first"}).status
		}()
	}
	count := map[int]int{}
	for range 8 {
		count[<-replies]++
	}
	if diff := cmp.Diff(map[int]int{202: 1, 409: 7}, count); diff != "" {
		t.Error(diff)
	}
	other, key := u.project(), "Idempotency-Key: "+uuid.NewString()
	var first, second api.AcceptedQuestion
	u.must(202, "POST", chat(other), object{"message": "one"}, key).into(t, &first)
	u.must(202, "POST", chat(other), object{"message": "one"}, key).into(t, &second)
	if first.Job.ID != second.Job.ID || first.Message.ID != second.Message.ID {
		t.Errorf("answered by %+v, then %+v", first, second)
	}
	u.refused(domain.CodeIdempotencyReused, 422, "POST", chat(other), object{"message": "two"}, key)
	u.refused(domain.CodeChatBusy, 409, "POST", chat(other), object{"message": "two"})
}

func TestChatHistory(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	project := u.project()
	var want []string
	for _, q := range []string{"one", "two", "three"} {
		u.answered(project, q)
		want = append(want, q, "About "+q+" [1]")
	}
	read := func(order string) (texts []string) {
		for cursor := ""; ; {
			var page api.Page[api.ChatMessage]
			u.must(200, "GET", chat(project)+"?limit=4&order="+order+"&cursor="+cursor, nil).into(t, &page)
			for _, m := range page.Items {
				texts = append(texts, m.Content)
			}
			if page.NextCursor == nil {
				return texts
			}
			cursor = *page.NextCursor
		}
	}
	if diff := cmp.Diff(want, read("oldest")); diff != "" {
		t.Error(diff)
	}
	newest := read("newest")
	if newest[0] != want[5] || newest[5] != want[0] {
		t.Errorf("newest first: %q", newest)
	}
	var atRoot []api.ChatMessage
	u.must(200, "GET", "/chat/"+project.String(), nil).into(t, &atRoot)
	if len(atRoot) != 6 || atRoot[0].Content != "one" {
		t.Errorf("at the root: %+v", atRoot)
	}
	u.refused(domain.CodeInvalidCursor, 400, "GET", chat(project)+"?cursor=AAAA", nil)
	u.refused(domain.CodeNotFound, 404, "GET", chat(uuid.New()), nil)

	message := func(id uuid.UUID) string { return chat(project) + "/messages/" + id.String() }
	var got api.ChatMessage
	u.must(200, "GET", message(atRoot[1].ID), nil).into(t, &got)
	if got.Content != "About one [1]" || *got.QuestionID != atRoot[0].ID {
		t.Errorf("the answer is %+v", got)
	}
	u.must(204, "DELETE", message(atRoot[1].ID), nil) // with its question
	u.must(204, "DELETE", message(atRoot[2].ID), nil) // with its answer
	u.refused(domain.CodeNotFound, 404, "GET", message(atRoot[0].ID), nil)
	u.refused(domain.CodeNotFound, 404, "DELETE", message(atRoot[3].ID), nil)
	if diff := cmp.Diff(want[4:], read("oldest")); diff != "" {
		t.Error(diff)
	}
	u.must(204, "DELETE", chat(project), nil)
	u.must(204, "DELETE", chat(project), nil)
	u.refused(domain.CodeNotFound, 404, "DELETE", chat(uuid.New()), nil)
	if left := read("oldest"); len(left) > 0 {
		t.Errorf("after clearing there are %q", left)
	}
}

// TestStopping: cancelling the job, deleting the turn and clearing the chat all
// stop the worker, and the chat is free again.
func TestStopping(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	for i, stop := range []func(a api.AcceptedQuestion){
		func(a api.AcceptedQuestion) { u.must(200, "POST", "/v1/jobs/"+a.Job.ID.String()+"/cancel", nil) },
		func(a api.AcceptedQuestion) { u.must(204, "DELETE", a.Job.Resource.Href, nil) },
		func(a api.AcceptedQuestion) { u.must(204, "DELETE", chat(a.Message.ProjectID), nil) },
		func(a api.AcceptedQuestion) { u.must(204, "DELETE", "/v1/projects/"+a.Message.ProjectID.String(), nil) },
	} {
		project := u.project()
		a := u.ask(project, "slow")
		u.until(a.Job.Resource.Href+"/stream", "", "Well ")
		stop(a)
		await(t, func() bool { return s.ended.Load() > int64(i) })
		if i < 3 {
			await(t, func() bool {
				return u.send("POST", chat(project), object{"message": "next"}).status == 202
			})
		}
	}
}

func await(t *testing.T, done func() bool) {
	t.Helper()
	for !done() {
		select {
		case <-t.Context().Done():
			t.Fatal("it never came")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
