package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"generalbackend/internal/domain"
)

// StreamTokens keeps the pieces of answers being written for whoever comes late.
// It lives in memory and may be lost: the finished answer is in Postgres.
const StreamTokens = "TOKENS"

// Bounds of the stream; what exceeds them goes, the oldest first.
const (
	tokensAge   = 15 * time.Minute
	tokensBytes = 64 << 20
	tokensEach  = 16 << 10 // messages of one attempt
)

const subjectTokens = "tok."

// ensureTokens makes the stream. Without it answers still stream to those who
// listen, so that its absence is no error.
func (q *Queue) ensureTokens(ctx context.Context) {
	_, err := q.ensureStream(ctx, jetstream.StreamConfig{
		Name:              StreamTokens,
		Description:       "Answers being written, piece by piece",
		Subjects:          []string{subjectTokens + "*.*"},
		Storage:           jetstream.MemoryStorage,
		Discard:           jetstream.DiscardOld,
		MaxAge:            tokensAge,
		MaxBytes:          tokensBytes,
		MaxMsgsPerSubject: tokensEach,
		MaxMsgSize:        64 << 10,
		AllowDirect:       true,
		NoAck:             true, // nobody waits for it
	})
	if err != nil {
		q.log.Warn("no stream for answers being written; latecomers will wait for the finished answer", "error", err)
	}
}

// PublishToken says a piece of an answer to those who listen, and to the stream.
// It never blocks; a piece that is lost is a gap its readers see.
func (q *Queue) PublishToken(e domain.TokenEvent) {
	body, err := json.Marshal(e)
	if err != nil {
		q.log.Error("encode token", "error", err)
		return
	}
	q.signal(fmt.Sprintf("%s%s.%d", subjectTokens, e.JobID, e.Attempt), body)
}

// tokenBuffer is how many pieces may wait for a slow reader; more are dropped,
// which it sees as a gap.
const tokenBuffer = 256

// Tokens delivers the pieces of a job's answer as they are said, until cancel.
func (q *Queue) Tokens(job uuid.UUID) (pieces <-chan domain.TokenEvent, cancel func(), err error) {
	out := make(chan domain.TokenEvent, tokenBuffer)
	cancel, err = q.subscribe(subjectTokens+job.String()+".*", func(m *nats.Msg) {
		var e domain.TokenEvent
		if err := json.Unmarshal(m.Data, &e); err != nil {
			q.log.Warn("dropped a token that is none", "error", err)
			return
		}
		select {
		case out <- e:
		default:
		}
	})
	return out, cancel, err
}

// TokensSoFar calls each with the pieces of a job's answer that the stream
// still has, in order. A lost stream has none.
func (q *Queue) TokensSoFar(ctx context.Context, job uuid.UUID, each func(domain.TokenEvent) error) error {
	stream, err := q.js.Stream(ctx, StreamTokens)
	if err != nil {
		return absent(err)
	}
	filter := jetstream.WithGetMsgSubject(subjectTokens + job.String() + ".*")
	for next := uint64(1); ; {
		msg, err := stream.GetMsg(ctx, next, filter)
		if err != nil {
			return absent(err)
		}
		next = msg.Sequence + 1
		var e domain.TokenEvent
		if err := json.Unmarshal(msg.Data, &e); err != nil {
			continue
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

// absent turns the answers that mean "nothing there" into none.
func absent(err error) error {
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, nats.ErrNoResponders) {
		return nil
	}
	return fmt.Errorf("read stream %s: %w", StreamTokens, err)
}
