package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Health says that the process lives.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

// Readiness says whether requests can be served.
type Readiness struct {
	Status    string            `json:"status" enum:"ready,unavailable"`
	Checks    map[string]string `json:"checks" doc:"ok or unavailable, by dependency"`
	Providers []ProviderStatus  `json:"providers" doc:"Of language models; for information, since nothing waits for them to be ready"`
	Version   string            `json:"version" example:"1.4.0"`
}

type healthOutput struct {
	Body Health
}

type readyOutput struct {
	Status int
	Body   Readiness
}

func (s *server) systemOperations() {
	const tag = "system"
	health := endpoint{id: "health", method: http.MethodGet, path: "/health", tag: tag, summary: "Does the process live", public: true, bare: true}
	registerAt(s, s.api, health, func(context.Context, *struct{}) (*healthOutput, error) {
		return &healthOutput{Body: Health{Status: "ok"}}, nil
	})
	ready := endpoint{
		id: "ready", method: http.MethodGet, path: "/ready", tag: tag, summary: "Can requests be served", public: true, bare: true,
		description: "503, with the same body, while a dependency does not answer.",
	}
	ready.responses = map[string]*huma.Response{"503": respond[Readiness](s, "A dependency does not answer")}
	registerAt(s, s.api, ready, s.ready)
}

const readyTimeout = 3 * time.Second

func (s *server) ready(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	out := &readyOutput{Status: http.StatusOK, Body: Readiness{Status: "ready", Checks: map[string]string{}, Version: s.Version}}
	for name, check := range map[string]func(context.Context) error{"postgres": s.Store.Ping, "nats": s.Engine.Ready} {
		out.Body.Checks[name] = "ok"
		if err := check(ctx); err != nil {
			s.log.WarnContext(ctx, "not ready", "dependency", name, "error", err)
			out.Status, out.Body.Status, out.Body.Checks[name] = http.StatusServiceUnavailable, "unavailable", "unavailable"
		}
	}
	out.Body.Providers = s.models.providers(ctx, s.Providers.All())
	return out, nil
}
