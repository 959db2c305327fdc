package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Status is a provider as administrators see it. A key is never shown.
type Status struct {
	Name   string `json:"name" example:"grok"`
	Local  bool   `json:"local" doc:"What is asked of it stays on the deployment's own machines"`
	KeySet bool   `json:"key_set" doc:"An API key is configured"`
	Down   bool   `json:"down" doc:"It failed several times in a row and is not being asked at the moment"`
}

// Config returns the configuration in force here, its version and the providers
// it is about. Version 0 is that of the environment's defaults.
func (g *Gateway) Config() (Config, int64, []Status) {
	c := g.current.Load()
	providers := make([]Status, len(g.options.Sources))
	for i, s := range g.options.Sources {
		providers[i] = Status{Name: s.Provider.Name(), Local: s.Local, KeySet: s.KeySet, Down: s.open()}
	}
	return c.Config, c.version, providers
}

// Save replaces the configuration of the given version everywhere. It answers
// FieldErrors when fields are not valid, and CodeConflict when somebody was faster.
func (g *Gateway) Save(ctx context.Context, c Config, version int64) (int64, error) {
	if faults := c.check(g.names()); len(faults) > 0 {
		return 0, faults
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return 0, fmt.Errorf("encode the configuration: %w", err)
	}
	saved, err := g.options.Store.SaveLLMConfig(ctx, raw, version)
	if err != nil {
		return 0, err
	}
	g.options.Signals.SignalLLMConfig()
	return saved, g.load(ctx)
}

// Load reads the configuration from the store.
func (g *Gateway) Load(ctx context.Context) error { return g.load(ctx) }

func (g *Gateway) load(ctx context.Context) error {
	g.loading.Lock()
	defer g.loading.Unlock()
	raw, version, err := g.options.Store.LLMConfig(ctx)
	if err != nil || version == g.current.Load().version {
		return err
	}
	next := &versioned{version: version}
	if err := json.Unmarshal(raw, &next.Config); err != nil {
		return fmt.Errorf("the stored LLM configuration cannot be read: %w", err)
	}
	g.current.Store(next)
	g.log.InfoContext(ctx, "LLM configuration changed", "version", version)
	for _, name := range append([]string{next.DefaultProvider}, next.Fallback...) {
		if !slices.Contains(g.names(), name) {
			g.log.WarnContext(ctx, "the LLM configuration names a provider that is not configured in this process", "provider", name)
		}
	}
	return nil
}

// Run follows changes of the configuration until ctx ends: at once where the
// signal comes, else with the next look at the store.
func (g *Gateway) Run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	cancel, err := g.options.Signals.OnLLMConfig(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer cancel()
	poll := time.NewTicker(g.options.Poll)
	defer poll.Stop()
	for {
		if err := g.load(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "the LLM configuration stays as it was", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-poll.C:
		}
	}
}
