package llmtest

import (
	"encoding/json"
	"net/http"
	"strings"

	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
)

func (s *Server) serveEmbed(w http.ResponseWriter, r *http.Request, fault Fault) {
	var in struct {
		Model string
		Input any
	}
	if !decode(w, r, &in) {
		return
	}
	texts, ok := inputs(in.Input)
	s.mu.Lock()
	s.batches = append(s.batches, texts)
	s.mu.Unlock()
	switch {
	case failEarly(w, fault):
	case fault == Hang:
		s.hang(r)
	case fault == Held && !s.pass(r): // the client is gone
	case !ok:
		fail(w, http.StatusBadRequest, "invalid input type")
	case strings.TrimSuffix(in.Model, ":latest") != EmbedModel:
		fail(w, http.StatusNotFound, `model "`+in.Model+`" not found, try pulling it first`)
	case fault == RunnerDied, fault == PoisonedText && poisoned(texts):
		fail(w, http.StatusBadRequest, `do embedding request: Post "http://127.0.0.1:35701/embedding": EOF`)
	case overlong(texts):
		fail(w, http.StatusBadRequest, "the input length exceeds the context length")
	default:
		replyVectors(w, r, texts, fault)
	}
}

// inputs reads a string or a list of strings; an empty string is no input.
func inputs(v any) ([]string, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		if v == "" {
			return nil, true
		}
		return []string{v}, true
	case []any:
		texts := make([]string, 0, len(v))
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			texts = append(texts, text)
		}
		return texts, true
	}
	return nil, false
}

// overlong counts a token for each word and one more for every four bytes of it
// beyond the first four, which is roughly what a WordPiece vocabulary does.
func overlong(texts []string) bool {
	for _, text := range texts {
		tokens := 0
		for word := range strings.FieldsSeq(text) {
			tokens += 1 + (len(word)-1)/4
		}
		if tokens > embedWindow {
			return true
		}
	}
	return false
}

func replyVectors(w http.ResponseWriter, r *http.Request, texts []string, fault Fault) {
	out, err := offline.New().Embed(r.Context(), llm.EmbedRequest{Texts: texts})
	if err != nil {
		return // the client is gone
	}
	vectors := distort(out.Vectors, fault)
	body, err := json.Marshal(map[string]any{
		"model": EmbedModel, "embeddings": vectors, "prompt_eval_count": out.Usage.PromptTokens,
	})
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(spoil(body, fault))
}

// distort makes vectors wrong in a form that is right.
func distort(vectors [][]float32, fault Fault) [][]float32 {
	switch {
	case len(vectors) == 0, fault == WrongShape:
		return [][]float32{}
	case fault == TooFew:
		return vectors[1:]
	case fault == Zero:
		clear(vectors[0])
	case fault == WrongDims:
		vectors[0] = vectors[0][:7]
	}
	return vectors
}

// spoil writes what an encoder would refuse to.
func spoil(body []byte, fault Fault) []byte {
	switch fault {
	case NaN:
		return []byte(strings.Replace(string(body), "[[", "[[NaN,", 1))
	case InvalidJSON:
		return body[:len(body)/2]
	}
	return body
}
