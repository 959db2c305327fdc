package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"generalbackend/internal/config"
)

// probeTimeout is longer than the checks behind /ready may take.
const probeTimeout = 5 * time.Second

// Probe asks a process with this environment on this machine whether it is
// ready. Containers have no other program to ask with.
func Probe(ctx context.Context, process config.Process, environ []string) error {
	cfg, err := config.Load(environ, process)
	if err != nil {
		return err
	}
	port := cfg.MetricsPort
	if process != config.Worker {
		port = cfg.HTTP.Port
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/ready", port), nil)
	if err != nil {
		return fmt.Errorf("make the probe: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not reachable: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", resp.Status)
	}
	return nil
}
