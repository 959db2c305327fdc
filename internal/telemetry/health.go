package telemetry

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"time"
)

// checkTimeout bounds all checks of one question.
const checkTimeout = 3 * time.Second

// Health answers whether a process can work. Its zero value is ready and has no
// checks.
type Health struct {
	mu       sync.Mutex
	checks   map[string]func(context.Context) error
	stopping bool
}

// Add registers a dependency without which the process cannot work.
func (h *Health) Add(name string, check func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.checks == nil {
		h.checks = map[string]func(context.Context) error{}
	}
	h.checks[name] = check
}

// Stopping makes the process not ready for the rest of its life, so that nobody
// sends it new work.
func (h *Health) Stopping() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
}

// Readiness is the answer to whether a process can work.
type Readiness struct {
	Status string            `json:"status"` // "ready", "unavailable" or "stopping"
	Checks map[string]string `json:"checks"` // "ok" or "unavailable"
}

// Ready asks all dependencies at the same time. What is wrong with one is not
// part of the answer, which anybody may read.
func (h *Health) Ready(ctx context.Context) Readiness {
	h.mu.Lock()
	checks, stopping := maps.Clone(h.checks), h.stopping
	h.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	r := Readiness{Status: "ready", Checks: map[string]string{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for name, check := range checks {
		wg.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			r.Checks[name] = "ok"
			if err != nil {
				r.Checks[name], r.Status = "unavailable", "unavailable"
			}
		})
	}
	wg.Wait()
	if stopping {
		r.Status = "stopping"
	}
	return r
}

// ServeHTTP answers a readiness probe: 200 or 503.
func (h *Health) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r := h.Ready(req.Context())
	status := http.StatusOK
	if r.Status != "ready" {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, r)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A failed write means that the asker has gone.
	_ = json.NewEncoder(w).Encode(v)
}
