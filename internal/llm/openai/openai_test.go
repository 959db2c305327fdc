package openai_test

import (
	"encoding/json"
	"testing"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/openai"
)

func TestConform(t *testing.T) {
	t.Parallel()
	llmtest.Conform(t, func(t *testing.T) llmtest.Subject {
		server, p := start(t)
		return llmtest.Subject{Provider: p, ChatModel: llmtest.ChatModel, EmbedModel: llmtest.EmbedModel, Server: server}
	})
}

func TestStrictOnlyWhereTheSchemaAllows(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`,
		`{"type":"object","properties":{"a":{"type":"string"}}}`,
		`{"type":"object","properties":{"a":{"type":"string","maxLength":5}},"required":["a"],"additionalProperties":false}`,
		`{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"type":"string"}}}}},"required":["a"],"additionalProperties":false}`,
		`{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},"required":["a"],"additionalProperties":false,"$defs":{"x":{"type":"object","properties":{"b":{"type":"string"}}}}}`,
		`{"type":"array","items":{"type":"string"}}`,
	} {
		_, p := start(t) // the server refuses strict with a schema that is not
		if _, err := p.Complete(t.Context(), llm.CompleteRequest{
			Model: llmtest.ChatModel, MaxTokens: 5, Schema: json.RawMessage(schema),
			Messages: []llm.Message{{Role: llm.RoleUser, Content: "?"}},
		}); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
	}
}

func TestTemperatureIsLeftOutOnceRefused(t *testing.T) {
	t.Parallel()
	server, p := start(t)
	server.Fail(server.ChatPath, llmtest.FixedHeat, -1)
	for range 2 {
		if _, err := p.Complete(t.Context(), llm.CompleteRequest{
			Model: llmtest.ChatModel, MaxTokens: 5, Messages: []llm.Message{{Role: llm.RoleUser, Content: "?"}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.Requests(server.ChatPath); n != 3 {
		t.Errorf("%d requests, want one refused and two answered", n)
	}
}

func TestNoKeyAndBadAddress(t *testing.T) {
	t.Parallel()
	server, _ := start(t)
	p, err := openai.New(openai.Config{Name: "local", BaseURL: server.URL + "/v1"})
	if err != nil {
		t.Fatal(err)
	}
	if models, err := p.Models(t.Context()); err != nil || len(models) != 2 || models[0].Provider != "local" {
		t.Errorf("%v, %v", models, err)
	}
	if _, err := openai.New(openai.Config{BaseURL: "api.openai.com"}); domain.CodeOf(err) != domain.CodeInvalid {
		t.Errorf("a bad address gives %v", err)
	}
}

func start(t *testing.T) (*llmtest.Server, *openai.Provider) {
	t.Helper()
	server := llmtest.NewOpenAI()
	t.Cleanup(server.Close)
	p, err := openai.New(openai.Config{Name: "openai", BaseURL: server.URL + "/v1/", APIKey: "sk-test"})
	if err != nil {
		t.Fatal(err)
	}
	return server, p
}
