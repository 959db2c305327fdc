package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"generalbackend/internal/telemetry"
)

func TestLogLinesNameTheirContext(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, slog.LevelInfo, "api").With("stage", "extract")
	ctx := telemetry.WithUserID(telemetry.WithJobID(telemetry.WithRequestID(t.Context(), "r"), "j"), "u")
	log.DebugContext(ctx, "not shown")
	log.InfoContext(ctx, "done", "pages", 3)
	log.Info("bare")

	var lines []map[string]any
	for line := range strings.Lines(out.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		delete(v, "time")
		lines = append(lines, v)
	}
	want := []map[string]any{
		{"level": "INFO", "msg": "done", "process": "api", "stage": "extract", "pages": 3.0, "request_id": "r", "job_id": "j", "user_id": "u"},
		{"level": "INFO", "msg": "bare", "process": "api", "stage": "extract"},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got := telemetry.RequestID(ctx); got != "r" {
		t.Errorf("request id %q", got)
	}
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, strings.TrimSpace(string(b))
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	health := &telemetry.Health{}
	h := telemetry.Handler(telemetry.NewRegistry("test"), health)
	var fault error
	health.Add("postgres", func(context.Context) error { return nil })
	health.Add("nats", func(context.Context) error { return fault })
	for _, tc := range []struct {
		name   string
		change func()
		status int
		body   string
	}{
		{"all well", func() {}, 200, `{"status":"ready","checks":{"nats":"ok","postgres":"ok"}}`},
		{"one down", func() { fault = errors.New("dial 10.0.0.7: refused") }, 503, `{"status":"unavailable","checks":{"nats":"unavailable","postgres":"ok"}}`},
		{"stopping", func() { fault = nil; health.Stopping() }, 503, `{"status":"stopping","checks":{"nats":"ok","postgres":"ok"}}`},
	} {
		tc.change()
		if status, body := get(t, h, "/ready"); status != tc.status || body != tc.body {
			t.Errorf("%s: %d %s, want %d %s", tc.name, status, body, tc.status, tc.body)
		}
		if status, _ := get(t, h, "/health"); status != 200 {
			t.Errorf("%s: not alive (%d)", tc.name, status)
		}
	}
}

func TestMetricsNameTheProcess(t *testing.T) {
	t.Parallel()
	_, body := get(t, telemetry.Handler(telemetry.NewRegistry("match-worker"), &telemetry.Health{}), "/metrics")
	for _, want := range []string{`generalbackend_build_info{process="match-worker"`, "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

func TestTraceTravelsInHeaders(t *testing.T) {
	t.Parallel()
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true})
	header := nats.Header{}
	telemetry.Inject(trace.ContextWithSpanContext(t.Context(), span), header)
	got := trace.SpanContextFromContext(telemetry.Extract(t.Context(), header))
	if !got.Equal(span) {
		t.Errorf("%v arrived, want %v", got, span)
	}
	if trace.SpanContextFromContext(telemetry.Extract(t.Context(), nil)).IsValid() {
		t.Error("a trace came from nowhere")
	}

	var out bytes.Buffer
	telemetry.NewLogger(&out, slog.LevelInfo, "x").InfoContext(telemetry.Extract(t.Context(), header), "hello")
	if !strings.Contains(out.String(), span.TraceID().String()) {
		t.Errorf("the log does not name the trace: %s", out.String())
	}
}

func TestTracesReachTheCollector(t *testing.T) {
	got := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Path }))
	defer collector.Close()
	stop, err := telemetry.StartTracing(t.Context(), collector.URL+"/", "test")
	if err != nil {
		t.Fatal(err)
	}
	_, span := otel.Tracer("test").Start(t.Context(), "work")
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if path := <-got; path != "/v1/traces" {
		t.Errorf("sent to %s", path)
	}
	if stop, err := telemetry.StartTracing(t.Context(), "", "test"); err != nil || stop(t.Context()) != nil {
		t.Errorf("without a collector: %v", err)
	}
}
