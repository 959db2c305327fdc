package app

import (
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/jobs"
)

// timing is the engine's timing as configured.
func (rt *Runtime) timing() jobs.Timing {
	t := jobs.DefaultTiming()
	t.Lease, t.Heartbeat = rt.Config.Jobs.Lease, rt.Config.Jobs.Heartbeat
	// Attempts get most of the shutdown; the rest is for settling them.
	t.Grace = rt.Config.ShutdownTimeout * 2 / 3
	return t
}

// runner is the part that works one stage.
func (rt *Runtime) runner(s *Stores, metrics *jobs.Metrics, stage jobs.Stage) Part {
	r := jobs.NewRunner(stage, s.Postgres, s.Queue, rt.timing(), metrics, rt.Log)
	return Part{Name: string(stage.Name), Run: r.Run}
}

// Dispatch is the part that moves due jobs to the workers.
func (rt *Runtime) Dispatch(s *Stores) Part {
	d := jobs.NewDispatcher(s.Postgres, s.Queue, rt.timing(), rt.Log)
	return Part{Name: "dispatcher", Run: d.Run}
}
