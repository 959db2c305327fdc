package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"generalbackend/internal/domain"
)

// traceHeader carries the W3C trace context of the request that made a job.
const traceHeader = "traceparent"

// errOutstanding is the server's "maximum messages per subject exceeded": the
// job is in the stream already.
const errOutstanding jetstream.ErrorCode = 10077

// Message is a job to publish.
type Message struct {
	Body  domain.JobMessage
	Trace string
}

// Publish puts jobs into the stream and returns those that are in it then,
// whether by this call or an earlier one. The error says why others are not.
func (q *Queue) Publish(ctx context.Context, messages []Message) (published []domain.JobMessage, err error) {
	futures := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		if futures[i], err = q.publish(m); err != nil {
			futures = futures[:i]
			break
		}
	}
	for i, future := range futures {
		failure := await(ctx, future)
		if failure != nil && err == nil {
			err = failure
		}
		if failure == nil {
			published = append(published, messages[i].Body)
		}
	}
	if err != nil {
		err = fmt.Errorf("publish: %w", err)
	}
	return published, err
}

func (q *Queue) publish(m Message) (jetstream.PubAckFuture, error) {
	body, err := json.Marshal(m.Body)
	if err != nil {
		return nil, err
	}
	msg := nats.NewMsg(subject(m.Body))
	msg.Data = body
	if m.Trace != "" {
		msg.Header.Set(traceHeader, m.Trace)
	}
	return q.js.PublishMsgAsync(msg, jetstream.WithStallWait(jsTimeout), jetstream.WithRetryAttempts(0))
}

func await(ctx context.Context, future jetstream.PubAckFuture) error {
	var api *jetstream.APIError
	select {
	case <-future.Ok():
		return nil
	case err := <-future.Err():
		if errors.As(err, &api) && api.ErrorCode == errOutstanding {
			return nil
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Purge removes a job's message, if it waits in the stream.
func (q *Queue) Purge(ctx context.Context, m domain.JobMessage) error {
	stream, err := q.js.Stream(ctx, StreamJobs)
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject(subject(m)))
}
