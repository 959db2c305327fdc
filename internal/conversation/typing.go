package conversation

import (
	"strings"
	"sync"
	"time"

	"generalbackend/internal/domain"
)

// together is how long pieces are collected before they are said. The first is
// said at once.
const together = 20 * time.Millisecond

// typing says an answer piece by piece as it is written. It begins with the
// attempt's start and must be ended.
type typing struct {
	tokens Tokens
	lease  domain.Lease

	mu      sync.Mutex
	index   int64
	waiting strings.Builder
	said    strings.Builder
	first   time.Time
	last    time.Time
	later   *time.Timer
	ended   bool
}

func newTyping(tokens Tokens, lease domain.Lease) *typing {
	t := &typing{tokens: tokens, lease: lease}
	t.publish(domain.TokenStart, "")
	return t
}

func (t *typing) publish(kind domain.TokenType, text string) {
	t.tokens.PublishToken(domain.TokenEvent{JobID: t.lease.JobID, Attempt: t.lease.Fence, Index: t.index, Type: kind, Text: text})
	t.index++
}

// write says a piece, now or with those that follow at once.
func (t *typing) write(piece string) {
	if piece == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.first.IsZero() {
		t.first = now
	}
	t.waiting.WriteString(piece)
	switch pause := together - now.Sub(t.last); {
	case pause <= 0:
		t.flush(now)
	case t.later == nil:
		t.later = time.AfterFunc(pause, t.flushLater)
	}
}

func (t *typing) flushLater() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.later = nil
	if !t.ended {
		t.flush(time.Now())
	}
}

func (t *typing) flush(now time.Time) {
	if t.later != nil {
		t.later.Stop()
		t.later = nil
	}
	if t.waiting.Len() == 0 {
		return
	}
	t.publish(domain.TokenText, t.waiting.String())
	t.said.WriteString(t.waiting.String())
	t.waiting.Reset()
	t.last = now
}

// replace says text in place of all that was said before.
func (t *typing) replace(text string) {
	t.mu.Lock()
	before := t.said.Len() + t.waiting.Len()
	t.mu.Unlock()
	if before > 0 {
		return // the finished answer will replace it
	}
	t.write(text)
}

// text is all that was written.
func (t *typing) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.said.String() + t.waiting.String()
}

// end says the rest and that the attempt is over.
func (t *typing) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush(time.Now())
	t.ended = true
	t.publish(domain.TokenEnd, "")
}

// firstAfter is how many milliseconds after begin the first piece came.
func (t *typing) firstAfter(begin time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first.IsZero() {
		return 0
	}
	return int(t.first.Sub(begin).Milliseconds())
}
