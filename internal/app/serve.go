package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"generalbackend/internal/telemetry"
)

// Serve listens on addr and answers with handler as a part. It hands the real
// address, which matters for port 0, to ready, which may be nil. When stopped it
// lets requests finish within timeout, then cuts them off. Handlers set their
// own write deadlines, because streams outlast any common one.
func Serve(log *slog.Logger, addr string, timeout time.Duration, handler http.Handler, ready func(net.Addr)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		if ready != nil {
			ready(l.Addr())
		}
		requests, cutOff := context.WithCancel(context.WithoutCancel(ctx))
		defer cutOff()
		srv := &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
			BaseContext:       func(net.Listener) context.Context { return requests },
		}
		failed := make(chan error, 1)
		go func() { failed <- srv.Serve(l) }()
		select {
		case err := <-failed:
			return fmt.Errorf("serve: %w", err)
		case <-ctx.Done():
		}
		return shutdown(ctx, srv, timeout, cutOff)
	}
}

func shutdown(ctx context.Context, srv *http.Server, timeout time.Duration, cutOff func()) error {
	graceful, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	err := srv.Shutdown(graceful)
	if err == nil {
		return nil
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop serving: %w", err)
	}
	cutOff()
	return srv.Close()
}

// Watch is the part that answers health, readiness and metrics of a process
// that has no other address.
func (rt *Runtime) Watch() Part {
	addr := fmt.Sprintf(":%d", rt.Config.MetricsPort)
	handler := telemetry.Handler(rt.Metrics, rt.Health)
	return Part{Name: "metrics", Run: Serve(rt.Log, addr, time.Second, handler, func(a net.Addr) {
		rt.Log.Info("answering /health, /ready and /metrics", "address", a.String())
	})}
}

// RunParts runs the parts of the process within its shutdown timeout.
func (rt *Runtime) RunParts(ctx context.Context, parts ...Part) error {
	return RunParts(ctx, rt.Log, rt.Config.ShutdownTimeout, parts...)
}
