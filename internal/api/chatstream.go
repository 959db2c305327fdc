package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Tokens is where answers being written can be heard. Both are hints: what they
// miss is in the finished answer.
type Tokens interface {
	// Tokens delivers the pieces of a job's answer as they are said.
	Tokens(job uuid.UUID) (pieces <-chan domain.TokenEvent, cancel func(), err error)
	// TokensSoFar calls each with those that were said before, in order.
	TokensSoFar(ctx context.Context, job uuid.UUID, each func(domain.TokenEvent) error) error
}

// ChatToken is a piece of an answer. An event's id is attempt.index.
type ChatToken struct {
	Attempt int64  `json:"attempt" doc:"Grows with every attempt at the job" example:"1"`
	Index   int64  `json:"index" doc:"Counts the attempt's events from 0, its start, without gaps" example:"1"`
	Text    string `json:"text" example:"The contract "`
}

type streamAnswerInput struct {
	ChatMessagePath
	LastEventID string `header:"Last-Event-ID" maxLength:"50" doc:"The id of the last event that was received; a browser sends it when it reconnects" example:"1.17"`
}

// answerResponse documents the stream of an answer.
func (s *server) answerResponse(description string) *huma.Response {
	s.api.OpenAPI().Components.Schemas.Schema(typeOf[ChatMessage](), true, "")
	return s.streamResponse(typeOf[ChatToken](), description)["200"]
}

// place is a piece of an answer: the index within an attempt.
type place struct{ attempt, index int64 }

// final is the id of an answer's last event.
const final = "done"

func parsePlace(id string) (p place, err error) {
	if id == "" || id == final {
		return p, nil
	}
	if n, err := fmt.Sscanf(id+" ", "%d.%d ", &p.attempt, &p.index); err != nil || n != 2 || p.attempt < 0 || p.index < 0 {
		return p, invalid("header.Last-Event-ID", "must be the id of an event of this stream")
	}
	return p, nil
}

func (s *server) streamAnswer(ctx context.Context, in *streamAnswerInput) (*huma.StreamResponse, error) {
	from, err := parsePlace(in.LastEventID)
	if err != nil {
		return nil, err
	}
	message, err := s.Chats.ChatMessage(ctx, userID(ctx), in.ID, in.MessageID)
	if err != nil {
		return nil, err
	}
	if in.LastEventID == final && message.State != domain.ChatPending {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { ctx.SetStatus(http.StatusNoContent) }}, nil
	}
	job, err := s.Chats.ChatJob(ctx, message.UserID, message.ID)
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		return nil, err
	}
	return s.streaming(func(ctx context.Context, out *eventStream) error {
		return s.sendAnswer(ctx, out, message, job, from)
	}), nil
}

// answering sends one answer to one client.
type answering struct {
	*server
	out    *eventStream
	answer domain.ChatMessage
	job    domain.Job
	at     place // the last piece that was sent
	gap    int64 // the attempt of which pieces are lost
}

// sendAnswer sends the pieces of an answer behind a place and then the answer
// itself, which comes from Postgres whatever became of the pieces.
func (s *server) sendAnswer(ctx context.Context, out *eventStream, answer domain.ChatMessage, job domain.Job, from place) error {
	a := &answering{server: s, out: out, answer: answer, job: job, at: from}
	if answer.Role == domain.ChatUser || job.ID == uuid.Nil {
		return a.finish(ctx)
	}
	pieces, stop, err := s.Tokens.Tokens(job.ID)
	if err != nil {
		return err
	}
	defer stop()
	hints, cancel := s.Engine.Subscribe(job.UserID, &job.ID)
	defer cancel()
	if err := a.catchUp(ctx); err != nil {
		return err
	}
	return a.listen(ctx, pieces, hints)
}

func (a *answering) listen(ctx context.Context, pieces <-chan domain.TokenEvent, hints <-chan domain.JobHint) error {
	beat := time.NewTicker(a.out.heartbeat)
	defer beat.Stop()
	for {
		ended, err := a.ended(ctx)
		if err != nil || ended {
			return err
		}
		for look := false; !look && err == nil; {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-a.out.stopping:
				return errStopping
			case e := <-pieces:
				look, err = e.Type == domain.TokenEnd, a.piece(ctx, e)
			case <-hints:
				look = true
			case <-beat.C:
				look, err = true, a.beat(ctx)
			}
		}
		if err != nil {
			return err
		}
	}
}

func (a *answering) beat(ctx context.Context) error {
	if err := a.out.alive(ctx); err != nil {
		return err
	}
	return a.out.comment("heartbeat")
}

// ended sends the rest when the job is over.
func (a *answering) ended(ctx context.Context) (bool, error) {
	job, err := a.Store.Job(ctx, a.job.UserID, a.job.ID)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return true, nil // deleted meanwhile
	}
	if err != nil || !job.State.Terminal() {
		return false, err
	}
	if err := a.catchUp(ctx); err != nil {
		return false, err
	}
	return true, a.finish(ctx)
}

// finish sends the answer as it is in Postgres.
func (a *answering) finish(ctx context.Context) error {
	m, err := a.Chats.ChatMessage(ctx, a.answer.UserID, a.answer.ProjectID, a.answer.ID)
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return nil // deleted meanwhile
	case err != nil:
		return err
	case m.State == domain.ChatFailed:
		return a.out.send(final, "failed", toChatMessage(m))
	}
	return a.out.send(final, "done", toChatMessage(m))
}

// piece sends a piece that was heard, after those before it that were not.
func (a *answering) piece(ctx context.Context, e domain.TokenEvent) error {
	if a.skips(e) && a.gap != e.Attempt {
		if err := a.catchUp(ctx); err != nil {
			return err
		}
		if a.skips(e) {
			a.gap = e.Attempt
		}
	}
	return a.send(e)
}

// catchUp sends what the stream has behind the last piece. When it cannot be
// read, the client waits for the finished answer.
func (a *answering) catchUp(ctx context.Context) error {
	var failed error
	err := a.Tokens.TokensSoFar(ctx, a.job.ID, func(e domain.TokenEvent) error {
		failed = a.send(e)
		return failed
	})
	if err != nil && failed == nil && ctx.Err() == nil {
		a.log.InfoContext(ctx, "the pieces of an answer cannot be read", "job_id", a.job.ID, "error", err)
		return nil
	}
	return err
}

// skips reports whether pieces between the last one and this one are missing.
func (a *answering) skips(e domain.TokenEvent) bool {
	if e.Attempt == a.at.attempt {
		return e.Index > a.at.index+1
	}
	return e.Attempt > a.at.attempt && e.Index > 0
}

// send sends a piece that comes next; others are old, or behind a gap.
func (a *answering) send(e domain.TokenEvent) error {
	at := place{e.Attempt, e.Index}
	if a.skips(e) || at.attempt < a.at.attempt || at.attempt == a.at.attempt && at.index <= a.at.index {
		return nil
	}
	a.at = at
	if e.Type == domain.TokenEnd {
		return nil
	}
	return a.out.send(fmt.Sprintf("%d.%d", e.Attempt, e.Index), string(e.Type), ChatToken{Attempt: e.Attempt, Index: e.Index, Text: e.Text})
}

// reply writes a JSON reply from within a body function.
func (s *server) reply(hc huma.Context, status int, body any) {
	_ = http.NewResponseController(humagin.Unwrap(hc).Writer).SetWriteDeadline(time.Now().Add(replyTimeout))
	hc.SetHeader("Content-Type", "application/json")
	hc.SetStatus(status)
	if err := huma.DefaultJSONFormat.Marshal(hc.BodyWriter(), body); err != nil {
		s.log.DebugContext(hc.Context(), "client gone", "error", err)
	}
}
