package llmtest

import (
	"net/http"
	"slices"
	"strings"
)

// Fault is a way in which the server misbehaves.
type Fault string

// The faults, in the terms of Ollama; the other protocols have them in their own
// form. Those of one path are ignored by the others.
const (
	NoFault      Fault = ""
	Hang         Fault = "hang"          // no reply until the client goes away
	SlowFirst    Fault = "slow first"    // chat: headers at once, the first word after Release
	Held         Fault = "held"          // embed: no reply until Release
	Stalled      Fault = "stalled"       // chat: half of the answer, the rest after Release
	Overloaded   Fault = "overloaded"    // 503, 529 of Anthropic
	RateLimited  Fault = "rate limited"  // 429 with Retry-After: 1
	MissingModel Fault = "missing model" // 404
	Forbidden    Fault = "forbidden"     // 403 without a body
	BadOption    Fault = "bad option"    // 500 that no retry mends
	RunnerDied   Fault = "runner died"   // 500 in chat, 400 in embed, as the real server does
	LongPrompt   Fault = "long prompt"   // chat: 400, more than the model's window
	Refused      Fault = "refused"       // chat: the model declines; Ollama knows no such thing
	BrokeOff     Fault = "broke off"     // chat: an error in the middle of the stream
	FixedHeat    Fault = "fixed heat"    // chat: 400 to any temperature; not with Ollama
	InvalidJSON  Fault = "invalid json"  // chat: in the answer; embed: in the reply
	WrongShape   Fault = "wrong shape"   // chat: valid JSON of another shape; embed: no vectors
	CutStream    Fault = "cut stream"    // chat: the connection breaks half-way
	Repetition   Fault = "repetition"    // chat ends without its last line, and without an error
	TooLong      Fault = "too long"      // chat ends with done_reason length
	TooFew       Fault = "too few"       // embed: one vector short
	NaN          Fault = "nan"           // embed: NaN for a number
	Zero         Fault = "zero"          // embed: a vector of length 0
	WrongDims    Fault = "wrong dims"    // embed: vectors of 7 dimensions
	PoisonedText Fault = "poisoned text" // embed: any batch with a text that contains Poison dies
)

// Poison is the word that PoisonedText dies of.
const Poison = "xyzzy"

type armed struct {
	path  string
	fault Fault
	left  int // negative: for ever
}

// Fail makes the next n requests of a path misbehave; a negative n means all
// from now on. Faults of a path take effect in the order they were set.
func (s *Server) Fail(path string, fault Fault, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, armed{path, fault, n})
}

// Heal withdraws every fault.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Server) nextFault(path string) Fault {
	i := slices.IndexFunc(s.faults, func(a armed) bool { return a.path == path && a.left != 0 })
	if i < 0 {
		return NoFault
	}
	if s.faults[i].left > 0 {
		s.faults[i].left--
	}
	return s.faults[i].fault
}

// failEarly answers with the faults that every path shares.
func failEarly(w http.ResponseWriter, fault Fault) bool {
	switch fault {
	case Overloaded:
		fail(w, http.StatusServiceUnavailable, "server busy, please try again.  maximum pending requests exceeded")
	case RateLimited:
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "slow down")
	case MissingModel:
		fail(w, http.StatusNotFound, "model 'gone' not found")
	case Forbidden:
		w.WriteHeader(http.StatusForbidden)
	case BadOption:
		fail(w, http.StatusInternalServerError, `option "num_ctx" must be of type integer`)
	default:
		return false
	}
	return true
}

// pass waits for Release and reports whether the client is still there.
func (s *Server) pass(r *http.Request) bool {
	select {
	case <-s.gate:
		return true
	case <-r.Context().Done():
	case <-s.held:
	}
	return false
}

func (s *Server) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.held:
	}
}

func poisoned(texts []string) bool {
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(t, Poison) })
}
