package llmtest

import (
	"encoding/json"
	"net/http"
	"strings"
)

func (s *Server) serveChat(w http.ResponseWriter, r *http.Request, fault Fault) {
	var in ChatRequest
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	s.chats = append(s.chats, in)
	answer := s.chat
	s.mu.Unlock()
	switch {
	case failEarly(w, fault):
	case fault == Hang:
		s.hang(r)
	case fault == RunnerDied:
		fail(w, http.StatusInternalServerError, "an error was encountered while running the model: unexpected EOF")
	case in.Model == EmbedModel:
		fail(w, http.StatusBadRequest, `"`+EmbedModel+`" does not support chat`)
	case in.Model != ChatModel:
		fail(w, http.StatusNotFound, "model '"+in.Model+"' not found")
	case unsafeFormat(in.Format):
		fail(w, http.StatusInternalServerError, "model runner has unexpectedly stopped, this may be due to resource limitations")
	default:
		stream(w, in, scripted(answer, in, fault), fault)
	}
}

func scripted(answer func(ChatRequest) string, in ChatRequest, fault Fault) string {
	switch fault {
	case InvalidJSON:
		return `{"verdict": "ful`
	case WrongShape:
		return `{"unexpected": [1, 2, 3]}`
	}
	return answer(in)
}

// stream sends the answer word by word and then, unless a fault forbids it, the
// line that says it is complete.
func stream(w http.ResponseWriter, in ChatRequest, answer string, fault Fault) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	words := strings.SplitAfter(answer, " ")
	if fault == CutStream {
		words = words[:len(words)/2]
	}
	lines := json.NewEncoder(w)
	for _, word := range words {
		if lines.Encode(chunk(in.Model, word, false)) != nil {
			return // the client is gone
		}
		_ = http.NewResponseController(w).Flush()
	}
	last := chunk(in.Model, "", true)
	last["prompt_eval_count"], last["eval_count"] = promptTokens(in), len(words)
	switch fault {
	case CutStream:
		panic(http.ErrAbortHandler)
	case Repetition:
		return
	case TooLong:
		last["done_reason"], last["eval_count"] = "length", in.Options["num_predict"]
	default:
		last["done_reason"] = "stop"
	}
	_ = lines.Encode(last)
}

func chunk(model, content string, done bool) map[string]any {
	return map[string]any{
		"model": model, "done": done,
		"message": map[string]any{"role": "assistant", "content": content},
	}
}

func promptTokens(in ChatRequest) int {
	n := 0
	for _, m := range in.Messages {
		n += len(strings.Fields(m.Content))
	}
	return n
}

// unsafeFormat finds the schema that kills a real runner.
func unsafeFormat(format json.RawMessage) bool {
	var found bool
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			n, _ := v["maxLength"].(float64)
			found = found || n > 2000
			for _, item := range v {
				walk(item)
			}
		}
	}
	var v any
	if json.Unmarshal(format, &v) == nil {
		walk(v)
	}
	return found
}

// answerAnything fits a schema with one string, or none at all.
func answerAnything(in ChatRequest) string {
	if len(in.Format) > 0 {
		return `{"verdict": "full"}`
	}
	return "Something short."
}
