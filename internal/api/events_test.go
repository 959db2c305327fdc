package api_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

// event is one server-sent event; comments have only a comment.
type event struct {
	id, name, comment string
	data              json.RawMessage
}

// stream is an open event stream.
type stream struct {
	t     *testing.T
	body  io.ReadCloser
	lines *bufio.Scanner
}

func (u *user) follow(path string, headers ...string) *stream {
	u.t.Helper()
	req, err := http.NewRequestWithContext(u.t.Context(), "GET", u.url+path, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+u.token)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Accel-Buffering") != "no" {
		u.t.Fatalf("%s: %s, %v", path, resp.Status, resp.Header)
	}
	return &stream{t: u.t, body: resp.Body, lines: bufio.NewScanner(resp.Body)}
}

// next returns the next event or comment; ok is false at the end of the stream.
func (s *stream) next() (e event, ok bool) {
	for s.lines.Scan() {
		line := s.lines.Text()
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			return e, true
		case field == "":
			e.comment = value
		case field == "id":
			e.id = value
		case field == "event":
			e.name = value
		case field == "data":
			e.data = json.RawMessage(value)
		}
	}
	return e, false
}

// rest reads until the stream ends, comments left out.
func (s *stream) rest() []event {
	var events []event
	for {
		e, ok := s.next()
		if !ok {
			return events
		}
		if e.comment == "" {
			events = append(events, e)
		}
	}
}

// recorded is the history of a job as Postgres has it.
func (u *user) recorded(id uuid.UUID) []event {
	u.t.Helper()
	stored, err := u.store.JobEvents(u.t.Context(), id, 0, 10_000)
	if err != nil {
		u.t.Fatal(err)
	}
	events := []event{}
	for _, e := range stored {
		data, err := json.Marshal(api.JobEvent{JobID: e.JobID, Seq: e.Seq, Type: e.Type, Data: api.Object{RawMessage: e.Data}, CreatedAt: e.CreatedAt})
		if err != nil {
			u.t.Fatal(err)
		}
		events = append(events, event{id: strconv.FormatInt(e.Seq, 10), name: e.Type, data: data})
	}
	return events
}

var compareEvents = cmp.AllowUnexported(event{})

// TestFollowJob: a stream that is cut off anywhere and taken up again gives each
// event once and in order, and ends by itself.
func TestFollowJob(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newUser()
	job := u.text("followed").Job
	path := "/v1/jobs/" + job.ID.String() + "/events"
	early := u.follow(path)
	begun, _ := early.next() // the stream is open before the work begins
	if begun.comment == "" {
		t.Fatalf("begins with %+v", begun)
	}
	s.work()
	whole := early.rest()
	want := u.recorded(job.ID)
	if diff := cmp.Diff(want, whole, compareEvents); diff != "" {
		t.Fatal(diff)
	}
	if !strings.Contains(string(whole[len(whole)-1].data), `"succeeded"`) {
		t.Errorf("ended after %s", whole[len(whole)-1].data)
	}
	for i := range len(want) - 1 {
		after := strconv.Itoa(i + 1)
		for _, s := range []*stream{u.follow(path, "Last-Event-ID: "+after), u.follow("/jobs/" + job.ID.String() + "/events?after=" + after)} {
			if diff := cmp.Diff(want[i+1:], s.rest(), compareEvents); diff != "" {
				t.Fatalf("after %s: %s", after, diff)
			}
		}
	}
	u.must(204, "GET", path, nil, "Last-Event-ID: "+strconv.Itoa(len(want)))
}

// TestFollowThroughARetry: a failure that was retried does not end a replay.
func TestFollowThroughARetry(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	job := u.text("no_text_found").Job
	path := "/v1/jobs/" + job.ID.String()
	failed := u.follow(path + "/events").rest()
	u.must(200, "POST", path+"/retry", nil)
	again := u.follow(path+"/events", "Last-Event-ID: "+failed[len(failed)-1].id).rest()
	if diff := cmp.Diff(u.recorded(job.ID), append(failed, again...), compareEvents); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(u.recorded(job.ID), u.follow(path+"/events").rest(), compareEvents); diff != "" {
		t.Error(diff)
	}
}

// deaf is an engine whose hints are all lost.
type deaf struct{ api.Engine }

func (deaf) Subscribe(uuid.UUID, *uuid.UUID) (hints <-chan domain.JobHint, cancel func()) {
	return nil, func() {}
}

// TestWithoutHints everything arrives by the heartbeat.
func TestWithoutHints(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(o *api.Options) { o.Engine, o.Heartbeat = deaf{o.Engine}, 20*time.Millisecond })
	u := s.newUser()
	all := u.follow("/v1/events")
	job := u.text("unheard").Job
	one := u.follow("/v1/jobs/" + job.ID.String() + "/events")
	s.work()
	got := one.rest()
	if diff := cmp.Diff(u.recorded(job.ID), got, compareEvents); diff != "" {
		t.Error(diff)
	}
	all.until(t, job.ID, "succeeded")
	u.must(201, "POST", "/v1/documents/text", object{"content": "text"}, "Prefer: wait=300")
}

// until reads job events until a job is in a state, and checks that none comes
// twice.
func (s *stream) until(t *testing.T, id uuid.UUID, state string) {
	t.Helper()
	seen := map[string]bool{}
	for {
		e, ok := s.next()
		if !ok {
			t.Fatalf("the stream ended before job %s was %s", id, state)
		}
		if e.name != "job" {
			continue
		}
		var j api.Job
		if err := json.Unmarshal(e.data, &j); err != nil {
			t.Fatal(err)
		}
		key := j.ID.String() + " " + strconv.FormatInt(j.EventSeq, 10)
		if seen[key] {
			t.Errorf("twice: %s", e.data)
		}
		seen[key] = true
		if j.ID == id && j.State == state {
			return
		}
	}
}

// TestFollowAll begins with what is under way, then tells of changes, and of
// nobody else's.
func TestFollowAll(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u, other := s.newUser(), s.newUser()
	first := u.text("first").Job
	all, alien := u.follow("/v1/events"), other.follow("/events")
	_, _ = all.next()
	e, _ := all.next()
	var snapshot api.JobSnapshot
	if err := json.Unmarshal(e.data, &snapshot); err != nil || e.name != "snapshot" || len(snapshot.Jobs) != 1 || snapshot.Jobs[0].ID != first.ID {
		t.Fatalf("begins with %+v, %v", e, err)
	}
	s.work()
	all.until(t, first.ID, "succeeded")
	second := u.text("second").Job
	all.until(t, second.ID, "succeeded")
	third := u.text("document_encrypted").Job
	all.until(t, third.ID, "failed")
	theirs := other.text("theirs").Job
	for {
		e, ok := alien.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		for _, mine := range []uuid.UUID{first.ID, second.ID, third.ID} {
			if strings.Contains(string(e.data), mine.String()) {
				t.Errorf("another user is told %s", e.data)
			}
		}
		if strings.Contains(string(e.data), theirs.ID.String()) && strings.Contains(string(e.data), `"succeeded"`) {
			break
		}
	}
}

// TestStreamsEndWithTheSession, though their token was good when they began.
func TestStreamsEndWithTheSession(t *testing.T) {
	t.Parallel()
	u := newSystem(t, func(o *api.Options) { o.Heartbeat = 20 * time.Millisecond }).newUser()
	all := u.follow("/v1/events")
	for {
		if e, ok := all.next(); !ok || e.comment == "heartbeat" {
			break
		}
	}
	u.must(204, "POST", "/v1/auth/logout", nil)
	all.rest()
}

// TestStreamsEndWhenTheProcessStops, so that it need not wait for them.
func TestStreamsEndWhenTheProcessStops(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	u := newSystem(t, func(o *api.Options) { o.Stopping = stopping }).newUser()
	all := u.follow("/v1/events")
	one := u.follow("/v1/jobs/" + u.text("waiting").Job.ID.String() + "/events")
	close(stopping)
	all.rest()
	one.rest()
}
