package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/queue"
)

// said makes the pieces of one attempt.
func said(job uuid.UUID, attempt int64, words ...string) []domain.TokenEvent {
	pieces := []domain.TokenEvent{{JobID: job, Attempt: attempt, Type: domain.TokenStart}}
	for i, word := range words {
		pieces = append(pieces, domain.TokenEvent{JobID: job, Attempt: attempt, Index: int64(i + 1), Type: domain.TokenText, Text: word})
	}
	return pieces
}

// soFar reads what the stream has, once it has n pieces.
func soFar(t *testing.T, q *queue.Queue, job uuid.UUID, n int) (pieces []domain.TokenEvent) {
	t.Helper()
	eventually(t, func() bool {
		pieces = nil
		err := q.TokensSoFar(t.Context(), job, func(e domain.TokenEvent) error {
			pieces = append(pieces, e)
			return nil
		})
		return err == nil && len(pieces) >= n
	})
	return pieces
}

// TestTokens: pieces come as they are said, in order, and once more to whoever
// comes late; those of other jobs do not.
func TestTokens(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t)
	job, other := uuid.New(), uuid.New()
	heard, stop, err := q.Tokens(job)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	want := append(said(job, 1, "One ", "two"), said(job, 3, "One ", "two ", "three")...)
	for _, e := range append(said(other, 1, "Something else"), want...) {
		q.PublishToken(e)
	}
	var live []domain.TokenEvent
	for range want {
		live = append(live, <-heard)
	}
	if diff := cmp.Diff(want, live); diff != "" {
		t.Errorf("as they were said: %s", diff)
	}
	if diff := cmp.Diff(want, soFar(t, q, job, len(want))); diff != "" {
		t.Errorf("afterwards: %s", diff)
	}
	enough := errors.New("enough")
	if err := q.TokensSoFar(t.Context(), job, func(domain.TokenEvent) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("a reader who has enough: %v", err)
	}
}

// TestTokensAreLost with the stream, which is no error, and go on without it.
func TestTokensAreLost(t *testing.T) {
	t.Parallel()
	q, server := newQueue(t)
	job := uuid.New()
	none := func(domain.TokenEvent) error {
		t.Error("there is a piece")
		return nil
	}
	if err := q.TokensSoFar(t.Context(), job, none); err != nil {
		t.Errorf("nothing said: %v", err)
	}
	for _, e := range said(job, 1, "One ") {
		q.PublishToken(e)
	}
	soFar(t, q, job, 2)
	js := jetStream(t, server)
	if err := js.DeleteStream(t.Context(), queue.StreamTokens); err != nil {
		t.Fatal(err)
	}
	if err := q.TokensSoFar(t.Context(), job, none); err != nil {
		t.Errorf("without the stream: %v", err)
	}
	heard, stop, err := q.Tokens(job)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ensureTokens(t, q, js) // also a round trip behind the subscription
	next := said(job, 2, "Again")
	for _, e := range next {
		q.PublishToken(e)
	}
	for _, want := range next {
		if got := <-heard; got != want {
			t.Errorf("heard %+v, want %+v", got, want)
		}
	}
	if diff := cmp.Diff(next, soFar(t, q, job, len(next))); diff != "" {
		t.Error(diff)
	}
}

// TestTokensWithoutBroker: saying something into the void blocks nobody.
func TestTokensWithoutBroker(t *testing.T) {
	t.Parallel()
	q, server := newQueue(t)
	server.Stop()
	job := uuid.New()
	for range 10_000 {
		q.PublishToken(domain.TokenEvent{JobID: job, Attempt: 1, Type: domain.TokenText, Text: "word "})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.TokensSoFar(ctx, job, func(domain.TokenEvent) error { return nil }); err == nil {
		t.Error("a broker that is away has no pieces")
	}
}
