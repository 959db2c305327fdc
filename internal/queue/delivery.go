package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"generalbackend/internal/domain"
)

// jsTimeout bounds one exchange with the broker.
const jsTimeout = 3 * time.Second

// Delivery is a message held by this process until it is acked or given back.
type Delivery struct {
	domain.JobMessage
	Trace string

	msg jetstream.Msg
}

// Fetch takes up to n waiting messages of a lane, without waiting for more.
func (q *Queue) Fetch(ctx context.Context, stage domain.Stage, class domain.Class, n int) ([]Delivery, error) {
	consumer, err := q.consumer(ctx, stage, class)
	if err != nil {
		return nil, fmt.Errorf("find consumer %s: %w", lane(stage, class), err)
	}
	batch, err := consumer.FetchNoWait(n)
	if err != nil {
		q.forget(stage, class)
		return nil, fmt.Errorf("fetch from %s: %w", lane(stage, class), err)
	}
	var deliveries []Delivery
	for msg := range batch.Messages() {
		if d, ok := q.read(msg); ok {
			deliveries = append(deliveries, d)
		}
	}
	if err := batch.Error(); err != nil && !errors.Is(err, jetstream.ErrNoMessages) {
		q.forget(stage, class)
		return deliveries, fmt.Errorf("fetch from %s: %w", lane(stage, class), err)
	}
	return deliveries, nil
}

// read decodes a message; one that is not a job is dropped for good, since no
// redelivery will mend it.
func (q *Queue) read(msg jetstream.Msg) (Delivery, bool) {
	d := Delivery{msg: msg, Trace: msg.Headers().Get(traceHeader)}
	if err := json.Unmarshal(msg.Data(), &d.JobMessage); err != nil {
		q.log.Error("dropped a message that is not a job", "subject", msg.Subject(), "error", err)
		if err := msg.Term(); err != nil {
			q.log.Warn("could not drop a message", "error", err)
		}
		return Delivery{}, false
	}
	return d, true
}

// Ack says that the message is done with. When that gets lost the message comes
// again and is found to be done.
func (d Delivery) Ack() error { return d.msg.Ack() }

// InProgress asks the broker for another Redelivery of patience.
func (d Delivery) InProgress() error { return d.msg.InProgress() }

// NakWithDelay gives the message back, to come again after delay.
func (d Delivery) NakWithDelay(delay time.Duration) error { return d.msg.NakWithDelay(delay) }
