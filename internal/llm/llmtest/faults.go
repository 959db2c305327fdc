package llmtest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// outcomes says how each fault of a completion is named, whatever the protocol.
// RunnerDied is an answer that failed with Ollama, and a server that failed with
// the others.
func outcomes(p Protocol) map[Fault]domain.Code {
	codes := map[Fault]domain.Code{
		Overloaded:   domain.CodeModelOverloaded,
		RateLimited:  domain.CodeModelRateLimited,
		MissingModel: domain.CodeModelNotFound,
		Forbidden:    domain.CodeModelUnavailable,
		BadOption:    domain.CodeInvalid,
		RunnerDied:   domain.CodeModelUnavailable,
		LongPrompt:   domain.CodeContextTooLong,
		Refused:      domain.CodeModelRefused,
		BrokeOff:     domain.CodeModelMalformed,
		CutStream:    domain.CodeModelMalformed,
		Repetition:   domain.CodeModelMalformed,
		TooLong:      domain.CodeModelMalformed,
	}
	switch p {
	case Ollama:
		codes[RunnerDied] = domain.CodeModelMalformed
		delete(codes, Refused)
	case Anthropic:
		codes[BrokeOff] = domain.CodeModelOverloaded // its error event says so
	}
	return codes
}

// partial are the faults that show after the first words.
var partial = []Fault{BrokeOff, CutStream, Repetition, TooLong, Refused}

// conformFaults tries every fault against a provider with a server.
func conformFaults(t *testing.T, factory func(t *testing.T) Subject) {
	t.Helper()
	for fault, want := range outcomes(factory(t).Server.Protocol) {
		t.Run("complete "+string(fault), func(t *testing.T) {
			t.Parallel()
			s := factory(t)
			s.Server.Fail(s.Server.ChatPath, fault, -1)
			_, err := s.Provider.Complete(t.Context(), ask(s.ChatModel))
			wantFault(t, err, fault, want)
		})
		t.Run("stream "+string(fault), func(t *testing.T) {
			t.Parallel()
			s := factory(t)
			s.Server.OnChat(func(ChatRequest) string { return "one two three four" })
			s.Server.Fail(s.Server.ChatPath, fault, -1)
			pieces, _, err := collect(t.Context(), s)
			wantFault(t, err, fault, want)
			if !slices.Contains(partial, fault) && len(pieces) > 0 {
				t.Errorf("a request that was refused emitted %q", pieces)
			}
		})
	}
	conformHeld(t, factory)
	conformShape(t, factory)
	conformCancel(t, factory)
	conformEmbedFaults(t, factory)
	t.Run("unreachable", func(t *testing.T) {
		t.Parallel()
		s := factory(t)
		s.Server.Close()
		_, err := s.Provider.Complete(t.Context(), ask(s.ChatModel))
		wantCode(t, err, domain.CodeModelUnavailable)
	})
}

func wantFault(t *testing.T, err error, fault Fault, want domain.Code) {
	t.Helper()
	wantCode(t, err, want)
	if e := domain.AsError(err); fault == RateLimited && e.RetryAfter != time.Second {
		t.Errorf("RetryAfter is %v, want 1s", e.RetryAfter)
	}
}

// conformHeld sees that slowness alone is no error.
func conformHeld(t *testing.T, factory func(t *testing.T) Subject) {
	t.Helper()
	faults := []Fault{SlowFirst, Stalled}
	if factory(t).Server.Protocol != Ollama {
		faults = append(faults, FixedHeat)
	}
	for _, fault := range faults {
		t.Run("stream "+string(fault), func(t *testing.T) {
			t.Parallel()
			s := factory(t)
			s.Server.OnChat(func(ChatRequest) string { return "one two" })
			s.Server.Fail(s.Server.ChatPath, fault, -1)
			s.Server.Release()
			if _, resp, err := collect(t.Context(), s); err != nil || resp.Content != "one two" {
				t.Errorf("%q, %v", resp.Content, err)
			}
		})
	}
}

// conformShape sees that answers which do not fit their schema are caught, once
// the provider is made robust.
func conformShape(t *testing.T, factory func(t *testing.T) Subject) {
	t.Helper()
	for _, fault := range []Fault{InvalidJSON, WrongShape} {
		t.Run("schema "+string(fault), func(t *testing.T) {
			t.Parallel()
			s := factory(t)
			s.Server.Fail(s.Server.ChatPath, fault, -1)
			req := ask(s.ChatModel)
			req.Schema = json.RawMessage(`{"type":"object","properties":{"verdict":{"type":"string"}},"required":["verdict"]}`)
			_, err := llm.NewRobust(s.Provider, llm.Limits{}).Complete(t.Context(), req)
			wantCode(t, err, domain.CodeModelMalformed)
			if n := s.Server.Requests(s.Server.ChatPath); n != 2 {
				t.Errorf("%d requests, want the first and one repair", n)
			}
			s.Server.Heal()
			if _, err := s.Provider.Complete(t.Context(), req); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

func conformEmbedFaults(t *testing.T, factory func(t *testing.T) Subject) {
	t.Helper()
	if factory(t).EmbedModel == "" {
		return
	}
	for fault, want := range map[Fault]domain.Code{
		Overloaded:   domain.CodeModelOverloaded,
		RateLimited:  domain.CodeModelRateLimited,
		MissingModel: domain.CodeModelNotFound,
		InvalidJSON:  domain.CodeModelMalformed,
		NaN:          domain.CodeModelMalformed,
	} {
		t.Run("embed "+string(fault), func(t *testing.T) {
			t.Parallel()
			s := factory(t)
			s.Server.Fail(s.Server.EmbedPath, fault, -1)
			_, err := s.Provider.Embed(t.Context(), llm.EmbedRequest{Model: s.EmbedModel, Texts: []string{"x"}})
			wantFault(t, err, fault, want)
		})
	}
	t.Run("embed "+string(TooFew), func(t *testing.T) {
		t.Parallel()
		s := factory(t)
		s.Server.Fail(s.Server.EmbedPath, TooFew, -1)
		got, err := s.Provider.Embed(t.Context(), llm.EmbedRequest{Model: s.EmbedModel, Texts: []string{"x", "y"}})
		if err == nil && len(got.Vectors) == 2 {
			t.Error("a missing vector was made up")
		}
	})
	t.Run("embed long text", func(t *testing.T) {
		t.Parallel()
		s := factory(t)
		long := make([]byte, 0, 5*300)
		for range 300 {
			long = append(long, "word "...)
		}
		_, err := s.Provider.Embed(t.Context(), llm.EmbedRequest{Model: s.EmbedModel, Texts: []string{"short", string(long)}})
		wantCode(t, err, domain.CodeContextTooLong)
	})
}
