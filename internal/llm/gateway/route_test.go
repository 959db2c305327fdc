package gateway_test

import (
	"strings"
	"testing"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/gateway"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/postgres/postgrestest"
)

func TestConform(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ollama", "grok", "anthropic"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := postgrestest.NewStore(t)
			llmtest.Conform(t, func(t *testing.T) llmtest.Subject {
				s := newSystemOn(t, store, nil)
				s.sources = s.bare // what is robust tries again, and has other errors then
				s.Gateway = s.open(defaults(), silent{})
				p, err := s.Provider(name)
				if err != nil {
					t.Fatal(err)
				}
				server := map[string]*llmtest.Server{"ollama": s.ollama, "grok": s.grok, "anthropic": s.anthropic}[name]
				subject := llmtest.Subject{Provider: p, ChatModel: llmtest.ChatModel, Server: server}
				if server.EmbedPath != "" {
					subject.EmbedModel = llmtest.EmbedModel
				}
				return subject
			})
		})
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *gateway.Config) {
		c.Providers["ollama"] = gateway.ProviderConfig{DefaultModel: "llama-a"}
		c.Providers["grok"] = gateway.ProviderConfig{DefaultModel: "grok-9", Models: []string{"grok-9", "grok-9-mini"}}
		c.Providers["anthropic"] = gateway.ProviderConfig{DefaultModel: "claude-x"}
		c.Aliases["old"] = "grok-9-mini"
	})
	s.awaitCatalogue()
	for _, tt := range []struct{ provider, model, who, want string }{
		{"", "", "ollama", "llama-a"},
		{"ollama", "", "ollama", "llama-a"},
		{"ollama", "qwen2.5:3b", "ollama", "llama-a"},
		{"grok", "grok-3", "grok", "grok-9"},
		{"grok", "old", "grok", "grok-9-mini"},
		{"grok", "llama-a", "grok", "grok-9"},
		{"anthropic", "llama-a", "anthropic", "claude-x"},
		{"anthropic", llmtest.EmbedModel, "anthropic", "claude-x"}, // what Ollama lists
		{"anthropic", "claude-y", "anthropic", "claude-y"},
		{"ollama", "grok-77", "ollama", "llama-a"},
		{"", "claude-y", "anthropic", "claude-y"},
		{"", "grok-9-mini", "grok", "grok-9-mini"},
		{"ollama", "phi", "ollama", "phi"},
	} {
		who, model, err := s.Resolve(t.Context(), tt.provider, tt.model)
		if err != nil || who != tt.who || model != tt.want {
			t.Errorf("%q with %q is answered by %q with %q, %v; want %q with %q", tt.provider, tt.model, who, model, err, tt.who, tt.want)
		}
	}
}

// awaitCatalogue waits until it is known which models Ollama lists. A provider
// that answers late is asked again after a while.
func (s *system) awaitCatalogue() {
	s.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, model, err := s.Resolve(s.t.Context(), "anthropic", llmtest.EmbedModel); err == nil && model != llmtest.EmbedModel {
			return
		}
	}
	s.t.Fatal("the models of Ollama stay unknown")
}

func TestUnknownProviderAndModel(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *gateway.Config) {
		c.Providers["grok"] = gateway.ProviderConfig{DefaultModel: "a", Models: []string{"a"}}
		c.Providers["anthropic"] = gateway.ProviderConfig{}
	})
	_, err := s.ask(t.Context(), "nope", "")
	wantCode(t, err, domain.CodeProviderUnknown)
	_, err = s.ask(t.Context(), "grok", "b")
	wantCode(t, err, domain.CodeModelNotFound)
	_, err = s.ask(t.Context(), "anthropic", "")
	wantCode(t, err, domain.CodeModelNotFound)
	if _, grok, anthropic := s.chats(); grok+anthropic > 0 {
		t.Error("they were asked all the same")
	}
}

func TestFallback(t *testing.T) {
	t.Parallel()
	chain := func(c *gateway.Config) {
		c.DefaultProvider = "grok"
		c.Fallback = []string{"grok", "anthropic", "ollama"}
	}
	for fault, want := range map[llmtest.Fault]struct {
		who  string
		code domain.Code
	}{
		llmtest.NoFault:      {who: "grok"},
		llmtest.Overloaded:   {who: "anthropic"},
		llmtest.RunnerDied:   {who: "anthropic"},
		llmtest.Forbidden:    {who: "anthropic"},
		llmtest.Refused:      {code: domain.CodeModelRefused},
		llmtest.LongPrompt:   {code: domain.CodeContextTooLong},
		llmtest.MissingModel: {code: domain.CodeModelNotFound},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, chain)
			s.grok.Fail(s.grok.ChatPath, fault, -1)
			got, err := s.ask(t.Context(), "", "")
			if wantCode(t, err, want.code); got.Provider != want.who {
				t.Errorf("%q answered, want %q", got.Provider, want.who)
			}
		})
	}
	t.Run("an open breaker asks nobody", func(t *testing.T) {
		t.Parallel()
		s := newSystem(t, chain)
		s.grok.Fail(s.grok.ChatPath, llmtest.Overloaded, -1)
		for range 3 {
			if got, err := s.ask(t.Context(), "", ""); err != nil || got.Provider != "anthropic" {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		if _, grok, _ := s.chats(); grok != 2 || !s.Down("grok") {
			t.Errorf("%d requests to a provider whose breaker opens after 2", grok)
		}
	})
	t.Run("all are down", func(t *testing.T) {
		t.Parallel()
		s := newSystem(t, chain)
		for _, server := range []*llmtest.Server{s.ollama, s.grok, s.anthropic} {
			server.Close()
		}
		_, err := s.ask(t.Context(), "", "")
		if wantCode(t, err, domain.CodeModelUnavailable); !strings.Contains(err.Error(), "grok") {
			t.Errorf("the error is not about who was asked: %v", err)
		}
	})
}

func TestNoFallbackAfterTheFirstToken(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *gateway.Config) { c.DefaultProvider, c.Fallback = "anthropic", []string{"grok"} })
	s.anthropic.OnChat(func(llmtest.ChatRequest) string { return "one two three four" })
	s.anthropic.Fail(s.anthropic.ChatPath, llmtest.BrokeOff, -1) // overloaded, in the middle
	var got strings.Builder
	_, err := s.Default().Stream(t.Context(), question(""), func(piece string) error {
		got.WriteString(piece)
		return nil
	})
	wantCode(t, err, domain.CodeModelOverloaded)
	if _, grok, anthropic := s.chats(); got.String() != "one two " || grok != 0 || anthropic != 1 {
		t.Errorf("%q from %d and %d requests", got.String(), anthropic, grok)
	}
}

func TestStreamFallsBackBeforeTheFirstToken(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *gateway.Config) { c.DefaultProvider, c.Fallback = "anthropic", []string{"grok"} })
	s.anthropic.Fail(s.anthropic.ChatPath, llmtest.Overloaded, -1)
	var got strings.Builder
	resp, err := s.Default().Stream(t.Context(), question(""), func(piece string) error {
		got.WriteString(piece)
		return nil
	})
	if err != nil || resp.Provider != "grok" || resp.Content != got.String() {
		t.Errorf("%+v, %q, %v", resp, got.String(), err)
	}
}

func TestWhoNamesALocalProviderStaysLocal(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *gateway.Config) { c.Fallback = []string{"grok", "anthropic"} })
	s.ollama.Close()
	_, err := s.ask(t.Context(), "ollama", "")
	wantCode(t, err, domain.CodeModelUnavailable)
	if _, grok, anthropic := s.chats(); grok+anthropic != 0 {
		t.Error("a request for a local provider reached a cloud")
	}
	if got, err := s.ask(t.Context(), "", ""); err != nil || got.Provider != "grok" {
		t.Errorf("%q, %v", got.Provider, err)
	}
}

func TestLocalOnly(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *gateway.Config) { c.DefaultProvider, c.Fallback = "grok", []string{"anthropic"} })
	ctx, user := s.caller()
	if err := s.store.SetLocalOnly(t.Context(), user, true); err != nil {
		t.Fatal(err)
	}
	got, err := s.ask(ctx, "", "")
	if err != nil || got.Provider != "ollama" {
		t.Errorf("%q, %v", got.Provider, err)
	}
	for _, provider := range []string{"grok", "anthropic"} {
		_, err := s.ask(ctx, provider, "")
		wantCode(t, err, domain.CodeLocalOnly)
		p, err := s.Provider(provider)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Embed(ctx, llm.EmbedRequest{Model: llmtest.EmbedModel, Texts: []string{"x"}})
		wantCode(t, err, domain.CodeLocalOnly)
		wantCode(t, s.AdmitEmbedding(ctx, provider), domain.CodeLocalOnly)
	}
	_, err = s.ask(ctx, "", "claude-x")
	wantCode(t, err, domain.CodeLocalOnly)
	s.ollama.Close()
	_, err = s.ask(ctx, "", "")
	wantCode(t, err, domain.CodeModelUnavailable)
	if _, grok, anthropic := s.chats(); grok+anthropic+s.grok.Requests(s.grok.EmbedPath) != 0 {
		t.Error("private work reached a cloud")
	}
}

func TestLocalOnlyProjectAndDeployment(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	ctx, user := s.caller()
	project, err := s.store.CreateProject(t.Context(), domain.Project{
		ID: user, UserID: user, Type: domain.ProjectOther, Name: "p", Config: []byte(`{}`), LocalOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	inside := llm.WithCaller(ctx, llm.Caller{UserID: user, ProjectID: &project.ID, Purpose: "chat"})
	_, err = s.ask(inside, "grok", "")
	wantCode(t, err, domain.CodeLocalOnly)
	_, err = s.ask(ctx, "grok", "")
	wantCode(t, err, "")

	config, version, _ := s.Config()
	config.LocalOnly = true
	if _, err := s.Save(ctx, config, version); err != nil {
		t.Fatal(err)
	}
	_, err = s.ask(ctx, "grok", "")
	wantCode(t, err, domain.CodeLocalOnly)
}

func TestSharesOfABatchStayLocal(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	_, open := s.caller()
	_, private := s.caller()
	if err := s.store.SetLocalOnly(t.Context(), private, true); err != nil {
		t.Fatal(err)
	}
	p, err := s.Provider("grok")
	if err != nil {
		t.Fatal(err)
	}
	ctx := llm.WithShares(t.Context(), []llm.Share{{Caller: llm.Caller{UserID: open}, Weight: 1}, {Caller: llm.Caller{UserID: private}, Weight: 1}})
	_, err = p.Embed(ctx, llm.EmbedRequest{Model: llmtest.EmbedModel, Texts: []string{"x", "y"}})
	if wantCode(t, err, domain.CodeLocalOnly); s.grok.Requests(s.grok.EmbedPath) != 0 {
		t.Error("a private text reached a cloud in a batch")
	}
}
