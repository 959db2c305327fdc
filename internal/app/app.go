// Package app is the life of a process: read the configuration, listen for
// signals, run the parts, and stop them in order. What the parts do is the
// business of whoever calls it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"generalbackend/internal/config"
	"generalbackend/internal/telemetry"
)

// Runtime is what every process has.
type Runtime struct {
	Name    string
	Config  config.Config
	Log     *slog.Logger
	Metrics *prometheus.Registry
	Health  *telemetry.Health
}

// RunFunc opens what a process needs, joins it and works until ctx is done.
type RunFunc func(ctx context.Context, rt *Runtime) error

// Main runs a process until it ends by itself or is told to by SIGINT or
// SIGTERM, and exits with its status. A second signal ends it at once. With the
// argument "healthcheck" it asks the running process instead whether it is ready.
func Main(name string, process config.Process, run RunFunc) {
	if len(os.Args) == 2 && os.Args[1] == "healthcheck" {
		if err := Probe(context.Background(), process, os.Environ()); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	err := Run(ctx, name, process, os.Environ(), os.Stderr, run)
	if err != nil {
		os.Exit(1)
	}
}

// Run is Main with its surroundings as arguments. What goes wrong is logged to
// out before it is returned; configuration errors go there as plain text.
func Run(ctx context.Context, name string, process config.Process, environ []string, out io.Writer, run RunFunc) error {
	cfg, err := config.Load(environ, process)
	if err != nil {
		fmt.Fprintf(out, "%s: %v\n", name, err)
		return err
	}
	log := telemetry.NewLogger(out, cfg.LogLevel, name)
	rt := &Runtime{Name: name, Config: cfg, Log: log, Metrics: telemetry.NewRegistry(name), Health: &telemetry.Health{}}
	defer context.AfterFunc(ctx, rt.Health.Stopping)()

	flush, err := telemetry.StartTracing(ctx, cfg.TracesEndpoint, name)
	if err != nil {
		log.Error("tracing could not start", "error", err)
		return err
	}
	err = run(ctx, rt)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	flushCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if e := flush(flushCtx); e != nil {
		log.Warn("the last traces were not sent", "error", e)
	}
	if err != nil {
		log.Error("ended by an error", "error", err)
		return err
	}
	log.Info("ended")
	return nil
}
