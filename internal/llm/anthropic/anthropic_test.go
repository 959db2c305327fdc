package anthropic_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/anthropic"
	"generalbackend/internal/llm/llmtest"
)

func TestConform(t *testing.T) {
	t.Parallel()
	llmtest.Conform(t, func(t *testing.T) llmtest.Subject {
		server, p := start(t)
		return llmtest.Subject{Provider: p, ChatModel: llmtest.ChatModel, Server: server}
	})
}

func TestAnswersThatAreNoObjects(t *testing.T) {
	t.Parallel()
	server, p := start(t)
	server.OnChat(func(in llmtest.ChatRequest) string {
		var schema struct{ Type string }
		if err := json.Unmarshal(in.Format, &schema); err != nil || schema.Type != "object" {
			t.Errorf("the tool takes %s", in.Format)
		}
		return `{"answer": ["a", "b"]}`
	})
	req := question()
	req.Schema = json.RawMessage(`{"type":"array","items":{"type":"string"}}`)
	got, err := p.Complete(t.Context(), req)
	if err != nil || got.Content != `["a", "b"]` {
		t.Errorf("%q, %v", got.Content, err)
	}
}

func TestSystemAndEmptyTurns(t *testing.T) {
	t.Parallel()
	server, p := start(t)
	req := question()
	req.Temperature = 1.7
	req.Messages = []llm.Message{{Role: llm.RoleSystem, Content: "Be brief."}, {Role: llm.RoleUser, Content: " "}}
	if _, err := p.Complete(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	req.Messages = req.Messages[:1]
	if _, err := p.Complete(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	want := []llmtest.ChatMessage{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "(nothing)"}}
	if diff := cmp.Diff(want, server.Chats()[0].Messages); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if heat := server.Chats()[0].Options["temperature"]; heat != 1.0 {
		t.Errorf("temperature %v, want the highest there is", heat)
	}
}

func TestNoEmbeddings(t *testing.T) {
	t.Parallel()
	_, p := start(t)
	if _, err := p.Embed(t.Context(), llm.EmbedRequest{Texts: []string{"x"}}); domain.CodeOf(err) != domain.CodeModelNotFound {
		t.Errorf("%v", err)
	}
}

func start(t *testing.T) (*llmtest.Server, *anthropic.Provider) {
	t.Helper()
	server := llmtest.NewAnthropic()
	t.Cleanup(server.Close)
	p, err := anthropic.New(anthropic.Config{BaseURL: server.URL, APIKey: "sk-test"})
	if err != nil {
		t.Fatal(err)
	}
	return server, p
}

func question() llm.CompleteRequest {
	return llm.CompleteRequest{Model: llmtest.ChatModel, MaxTokens: 50, Messages: []llm.Message{{Role: llm.RoleUser, Content: "Is it?"}}}
}
