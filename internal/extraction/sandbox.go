package extraction

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"

	"generalbackend/internal/domain"
)

// Source is a document to read. One child may read several small documents of
// one owner in a row; an owner of "" shares with nobody, not even itself.
type Source struct {
	Owner       string
	Type        domain.DocumentType
	Open        func(ctx context.Context) (io.ReadCloser, error) // called once per try
	ContentType string                                           // of a fetched page, for its encoding
	URL         string                                           // set: take the main text only
}

// Bytes returns an Open function over bytes in memory.
func Bytes(data []byte) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}
}

// Sandbox reads documents in child processes. A child never reads documents of
// two owners, so that nothing of one's is left when another's is read.
type Sandbox struct {
	limits Limits
	log    *slog.Logger
	slots  chan struct{}
	pool   pool
	peak   atomic.Int64
}

// NewSandbox returns a Sandbox that reads at most concurrency documents at
// once. The running program must call RunSandboxChild when its first argument
// is SandboxArgument.
func NewSandbox(limits Limits, concurrency int, log *slog.Logger) *Sandbox {
	concurrency = max(concurrency, 1)
	s := &Sandbox{limits: limits.withDefaults(), log: log, slots: make(chan struct{}, concurrency)}
	s.pool = pool{size: concurrency, start: func() (*child, error) { return startChild(s.limits) }, ended: s.remember}
	return s
}

// Close ends the children that wait for work. Documents being read are ended
// by their contexts.
func (s *Sandbox) Close() { s.pool.close() }

// PeakMemory is the largest resident size that any child has had, in bytes, as
// far as it is known: of a child that crashed only what is beyond this process.
func (s *Sandbox) PeakMemory() int64 { return s.peak.Load() }

// Extract reads a document. Progress may be nil; it hears of each page. An
// error is a *domain.Error, or the context's own when it was cancelled.
func (s *Sandbox) Extract(ctx context.Context, src Source, progress func(done, total int)) (domain.Extraction, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return domain.Extraction{}, context.Cause(ctx)
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	got, again, err := s.attempt(ctx, src, progress, false)
	if again {
		s.log.WarnContext(ctx, "reading a document failed, trying once more", "type", src.Type, "error", err)
		got, _, err = s.attempt(ctx, src, progress, true)
	}
	if errors.Is(err, errCrashed) {
		err = errorFor(domain.CodeDocumentMalformed).WithCause(err)
	}
	if err != nil {
		return domain.Extraction{}, err
	}
	return conclude(got)
}

// attempt reads a document in one child. It asks for another attempt after a
// crash, and where a child that had read before ran out of its limits.
func (s *Sandbox) attempt(parent context.Context, src Source, progress func(done, total int), fresh bool) (got received, again bool, err error) {
	ctx, cancel := context.WithTimeoutCause(parent, s.limits.Wall, errorFor(domain.CodeTimedOut))
	defer cancel()
	body, err := src.Open(ctx)
	if err != nil {
		return received{}, false, err
	}
	defer body.Close()
	c, err := s.pool.take(src.Owner, fresh)
	if err != nil {
		return received{}, false, domain.Errorf(domain.CodeUnavailable, "The document reader could not be started. Try again later.").WithCause(err)
	}
	stop := context.AfterFunc(ctx, c.kill)
	got, err = c.converse(src, body, s.limits, progress)
	alive := stop()
	s.remember(got.summary.Memory)
	if err == nil && alive && src.Owner != "" && got.summary.Reusable {
		s.pool.put(c, src.Owner)
		return got, false, nil
	}
	used := c.owner != ""
	end := c.finish()
	s.remember(end.memory)
	switch {
	case ctx.Err() != nil:
		return received{}, false, context.Cause(ctx)
	case errors.Is(err, errSilent):
		err = end.explain()
	}
	again = errors.Is(err, errCrashed) || used && domain.CodeOf(err) == domain.CodeDocumentTooComplex
	return got, again, err
}

func (s *Sandbox) remember(bytes int64) {
	for {
		old := s.peak.Load()
		if bytes <= old || s.peak.CompareAndSwap(old, bytes) {
			return
		}
	}
}
