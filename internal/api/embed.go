package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm"
)

// Embedding asks for the vectors of texts: of one, or of several.
type Embedding struct {
	Text     string   `json:"text,omitempty" maxLength:"100000" example:"The contract ends in May."`
	Texts    []string `json:"texts,omitempty" maxItems:"256" doc:"Several at once, each of at most 100,000 characters"`
	Provider string   `json:"provider,omitempty" maxLength:"50" doc:"The one that embeds documents where it is left out" example:"ollama"`
	Model    string   `json:"model,omitempty" maxLength:"200" doc:"The one that documents are embedded with where it is left out" example:"all-minilm"`
	Query    bool     `json:"query,omitempty" doc:"The texts are questions, for models that tell them from passages"`
}

// Embedded are vectors of unit length, in the order of the texts.
type Embedded struct {
	Embedding  []float32   `json:"embedding" doc:"Of the first text"`
	Embeddings [][]float32 `json:"embeddings"`
	Provider   string      `json:"provider" example:"ollama"`
	Model      string      `json:"model" example:"all-minilm"`
	Dimensions int         `json:"dimensions" example:"384"`
	Usage      TokenUsage  `json:"usage"`
	Cost       float64     `json:"cost" doc:"In the configured currency" example:"0"`
}

type embedInput struct {
	Body Embedding
}

type embedOutput struct {
	Body Embedded
}

func (s *server) embedOperation() {
	register(s, endpoint{
		id: "embed", scope: domain.ScopeLLM, method: http.MethodPost, path: "/llm/embed", tag: "llm", summary: "Turn text into vectors",
		description: "One text that is too long for the model fails the request.", maxBody: generateLimit, codes: askingCodes,
	}, s.embed)
}

const longestEmbedded = 100_000

func (s *server) embed(ctx context.Context, in *embedInput) (*embedOutput, error) {
	texts, err := in.Body.all()
	if err != nil {
		return nil, err
	}
	provider, err := s.LLM.Embedder(strings.TrimSpace(in.Body.Provider))
	if err != nil {
		return nil, err
	}
	req := llm.EmbedRequest{Model: plain(in.Body.Model, 200), Texts: texts, Input: llm.InputPassage}
	if in.Body.Query {
		req.Input = llm.InputQuery
	}
	ctx = llm.WithCaller(ctx, llm.Caller{UserID: userID(ctx), Purpose: "embed"})
	resp, err := provider.Embed(ctx, req)
	if err != nil {
		return nil, err
	}
	return &embedOutput{Body: Embedded{
		Embedding: resp.Vectors[0], Embeddings: resp.Vectors, Provider: resp.Provider, Model: resp.Model, Dimensions: len(resp.Vectors[0]),
		Usage: TokenUsage{PromptTokens: resp.Usage.PromptTokens, TotalTokens: resp.Usage.PromptTokens}, Cost: resp.Cost.Units(),
	}}, nil
}

// all are the texts in the form models are given them.
func (e Embedding) all() ([]string, error) {
	if e.Text == "" && len(e.Texts) == 0 {
		return nil, domain.Errorf(domain.CodeInvalid, "There is no text to embed. Send text or texts.")
	}
	var out []string
	add := func(location, text string) error {
		if utf8.RuneCountInString(text) > longestEmbedded {
			return invalid(location, "must not have more than 100000 characters")
		}
		if strings.TrimSpace(text) == "" {
			return invalid(location, "must have a word in it")
		}
		out = append(out, embedding.Normalize(text))
		return nil
	}
	if e.Text != "" {
		if err := add("body.text", e.Text); err != nil {
			return nil, err
		}
	}
	for i, text := range e.Texts {
		if err := add(fmt.Sprintf("body.texts[%d]", i), text); err != nil {
			return nil, err
		}
	}
	return out, nil
}
