package embedding_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/llm/ollama"
)

var space = domain.EmbeddingSpace{ID: 7, Model: llmtest.EmbedModel, Dims: 384}

func TestNormalize(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"quotes":        {"der „Vertrag“ l’homme «x»", `der "Vertrag" l'homme "x"`},
		"dashes":        {"Datum–Vertrag", "Datum - Vertrag"},
		"ellipsis":      {"und…", "und..."},
		"white space":   {" a\n\n b\u00a0c\t", "a b c"},
		"control":       {"a\x00b\x1fc", "a b c"},
		"invalid UTF-8": {"a\xffb", "a b"},
		"invisible":     {"Silben\u00adtrennung\u200b\ufeff", "Silbentrennung"},
		"empty":         {"", "."},
		"only spaces":   {" \n\u200b", "."},
		"base64":        {strings.Repeat("Qk0", 2000), strings.Repeat("Qk0", 66) + "Qk"},
		"no spaces":     {strings.Repeat("日", 250), strings.Repeat("日", 200) + " " + strings.Repeat("日", 50)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, embedding.Normalize(tt.in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNormalizeProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		got := embedding.Normalize(rapid.String().Draw(t, "text"))
		if got == "" || got != embedding.Normalize(got) {
			t.Fatalf("%q is empty or changes again", got)
		}
		for word := range strings.FieldsSeq(got) {
			if n := len([]rune(word)); n > 200+2 {
				t.Fatalf("a word of %d characters is left", n)
			}
		}
	})
}

func TestSpace(t *testing.T) {
	t.Parallel()
	server := llmtest.NewServer()
	t.Cleanup(server.Close)
	down := llmtest.NewServer()
	down.Close()
	minilm := domain.EmbeddingSpace{Provider: "ollama", Model: "all-minilm", Dims: 384, ChunkTokens: 179, OverlapToken: 22}
	tests := map[string]struct {
		provider llm.Provider
		model    string
		want     domain.EmbeddingSpace
		code     domain.Code
	}{
		"offline":              {offline.New(), offline.Model, domain.EmbeddingSpace{Provider: "offline", Model: "hash-384", Dims: 384, ChunkTokens: 400, OverlapToken: 50}, ""},
		"ollama":               {client(t, server.URL), "all-minilm", minilm, ""},
		"ollama down, known":   {client(t, down.URL), "all-minilm", minilm, ""},
		"ollama down, unknown": {client(t, down.URL), "strange", domain.EmbeddingSpace{}, domain.CodeModelUnavailable},
		"model not there":      {client(t, server.URL), "bge-m3", domain.EmbeddingSpace{}, domain.CodeModelNotFound},
		"model does not embed": {client(t, server.URL), llmtest.ChatModel, domain.EmbeddingSpace{}, domain.CodeInvalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := embedding.Space(t.Context(), tt.provider, tt.model)
			if domain.CodeOf(err) != tt.code {
				t.Fatalf("error is %v, want code %q", err, tt.code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("space (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBatchesFillAcrossCallers(t *testing.T) {
	t.Parallel()
	server := llmtest.NewServer()
	t.Cleanup(server.Close)
	provider := &counting{Provider: client(t, server.URL)}
	b := embedding.NewBatcher(provider, space)
	t.Cleanup(b.Close)
	server.Fail("/api/embed", llmtest.Hang, 1)
	ctx, release := context.WithCancel(t.Context())
	go func() { _, _ = b.Embed(ctx, []string{"first"}, embedding.Standard) }()
	for server.AwaitRunning(1); len(server.Batches()) == 0; {
		runtime.Gosched()
	}

	var group sync.WaitGroup
	for _, texts := range [][]string{{"a", "b", "c"}, {"d", "e", "f"}, {"g", "h"}} {
		group.Go(func() { embed(t, b, embedding.Standard, texts...) })
	}
	queued(t, b, 8)
	release()
	group.Wait()
	if sizes := batchSizes(server); !slices.Equal(sizes, []int{1, 8}) {
		t.Errorf("batches of %v texts, want one full batch", sizes)
	}
	if peak := provider.peak.Load(); peak != 1 {
		t.Errorf("%d batches at once, want 1", peak)
	}
}

// counting notes how many calls were under way at once. The server cannot tell:
// it learns of a cancelled request only after the next one has begun.
type counting struct {
	llm.Provider
	running, peak atomic.Int32
}

func (c *counting) Embed(ctx context.Context, req llm.EmbedRequest) (llm.EmbedResponse, error) {
	n := c.running.Add(1)
	defer c.running.Add(-1)
	for peak := c.peak.Load(); n > peak && !c.peak.CompareAndSwap(peak, n); peak = c.peak.Load() {
	}
	return c.Provider.Embed(ctx, req)
}

func TestUrgentTextsGoFirst(t *testing.T) {
	t.Parallel()
	server, b := start(t)
	server.Fail("/api/embed", llmtest.Hang, 1)
	ctx, release := context.WithCancel(t.Context())
	go func() { _, _ = b.Embed(ctx, []string{"first"}, embedding.Standard) }()
	for server.AwaitRunning(1); len(server.Batches()) == 0; { // it runs before it is noted
		runtime.Gosched()
	}

	var group sync.WaitGroup
	for i, p := range []embedding.Priority{embedding.Bulk, embedding.Interactive, embedding.Query} {
		name := []string{"bulk", "interactive", "query"}[i]
		group.Go(func() { embed(t, b, p, slices.Repeat([]string{name}, 8)...) })
		queued(t, b, 8*(i+1))
	}
	release()
	group.Wait()
	var order []string
	for _, batch := range server.Batches() {
		order = append(order, batch[0])
	}
	if want := []string{"first", "query", "interactive", "bulk"}; !slices.Equal(order, want) {
		t.Errorf("order is %v, want %v", order, want)
	}
}

// queued waits until n texts wait behind the batch under way.
func queued(t *testing.T, b *embedding.Batcher, n int) {
	t.Helper()
	for b.Waiting() < n {
		if t.Context().Err() != nil {
			t.Fatal("the texts were not queued")
		}
		runtime.Gosched()
	}
}

func TestOneBadTextFailsAlone(t *testing.T) {
	t.Parallel()
	server, b := start(t)
	server.Fail("/api/embed", llmtest.PoisonedText, -1)
	var group sync.WaitGroup
	group.Go(func() { embed(t, b, embedding.Standard, "a", "b", "c") })
	group.Go(func() {
		_, err := b.Embed(t.Context(), []string{"x " + llmtest.Poison}, embedding.Standard)
		wantCode(t, err, domain.CodeModelMalformed)
	})
	group.Go(func() { embed(t, b, embedding.Standard, "d", "e") })
	group.Wait()
}

func TestTooLongTextIsHalved(t *testing.T) {
	t.Parallel()
	server, b := start(t)
	long := strings.Repeat("Kündigung ", 200)
	got := embed(t, b, embedding.Standard, "short", long, "also short")
	for i, v := range got {
		if n := norm(v); math.Abs(n-1) > 1e-3 {
			t.Errorf("vector %d has length %f", i, n)
		}
	}
	near := embed(t, b, embedding.Standard, "Kündigung")[0]
	if d := dot(got[1], near); d < 0.99 {
		t.Errorf("the mean of the halves is only %.2f like the word", d)
	}
	if server.Requests("/api/embed") < 6 {
		t.Errorf("only %d requests", server.Requests("/api/embed"))
	}
}

func TestBadVectorsAreRefused(t *testing.T) {
	t.Parallel()
	for _, fault := range []llmtest.Fault{llmtest.TooFew, llmtest.NaN, llmtest.Zero, llmtest.WrongDims, llmtest.WrongShape, llmtest.InvalidJSON} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			server, b := start(t)
			server.Fail("/api/embed", fault, -1)
			_, err := b.Embed(t.Context(), []string{"a", "b"}, embedding.Standard)
			wantCode(t, err, domain.CodeModelMalformed)
			server.Heal()
			embed(t, b, embedding.Standard, "a", "b")
		})
	}
}

func TestProviderDown(t *testing.T) {
	t.Parallel()
	server, b := start(t)
	server.Fail("/api/embed", llmtest.Overloaded, 1)
	_, err := b.Embed(t.Context(), []string{"a", "b"}, embedding.Standard)
	wantCode(t, err, domain.CodeModelOverloaded)
	if n := server.Requests("/api/embed"); n != 1 {
		t.Errorf("%d requests to a server that is overloaded, want 1", n)
	}
}

func TestCancelStopsTheModelUnlessOthersWait(t *testing.T) {
	t.Parallel()
	server, b := start(t)
	server.Fail("/api/embed", llmtest.Hang, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.AwaitRunning(1)
		cancel()
	}()
	_, err := b.Embed(ctx, []string{"a"}, embedding.Standard)
	if wantCode(t, err, domain.CodeCancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v does not wrap context.Canceled", err)
	}
	server.AwaitCancelled(1)
	embed(t, b, embedding.Standard, "others")
}

func TestCloseFailsWhatWaits(t *testing.T) {
	t.Parallel()
	server, b := start(t)
	server.Fail("/api/embed", llmtest.Hang, 1)
	failed := make(chan error)
	go func() {
		_, err := b.Embed(context.Background(), []string{"a"}, embedding.Standard)
		failed <- err
	}()
	server.AwaitRunning(1)
	b.Close()
	if err := <-failed; err == nil {
		t.Error("Embed succeeded without an answer")
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	_, b := start(t)
	a, space, err := b.Query(t.Context(), "der „Vertrag“")
	if err != nil || space.ID != 7 {
		t.Fatalf("space %d, error %v", space.ID, err)
	}
	if plain := embed(t, b, embedding.Standard, `der "Vertrag"`)[0]; !cmp.Equal(a, plain) {
		t.Error("the query was not normalised")
	}
}

func start(t *testing.T) (*llmtest.Server, *embedding.Batcher) {
	t.Helper()
	server := llmtest.NewServer()
	t.Cleanup(server.Close)
	b := embedding.NewBatcher(client(t, server.URL), space)
	t.Cleanup(b.Close)
	return server, b
}

func client(t *testing.T, url string) llm.Provider {
	t.Helper()
	p, err := ollama.New(ollama.Config{BaseURL: url})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func embed(t *testing.T, b *embedding.Batcher, p embedding.Priority, texts ...string) [][]float32 {
	t.Helper()
	vectors, err := b.Embed(t.Context(), texts, p)
	if err != nil {
		t.Errorf("Embed(%.40q): %v", texts, err)
		return make([][]float32, len(texts))
	}
	return vectors
}

func batchSizes(s *llmtest.Server) []int {
	var sizes []int
	for _, b := range s.Batches() {
		sizes = append(sizes, len(b))
	}
	return sizes
}

func wantCode(t *testing.T, err error, want domain.Code) {
	t.Helper()
	if got := domain.CodeOf(err); got != want {
		t.Errorf("error is %v, want code %s", err, want)
	}
}

func norm(v []float32) float64 { return math.Sqrt(dot(v, v)) }

func dot(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
