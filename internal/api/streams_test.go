package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

// careless is an engine that drops about half of its hints, each listener's by
// a seed of its own.
type careless struct {
	api.Engine
	listeners       *atomic.Uint64
	passed, dropped *atomic.Int64
}

func (f careless) Subscribe(userID uuid.UUID, jobID *uuid.UUID) (hints <-chan domain.JobHint, cancel func()) {
	whole, end := f.Engine.Subscribe(userID, jobID)
	some, done := make(chan domain.JobHint), make(chan struct{})
	random := rand.New(rand.NewPCG(1, f.listeners.Add(1)))
	go func() {
		for {
			select {
			case <-done:
				return
			case hint := <-whole:
				if random.IntN(2) == 0 {
					f.dropped.Add(1)
					continue
				}
				f.passed.Add(1)
				select {
				case some <- hint:
				case <-done:
					return
				}
			}
		}
	}()
	return some, func() { end(); close(done) }
}

// TestManyStreams: 200 streams that are open at once, half of whose hints are
// dropped, lose nothing and repeat nothing.
func TestManyStreams(t *testing.T) {
	t.Parallel()
	const users, jobs, each, all = 4, 9, 5, 5 // streams of each job, and of all jobs of a user
	engine := careless{listeners: new(atomic.Uint64), passed: new(atomic.Int64), dropped: new(atomic.Int64)}
	s := newSystem(t, func(o *api.Options) {
		engine.Engine = o.Engine
		o.Engine, o.Heartbeat = engine, 500*time.Millisecond
	})
	var done sync.WaitGroup
	followed := map[uuid.UUID][][]event{}
	watched := map[*user][]map[uuid.UUID]int64{}
	owner := map[uuid.UUID]*user{}
	for range users {
		u := s.newUser()
		made := map[uuid.UUID]bool{}
		watched[u] = make([]map[uuid.UUID]int64, all)
		for i := range jobs {
			title := "followed"
			if i%3 == 2 {
				title = string(domain.CodeNoTextFound)
			}
			id := u.text(title).Job.ID
			made[id], owner[id], followed[id] = true, u, make([][]event, each)
			for n := range each {
				open, told := u.follow("/v1/jobs/"+id.String()+"/events"), &followed[id][n]
				done.Go(func() { *told = open.rest() })
			}
		}
		for n := range all {
			open, told := u.follow("/v1/events"), &watched[u][n]
			done.Go(func() {
				var err error
				if *told, err = open.ends(made); err != nil {
					t.Error(err)
				}
			})
		}
	}
	s.work()
	done.Wait()
	for id, streams := range followed {
		want := owner[id].recorded(id)
		for _, got := range streams {
			if diff := cmp.Diff(want, got, compareEvents); diff != "" {
				t.Errorf("job %s: %s", id, diff)
			}
		}
		for _, last := range watched[owner[id]] {
			if last[id] != int64(len(want)) {
				t.Errorf("job %s: the newest event told is %d of %d", id, last[id], len(want))
			}
		}
	}
	if engine.passed.Load() == 0 || engine.dropped.Load() == 0 {
		t.Errorf("%d hints passed, %d dropped", engine.passed.Load(), engine.dropped.Load())
	}
}

// ends reads a stream of all jobs until each of the given ones is final, and
// returns the newest event of each; none may be told twice or after a newer one.
func (s *stream) ends(jobs map[uuid.UUID]bool) (map[uuid.UUID]int64, error) {
	last, final := map[uuid.UUID]int64{}, map[uuid.UUID]bool{}
	for len(final) < len(jobs) {
		e, ok := s.next()
		if !ok {
			return last, fmt.Errorf("the stream ended when %d of %d jobs had", len(final), len(jobs))
		}
		if e.name != "job" {
			continue
		}
		var job api.Job
		if err := json.Unmarshal(e.data, &job); err != nil {
			return last, err
		}
		if !jobs[job.ID] || job.EventSeq <= last[job.ID] {
			return last, fmt.Errorf("event %d was told after %d: %s", job.EventSeq, last[job.ID], e.data)
		}
		last[job.ID] = job.EventSeq
		if domain.State(job.State).Terminal() {
			final[job.ID] = true
		}
	}
	return last, nil
}
