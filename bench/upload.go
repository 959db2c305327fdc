package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

type uploadOptions struct {
	clients int
	each    int
}

func uploadScenario(flags *flag.FlagSet) scenario {
	var o uploadOptions
	flags.IntVar(&o.clients, "upload-clients", 4, "uploads at once")
	flags.IntVar(&o.each, "upload-each", 3, "files that each client sends, of each size")
	return scenario{"upload", func(ctx context.Context, b *bench) error { return runUpload(ctx, b, o) }}
}

const megabyte = 1_000_000

func runUpload(ctx context.Context, b *bench, o uploadOptions) (err error) {
	stores, stop, err := startStores(ctx, b, "upload")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	b.report.set("the api process alone, %d uploads at once, %d files by each client; resident memory every 5 ms", o.clients, o.each)
	for range b.rounds {
		for _, size := range []int{5, 50} {
			// A process of its own for each size: memory once taken may stay.
			p, err := startProcess(ctx, b, "api", stores...)
			if err != nil {
				return err
			}
			if err := errors.Join(measureUploads(ctx, b, p, size, o), p.stop()); err != nil {
				return err
			}
		}
	}
	for _, measure := range []string{"peak MiB", "growth MiB", "MB/s"} {
		b.report.compare("50 MB", measure, "5 MB")
	}
	return nil
}

func measureUploads(ctx context.Context, b *bench, p *process, size int, o uploadOptions) error {
	user, err := register(ctx, p.url)
	if err != nil {
		return err
	}
	// One upload first, so that what the first request makes is not counted.
	if _, err := user.upload(ctx, "first.pdf", noise(0, megabyte)); err != nil {
		return err
	}
	idle, err := p.residentBytes()
	if err != nil {
		return err
	}
	highest, stop := watchMemory(p)
	started := time.Now()
	files := o.clients * o.each
	err = parallel(ctx, files, o.clients, func(ctx context.Context, i int) error {
		_, err := user.upload(ctx, fmt.Sprintf("file-%d.pdf", i), noise(uint64(i), size*megabyte))
		return err
	})
	took := time.Since(started)
	stop()
	if err != nil {
		return err
	}
	subject, peak := fmt.Sprintf("%d MB", size), float64(highest.Load())/(1<<20)
	b.report.add(subject, "idle MiB", float64(idle)/(1<<20))
	b.report.add(subject, "peak MiB", peak)
	b.report.add(subject, "growth MiB", peak-float64(idle)/(1<<20))
	b.report.add(subject, "MB/s", float64(files*size)/took.Seconds())
	return nil
}

// watchMemory notes the most memory that a process occupies until stop.
func watchMemory(p *process) (highest *atomic.Int64, stop func()) {
	highest = &atomic.Int64{}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			if now, err := p.residentBytes(); err == nil && now > highest.Load() {
				highest.Store(now)
			}
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	}()
	return highest, func() { close(quit); <-done }
}

// noise is a file of the given size that looks like a PDF at its beginning and
// cannot be compressed.
func noise(seed uint64, size int) io.Reader {
	const head = "%PDF-1.7\n"
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	return io.MultiReader(bytes.NewReader([]byte(head)), io.LimitReader(rand.NewChaCha8(key), int64(size-len(head))))
}
