// Package queue carries work over NATS: the JOBS stream, which is a shallow
// window over the backlog in Postgres and may be lost at any moment, and core
// NATS signals, which may be missed. Nothing is true because it was said here.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"generalbackend/internal/domain"
)

// StreamJobs is the name of the work queue.
const StreamJobs = "JOBS"

// Redelivery is how long the broker waits for a sign of life from whoever holds
// a message. It is longer than a job's lease, so that by then the lease is gone.
const Redelivery = 20 * time.Second

// maxMessages bounds the stream far above any window the dispatcher keeps.
const maxMessages = 100_000

// Options configure a connection.
type Options struct {
	URL      string
	Server   nats.InProcessConnProvider // connects inside the process when set
	Name     string                     // of the connection, for the server's listings
	Replicas int                        // of the stream: 1 alone, 3 in a cluster
	Log      *slog.Logger
}

// Queue is a connection to NATS that heals itself.
type Queue struct {
	conn     *nats.Conn
	js       jetstream.JetStream
	replicas int
	log      *slog.Logger

	mu          sync.Mutex
	consumers   map[string]jetstream.Consumer
	onReconnect []func()
}

// Open connects, or goes on trying in the background when the server is not
// there yet: what needs it fails until then, and nothing is lost.
func Open(o Options) (*Queue, error) {
	q := &Queue{replicas: max(o.Replicas, 1), log: o.Log, consumers: map[string]jetstream.Consumer{}}
	options := []nats.Option{
		nats.Name(o.Name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectBufSize(-1), // a signal said into the void is better lost than late
		nats.PingInterval(10 * time.Second),
		nats.ReconnectHandler(func(*nats.Conn) { q.reconnected() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				q.log.Warn("NATS connection lost", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			if sub != nil {
				q.log.Warn("NATS", "subject", sub.Subject, "error", err)
			}
		}),
	}
	if o.Server != nil {
		options = append(options, nats.InProcessServer(o.Server))
	}
	var err error
	if q.conn, err = nats.Connect(o.URL, options...); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if q.js, err = jetstream.New(q.conn, jetstream.WithPublishAsyncMaxPending(1024), jetstream.WithDefaultTimeout(3*time.Second)); err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	return q, nil
}

// Close sends what is buffered and disconnects.
func (q *Queue) Close() {
	_ = q.conn.FlushTimeout(time.Second) // signals may be lost
	q.conn.Close()
}

// Ready reports whether the stream can be reached.
func (q *Queue) Ready(ctx context.Context) error {
	_, err := q.js.Stream(ctx, StreamJobs)
	return err
}

// OnReconnect calls fn, in a goroutine of its own, whenever the connection came back.
func (q *Queue) OnReconnect(fn func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.onReconnect = append(q.onReconnect, fn)
}

func (q *Queue) reconnected() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, fn := range q.onReconnect {
		go fn()
	}
}

// Ensure makes the streams and the consumers as they should be and returns when
// JOBS was created, by which a caller sees that it is another one.
func (q *Queue) Ensure(ctx context.Context) (created time.Time, err error) {
	stream, err := q.ensureStream(ctx, jetstream.StreamConfig{
		Name:                 StreamJobs,
		Description:          "Jobs to be done; a window over the backlog in Postgres",
		Subjects:             []string{"job.>"},
		Retention:            jetstream.WorkQueuePolicy,
		Storage:              jetstream.FileStorage,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1, // a job that is outstanding cannot be published again
		MaxMsgs:              maxMessages,
		MaxMsgSize:           16 << 10,
		Replicas:             q.replicas,
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("make stream %s: %w", StreamJobs, err)
	}
	for _, stage := range domain.Stages() {
		for _, class := range domain.Classes() {
			if err := q.ensureConsumer(ctx, stream, stage, class); err != nil {
				return time.Time{}, err
			}
		}
	}
	q.ensureTokens(ctx)
	return stream.CachedInfo().Created, nil
}

// ensureStream makes a stream, or changes one that is configured otherwise. A
// create that agrees with what is there changes nothing, where an update would
// write the configuration again at each start and reconnect.
func (q *Queue) ensureStream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := q.js.CreateStream(ctx, config)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return q.js.UpdateStream(ctx, config)
	}
	return stream, err
}

// ensureConsumer makes one lane's consumer. BackOff stays unset, because it
// would replace AckWait; the broker never gives up, because Postgres counts.
func (q *Queue) ensureConsumer(ctx context.Context, stream jetstream.Stream, stage domain.Stage, class domain.Class) error {
	name := lane(stage, class)
	consumer, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:       name,
		FilterSubject: fmt.Sprintf("job.%s.%s.>", stage, class),
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       Redelivery,
		MaxDeliver:    -1,
		MaxAckPending: 4096,
	})
	if err != nil {
		return fmt.Errorf("make consumer %s: %w", name, err)
	}
	q.mu.Lock()
	q.consumers[name] = consumer
	q.mu.Unlock()
	return nil
}

// consumer returns a lane's consumer, looking it up when it is not known yet.
func (q *Queue) consumer(ctx context.Context, stage domain.Stage, class domain.Class) (jetstream.Consumer, error) {
	name := lane(stage, class)
	q.mu.Lock()
	consumer, ok := q.consumers[name]
	q.mu.Unlock()
	if ok {
		return consumer, nil
	}
	consumer, err := q.js.Consumer(ctx, StreamJobs, name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = q.Ensure(ctx); err == nil {
			return q.js.Consumer(ctx, StreamJobs, name)
		}
	}
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	q.consumers[name] = consumer
	q.mu.Unlock()
	return consumer, nil
}

// forget drops a consumer that does not answer, so that the next use looks for
// it, and makes it where the stream was lost.
func (q *Queue) forget(stage domain.Stage, class domain.Class) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.consumers, lane(stage, class))
}

func lane(stage domain.Stage, class domain.Class) string {
	return fmt.Sprintf("%s-%s", stage, class)
}

func subject(m domain.JobMessage) string {
	return fmt.Sprintf("job.%s.%s.%s.%s", m.Stage, m.Class, m.UserID, m.JobID)
}
