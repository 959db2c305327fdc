package queuetest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"generalbackend/internal/queue/queuetest"
)

// publish stores one message in a file stream and returns the stream's handle.
func publish(t *testing.T, srv *queuetest.Server) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(srv.Connect())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KEPT", Subjects: []string{"kept.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "kept.one", []byte("one")); err != nil {
		t.Fatal(err)
	}
	return js
}

// messages counts what the stream holds, once the connection is back.
func messages(t *testing.T, js jetstream.JetStream) (uint64, error) {
	t.Helper()
	for {
		info, err := js.Stream(t.Context(), "KEPT")
		if err == nil {
			return info.CachedInfo().State.Msgs, nil
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return 0, err
		}
		select {
		case <-t.Context().Done():
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestRestartKeepsTheStore(t *testing.T) {
	t.Parallel()
	srv := queuetest.NewServer(t)
	js := publish(t, srv)
	url := srv.URL()
	srv.Restart()
	if srv.URL() != url {
		t.Errorf("address changed from %s to %s", url, srv.URL())
	}
	if n, err := messages(t, js); err != nil || n != 1 {
		t.Errorf("after a restart: %d messages, %v; want 1", n, err)
	}
}

func TestWipeLosesTheStore(t *testing.T) {
	t.Parallel()
	srv := queuetest.NewServer(t)
	js := publish(t, srv)
	srv.Wipe()
	if n, err := messages(t, js); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("after a wipe: %d messages, %v; want no stream", n, err)
	}
}

func TestStopIsHarmlessTwice(t *testing.T) {
	t.Parallel()
	srv := queuetest.NewServer(t)
	srv.Stop()
	srv.Stop()
	srv.Start()
	srv.Start()
	if err := srv.Connect().Flush(); err != nil {
		t.Error(err)
	}
}
