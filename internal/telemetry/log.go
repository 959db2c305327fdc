// Package telemetry is how a process is watched: structured logs, metrics,
// traces and the answers to "are you alive" and "can you work". It never sees
// the content of documents or messages.
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// id is a key under which a context carries what a log line should name.
type id string

const (
	requestID id = "request_id"
	jobID     id = "job_id"
	userID    id = "user_id"
)

// WithRequestID returns a context whose log lines name the request.
func WithRequestID(ctx context.Context, v string) context.Context {
	return context.WithValue(ctx, requestID, v)
}

// WithJobID returns a context whose log lines name the job.
func WithJobID(ctx context.Context, v string) context.Context {
	return context.WithValue(ctx, jobID, v)
}

// WithUserID returns a context whose log lines name the user.
func WithUserID(ctx context.Context, v string) context.Context {
	return context.WithValue(ctx, userID, v)
}

// RequestID returns what WithRequestID put into the context, or "".
func RequestID(ctx context.Context) string {
	v, _ := ctx.Value(requestID).(string)
	return v
}

// NewLogger returns a logger of JSON lines that name the process and, from the
// context of each call, the request, job, user and trace.
func NewLogger(w io.Writer, level slog.Level, process string) *slog.Logger {
	json := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	return slog.New(handler{json}).With("process", process)
}

// handler adds the context's ids to each record.
type handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	for _, key := range []id{requestID, jobID, userID} {
		if v, ok := ctx.Value(key).(string); ok && v != "" {
			r.AddAttrs(slog.String(string(key), v))
		}
	}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name)}
}
