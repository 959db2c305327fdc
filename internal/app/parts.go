package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Part is something that works until its context is done and returns when it
// has finished what it was at.
type Part struct {
	Name string
	Run  func(ctx context.Context) error
}

// RunParts runs the parts together. When ctx is done, or one of them ends, they
// are stopped one after the other, the last first: list what others rely on
// before the others. Stopping all of them takes at most timeout; it returns what
// the parts return, each with its name.
func RunParts(ctx context.Context, log *slog.Logger, timeout time.Duration, parts ...Part) error {
	ended := make(chan struct{}, len(parts))
	running := make([]*runningPart, 0, len(parts))
	for _, p := range parts {
		running = append(running, start(context.WithoutCancel(ctx), p, ended))
	}
	select {
	case <-ctx.Done():
	case <-ended:
	}
	return stopParts(log, timeout, running)
}

// runningPart is a part at work; done is closed after err was set.
type runningPart struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

func start(ctx context.Context, p Part, ended chan<- struct{}) *runningPart {
	ctx, cancel := context.WithCancel(ctx)
	r := &runningPart{name: p.Name, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = p.Run(ctx)
		if ctx.Err() != nil && errors.Is(r.err, context.Canceled) {
			r.err = nil
		}
		ended <- struct{}{}
	}()
	return r
}

func stopParts(log *slog.Logger, timeout time.Duration, running []*runningPart) error {
	deadline := time.After(timeout)
	late := false
	for i := len(running) - 1; i >= 0; i-- {
		r := running[i]
		log.Debug("stopping", "part", r.name)
		r.cancel()
		if late {
			continue
		}
		select {
		case <-r.done:
		case <-deadline:
			late = true
			log.Warn("did not stop in time", "part", r.name, "timeout", timeout)
		}
	}
	return outcome(running)
}

func outcome(running []*runningPart) error {
	var errs []error
	for _, r := range running {
		select {
		case <-r.done:
			if r.err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.name, r.err))
			}
		default:
			errs = append(errs, fmt.Errorf("%s: did not stop in time", r.name))
		}
	}
	return errors.Join(errs...)
}
