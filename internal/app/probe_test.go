package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"generalbackend/internal/app"
	"generalbackend/internal/config"
)

func TestProbe(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		process config.Process
		port    string
		status  int
		ready   bool
	}{
		{"a worker that is ready", config.Worker, "METRICS_PORT", http.StatusOK, true},
		{"a worker that is not", config.Worker, "METRICS_PORT", http.StatusServiceUnavailable, false},
		{"an API that is ready", config.Standalone, "PORT", http.StatusOK, true},
		{"an API that is not there", config.Standalone, "PORT", 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/ready" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.WriteHeader(tc.status)
			}))
			defer srv.Close()
			u, err := url.Parse(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			if tc.status == 0 {
				srv.Close()
			}
			err = app.Probe(t.Context(), tc.process, []string{"DATABASE_URL=postgres://me@db/app", tc.port + "=" + u.Port()})
			if (err == nil) != tc.ready {
				t.Errorf("ready %v, want %v: %v", err == nil, tc.ready, err)
			}
		})
	}
	if err := app.Probe(t.Context(), config.Worker, nil); err == nil {
		t.Error("a bad configuration is ready")
	}
}
