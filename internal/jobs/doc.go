// Package jobs is the job engine: it dispatches what is due in Postgres to
// JetStream, lets workers claim it under a lease, ends attempts, cancels,
// retries and reconciles. Postgres holds the truth throughout; the stream may
// be lost at any moment, and a worker may die at any instruction.
package jobs

import "time"

// Timing holds the engine's intervals. The zero value is not usable; start from
// DefaultTiming.
type Timing struct {
	Lease     time.Duration // how long a claim holds without a heartbeat
	Heartbeat time.Duration // how often leases are renewed, well below Lease
	Poll      time.Duration // how often to look without having been woken
	Reap      time.Duration // how often expired leases are looked for
	Stale     time.Duration // when a dispatched job nobody claimed is published again
	Grace     time.Duration // how long a stopping worker lets its attempts finish
	MaxLost   int           // how many workers a job may cost
	MaxWait   time.Duration // how long after its creation a job's waits for a provider are free
}

// DefaultTiming suits production. The lease ends before the broker redelivers
// (queue.Redelivery), so a redelivered job can be claimed.
func DefaultTiming() Timing {
	return Timing{
		Lease: 15 * time.Second, Heartbeat: 5 * time.Second, Poll: 250 * time.Millisecond,
		Reap: 2 * time.Second, Stale: 30 * time.Second, Grace: 20 * time.Second,
		MaxLost: 5, MaxWait: 24 * time.Hour,
	}
}
