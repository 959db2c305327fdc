package e2e_test

import (
	"fmt"
	"testing"
)

// TestNewcomerStartsSoon: a single job behind the backlog of another user starts
// within five job lengths, told by the order in which jobs start. Not each does: a
// message that the broker hands out late comes again after a while. Most do.
func TestNewcomerStartsSoon(t *testing.T) {
	t.Parallel()
	const slots, lengths, late = 2, 5, 4
	s := boot(t, fast, "EXTRACT_SLOTS=2", "EMBED_SLOTS=2")
	extract := s.worker(extractWorker)
	extract.stop() // until the backlog is there
	crowd, newcomer := newLoad(t, s, 1), newLoad(t, s, 1)
	crowd.run(t, "crowd", *backlogJobs)
	newcomer.run(t, "early", 1)
	extract.start()
	eventually(t, workDeadline, "some of the backlog is read", func() bool {
		return s.count("SELECT count(*) FROM jobs WHERE stage <> 'extract'") > *backlogJobs/20
	})
	for i := range late {
		newcomer.run(t, fmt.Sprint("late-", i), 1)
		newcomer.users[0].succeeded(job{ID: newcomer.accepted[len(newcomer.accepted)-1]})
	}
	if left := s.count("SELECT count(*) FROM jobs WHERE state = 'queued' AND stage = 'extract'"); left == 0 {
		t.Error("the backlog was done before the newcomer came: nothing was measured")
	}
	for _, stage := range []string{"extract", "embed"} {
		soon := 0
		for _, id := range newcomer.accepted {
			newcomer.users[0].succeeded(job{ID: id})
			n := s.overtaken(id, stage)
			t.Logf("%d jobs of %d went first at stage %s", n, *backlogJobs, stage)
			if n <= slots*lengths {
				soon++
			}
		}
		if soon <= len(newcomer.accepted)/2 {
			t.Errorf("only %d of %d jobs of the newcomer started after at most %d of the crowd at stage %s", soon, len(newcomer.accepted), slots*lengths, stage)
		}
	}
	crowd.drain(t)
	crowd.accepted = append(crowd.accepted, newcomer.accepted...)
	crowd.users = append(crowd.users, newcomer.users...)
	crowd.check(t)
}

// overtaken counts the jobs of others that started at a stage after a job came
// to it and before the job itself started.
func (s *system) overtaken(id, stage string) int {
	s.t.Helper()
	return s.count(`WITH mine AS (
			SELECT min(seq) FILTER (WHERE data->>'state' = 'queued') AS came, min(seq) FILTER (WHERE data->>'state' = 'running') AS ran
			FROM job_events WHERE job_id = $1 AND type = 'state' AND data->>'stage' = $2
		), span AS (
			SELECT came.created_at AS came, ran.created_at AS ran FROM mine
			JOIN job_events came ON came.job_id = $1 AND came.seq = mine.came
			JOIN job_events ran ON ran.job_id = $1 AND ran.seq = mine.ran
		)
		SELECT count(DISTINCT e.job_id) FROM span, job_events e JOIN jobs j ON j.id = e.job_id
		WHERE e.type = 'state' AND e.data->>'state' = 'running' AND e.data->>'stage' = $2
		  AND e.created_at > span.came AND e.created_at < span.ran
		  AND j.user_id <> (SELECT user_id FROM jobs WHERE id = $1)`, id, stage)
}
