package offline_test

import (
	"testing"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/offline"
)

func TestConform(t *testing.T) {
	t.Parallel()
	llmtest.Conform(t, func(*testing.T) llmtest.Subject {
		return llmtest.Subject{Provider: offline.New(), EmbedModel: offline.Model}
	})
}

func TestNearness(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, near, far string }{
		"inflection":    {"Kündigung des Vertrages", "Verträge kündigen", "Wetter in Hamburg"},
		"compound":      {"Arbeitsvertrag", "Vertrag über Arbeit", "Sonnenschein"},
		"english":       {"the boundary layer flows", "flow in a boundary layer", "tax returns of banks"},
		"stop words":    {"the report of the year", "report year", "the of the"},
		"only articles": {"the and of", "the and", "contract"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := embed(t, tt.text, tt.near, tt.far)
			if near, far := dot(v[0], v[1]), dot(v[0], v[2]); near <= far+0.1 {
				t.Errorf("similarity to %q is %.2f, to %q %.2f", tt.near, near, tt.far, far)
			}
		})
	}
}

func TestEveryTextHasADirection(t *testing.T) {
	t.Parallel()
	for _, v := range embed(t, "", " ", "…", "the", "\x00\xff", "日本語") {
		if n := dot(v, v); n < 0.999 || n > 1.001 || len(v) != offline.Dims {
			t.Errorf("vector of %d dimensions with square length %f", len(v), n)
		}
	}
}

func TestCompleteSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := offline.New().Complete(t.Context(), llm.CompleteRequest{MaxTokens: 1})
	if e := domain.AsError(err); e.Code != domain.CodeModelNotFound || e.Message != "No language model is configured." {
		t.Errorf("Complete fails with %v", err)
	}
}

func BenchmarkEmbed(b *testing.B) {
	text := "Der Arbeitsvertrag endet mit Ablauf des Monats, in dem die Kündigung zugeht. "
	for range 3 {
		text += text
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		embed(b, text)
	}
}

func embed(t testing.TB, texts ...string) [][]float32 {
	t.Helper()
	got, err := offline.New().Embed(t.Context(), llm.EmbedRequest{Texts: texts})
	if err != nil {
		t.Fatal(err)
	}
	return got.Vectors
}

func dot(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
