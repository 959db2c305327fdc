package embedding

import (
	"context"
	"slices"
	"sync/atomic"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// embed sends a batch and hands out the results. When the batch fails for what
// may be the fault of one text, its texts go one by one.
func (b *Batcher) embed(batch []*item) {
	ctx, cancel := b.batchContext(batch)
	defer cancel()
	ctx = llm.WithShares(ctx, shares(batch))
	texts := make([]string, len(batch))
	for i, it := range batch {
		texts[i] = it.text
	}
	vectors, err := b.request(ctx, texts, batch[0].input)
	switch {
	case err == nil:
		for i, it := range batch {
			it.finish(vectors[i], nil)
		}
	case len(batch) > 1 && maybeOneText(err):
		for _, it := range batch {
			b.embed([]*item{it})
		}
	case domain.CodeOf(err) == domain.CodeContextTooLong:
		batch[0].finish(b.halved(ctx, batch[0].text, batch[0].input, err))
	default:
		for _, it := range batch {
			it.finish(nil, err)
		}
	}
}

// shares tells whose texts are in a batch; its tokens are shared out among them
// by the length of the texts, because providers count the batch as a whole.
func shares(batch []*item) []llm.Share {
	var out []llm.Share
	for _, it := range batch {
		caller := llm.CallerOf(it.ctx)
		i := slices.IndexFunc(out, func(s llm.Share) bool { return s.Caller == caller })
		if i < 0 {
			i = len(out)
			out = append(out, llm.Share{Caller: caller})
		}
		out[i].Weight += len(it.text)
	}
	return out
}

func maybeOneText(err error) bool {
	code := domain.CodeOf(err)
	return code == domain.CodeContextTooLong || code == domain.CodeModelMalformed
}

// batchContext ends when every caller in the batch is gone, so that a cancelled
// job stops the model but never the work of its neighbours.
func (b *Batcher) batchContext(batch []*item) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(b.ctx, batchTimeout)
	var waiting atomic.Int64
	waiting.Store(int64(len(batch)))
	stops := make([]func() bool, len(batch))
	for i, it := range batch {
		stops[i] = context.AfterFunc(it.ctx, func() {
			if waiting.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

func (b *Batcher) request(ctx context.Context, texts []string, input llm.Input) ([][]float32, error) {
	got, err := b.provider.Embed(ctx, llm.EmbedRequest{Model: b.space.Model, Texts: texts, Input: input})
	if err != nil {
		return nil, err
	}
	return got.Vectors, check(got.Vectors, len(texts), b.space.Dims)
}

// shortest is the length in runes below which a text is not halved again: what
// is too long then is not the text.
const shortest = 16

// halved embeds a text that is too long as the mean of its halves, so that its
// end counts as much as its beginning.
func (b *Batcher) halved(ctx context.Context, text string, input llm.Input, tooLong error) ([]float32, error) {
	runes := []rune(text)
	if len(runes) < shortest {
		return nil, tooLong
	}
	middle := len(runes) / 2
	first, err := b.half(ctx, string(runes[:middle]), input)
	if err != nil {
		return nil, err
	}
	second, err := b.half(ctx, string(runes[middle:]), input)
	if err != nil {
		return nil, err
	}
	mean := make([]float32, len(first))
	for i := range mean {
		mean[i] = first[i] + second[i]
	}
	return mean, unit(mean)
}

func (b *Batcher) half(ctx context.Context, text string, input llm.Input) ([]float32, error) {
	vectors, err := b.request(ctx, []string{Normalize(text)}, input)
	if domain.CodeOf(err) == domain.CodeContextTooLong {
		return b.halved(ctx, text, input, err)
	}
	if err != nil {
		return nil, err
	}
	return vectors[0], nil
}
