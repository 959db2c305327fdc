// Package llmtest holds what every provider must pass, and servers that speak
// the protocols of Ollama, OpenAI and Anthropic with faults on demand.
package llmtest

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Subject is a provider under test with the models to ask for. An empty
// ChatModel says that it cannot complete, an empty EmbedModel that it cannot
// embed. With a Server behind it, its faults are tried as well.
type Subject struct {
	Provider   llm.Provider
	ChatModel  string
	EmbedModel string
	Server     *Server
}

// Conform checks what the rest of the product relies on. The factory makes a
// fresh subject for each test.
func Conform(t *testing.T, factory func(t *testing.T) Subject) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, Subject){
		"models":              conformModels,
		"embed":               conformEmbed,
		"embed nothing":       conformEmbedNothing,
		"embed unknown model": conformEmbedUnknown,
		"embed cancelled":     conformEmbedCancelled,
		"complete":            conformComplete,
		"complete schema":     conformSchema,
		"complete unknown":    conformCompleteUnknown,
		"complete cancelled":  conformCompleteCancelled,
		"stream":              conformStream,
		"stream emit error":   conformStreamEmitError,
		"stream unknown":      conformStreamUnknown,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, factory(t))
		})
	}
	if factory(t).Server != nil {
		conformFaults(t, factory)
	}
}

func conformModels(t *testing.T, s Subject) {
	models, err := s.Provider.Models(t.Context())
	if err != nil {
		t.Fatalf("Models: %v", err)
	}
	byName := make(map[string]llm.Model)
	for _, m := range models {
		byName[m.Name] = m
		if m.Provider != s.Provider.Name() {
			t.Errorf("model %s names provider %q, want %q", m.Name, m.Provider, s.Provider.Name())
		}
	}
	for _, want := range []string{s.ChatModel, s.EmbedModel} {
		if _, ok := byName[want]; want != "" && !ok {
			t.Errorf("Models lacks %q: %v", want, models)
		}
	}
	if m := byName[s.EmbedModel]; s.EmbedModel != "" && (!m.Embedding || m.Dims <= 0) {
		t.Errorf("embedding model is listed as %+v", m)
	}
	if _, err := llm.Describe(t.Context(), s.Provider, "no-such-model"); domain.CodeOf(err) != domain.CodeModelNotFound {
		t.Errorf("Describe of an unknown model: %v", err)
	}
}

func conformEmbed(t *testing.T, s Subject) {
	if s.EmbedModel == "" {
		return
	}
	texts := []string{"Der Vertrag endet im Mai.", "a second text", "Der Vertrag endet im Mai."}
	got := embed(t, s, texts...)
	for i, v := range got {
		if norm := norm(v); math.Abs(norm-1) > 1e-3 {
			t.Errorf("vector %d has length %f, want 1", i, norm)
		}
	}
	if !cmp.Equal(got[0], got[2]) {
		t.Error("the same text has two vectors in one batch")
	}
	if cmp.Equal(got[0], got[1]) {
		t.Error("two texts have one vector")
	}
	if alone := embed(t, s, texts[1]); !cmp.Equal(alone[0], got[1]) {
		t.Error("a text has another vector alone than in a batch")
	}
}

func conformEmbedNothing(t *testing.T, s Subject) {
	if s.EmbedModel == "" {
		return
	}
	if got := embed(t, s); len(got) != 0 {
		t.Errorf("no texts gave %d vectors", len(got))
	}
}

func conformEmbedUnknown(t *testing.T, s Subject) {
	_, err := s.Provider.Embed(t.Context(), llm.EmbedRequest{Model: "no-such-model", Texts: []string{"x"}})
	wantCode(t, err, domain.CodeModelNotFound)
}

func conformEmbedCancelled(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Provider.Embed(ctx, llm.EmbedRequest{Model: s.EmbedModel, Texts: []string{"x"}})
	wantCancelled(t, err)
}

func conformComplete(t *testing.T, s Subject) {
	got, err := s.Provider.Complete(t.Context(), ask(s.ChatModel))
	if s.ChatModel == "" {
		wantCode(t, err, domain.CodeModelNotFound)
		return
	}
	if err != nil {
		t.Fatalf("Complete: %v", err)
	}
	if strings.TrimSpace(got.Content) == "" || got.Provider != s.Provider.Name() || got.Model == "" {
		t.Errorf("Complete answered %+v", got)
	}
	if got.Usage.PromptTokens <= 0 || got.Usage.CompletionTokens <= 0 {
		t.Errorf("Complete counts no tokens: %+v", got.Usage)
	}
	endless := ask(s.ChatModel)
	endless.MaxTokens = 0
	_, err = s.Provider.Complete(t.Context(), endless)
	wantCode(t, err, domain.CodeInvalid)
}

func conformSchema(t *testing.T, s Subject) {
	if s.ChatModel == "" {
		return
	}
	req := ask(s.ChatModel)
	req.Schema = json.RawMessage(`{"type":"object","properties":{"verdict":{"type":"string","maxLength":9000}},"required":["verdict"]}`)
	got, err := s.Provider.Complete(t.Context(), req)
	if err != nil {
		t.Fatalf("Complete: %v", err)
	}
	var answer struct{ Verdict *string }
	if err := json.Unmarshal([]byte(got.Content), &answer); err != nil || answer.Verdict == nil {
		t.Errorf("answer %q does not fit the schema: %v", got.Content, err)
	}
}

func conformCompleteUnknown(t *testing.T, s Subject) {
	_, err := s.Provider.Complete(t.Context(), ask("no-such-model"))
	wantCode(t, err, domain.CodeModelNotFound)
}

func conformCompleteCancelled(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Provider.Complete(ctx, ask(s.ChatModel))
	wantCancelled(t, err)
}

func ask(model string) llm.CompleteRequest {
	return llm.CompleteRequest{
		Model:     model,
		Messages:  []llm.Message{{Role: llm.RoleUser, Content: "Say something short."}},
		MaxTokens: 64,
	}
}

func embed(t *testing.T, s Subject, texts ...string) [][]float32 {
	t.Helper()
	got, err := s.Provider.Embed(t.Context(), llm.EmbedRequest{Model: s.EmbedModel, Texts: texts})
	if err != nil {
		t.Fatalf("Embed: %v", err)
	}
	if len(got.Vectors) != len(texts) {
		t.Fatalf("%d texts gave %d vectors", len(texts), len(got.Vectors))
	}
	return got.Vectors
}

func norm(v []float32) float64 {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	return math.Sqrt(square)
}

func wantCode(t *testing.T, err error, want domain.Code) {
	t.Helper()
	if got := domain.CodeOf(err); got != want {
		t.Errorf("error is %q, want code %s", err, want)
	}
}

func wantCancelled(t *testing.T, err error) {
	t.Helper()
	wantCode(t, err, domain.CodeCancelled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v does not wrap context.Canceled", err)
	}
}
