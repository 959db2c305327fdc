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
	answer := s.asked(in)
	switch {
	case failEarly(w, fault):
	case fault == Hang:
		s.hang(r)
	case fault == RunnerDied:
		fail(w, http.StatusInternalServerError, "an error was encountered while running the model: unexpected EOF")
	case fault == LongPrompt:
		fail(w, http.StatusBadRequest, "the input length exceeds the context length")
	case in.Model == EmbedModel:
		fail(w, http.StatusBadRequest, `"`+EmbedModel+`" does not support chat`)
	case in.Model != ChatModel:
		fail(w, http.StatusNotFound, "model '"+in.Model+"' not found")
	case unsafeFormat(in.Format):
		fail(w, http.StatusInternalServerError, "model runner has unexpectedly stopped, this may be due to resource limitations")
	default:
		s.stream(w, r, in, scripted(answer, in, fault), fault)
	}
}

// asked keeps a request and returns what answers it.
func (s *Server) asked(in ChatRequest) func(ChatRequest) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chats = append(s.chats, in)
	return s.chat
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

// pieces is the answer as it is sent, word by word, and how much of it a fault
// lets through before it shows.
func pieces(answer string, fault Fault) (words []string, until int) {
	words = strings.SplitAfter(answer, " ")
	switch fault {
	case CutStream, Stalled, BrokeOff:
		return words, len(words) / 2
	case SlowFirst:
		return words, 0
	}
	return words, -1
}

// speak sends the words of an answer. It reports whether the end should follow:
// the client is there, and no fault cut the answer short.
func (s *Server) speak(w http.ResponseWriter, r *http.Request, answer string, fault Fault, say func(word string) error) bool {
	words, until := pieces(answer, fault)
	pace := s.pacing()
	for i, word := range append(words, "") {
		if i == until {
			_ = http.NewResponseController(w).Flush()
			if fault == CutStream {
				panic(http.ErrAbortHandler)
			}
			if fault == BrokeOff {
				return true
			}
			if !s.pass(r) {
				return false
			}
		}
		if word == "" {
			continue
		}
		pace(r.Context(), i)
		if say(word) != nil || http.NewResponseController(w).Flush() != nil {
			return false // the client is gone
		}
	}
	return fault != Repetition
}

// stream sends the answer word by word and then, unless a fault forbids it, the
// line that says it is complete.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, in ChatRequest, answer string, fault Fault) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	if !s.speak(w, r, answer, fault, func(word string) error { return lines.Encode(chunk(in.Model, word, false)) }) {
		return
	}
	last := chunk(in.Model, "", true)
	last["prompt_eval_count"], last["eval_count"] = promptTokens(in), answerTokens(answer)
	last["done_reason"] = "stop"
	switch fault {
	case BrokeOff:
		last = map[string]any{"error": "an error was encountered while running the model"}
	case TooLong:
		last["done_reason"], last["eval_count"] = "length", in.Options["num_predict"]
	}
	_ = lines.Encode(last)
}

func answerTokens(answer string) int { return len(strings.SplitAfter(answer, " ")) }

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
