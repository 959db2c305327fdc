package queue_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"generalbackend/internal/domain"
	"generalbackend/internal/queue"
	"generalbackend/internal/queue/queuetest"
)

func open(t *testing.T, server *queuetest.Server) *queue.Queue {
	t.Helper()
	q, err := queue.Open(queue.Options{URL: server.URL(), Name: t.Name(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

func newQueue(t *testing.T) (*queue.Queue, *queuetest.Server) {
	t.Helper()
	server := queuetest.NewServer(t)
	q := open(t, server)
	ensureTokens(t, q, jetStream(t, server))
	return q, server
}

// ensure makes the streams, however slow the broker is.
func ensure(t *testing.T, q *queue.Queue) (created time.Time) {
	t.Helper()
	eventually(t, func() bool {
		var err error
		created, err = q.Ensure(t.Context())
		return err == nil
	})
	return created
}

// ensureTokens also waits for the stream that a queue can do without.
func ensureTokens(t *testing.T, q *queue.Queue, js jetstream.JetStream) {
	t.Helper()
	eventually(t, func() bool {
		ensure(t, q)
		_, err := js.Stream(t.Context(), queue.StreamTokens)
		return err == nil
	})
}

// jetStream asks the broker without the queue.
func jetStream(t *testing.T, server *queuetest.Server) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(server.Connect(), jetstream.WithDefaultTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func message(class domain.Class) queue.Message {
	return queue.Message{
		Body:  domain.JobMessage{JobID: uuid.New(), UserID: uuid.New(), Stage: domain.StageEmbed, Class: class},
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

// publish puts a message into the stream.
func publish(t *testing.T, q *queue.Queue, m queue.Message) {
	t.Helper()
	published, err := q.Publish(t.Context(), []queue.Message{m})
	if err != nil || len(published) != 1 || published[0] != m.Body {
		t.Fatalf("%+v, %v", published, err)
	}
}

func fetch(t *testing.T, q *queue.Queue, class domain.Class, n int) []queue.Delivery {
	t.Helper()
	deliveries, err := q.Fetch(t.Context(), domain.StageEmbed, class, n)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

// fetchSome fetches once there is something: the broker tells a consumer of a
// message a moment after the publisher.
func fetchSome(t *testing.T, q *queue.Queue, class domain.Class, n int) (deliveries []queue.Delivery) {
	t.Helper()
	eventually(t, func() bool {
		deliveries = fetch(t, q, class, n)
		return len(deliveries) > 0
	})
	return deliveries
}

// TestEnsure changes a stream only where it is not as it should be.
func TestEnsure(t *testing.T) {
	t.Parallel()
	q, server := newQueue(t)
	js := jetStream(t, server)
	updates, err := js.Conn().SubscribeSync("$JS.EVENT.ADVISORY.STREAM.UPDATED.*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Stream(t.Context(), queue.StreamJobs); err != nil { // a round trip behind the subscription
		t.Fatal(err)
	}
	created := ensure(t, q)
	stream, err := js.Stream(t.Context(), queue.StreamJobs) // a round trip behind the advisories
	if err != nil {
		t.Fatal(err)
	}
	if n, _, err := updates.Pending(); err != nil || n != 0 {
		t.Errorf("%d updates of streams that were right, %v", n, err)
	}
	want := stream.CachedInfo().Config
	other := want
	other.MaxMsgs = 7
	if _, err := js.UpdateStream(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if again := ensure(t, q); !again.Equal(created) {
		t.Errorf("created at %s, then at %s", created, again)
	}
	if info, err := stream.Info(t.Context()); err != nil || info.Config.MaxMsgs != want.MaxMsgs {
		t.Errorf("the stream was not put right: %+v, %v", info.Config, err)
	}
}

func TestLanesAreApart(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t)
	bulk, urgent := message(domain.ClassBulk), message(domain.ClassInteractive)
	publish(t, q, bulk)
	publish(t, q, urgent)
	got := fetchSome(t, q, domain.ClassInteractive, 5)
	if len(got) != 1 || got[0].JobMessage != urgent.Body || got[0].Trace != urgent.Trace {
		t.Errorf("%+v", got)
	}
	if got := fetch(t, q, domain.ClassStandard, 5); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestOutstandingJobsAreNotPublishedTwice(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t)
	m := message(domain.ClassStandard)
	publish(t, q, m)
	publish(t, q, m)
	got := fetchSome(t, q, domain.ClassStandard, 5)
	if len(got) != 1 {
		t.Fatalf("%d messages of one job", len(got))
	}
	publish(t, q, m) // also while it is being worked
	if more := fetch(t, q, domain.ClassStandard, 5); len(more) != 0 {
		t.Errorf("%d more messages of one job", len(more))
	}
	if err := got[0].Ack(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { // the broker takes note of the ack in its own time
		publish(t, q, m)
		return len(fetch(t, q, domain.ClassStandard, 5)) == 1
	})
}

func TestGivenBackMessagesComeAgain(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t)
	publish(t, q, message(domain.ClassStandard))
	if err := fetchSome(t, q, domain.ClassStandard, 1)[0].NakWithDelay(time.Millisecond); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return len(fetch(t, q, domain.ClassStandard, 1)) == 1 })
}

func TestPurgedMessagesAreGone(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t)
	purged, kept := message(domain.ClassStandard), message(domain.ClassStandard)
	publish(t, q, purged)
	publish(t, q, kept)
	if err := q.Purge(t.Context(), purged.Body); err != nil {
		t.Fatal(err)
	}
	if got := fetchSome(t, q, domain.ClassStandard, 5); len(got) != 1 || got[0].JobMessage != kept.Body {
		t.Errorf("%+v", got)
	}
}

func TestForeignMessagesAreDropped(t *testing.T) {
	t.Parallel()
	q, server := newQueue(t)
	js := jetStream(t, server)
	if _, err := js.Publish(t.Context(), "job.embed.standard.a.b", []byte("not a job")); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), queue.StreamJobs)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		if got := fetch(t, q, domain.ClassStandard, 5); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		info, err := stream.Info(t.Context())
		return err == nil && info.State.Msgs == 0
	})
}

func TestLostStreamIsMadeAgain(t *testing.T) {
	t.Parallel()
	q, server := newQueue(t)
	back := make(chan struct{}, 1)
	q.OnReconnect(func() { back <- struct{}{} })
	server.Wipe()
	<-back
	// Whoever fetches first finds the stream gone and makes it.
	eventually(t, func() bool {
		_, err := q.Fetch(t.Context(), domain.StageEmbed, domain.ClassStandard, 1)
		return err == nil
	})
	publish(t, q, message(domain.ClassStandard))
	eventually(t, func() bool { return len(fetch(t, q, domain.ClassStandard, 1)) == 1 })
}

// eventually fails the test when ok does not become true in the time of several
// redeliveries.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(6 * queue.Redelivery); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it never came about")
		}
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	server := queuetest.NewServer(t)
	say, hear := open(t, server), open(t, server)
	heard := make(chan string, 10)
	id, hint := uuid.New(), domain.JobHint{JobID: uuid.New(), UserID: uuid.New()}
	for _, subscribe := range []func() (func(), error){
		func() (func(), error) { return hear.OnDue(func() { heard <- "due" }) },
		func() (func(), error) { return hear.OnWork(domain.StageMatch, func() { heard <- "work" }) },
		func() (func(), error) { return hear.OnCancel(func(job uuid.UUID) { heard <- job.String() }) },
		func() (func(), error) { return hear.OnHint(func(h domain.JobHint) { heard <- h.JobID.String() }) },
	} {
		cancel, err := subscribe()
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
	}
	ensure(t, say)                      // both are connected,
	ensure(t, hear)                     // which is a round trip behind the subscriptions
	say.SignalWork(domain.StageExtract) // not for us
	say.SignalDue()
	say.SignalWork(domain.StageMatch)
	say.SignalCancel(id)
	say.Hint(hint)
	want := map[string]bool{"due": true, "work": true, id.String(): true, hint.JobID.String(): true}
	for range len(want) {
		if got := <-heard; !want[got] {
			t.Errorf("heard %q", got)
		}
	}
}

func TestStartsBeforeItsServer(t *testing.T) {
	t.Parallel()
	server := queuetest.NewServer(t)
	server.Stop()
	q := open(t, server)
	if err := q.Ready(t.Context()); err == nil {
		t.Error("ready without a server")
	}
	server.Start()
	ensure(t, q)
}
