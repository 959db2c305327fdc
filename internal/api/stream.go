package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// eventStream writes server-sent events to one client.
type eventStream struct {
	writer    http.ResponseWriter
	control   *http.ResponseController
	heartbeat time.Duration
	stopping  <-chan struct{}
	due       time.Time                   // of the next heartbeat
	alive     func(context.Context) error // whether the login still holds
}

// send writes one event; without an id the client's Last-Event-ID stays.
func (e *eventStream) send(id, name string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	text := "event: " + name + "\n"
	if id != "" {
		text = "id: " + id + "\n" + text
	}
	return e.write(fmt.Sprintf("%sdata: %s\n\n", text, body))
}

// comment keeps the connection open, and finds out that it is not.
func (e *eventStream) comment(text string) error { return e.write(": " + text + "\n\n") }

func (e *eventStream) write(text string) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(writeStall))
	if _, err := e.writer.Write([]byte(text)); err != nil {
		return err
	}
	return e.control.Flush()
}

// errStopping ends a stream; the client connects again, to another process.
var errStopping = errors.New("the process stops")

// gather is how long hints are collected, so that a busy moment costs one look.
const gather = 50 * time.Millisecond

// wait returns when there is something to look at: a hint, or the heartbeat,
// which is also when the login is checked again. The jobs that were named are
// added to changed, where that is wanted; after a heartbeat it is empty.
func (e *eventStream) wait(ctx context.Context, hints <-chan domain.JobHint, changed map[uuid.UUID]struct{}) error {
	if e.due.IsZero() {
		e.due = time.Now().Add(e.heartbeat)
	}
	beat := time.NewTimer(time.Until(e.due))
	defer beat.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-e.stopping:
		return errStopping
	case <-beat.C:
		e.due = time.Time{}
		if err := e.alive(ctx); err != nil {
			return err
		}
		return e.comment("heartbeat")
	case hint := <-hints:
		if changed == nil {
			return nil
		}
		changed[hint.JobID] = struct{}{}
	}
	return e.collect(ctx, hints, changed)
}

func (e *eventStream) collect(ctx context.Context, hints <-chan domain.JobHint, changed map[uuid.UUID]struct{}) error {
	end := time.NewTimer(gather)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case hint := <-hints:
			changed[hint.JobID] = struct{}{}
		case <-end.C:
			return nil
		}
	}
}

// streamResponse documents an event stream by the type of its data.
func (s *server) streamResponse(data reflect.Type, description string) map[string]*huma.Response {
	s.api.OpenAPI().Components.Schemas.Schema(data, true, "")
	return map[string]*huma.Response{"200": {
		Description: description + ": see the schema " + data.Name() + ".",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
}
