package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"generalbackend/internal/domain"
	"generalbackend/internal/jobs"
	"generalbackend/internal/postgres"
)

func (s *system) pause() {
	s.t.Helper()
	if err := s.store.PauseStage(s.t.Context(), postgres.Pause{Stage: domain.StageExtract}); err != nil {
		s.t.Fatal(err)
	}
	s.engine.Switched(domain.StageExtract)
}

func (s *system) resume() {
	s.t.Helper()
	if err := s.store.ResumeStage(s.t.Context(), domain.StageExtract); err != nil {
		s.t.Fatal(err)
	}
	s.engine.Switched(domain.StageExtract)
}

// canary is done by the match stage: when it is, dispatcher and broker have had
// their turn since it was submitted.
func (s *system) canary() {
	s.t.Helper()
	job, err := s.store.Submit(s.t.Context(), domain.Submission{
		UserID: s.user, Kind: domain.KindMatch, Stage: domain.StageMatch, Class: domain.ClassStandard, ResourceID: s.user,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.engine.Submitted(job)
	s.settled(job)
}

// TestNothingStartsWhilePaused, neither what was queued nor what the broker held
// already, not even with new workers; afterwards all is done, each once.
func TestNothingStartsWhilePaused(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.timing.Stale, s.timing.Heartbeat = time.Millisecond, 100*time.Millisecond
	s.dispatch()
	s.runStage(domain.StageMatch, s.finish)
	held := s.submit(s.user, 4) // dispatched: there is no worker
	for _, job := range held {
		s.until(job, func(j domain.Job) bool { return j.State == domain.StateDispatched })
	}
	s.pause()
	queued := s.submit(s.user, 20)
	var runs atomic.Int64
	work := func(ctx context.Context, task domain.Task) error {
		runs.Add(1)
		return s.finish(ctx, task)
	}
	stop := s.run(2, work)
	for range 3 {
		s.canary()
	}
	stop() // a worker that starts anew finds the stage paused
	s.run(2, work)
	s.dispatch()
	for range 3 {
		s.canary()
	}
	if n := runs.Load(); n > 0 {
		t.Fatalf("%d attempts while paused", n)
	}
	for _, job := range queued {
		if now := s.until(job, func(domain.Job) bool { return true }); now.State != domain.StateQueued {
			t.Errorf("a job of the paused stage is %s", now.State)
		}
	}
	s.resume()
	for _, job := range append(held, queued...) {
		if ended := s.settled(job); ended.State != domain.StateSucceeded || ended.Attempt != 1 {
			t.Errorf("%s after attempt %d", ended.State, ended.Attempt)
		}
	}
	if n := runs.Load(); n != 24 {
		t.Errorf("%d runs of 24 jobs", n)
	}
}

// TestRunningAttemptsGoOnWhilePaused, and what they lead to waits.
func TestRunningAttemptsGoOnWhilePaused(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.dispatch()
	proceed := make(chan struct{})
	s.run(1, func(ctx context.Context, task domain.Task) error {
		select {
		case <-proceed:
			return s.finish(ctx, task)
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	first, second := s.submit(s.user, 1)[0], s.submit(s.user, 1)[0]
	s.until(first, func(j domain.Job) bool { return j.State == domain.StateRunning })
	s.pause()
	close(proceed)
	if ended := s.settled(first); ended.State != domain.StateSucceeded {
		t.Errorf("the running one is %s", ended.State)
	}
	if now := s.until(second, func(domain.Job) bool { return true }); now.State.Terminal() || now.State == domain.StateRunning {
		t.Errorf("the next one is %s", now.State)
	}
	if position, eta, err := s.engine.Position(t.Context(), second); err != nil || eta != nil {
		t.Errorf("position %d, eta %v, %v", position, eta, err)
	}
	s.resume()
	s.settled(second)
}

// TestPausesWithoutSignals: who missed the signal learns of it by polling.
func TestPausesWithoutSignals(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.timing.Heartbeat = 50 * time.Millisecond
	s.dispatch()
	s.run(1, s.finish)
	s.settled(s.submit(s.user, 1)[0])
	if err := s.store.PauseStage(t.Context(), postgres.Pause{Stage: domain.StageExtract}); err != nil {
		t.Fatal(err)
	}
	job := s.submit(s.user, 1)[0]
	s.runStage(domain.StageMatch, s.finish)
	s.canary()
	if now := s.until(job, func(domain.Job) bool { return true }); now.State != domain.StateQueued {
		t.Errorf("a job of the paused stage is %s", now.State)
	}
	if err := s.store.ResumeStage(t.Context(), domain.StageExtract); err != nil {
		t.Fatal(err)
	}
	s.settled(job)
}

func TestPausesAndDeadLettersAreMeasured(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.dispatch()
	s.run(1, func(context.Context, domain.Task) error { return domain.Errorf(domain.CodeDocumentMalformed, "bad") })
	s.settled(s.submit(s.user, 1)[0])
	s.pause()
	registry := prometheus.NewRegistry()
	registry.MustRegister(jobs.NewDepths(s.store))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			got[family.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"gb_dead_letters extract": 1, "gb_dead_letters chat": 0, "gb_stage_paused extract": 1, "gb_stage_paused match": 0,
	} {
		if value, measured := got[name]; !measured || value != want {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
	}
}
