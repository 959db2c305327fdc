package gateway_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm/gateway"
	"generalbackend/internal/queue"
	"generalbackend/internal/queue/queuetest"
)

// run keeps a gateway up to date until the test ends.
func run(t *testing.T, g *gateway.Gateway) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
}

// await polls until another gateway has a version; the test's time limit ends it.
func await(g *gateway.Gateway, version int64) gateway.Config {
	for {
		if c, v, _ := g.Config(); v >= version {
			return c
		}
		<-time.After(time.Millisecond)
	}
}

func connect(t *testing.T, url string) *queue.Queue {
	t.Helper()
	q, err := queue.Open(queue.Options{URL: url, Name: t.Name(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

func TestAChangeReachesOtherProcesses(t *testing.T) {
	t.Parallel()
	broker := queuetest.NewServer(t)
	for name, signals := range map[string]func() gateway.Signals{
		"by signal": func() gateway.Signals { return connect(t, broker.URL()) },
		"by poll":   func() gateway.Signals { return silent{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, nil)
			one, two := s.open(defaults(), signals()), s.open(defaults(), signals())
			run(t, two)
			config, version, _ := one.Config()
			config.DefaultProvider, config.RequestsPerMinute = "grok", 7
			saved, err := one.Save(t.Context(), config, version)
			if err != nil {
				t.Fatal(err)
			}
			if c := await(two, saved); c.DefaultProvider != "grok" || c.RequestsPerMinute != 7 {
				t.Errorf("the other process has %+v", c)
			}
			if c, v, _ := one.Config(); v != saved || c.DefaultProvider != "grok" {
				t.Errorf("this process has version %d of %d", v, saved)
			}
			if two.Default().Name() != "grok" {
				t.Errorf("the default is %s", two.Default().Name())
			}
			if _, err := two.Save(t.Context(), config, version); domain.CodeOf(err) != domain.CodeConflict {
				t.Errorf("a change of what is no more: %v", err)
			}
		})
	}
}

func TestBadConfigurationsAreRefusedField(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	for field, spoil := range map[string]func(*gateway.Config){
		"default_provider":             func(c *gateway.Config) { c.DefaultProvider = "nope" },
		"providers":                    func(c *gateway.Config) { c.Providers["nope"] = gateway.ProviderConfig{} },
		"providers.grok.default_model": func(c *gateway.Config) { c.Providers["grok"] = gateway.ProviderConfig{DefaultModel: "a b"} },
		"providers.grok.models[0]":     func(c *gateway.Config) { c.Providers["grok"] = gateway.ProviderConfig{Models: []string{"\x00"}} },
		"providers.grok.prices":        func(c *gateway.Config) { c.Providers["grok"].Prices["x"] = gateway.Price{Prompt: -1} },
		"fallback[0]":                  func(c *gateway.Config) { c.Fallback = []string{"offline"} },
		"fallback[1]":                  func(c *gateway.Config) { c.Fallback = []string{"grok", "grok"} },
		"aliases":                      func(c *gateway.Config) { c.Aliases = map[string]string{"a": "b", "b": "c"} },
		"currency":                     func(c *gateway.Config) { c.Currency = "euro" },
		"monthly_tokens":               func(c *gateway.Config) { c.MonthlyTokens = -1 },
		"monthly_cost":                 func(c *gateway.Config) { c.MonthlyCost = 1e7 },
		"requests_per_minute":          func(c *gateway.Config) { c.RequestsPerMinute = -1 },
		"providers.anthropic.default_model": func(c *gateway.Config) {
			c.Providers["anthropic"] = gateway.ProviderConfig{DefaultModel: "a", Models: []string{"b"}}
		},
	} {
		config := defaults()
		spoil(&config)
		_, err := s.Save(t.Context(), config, 0)
		var faults gateway.FieldErrors
		if !errors.As(err, &faults) || faults[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, version, _ := s.Config(); version != 0 {
		t.Error("a bad configuration was saved")
	}
}

func TestAProcessWithoutAProviderGoesOn(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	config := defaults()
	config.DefaultProvider, config.Fallback = "anthropic", []string{"grok"}
	if _, err := s.Save(t.Context(), config, 0); err != nil {
		t.Fatal(err)
	}
	s.sources = s.sources[:1] // a process that has no keys
	lacking := s.open(defaults(), silent{})
	if got, err := lacking.Default().Complete(t.Context(), question("")); err != nil || got.Provider != "ollama" {
		t.Errorf("%+v, %v", got, err)
	}
	if all := lacking.All(); len(all) != 1 || all[0].Name() != "ollama" {
		t.Errorf("%v", all)
	}
}

func TestAllNamesTheDefaultFirst(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *gateway.Config) { c.DefaultProvider = "grok" })
	var names []string
	for _, p := range s.All() {
		names = append(names, p.Name())
		models, err := p.Models(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range models {
			if local := p.Name() == "ollama" || p.Name() == "offline"; m.Local != local {
				t.Errorf("%s of %s: local %v", m.Name, p.Name(), m.Local)
			}
		}
	}
	if got := strings.Join(names, " "); got != "grok ollama anthropic offline" {
		t.Error(got)
	}
}
