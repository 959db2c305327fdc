package llm_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/llm/ollama"
)

var schema = json.RawMessage(`{"type":"object","properties":{"verdict":{"enum":["full","missing"]}},"required":["verdict"],"additionalProperties":false}`)

func TestRobustConforms(t *testing.T) {
	t.Parallel()
	llmtest.Conform(t, func(t *testing.T) llmtest.Subject {
		_, p := start(t, llm.Limits{})
		return llmtest.Subject{Provider: p, ChatModel: llmtest.ChatModel, EmbedModel: llmtest.EmbedModel}
	})
}

func TestRobustRetries(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault llmtest.Fault
		times int
		want  domain.Code
		tries int
	}{
		"overloaded passes":        {llmtest.Overloaded, 3, "", 4},
		"rate limit is waited out": {llmtest.RateLimited, 1, "", 2},
		"dead runner once":         {llmtest.RunnerDied, 1, "", 2},
		"dead runner twice":        {llmtest.RunnerDied, 9, domain.CodeModelMalformed, 2},
		"cut stream once":          {llmtest.CutStream, 1, "", 2},
		"missing model":            {llmtest.MissingModel, 1, domain.CodeModelNotFound, 1},
		"bad option":               {llmtest.BadOption, 1, domain.CodeInvalid, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, p := start(t, llm.Limits{FirstPause: time.Millisecond})
			server.Fail("/api/chat", tt.fault, tt.times)
			_, err := p.Complete(t.Context(), question(nil))
			if got := domain.CodeOf(err); got != tt.want {
				t.Errorf("error is %v, want code %q", err, tt.want)
			}
			if got := server.Requests("/api/chat"); got != tt.tries {
				t.Errorf("%d requests, want %d", got, tt.tries)
			}
		})
	}
}

func TestRobustEmbedRetriesDeadRunner(t *testing.T) {
	t.Parallel()
	server, p := start(t, llm.Limits{FirstPause: time.Millisecond})
	server.Fail("/api/embed", llmtest.RunnerDied, 1)
	if _, err := p.Embed(t.Context(), llm.EmbedRequest{Model: llmtest.EmbedModel, Texts: []string{"x"}}); err != nil {
		t.Error(err)
	}
}

func TestRobustGivesUpWhereAskedToWaitLonger(t *testing.T) {
	t.Parallel()
	server, p := start(t, llm.Limits{FirstPause: time.Millisecond, MaxElapsed: 500 * time.Millisecond})
	server.Fail("/api/chat", llmtest.RateLimited, -1)
	_, err := p.Complete(t.Context(), question(nil))
	if e := domain.AsError(err); e.Code != domain.CodeModelRateLimited || e.RetryAfter != time.Second {
		t.Errorf("error is %+v", e)
	}
	if got := server.Requests("/api/chat"); got != 1 {
		t.Errorf("%d requests, want 1", got)
	}
}

func TestBreakerOpens(t *testing.T) {
	t.Parallel()
	server, p := start(t, llm.Limits{FirstPause: time.Millisecond, TripAfter: 3, OpenFor: time.Hour, MaxElapsed: 2 * time.Hour})
	server.Fail("/api/chat", llmtest.Overloaded, -1)
	_, err := p.Complete(t.Context(), question(nil))
	if e := domain.AsError(err); e.Code != domain.CodeModelUnavailable || e.RetryAfter != time.Hour {
		t.Errorf("error is %v", err)
	}
	if got := server.Requests("/api/chat"); got != 3 || !p.Open() {
		t.Errorf("%d requests before the breaker is open (%v), want 3", got, p.Open())
	}
}

func TestBreakerIgnoresFaultyRequests(t *testing.T) {
	t.Parallel()
	_, p := start(t, llm.Limits{TripAfter: 1})
	req := question(nil)
	req.Model = "nope"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		_, _ = p.Complete(t.Context(), req)
		_, _ = p.Complete(ctx, question(nil))
	}
	if p.Open() {
		t.Error("the breaker opened for requests that were wrong or cancelled")
	}
}

func TestStructuredOutput(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answers []string
		want    string
		code    domain.Code
	}{
		"valid":             {[]string{`{"verdict":"full"}`}, `{"verdict":"full"}`, ""},
		"fenced":            {[]string{"```json\n{\"verdict\":\"full\"}\n```"}, `{"verdict":"full"}`, ""},
		"repaired":          {[]string{`{"verdict":"perhaps"}`, `{"verdict":"missing"}`}, `{"verdict":"missing"}`, ""},
		"not JSON, mended":  {[]string{`Sure! It is`, `{"verdict":"missing"}`}, `{"verdict":"missing"}`, ""},
		"wrong twice":       {[]string{`{"a":1}`, `[]`}, "", domain.CodeModelMalformed},
		"trailing rubbish":  {[]string{`{"verdict":"full"} and`, `{"verdict":"full"} so`}, "", domain.CodeModelMalformed},
		"not JSON, nothing": {[]string{` `, ` `}, "", domain.CodeModelMalformed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, p := start(t, llm.Limits{})
			server.OnChat(inTurn(tt.answers))
			got, err := p.Complete(t.Context(), question(schema))
			if domain.CodeOf(err) != tt.code || (err == nil && got.Content != tt.want) {
				t.Errorf("answer %q, error %v; want %q, %q", got.Content, err, tt.want, tt.code)
			}
			if chats := server.Chats(); len(chats) != len(tt.answers) {
				t.Errorf("%d requests, want %d", len(chats), len(tt.answers))
			} else if last := chats[len(chats)-1].Messages; len(chats) == 2 && (len(last) != 3 || !strings.Contains(last[1].Content, strings.TrimSpace(tt.answers[0])) || strings.Contains(last[2].Content, "file:")) {
				t.Errorf("the repair turn is %+v", last)
			}
		})
	}
}

// TestUsageOfARepairThatFailed: the first answer was paid for.
func TestUsageOfARepairThatFailed(t *testing.T) {
	t.Parallel()
	server, p := start(t, llm.Limits{})
	server.OnChat(func(llmtest.ChatRequest) string {
		server.Fail("/api/chat", llmtest.LongPrompt, -1)
		return "no JSON at all"
	})
	got, err := p.Complete(t.Context(), question(schema))
	if domain.CodeOf(err) != domain.CodeContextTooLong || got.Usage.CompletionTokens == 0 {
		t.Errorf("usage %+v, error %v; want that of the first answer, and that the second did not fit", got.Usage, err)
	}
}

func inTurn(answers []string) func(llmtest.ChatRequest) string {
	var mu sync.Mutex
	var n int
	return func(llmtest.ChatRequest) string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return answers[(n-1)%len(answers)]
	}
}

func TestInvalidSchema(t *testing.T) {
	t.Parallel()
	_, p := start(t, llm.Limits{})
	for _, s := range []string{`{`, `{"type":7}`, `{"$ref":"http://example.org/x.json"}`} {
		if _, err := p.Complete(t.Context(), question(json.RawMessage(s))); domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("schema %s gives %v", s, err)
		}
	}
}

func TestLimitOfRequestsInFlight(t *testing.T) {
	t.Parallel()
	inner := &counting{Provider: offline.New()}
	p := llm.NewRobust(inner, llm.Limits{Completions: 2})
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if _, err := p.Complete(t.Context(), question(nil)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := inner.peak.Load(); got > 2 {
		t.Errorf("%d requests at once, want at most 2", got)
	}
}

// counting notes how many completions were under way at once. A server cannot
// tell: it ends a request only after the client has read the answer.
type counting struct {
	llm.Provider
	running, peak atomic.Int32
}

func (c *counting) Complete(context.Context, llm.CompleteRequest) (llm.CompleteResponse, error) {
	n := c.running.Add(1)
	defer c.running.Add(-1)
	for peak := c.peak.Load(); n > peak && !c.peak.CompareAndSwap(peak, n); peak = c.peak.Load() {
	}
	runtime.Gosched()
	return llm.CompleteResponse{Content: "yes"}, nil
}

func start(t *testing.T, limits llm.Limits) (*llmtest.Server, *llm.Robust) {
	t.Helper()
	server := llmtest.NewServer()
	t.Cleanup(server.Close)
	p, err := ollama.New(ollama.Config{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return server, llm.NewRobust(p, limits)
}

func question(schema json.RawMessage) llm.CompleteRequest {
	return llm.CompleteRequest{
		Model:     llmtest.ChatModel,
		Messages:  []llm.Message{{Role: llm.RoleUser, Content: "Is it?"}},
		Schema:    schema,
		MaxTokens: 50,
	}
}
