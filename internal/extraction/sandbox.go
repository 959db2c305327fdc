package extraction

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"generalbackend/internal/domain"
)

// Source is a document to read.
type Source struct {
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

// Sandbox reads documents in child processes: one child per document, so that
// nothing of one user's document is left when another's is read. Children are
// started ahead, so that nobody waits for their start.
type Sandbox struct {
	limits Limits
	log    *slog.Logger
	slots  chan struct{}
	warm   chan *child
	peak   atomic.Int64

	mu      sync.Mutex
	closed  bool
	refills sync.WaitGroup
}

// NewSandbox returns a Sandbox that reads at most concurrency documents at
// once. The running program must call RunSandboxChild when its first argument
// is SandboxArgument.
func NewSandbox(limits Limits, concurrency int, log *slog.Logger) *Sandbox {
	concurrency = max(concurrency, 1)
	return &Sandbox{
		limits: limits.withDefaults(),
		log:    log,
		slots:  make(chan struct{}, concurrency),
		warm:   make(chan *child, concurrency),
	}
}

// Close ends the children that wait for work. Documents being read are ended
// by their contexts.
func (s *Sandbox) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.refills.Wait()
	for {
		select {
		case c := <-s.warm:
			c.discard()
		default:
			return
		}
	}
}

// PeakMemory is the largest resident size that any child has had, in bytes. The
// kernel counts a child as no smaller than its parent was when it started it.
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
	got, err := s.attempt(ctx, src, progress)
	if errors.Is(err, errCrashed) {
		s.log.WarnContext(ctx, "parser crashed, trying once more", "type", src.Type, "cause", err)
		got, err = s.attempt(ctx, src, progress)
	}
	if errors.Is(err, errCrashed) {
		err = errorFor(domain.CodeDocumentMalformed).WithCause(err)
	}
	if err != nil {
		return domain.Extraction{}, err
	}
	return conclude(got)
}

// attempt reads a document in one child.
func (s *Sandbox) attempt(parent context.Context, src Source, progress func(done, total int)) (received, error) {
	ctx, cancel := context.WithTimeoutCause(parent, s.limits.Wall, errorFor(domain.CodeTimedOut))
	defer cancel()
	body, err := src.Open(ctx)
	if err != nil {
		return received{}, err
	}
	defer body.Close()
	c, err := s.take()
	if err != nil {
		return received{}, domain.Errorf(domain.CodeUnavailable, "The document reader could not be started. Try again later.").WithCause(err)
	}
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	got, err := c.converse(src, body, s.limits, progress)
	end := c.finish()
	s.remember(end.memory)
	if ctx.Err() != nil {
		return received{}, context.Cause(ctx)
	}
	if err == nil || !errors.Is(err, errSilent) {
		return got, err
	}
	return received{}, end.explain()
}

// take returns a child, started ahead where possible, and starts the next.
func (s *Sandbox) take() (*child, error) {
	defer s.refill()
	select {
	case c := <-s.warm:
		return c, nil
	default:
		return startChild(s.limits)
	}
}

func (s *Sandbox) refill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.warm) == cap(s.warm) {
		return
	}
	s.refills.Add(1)
	go func() {
		defer s.refills.Done()
		c, err := startChild(s.limits)
		if err != nil {
			s.log.Warn("starting a document reader ahead failed", "error", err)
			return
		}
		select {
		case s.warm <- c:
		default:
			c.discard()
		}
	}()
}

func (s *Sandbox) remember(bytes int64) {
	for {
		old := s.peak.Load()
		if bytes <= old || s.peak.CompareAndSwap(old, bytes) {
			return
		}
	}
}
