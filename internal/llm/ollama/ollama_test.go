package ollama_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/ollama"
)

func TestConform(t *testing.T) {
	t.Parallel()
	llmtest.Conform(t, func(t *testing.T) llmtest.Subject {
		server, p := start(t)
		return llmtest.Subject{Provider: p, ChatModel: llmtest.ChatModel, EmbedModel: llmtest.EmbedModel, Server: server}
	})
}

func TestRequestKeepsToTheRules(t *testing.T) {
	t.Parallel()
	server, p := start(t)
	req := question()
	req.Schema = json.RawMessage(`{
		"type": "object",
		"properties": {
			"maxLength": {"type": "string", "maxLength": 5000, "pattern": "abc"},
			"not": {"type": "string", "maxLength": 2000, "pattern": "^a$"}
		},
		"not": {"required": ["x"]},
		"required": ["maxLength"]
	}`)
	if _, err := p.Complete(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	got := server.Chats()[0]
	if got.Truncate == nil || *got.Truncate {
		t.Error("truncate is not false")
	}
	wantOptions := map[string]any{"num_ctx": 8192.0, "num_predict": 50.0, "temperature": 0.0}
	if diff := cmp.Diff(wantOptions, got.Options); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	want := `{"properties":{"maxLength":{"type":"string"},"not":{"maxLength":2000,"pattern":"^a$","type":"string"}},"required":["maxLength"],"type":"object"}`
	if diff := cmp.Diff(want, string(got.Format)); diff != "" {
		t.Errorf("format (-want +got):\n%s", diff)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	server := llmtest.NewServer()
	t.Cleanup(server.Close)
	server.Fail("/api/chat", llmtest.Hang, -1)
	p, err := ollama.New(ollama.Config{BaseURL: server.URL, HeaderTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Complete(t.Context(), question())
	wantCode(t, err, domain.CodeModelTimeout)

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err = p.Complete(ctx, question())
	wantCode(t, err, domain.CodeModelTimeout)
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	_, p := start(t)
	got, err := p.Describe(t.Context(), llmtest.EmbedModel)
	if err != nil {
		t.Fatal(err)
	}
	want := llm.Model{Name: "all-minilm", Provider: "ollama", Description: "bert 23M", Embedding: true, Dims: 384, ContextTokens: 256}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("model (-want +got):\n%s", diff)
	}
}

func TestNewRefusesBadAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:11434", "ftp://x", "http://"} {
		if _, err := ollama.New(ollama.Config{BaseURL: address}); domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("New(%q) gives %v", address, err)
		}
	}
}

func start(t *testing.T) (*llmtest.Server, *ollama.Provider) {
	t.Helper()
	server := llmtest.NewServer()
	t.Cleanup(server.Close)
	p, err := ollama.New(ollama.Config{BaseURL: server.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	return server, p
}

func question() llm.CompleteRequest {
	return llm.CompleteRequest{
		Model:     llmtest.ChatModel,
		Messages:  []llm.Message{{Role: llm.RoleUser, Content: "Is it?"}},
		MaxTokens: 50,
	}
}

func wantCode(t *testing.T, err error, want domain.Code) {
	t.Helper()
	if got := domain.CodeOf(err); got != want {
		t.Errorf("error is %v, want code %s", err, want)
	}
}
