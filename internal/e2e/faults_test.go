package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// TestFaults lets 4 users submit jobs while things break. After each scenario
// the oracle compares all that was ever accepted with its effects: nothing lost,
// nothing twice, everything ended by itself.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := boot(t, durable, "URL_ALLOW_PRIVATE=true", "URL_IGNORE_ROBOTS=true", "URL_TIMEOUT=10m", "EXTRACT_TIMEOUT=15m", "EXTRACT_SLOTS=4")
	s.addWorker(extractWorker).up()
	l := newLoad(t, s, 4)
	for _, scenario := range []struct {
		name string
		run  func(testing.TB, *load)
	}{
		{"random workers are killed", killWorkers},
		{"the API is killed during uploads", killAPI},
		{"NATS is killed", killNATS},
		{"the JetStream store is lost with much queued and 16 running", loseStream},
		{"Postgres is killed", killPostgres},
		{"every message is published three times", publishThrice},
		{"everything is killed at once", killEverything},
	} {
		ok := t.Run(scenario.name, func(t *testing.T) {
			begin := time.Now()
			scenario.run(t, l)
			l.drain(t)
			l.check(t)
			t.Logf("%d jobs in %s", *faultJobs, time.Since(begin).Round(time.Second))
		})
		if !ok {
			t.Fatal("what follows would only repeat this failure")
		}
	}
}

// during runs the load and, again and again while it lasts, a fault; at most
// times, since a job may not outlive any number of workers.
func during(t testing.TB, l *load, name string, times int, fault func()) {
	t.Helper()
	var done atomic.Bool
	var submitting sync.WaitGroup
	submitting.Go(func() {
		l.run(t, name, *faultJobs)
		done.Store(true)
	})
	for range times {
		pause(300, 1200)
		if done.Load() && !l.working() {
			break
		}
		fault()
	}
	submitting.Wait()
}

// pause waits for a random number of milliseconds, so that faults meet the
// system at any instruction.
func pause(least, most int) {
	time.Sleep(time.Duration(least+rand.IntN(most-least)) * time.Millisecond)
}

func killWorkers(t testing.TB, l *load) {
	during(t, l, "workers", 25, func() {
		p := l.s.workers[rand.IntN(len(l.s.workers))]
		p.kill()
		p.start()
	})
}

func killAPI(t testing.TB, l *load) {
	during(t, l, "api", 10, func() {
		l.s.api.kill()
		l.s.api.start()
		pause(500, 1500)
	})
}

func killNATS(t testing.TB, l *load) {
	during(t, l, "nats", 8, func() {
		l.s.nats.kill()
		pause(1, 1000)
		l.s.nats.start()
	})
}

func killPostgres(t testing.TB, l *load) {
	during(t, l, "postgres", 5, func() {
		l.s.killPostgres()
		pause(500, 1500)
	})
}

func killEverything(t testing.TB, l *load) {
	during(t, l, "everything", 4, func() {
		l.s.killEverything()
		pause(500, 2000)
	})
}

// loseStream fills the slots of a worker with pages that do not come, queues
// the load behind them, and takes the broker's store away.
func loseStream(t testing.TB, l *load) {
	const running = 16
	const slots = 21 // a quarter of them, rounded down, is kept for interactive work
	for _, p := range l.s.workers {
		if p.program() == extractWorker {
			p.stop()
		}
	}
	site := newSite(t)
	wide := l.s.addWorker(extractWorker, fmt.Sprint("EXTRACT_SLOTS=", slots))
	wide.up()
	for i := range running {
		l.remember(l.users[i%len(l.users)].web(site.slow(i)).ID)
	}
	site.awaitWaiting(t, running)
	l.run(t, "stream", *faultJobs)
	if n := l.s.count("SELECT count(*) FROM jobs WHERE state IN ('queued', 'dispatched')"); n != *faultJobs {
		t.Errorf("%d jobs wait, want %d", n, *faultJobs)
	}
	l.s.wipeStream()
	site.release()
	for _, p := range l.s.workers {
		if !p.running() {
			p.start()
		}
	}
	l.drain(t)
	if n := site.served(); n != running {
		t.Errorf("%d pages were fetched, want %d: losing the stream costs no attempt", n, running)
	}
}

// publishThrice repeats each message of the dispatcher: at once, when the broker
// refuses it as long as the job is outstanding, and again and again until one
// was taken, which is after the first was done with.
func publishThrice(t testing.TB, l *load) {
	conn, err := nats.Connect(l.s.natsURL, nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var copies sync.WaitGroup
	var taken atomic.Int64
	sub, err := conn.Subscribe("job.>", func(m *nats.Msg) {
		if m.Header.Get("Copy") == "" {
			copies.Go(func() { taken.Add(repeat(conn, m)) })
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	l.run(t, "thrice", *faultJobs)
	l.drain(t)
	if err := sub.Unsubscribe(); err != nil {
		t.Error(err)
	}
	copies.Wait()
	if taken.Load() < int64(*faultJobs) {
		t.Errorf("the broker took only %d copies", taken.Load())
	}
	eventually(t, workDeadline, "the copies are turned away", func() bool { return l.s.outstanding(t) == 0 })
}

// repeat publishes a message again until it was taken twice and returns how
// often it was.
func repeat(conn *nats.Conn, original *nats.Msg) (taken int64) {
	for range 200 {
		m := nats.NewMsg(original.Subject)
		m.Data = original.Data
		m.Header.Set("Copy", "1")
		ack, err := conn.RequestMsg(m, 5*time.Second)
		if err == nil && !refused(ack.Data) {
			taken++
		}
		if taken == 2 {
			break
		}
		pause(20, 200)
	}
	return taken
}
