package embedding

import (
	"bytes"
	"context"
	"slices"

	"generalbackend/internal/domain"
)

// The check of a space before it serves: so many of its chunks are looked for by
// their own text, and so large a share must be among the nearest ten.
const (
	recallSamples = 100
	recallDepth   = 10
	leastRecall   = 0.9
)

// recall looks for some of the space's chunks as search will. It finds vectors
// that the model does not give again, and an index that does not find them.
func (r *reembedRun) recall(ctx context.Context) (float64, error) {
	samples, err := r.Store.Samples(ctx, r.Space.ID, recallSamples)
	if err != nil || len(samples) == 0 {
		return 1, err
	}
	found, asked := 0, 0
	for _, sample := range samples {
		hit, err := r.finds(ctx, sample)
		if domain.CodeOf(err) == domain.CodeLocalOnly {
			continue // marked since it was embedded
		}
		if err != nil {
			return 0, err
		}
		if asked++; hit {
			found++
		}
	}
	if asked == 0 {
		return 1, nil
	}
	recall := float64(found) / float64(asked)
	if recall < leastRecall {
		return recall, domain.Errorf(domain.CodeRecallLow, "The new space finds only %d of %d passages by their own text.", found, asked).
			WithHint("The space before serves on. Look at the embedding model, then resume, or cancel.")
	}
	return recall, nil
}

func (r *reembedRun) finds(ctx context.Context, sample domain.Sample) (bool, error) {
	vectors, err := r.batcher.Embed(r.onBehalf(ctx, sample.UserID, sample.ProjectID), []string{Normalize(sample.Content)}, Bulk)
	if err != nil {
		return false, err
	}
	hashes, err := r.Store.NearestHashes(ctx, r.Space, sample.UserID, vectors[0], recallDepth)
	return slices.ContainsFunc(hashes, func(h []byte) bool { return bytes.Equal(h, sample.Hash) }), err
}
