package embedding

import (
	"fmt"
	"math"

	"generalbackend/internal/domain"
)

// check refuses what cannot be stored or compared, and brings vectors to length
// 1. The number of vectors must fit the number of texts, or none can be told to
// belong to a text.
func check(vectors [][]float32, texts, dims int) error {
	if len(vectors) != texts {
		return malformed("%d vectors for %d texts", len(vectors), texts)
	}
	for i, v := range vectors {
		if len(v) != dims {
			return malformed("vector %d has %d dimensions instead of %d", i, len(v), dims)
		}
		if err := unit(v); err != nil {
			return err
		}
	}
	return nil
}

func unit(v []float32) error {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	length := math.Sqrt(square)
	if length == 0 || math.IsNaN(length) || math.IsInf(length, 0) {
		return malformed("vector of length %v", length)
	}
	if math.Abs(length-1) < 1e-4 {
		return nil
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / length)
	}
	return nil
}

func malformed(format string, args ...any) error {
	return domain.Errorf(domain.CodeModelMalformed, "The embedding model's reply does not fit the texts sent.").
		WithCause(fmt.Errorf(format, args...))
}
