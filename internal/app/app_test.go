package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/app"
	"generalbackend/internal/config"
)

func TestRunHandsOverWhatAProcessHas(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	environ := []string{"DATABASE_URL=postgres://me@db/app", "METRICS_PORT=7"}
	err := app.Run(t.Context(), "embed-worker", config.Worker, environ, &out, func(_ context.Context, rt *app.Runtime) error {
		if rt.Name != "embed-worker" || rt.Config.MetricsPort != 7 || rt.Metrics == nil || rt.Health == nil {
			t.Errorf("wrong runtime: %+v", rt)
		}
		rt.Log.Info("hello")
		return nil
	})
	if err != nil || !strings.Contains(out.String(), `"msg":"hello","process":"embed-worker"`) {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestRunReportsErrors(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := app.Run(t.Context(), "api", config.API, nil, &out, nil)
	if err == nil || !strings.Contains(out.String(), "SECRET_KEY") {
		t.Errorf("bad configuration: %v: %s", err, out.String())
	}
	out.Reset()
	err = app.Run(t.Context(), "x", config.Standalone, nil, &out, func(context.Context, *app.Runtime) error { return errors.New("boom") })
	if err == nil || !strings.Contains(out.String(), "boom") {
		t.Errorf("failing run: %v: %s", err, out.String())
	}
}

func TestStoppingIsNoError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	err := app.Run(ctx, "x", config.Standalone, nil, io.Discard, func(ctx context.Context, rt *app.Runtime) error {
		cancel()
		<-ctx.Done()
		for rt.Health.Ready(context.WithoutCancel(ctx)).Status != "stopping" {
			time.Sleep(time.Millisecond)
		}
		return ctx.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

// A worker reads what the API accepted, though MAX_UPLOAD_MB is set there alone.
func TestWorkersReadWhatIsAccepted(t *testing.T) {
	t.Parallel()
	environ := []string{"DATABASE_URL=postgres://me@db/app", "SECRET_KEY=vK7tq2XbN9fRwZ4mLp8sHc3yGd6jTe1u"}
	api, err := config.Load(append(environ, "MAX_UPLOAD_MB=2048"), config.API)
	if err != nil {
		t.Fatal(err)
	}
	worker, err := config.Load(environ, config.Worker)
	if err != nil {
		t.Fatal(err)
	}
	if got := app.Limits(worker.Extraction).MaxBytes; got < api.HTTP.MaxUploadBytes() {
		t.Errorf("documents of up to %d bytes are read, of up to %d are accepted", got, api.HTTP.MaxUploadBytes())
	}
}

// recorder makes parts that write down in which order they end.
type recorder struct {
	mu    sync.Mutex
	ended []string
}

func (r *recorder) part(name string, err error, quits <-chan struct{}) app.Part {
	return app.Part{Name: name, Run: func(ctx context.Context) error {
		select {
		case <-ctx.Done():
		case <-quits:
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, name)
		return err
	}}
}

func TestPartsStopInReverse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		quit bool
		err  error
		want string
	}{
		{name: "told to", want: ""},
		{name: "one ends", quit: true, want: ""},
		{name: "one fails", quit: true, err: errors.New("boom"), want: "b: boom"},
		{name: "cancelled", err: context.Canceled, want: ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			quits := make(chan struct{})
			if tc.quit {
				close(quits)
			} else {
				cancel()
			}
			defer cancel()
			var r recorder
			err := app.RunParts(ctx, slog.New(slog.DiscardHandler), time.Minute,
				r.part("a", nil, nil), r.part("b", tc.err, quits), r.part("c", nil, nil))
			if got := errorText(err); got != tc.want {
				t.Errorf("error %q, want %q", got, tc.want)
			}
			order := slices.DeleteFunc(r.ended, func(s string) bool { return tc.quit && s == "b" })
			want := []string{"c", "b", "a"}
			if tc.quit {
				want = []string{"c", "a"}
			}
			if diff := cmp.Diff(want, order); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAPartThatHangsIsNamed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	release := make(chan struct{})
	defer close(release)
	var r recorder
	err := app.RunParts(ctx, slog.New(slog.DiscardHandler), time.Millisecond, app.Part{Name: "stuck", Run: func(context.Context) error {
		<-release
		return nil
	}}, r.part("b", nil, nil))
	if got := errorText(err); !strings.Contains(got, "stuck: did not stop in time") {
		t.Errorf("error %q", got)
	}
}

// serve starts handler as a part and returns its address and a function that
// stops it.
func serve(t *testing.T, timeout time.Duration, handler http.Handler) (url string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	addr, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		done <- app.Serve(slog.New(slog.DiscardHandler), "127.0.0.1:0", timeout, handler, func(a net.Addr) { addr <- a })(ctx)
	}()
	select {
	case a := <-addr:
		return "http://" + a.String(), func() error { cancel(); return <-done }
	case err := <-done:
		t.Fatal(err)
		return "", nil
	}
}

func get(t *testing.T, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func TestServeLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	url, stop := serve(t, time.Minute, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "finished")
	}))
	body := make(chan string, 1)
	go func() {
		b, err := get(t, url)
		body <- b + errorText(err)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(release)
	if got := <-body; got != "finished" {
		t.Errorf("the running request got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestServeCutsOffWhatDoesNotFinish(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	url, stop := serve(t, time.Millisecond, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	go func() { _, _ = get(t, url) }()
	<-entered
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestServeReportsATakenPort(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = app.Serve(slog.New(slog.DiscardHandler), l.Addr().String(), time.Second, nil, nil)(t.Context())
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}

func TestWatchAnswers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out lockedBuffer
	environ := []string{"METRICS_PORT=0"}
	done := make(chan error, 1)
	go func() {
		done <- app.Run(ctx, "x", config.Standalone, environ, &out, func(ctx context.Context, rt *app.Runtime) error {
			return rt.RunParts(ctx, rt.Watch())
		})
	}()
	var port string
	for port == "" {
		_, after, found := strings.Cut(out.String(), `"address":"[::]:`)
		if port, _, _ = strings.Cut(after, `"`); !found {
			port = ""
			time.Sleep(time.Millisecond)
		}
	}
	if body, err := get(t, "http://127.0.0.1:"+port+"/ready"); err != nil || !strings.Contains(body, `"ready"`) {
		t.Errorf("%q, %v", body, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
