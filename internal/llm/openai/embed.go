package openai

import (
	"context"
	"fmt"
	"math"

	sdk "github.com/openai/openai-go/v3"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Embed implements llm.Provider. The vectors come with their places, and each
// must come exactly once.
func (p *Provider) Embed(ctx context.Context, req llm.EmbedRequest) (llm.EmbedResponse, error) {
	out := llm.EmbedResponse{Provider: p.Name(), Model: req.Model}
	if len(req.Texts) == 0 {
		return out, llm.Interrupted(ctx)
	}
	reply, err := p.embeddings.New(ctx, sdk.EmbeddingNewParams{
		Model:          req.Model,
		Input:          sdk.EmbeddingNewParamsInputUnion{OfArrayOfStrings: req.Texts},
		EncodingFormat: sdk.EmbeddingNewParamsEncodingFormatFloat,
	})
	if err != nil {
		return out, p.failure(ctx, req.Model, err)
	}
	out.Usage.PromptTokens = int(reply.Usage.PromptTokens)
	out.Vectors, err = inOrder(reply.Data, len(req.Texts))
	return out, err
}

func inOrder(data []sdk.Embedding, want int) ([][]float32, error) {
	vectors := make([][]float32, want)
	for _, d := range data {
		if d.Index < 0 || int(d.Index) >= want || vectors[d.Index] != nil {
			return nil, malformed(fmt.Errorf("vector %d of %d", d.Index, want))
		}
		vectors[d.Index] = narrow(d.Embedding)
	}
	if len(data) != want {
		return nil, malformed(fmt.Errorf("%d vectors for %d texts", len(data), want))
	}
	return vectors, nil
}

// narrow also makes unit length sure, which not every copy of the API does.
func narrow(wide []float64) []float32 {
	var square float64
	for _, x := range wide {
		square += x * x
	}
	length := math.Sqrt(square)
	if length == 0 {
		length = 1
	}
	out := make([]float32, len(wide))
	for i, x := range wide {
		out[i] = float32(x / length)
	}
	return out
}

func malformed(cause error) *domain.Error {
	return domain.Errorf(domain.CodeModelMalformed, "The language model's reply could not be read.").WithCause(cause)
}
