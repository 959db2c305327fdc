package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// JobEvent is one entry of a job's history. Data depends on the type: state has
// state, stage, attempt, run_at and error; progress has done, total and unit.
type JobEvent struct {
	JobID     uuid.UUID `json:"job_id" format:"uuid"`
	Seq       int64     `json:"seq" doc:"Counts from 1 without gaps"`
	Type      string    `json:"type" doc:"state, progress, cancel_requested" example:"state"`
	Data      Object    `json:"data"`
	CreatedAt time.Time `json:"created_at"`
}

// JobSnapshot begins the stream of all jobs.
type JobSnapshot struct {
	Jobs      []Job `json:"jobs" doc:"Those that are not final, newest first"`
	Truncated bool  `json:"truncated" doc:"There are more than are shown"`
}

type jobEventsInput struct {
	JobPath
	After       int64  `query:"after" minimum:"0" doc:"Only events after this one"`
	LastEventID string `header:"Last-Event-ID" doc:"Like after; a browser sends it when it reconnects"`
}

func (s *server) eventOperations() {
	const tag = "jobs"
	events := s.streamResponse(typeOf[JobEvent](), "The events after the given one")
	events["204"] = &huma.Response{Description: "There is nothing more to come"}
	register(s, endpoint{
		id: "job-events", scope: domain.ScopeJobs, method: http.MethodGet, path: "/jobs/{job_id}/events", tag: tag, summary: "Follow a job",
		description: "Server-sent events. The id of each is its seq, its event is its type, its data a JobEvent. " +
			"The stream ends after the final state; 204 says that there is nothing more to come.",
		codes: []domain.Code{domain.CodeNotFound}, responses: events,
	}, s.jobEvents)
	register(s, endpoint{
		id: "events", scope: domain.ScopeJobs, method: http.MethodGet, path: "/events", tag: tag, summary: "Follow all my jobs",
		description: "Server-sent events: first one called snapshot with a JobSnapshot, then one called job with a Job whenever one changed.",
		responses:   s.streamResponse(typeOf[JobSnapshot](), "A snapshot, then changes"),
	}, s.allEvents)
}

func (s *server) jobEvents(ctx context.Context, in *jobEventsInput) (*huma.StreamResponse, error) {
	after := in.After
	if in.LastEventID != "" {
		seq, err := strconv.ParseInt(in.LastEventID, 10, 64)
		if err != nil || seq < 0 {
			return nil, invalid("header.Last-Event-ID", "must be the id of an event of this stream")
		}
		after = seq
	}
	job, err := s.Store.Job(ctx, userID(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if job.State.Terminal() && after >= job.EventSeq {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { ctx.SetStatus(http.StatusNoContent) }}, nil
	}
	return s.streaming(func(ctx context.Context, out *eventStream) error {
		return s.sendJob(ctx, out, job, after)
	}), nil
}

const eventBatch = 200

// sendJob sends the events of a job in order from Postgres. Hints only say when
// to look: what they miss is found with the next one, or by the heartbeat.
func (s *server) sendJob(ctx context.Context, out *eventStream, job domain.Job, after int64) error {
	hints, cancel := s.Engine.Subscribe(job.UserID, &job.ID)
	defer cancel()
	final := false
	for {
		events, err := s.Store.JobEvents(ctx, job.ID, after, eventBatch)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := out.send(strconv.FormatInt(e.Seq, 10), e.Type, toJobEvent(e)); err != nil {
				return err
			}
			after, final = e.Seq, isFinal(e)
		}
		switch {
		case len(events) == eventBatch:
			continue
		case final:
			return nil
		}
		if err := out.wait(ctx, hints, nil); err != nil {
			return err
		}
	}
}

func toJobEvent(e domain.JobEvent) JobEvent {
	return JobEvent{JobID: e.JobID, Seq: e.Seq, Type: e.Type, Data: Object{e.Data}, CreatedAt: e.CreatedAt}
}

// isFinal reports whether an event put its job into a final state.
func isFinal(e domain.JobEvent) bool {
	var data struct {
		State domain.State `json:"state"`
	}
	return e.Type == "state" && json.Unmarshal(e.Data, &data) == nil && data.State.Terminal()
}

func (s *server) allEvents(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	return s.streaming(func(ctx context.Context, out *eventStream) error {
		hints, cancel := s.Engine.Subscribe(userID(ctx), nil)
		defer cancel()
		w := &watch{server: s, user: userID(ctx), active: map[uuid.UUID]int64{}, final: map[uuid.UUID]int64{}}
		if err := w.snapshot(ctx, out); err != nil {
			return err
		}
		for {
			changed := map[uuid.UUID]struct{}{}
			if err := out.wait(ctx, hints, changed); err != nil {
				return err
			}
			if err := w.changes(ctx, out, changed); err != nil {
				return err
			}
		}
	}), nil
}

// watch knows which state of which job a listener has seen.
type watch struct {
	server *server
	user   uuid.UUID
	active map[uuid.UUID]int64 // newest event sent of jobs that are not final
	final  map[uuid.UUID]int64 // and of those that are, the last few thousand
	newest uuid.UUID           // of all jobs seen; ids grow with time
}

const (
	watched    = 500    // bounds a snapshot, and what a look at everything reads
	remembered = 10_000 // final jobs
)

func (w *watch) snapshot(ctx context.Context, out *eventStream) error {
	jobs, err := w.server.Store.ActiveJobs(ctx, w.user, watched+1)
	if err != nil {
		return err
	}
	snapshot := JobSnapshot{Jobs: []Job{}, Truncated: len(jobs) > watched}
	for _, j := range jobs[:min(len(jobs), watched)] {
		snapshot.Jobs = append(snapshot.Jobs, toJob(j))
		w.active[j.ID] = j.EventSeq
	}
	last, err := w.server.Store.Jobs(ctx, w.user, postgres.JobFilter{Limit: 1})
	if err != nil {
		return err
	}
	if len(last) > 0 {
		w.newest = last[0].ID
	}
	return out.send("", "snapshot", snapshot)
}

// changes sends the jobs that hints named. No hint, or one without a job, asks
// for a look at everything.
func (w *watch) changes(ctx context.Context, out *eventStream, changed map[uuid.UUID]struct{}) error {
	if _, all := changed[uuid.Nil]; all || len(changed) == 0 {
		if err := w.missed(ctx, out, changed); err != nil {
			return err
		}
	}
	delete(changed, uuid.Nil)
	if len(changed) == 0 {
		return nil
	}
	jobs, err := w.server.Store.JobsByID(ctx, w.user, slices.Collect(maps.Keys(changed)))
	if err != nil {
		return err
	}
	for _, job := range jobs {
		delete(changed, job.ID)
		if err := w.send(out, job); err != nil {
			return err
		}
	}
	for gone := range changed {
		delete(w.active, gone)
	}
	return nil
}

// missed finds what happened without a hint: new jobs are sent, and jobs that
// were followed and are no longer active are added to what is looked up.
func (w *watch) missed(ctx context.Context, out *eventStream, changed map[uuid.UUID]struct{}) error {
	recent, err := w.server.Store.Jobs(ctx, w.user, postgres.JobFilter{Limit: watched})
	if err != nil {
		return err
	}
	active, err := w.server.Store.ActiveJobs(ctx, w.user, watched)
	if err != nil {
		return err
	}
	for id := range w.active {
		changed[id] = struct{}{}
	}
	begin := w.newest
	for _, job := range append(active, recent...) {
		delete(changed, job.ID)
		if w.sent(job.ID) == 0 && job.State.Terminal() && compare(job.ID, begin) <= 0 {
			continue
		}
		if err := w.send(out, job); err != nil {
			return err
		}
	}
	return nil
}

// sent is the newest event of a job that the listener knows of, 0 for none.
func (w *watch) sent(id uuid.UUID) int64 { return max(w.active[id], w.final[id]) }

// send sends a job unless this state of it was sent.
func (w *watch) send(out *eventStream, job domain.Job) error {
	if w.sent(job.ID) >= job.EventSeq {
		return nil
	}
	if job.State.Terminal() {
		if len(w.final) >= remembered {
			clear(w.final)
		}
		delete(w.active, job.ID)
		w.final[job.ID] = job.EventSeq
	} else {
		w.active[job.ID] = job.EventSeq
	}
	if compare(job.ID, w.newest) > 0 {
		w.newest = job.ID
	}
	return out.send("", "job", toJob(job))
}

// compare orders ids by the time they were made.
func compare(a, b uuid.UUID) int {
	return bytes.Compare(a[:], b[:])
}

// streaming answers with an event stream that send fills.
func (s *server) streaming(fill func(context.Context, *eventStream) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		ctx := hc.Context() // the handler's own ends with the handler
		writer := humagin.Unwrap(hc).Writer
		out := &eventStream{
			writer: writer, control: http.NewResponseController(writer), heartbeat: s.Heartbeat, stopping: s.Stopping,
			alive: func(ctx context.Context) error { return s.Accounts.Alive(ctx, principal(ctx)) },
		}
		hc.SetHeader("Content-Type", "text/event-stream")
		hc.SetHeader("Cache-Control", "no-store")
		hc.SetHeader("X-Accel-Buffering", "no")
		hc.SetStatus(http.StatusOK)
		if err := out.comment("ok"); err != nil {
			return
		}
		if err := fill(ctx, out); err != nil && ctx.Err() == nil {
			s.log.InfoContext(ctx, "event stream ended", "request_id", requestID(ctx), "error", fmt.Sprint(err))
		}
	}}
}
