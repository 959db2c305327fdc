// Package embedding turns passages and queries into vectors: it prepares texts
// for the embedder, fills batches across jobs, checks what comes back and never
// lets one bad text fail its neighbours.
package embedding

import (
	"context"
	"sync"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Priority says whose texts go into the next batch.
type Priority int

// The priorities, most urgent first.
const (
	Query Priority = iota
	Interactive
	Standard
	Bulk
	priorities
)

// batchSize saturates a server; a larger one only keeps queries waiting.
const batchSize = 8

// batchTimeout bounds one batch, queue and loading of the model included.
const batchTimeout = 5 * time.Minute

// Batcher embeds the texts of all callers in batches, one batch at a time.
// Urgent texts go first; among equals the first come are first served. It runs
// from NewBatcher until Close.
type Batcher struct {
	provider llm.Provider
	space    domain.EmbeddingSpace

	ctx  context.Context //nolint:containedctx // the life of the batcher, not of a call
	stop context.CancelFunc
	wake chan struct{}
	done chan struct{}

	mu     sync.Mutex
	queues [priorities][]*item
}

// item is one text on its way. Done is called once, with a vector or an error.
type item struct {
	ctx    context.Context //nolint:containedctx // of the caller, who may leave while others wait
	text   string
	input  llm.Input
	finish func([]float32, error)
}

// NewBatcher starts a batcher for vectors of space.
func NewBatcher(p llm.Provider, space domain.EmbeddingSpace) *Batcher {
	ctx, stop := context.WithCancel(context.Background())
	b := &Batcher{
		provider: p, space: space, ctx: ctx, stop: stop,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go b.run()
	return b
}

// Close stops the batcher; texts still waiting fail.
func (b *Batcher) Close() {
	b.stop()
	<-b.done
}

// Space is the space of the vectors.
func (b *Batcher) Space() domain.EmbeddingSpace { return b.space }

// Embed returns a unit vector for each text, which must be normalised. It fails
// with the error of the first text that failed; what other callers wait for is
// not affected, nor by the end of ctx.
func (b *Batcher) Embed(ctx context.Context, texts []string, p Priority) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	results := make(chan error, len(texts))
	items := make([]*item, len(texts))
	for i, text := range texts {
		items[i] = &item{ctx: ctx, text: text, input: inputOf(p), finish: func(v []float32, err error) {
			vectors[i] = v
			results <- err
		}}
	}
	b.push(p, items)
	for range texts {
		select {
		case err := <-results:
			if err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, llm.Interrupted(ctx)
		case <-b.done:
			return nil, domain.Errorf(domain.CodeUnavailable, "The embedder is shutting down.")
		}
	}
	return vectors, nil
}

func inputOf(p Priority) llm.Input {
	if p == Query {
		return llm.InputQuery
	}
	return llm.InputPassage
}

// push queues all texts of a call at once, so that a batch takes as many of them
// as it holds.
func (b *Batcher) push(p Priority, items []*item) {
	b.mu.Lock()
	b.queues[p] = append(b.queues[p], items...)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *Batcher) run() {
	defer close(b.done)
	for {
		batch := b.next()
		if len(batch) > 0 {
			b.embed(batch)
			continue
		}
		select {
		case <-b.wake:
		case <-b.ctx.Done():
			return
		}
	}
}

// next takes up to batchSize texts, most urgent first, leaving out those whose
// callers are gone. Queries are not mixed with passages, as a model may treat
// them differently.
func (b *Batcher) next() []*item {
	if b.ctx.Err() != nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var batch []*item
	for p := range b.queues {
		for len(b.queues[p]) > 0 && len(batch) < batchSize {
			it := b.queues[p][0]
			if len(batch) > 0 && it.input != batch[0].input {
				return batch
			}
			b.queues[p] = b.queues[p][1:]
			if it.ctx.Err() == nil {
				batch = append(batch, it)
			}
		}
	}
	return batch
}

// Waiting counts the texts that are not yet in a batch.
func (b *Batcher) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, q := range b.queues {
		n += len(q)
	}
	return n
}
