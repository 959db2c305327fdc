package llmtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// collect streams an answer and returns its pieces.
func collect(ctx context.Context, s Subject) (pieces []string, resp llm.CompleteResponse, err error) {
	resp, err = s.Provider.Stream(ctx, ask(s.ChatModel), func(piece string) error {
		pieces = append(pieces, piece)
		return nil
	})
	return pieces, resp, err
}

func conformStream(t *testing.T, s Subject) {
	const answer = "Yes, über fünf Jahre."
	if s.Server != nil {
		s.Server.OnChat(func(ChatRequest) string { return answer })
	}
	pieces, resp, err := collect(t.Context(), s)
	if s.ChatModel == "" {
		wantCode(t, err, domain.CodeModelNotFound)
		return
	}
	if err != nil {
		t.Fatalf("Stream: %v", err)
	}
	if strings.Join(pieces, "") != resp.Content || resp.Content == "" {
		t.Errorf("pieces %q do not make up %q", pieces, resp.Content)
	}
	if want := strings.SplitAfter(answer, " "); s.Server != nil && !cmp.Equal(want, pieces) {
		t.Errorf("pieces are %q, want %q", pieces, want)
	}
	if resp.Provider != s.Provider.Name() || resp.Model == "" || resp.Usage.PromptTokens <= 0 || resp.Usage.CompletionTokens <= 0 {
		t.Errorf("Stream answered %+v", resp)
	}
	endless := ask(s.ChatModel)
	endless.MaxTokens = 0
	_, err = s.Provider.Stream(t.Context(), endless, func(string) error { return nil })
	wantCode(t, err, domain.CodeInvalid)
}

func conformStreamEmitError(t *testing.T, s Subject) {
	if s.ChatModel == "" {
		return
	}
	if s.Server != nil {
		s.Server.OnChat(func(ChatRequest) string { return "one two three" })
	}
	full := errors.New("the reader is gone")
	calls := 0
	_, err := s.Provider.Stream(t.Context(), ask(s.ChatModel), func(string) error {
		calls++
		return full
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("after %d calls of emit: %v", calls, err)
	}
}

func conformStreamUnknown(t *testing.T, s Subject) {
	s.ChatModel = "no-such-model"
	_, _, err := collect(t.Context(), s)
	wantCode(t, err, domain.CodeModelNotFound)
}

// conformCancel cancels while a request is with the server, before its first
// word and after it, and sees that the server learns of it.
func conformCancel(t *testing.T, factory func(t *testing.T) Subject) {
	t.Helper()
	for _, fault := range []Fault{Hang, SlowFirst, Stalled} {
		t.Run("cancel "+string(fault), func(t *testing.T) {
			t.Parallel()
			s := factory(t)
			s.Server.OnChat(func(ChatRequest) string { return "one two three four" })
			s.Server.Fail(s.Server.ChatPath, fault, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if fault != Stalled {
				go func() {
					s.Server.AwaitRunning(1)
					cancel()
				}()
			}
			_, err := s.Provider.Stream(ctx, ask(s.ChatModel), func(string) error {
				cancel()
				return nil
			})
			wantCancelled(t, err)
			s.Server.AwaitCancelled(1)
		})
	}
	if factory(t).EmbedModel == "" {
		return
	}
	t.Run("cancel embed", func(t *testing.T) {
		t.Parallel()
		s := factory(t)
		s.Server.Fail(s.Server.EmbedPath, Hang, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			s.Server.AwaitRunning(1)
			cancel()
		}()
		_, err := s.Provider.Embed(ctx, llm.EmbedRequest{Model: s.EmbedModel, Texts: []string{"x"}})
		wantCancelled(t, err)
		s.Server.AwaitCancelled(1)
	})
}
