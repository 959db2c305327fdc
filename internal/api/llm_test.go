package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/llm/anthropic"
	"generalbackend/internal/llm/gateway"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/ollama"
	"generalbackend/internal/llm/openai"
)

// modelled is a system with a local provider and two in the cloud, none of them
// tried again when it fails.
type modelled struct {
	*system
	gateway                 *gateway.Gateway
	ollama, grok, anthropic *llmtest.Server
}

func newModelled(t *testing.T, change func(*gateway.Config)) *modelled {
	t.Helper()
	m := &modelled{ollama: llmtest.NewServer(), grok: llmtest.NewOpenAI(), anthropic: llmtest.NewAnthropic()}
	for _, server := range []*llmtest.Server{m.ollama, m.grok, m.anthropic} {
		t.Cleanup(server.Close)
	}
	o, err := ollama.New(ollama.Config{BaseURL: m.ollama.URL})
	if err != nil {
		t.Fatal(err)
	}
	g, err := openai.New(openai.Config{Name: "grok", BaseURL: m.grok.URL + "/v1", APIKey: "xai-hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := anthropic.New(anthropic.Config{BaseURL: m.anthropic.URL, APIKey: "sk-hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	config := gateway.Config{
		DefaultProvider: "ollama", Currency: "EUR", Aliases: gateway.RetiredModels(),
		Providers: map[string]gateway.ProviderConfig{
			"ollama":    {DefaultModel: llmtest.ChatModel},
			"grok":      {DefaultModel: llmtest.ChatModel, Prices: map[string]gateway.Price{"*": {Prompt: 1000, Completion: 2000}}},
			"anthropic": {DefaultModel: llmtest.ChatModel},
		},
	}
	if change != nil {
		change(&config)
	}
	m.system = newSystem(t)
	m.gateway = m.models(config, gateway.Source{Provider: o, Local: true}, gateway.Source{Provider: g, KeySet: true}, gateway.Source{Provider: a, KeySet: true})
	m.system = m.variant(func(o *api.Options) { o.Providers, o.LLM = m.gateway, m.gateway })
	return m
}

const generate = "/v1/llm/generate"

func TestGenerate(t *testing.T) {
	t.Parallel()
	m := newModelled(t, nil)
	u := m.newUser()
	m.grok.OnChat(func(in llmtest.ChatRequest) string { return "said " + in.Messages[len(in.Messages)-1].Content })
	for _, body := range []object{
		{"prompt": "this", "provider": "grok", "model": "grok-3"},
		{"prompt": "this", "provider": "grok", "model": ""},
		{"messages": []object{{"role": "system", "content": "Be brief."}, {"role": "user", "content": "this"}}, "provider": "grok", "max_tokens": 9, "temperature": 1.5, "timeout": 60},
	} {
		var got api.Generated
		u.must(200, "POST", generate, body).into(t, &got)
		if got.Response != "said this" || got.Provider != "grok" || got.Model != llmtest.ChatModel || got.Usage.CompletionTokens != 2 || got.Cost <= 0 {
			t.Errorf("%v gives %+v", body, got)
		}
	}
	last := m.grok.Chats()[2]
	if last.Options["num_predict"] != 9 || last.Options["temperature"] != 1.5 || len(last.Messages) != 2 {
		t.Errorf("asked %+v", last)
	}
	var got struct{ Response string }
	u.must(200, "POST", "/llm/generate", object{
		"prompt": "?", "schema": object{"type": "object", "properties": object{"verdict": object{"type": "string"}}, "required": []string{"verdict"}},
	}).into(t, &got)
	if got.Response != `{"verdict": "full"}` {
		t.Errorf("with a schema %q", got.Response)
	}
	for _, bad := range []object{{}, {"prompt": " "}, {"prompt": "x", "temperature": 3}, {"prompt": "x", "max_tokens": 0}} {
		u.refused(domain.CodeInvalid, 422, "POST", generate, bad)
	}
}

func TestGenerateSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	m := newModelled(t, func(c *gateway.Config) {
		c.Providers["anthropic"] = gateway.ProviderConfig{DefaultModel: llmtest.ChatModel}
	})
	u := m.newUser()
	for fault, want := range map[llmtest.Fault]struct {
		code   domain.Code
		status int
	}{
		llmtest.Refused:     {domain.CodeModelRefused, 422},
		llmtest.LongPrompt:  {domain.CodeContextTooLong, 422},
		llmtest.CutStream:   {domain.CodeModelMalformed, 502},
		llmtest.Forbidden:   {domain.CodeModelUnavailable, 503},
		llmtest.Overloaded:  {domain.CodeModelOverloaded, 503},
		llmtest.RateLimited: {domain.CodeModelRateLimited, 503},
	} {
		m.anthropic.Fail(m.anthropic.ChatPath, fault, 1)
		u.refused(want.code, want.status, "POST", generate, object{"prompt": "x", "provider": "anthropic"})
	}
	m.grok.Fail(m.grok.ChatPath, llmtest.Hang, 1)
	u.refused(domain.CodeModelTimeout, 504, "POST", generate, object{"prompt": "x", "provider": "grok", "timeout": 1})
	u.refused(domain.CodeModelNotFound, 422, "POST", generate, object{"prompt": "x", "model": "no-such-model"})
	u.refused(domain.CodeProviderUnknown, 422, "POST", generate, object{"prompt": "x", "provider": "nope"})
	u.refused(domain.CodeNotFound, 404, "POST", generate, object{"prompt": "x", "project_id": uuid.New()})

	var project api.Project
	u.must(201, "POST", "/v1/projects", object{"name": "private", "local_only": true}).into(t, &project)
	u.refused(domain.CodeLocalOnly, 403, "POST", generate, object{"prompt": "x", "provider": "grok", "project_id": project.ID})
	u.must(200, "POST", generate, object{"prompt": "x", "project_id": project.ID})
	m.newUser().refused(domain.CodeNotFound, 404, "POST", generate, object{"prompt": "x", "project_id": project.ID})
}

func TestLimitsAreEnforced(t *testing.T) {
	t.Parallel()
	m := newModelled(t, nil)
	for code, tt := range map[domain.Code]struct {
		limits domain.LLMLimits
		status int
	}{
		domain.CodeBudgetExceeded: {domain.LLMLimits{MonthlyTokens: new(int64(1))}, 402},
		domain.CodeLLMRateLimited: {domain.LLMLimits{RequestsPerMinute: new(1)}, 429},
	} {
		u := m.newUser()
		if err := m.store.System().SetLLMLimits(t.Context(), u.id, tt.limits); err != nil {
			t.Fatal(err)
		}
		u.must(200, "POST", generate, object{"prompt": "x"})
		m.sql("UPDATE llm_rates SET started_at = now() + interval '1 hour'") // however long the minute takes
		for path, body := range map[string]object{generate: {"prompt": "x"}, "/v1/llm/embed": {"text": "x"}} {
			r := u.refused(code, tt.status, "POST", path, body)
			if code == domain.CodeLLMRateLimited && r.header.Get("Retry-After") == "" {
				t.Error("nothing says when to come back")
			}
		}
		m.newUser().must(200, "POST", generate, object{"prompt": "x"})
	}
}

// events reads server-sent events as name and data.
func events(body string) (all [][2]string) {
	var name string
	lines := bufio.NewScanner(strings.NewReader(body))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = rest
		}
		if rest, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			all = append(all, [2]string{name, rest})
		}
	}
	return all
}

func TestGenerateStreams(t *testing.T) {
	t.Parallel()
	m := newModelled(t, nil)
	u := m.newUser()
	m.ollama.OnChat(func(llmtest.ChatRequest) string { return "one two three" })
	for _, r := range []reply{
		u.must(200, "POST", generate, object{"prompt": "x", "stream": true}),
		u.must(200, "POST", generate, object{"prompt": "x"}, "Accept: text/event-stream"),
	} {
		got := events(string(r.body))
		if len(got) != 4 || got[0] != [2]string{"token", `{"text":"one "}`} || got[3][0] != "done" {
			t.Fatalf("%s", r.body)
		}
		var done api.Generated
		if err := json.Unmarshal([]byte(got[3][1]), &done); err != nil || done.Response != "one two three" || done.Usage.TotalTokens != 4 {
			t.Errorf("%v: %s", err, got[3][1])
		}
	}
	m.ollama.Fail(m.ollama.ChatPath, llmtest.CutStream, 1)
	got := events(string(u.must(200, "POST", generate, object{"prompt": "x", "stream": true}).body))
	last := got[len(got)-1]
	var problem api.Problem
	if err := json.Unmarshal([]byte(last[1]), &problem); err != nil || last[0] != "error" || problem.Code != string(domain.CodeModelMalformed) || problem.RequestID == "" {
		t.Errorf("a cut stream ends with %v", last)
	}
	m.ollama.Fail(m.ollama.ChatPath, llmtest.Overloaded, 1)
	u.refused(domain.CodeModelOverloaded, 503, "POST", generate, object{"prompt": "x", "stream": true})
}

func TestHangingUpStopsTheModel(t *testing.T) {
	t.Parallel()
	m := newModelled(t, nil)
	u := m.newUser()
	for name, server := range map[string]*llmtest.Server{"ollama": m.ollama, "grok": m.grok, "anthropic": m.anthropic} {
		for _, stream := range []bool{false, true} {
			server.OnChat(func(llmtest.ChatRequest) string { return "one two three four" })
			server.Fail(server.ChatPath, llmtest.Stalled, 1)
			before, running := server.Cancelled(), server.Requests(server.ChatPath)
			ctx, hangUp := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, "POST", u.url+generate, encode(t, object{"prompt": "x", "provider": name, "stream": stream}))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+u.token)
			go func() {
				for server.Requests(server.ChatPath) == running {
					server.AwaitRunning(1)
				}
				hangUp()
			}()
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_, _ = bufio.NewReader(resp.Body).ReadString('\x00') // until it is cut
				resp.Body.Close()
			}
			server.AwaitCancelled(before + 1)
			hangUp()
		}
	}
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	m := newModelled(t, nil)
	u := m.newUser()
	const path = "/v1/llm/embed"
	var got api.Embedded
	u.must(200, "POST", path, object{"text": "The contract ends in May."}).into(t, &got)
	if got.Dimensions != 384 || len(got.Embedding) != 384 || got.Provider != "ollama" || got.Model != llmtest.EmbedModel || got.Usage.PromptTokens == 0 {
		t.Errorf("%d, %d, %s, %s, %+v", got.Dimensions, len(got.Embedding), got.Provider, got.Model, got.Usage)
	}
	u.must(200, "POST", path, object{"texts": []string{"a", "b"}, "provider": "grok", "model": llmtest.EmbedModel, "query": true}).into(t, &got)
	if len(got.Embeddings) != 2 || got.Provider != "grok" || got.Cost <= 0 {
		t.Errorf("%d vectors from %s", len(got.Embeddings), got.Provider)
	}
	for _, bad := range []object{{}, {"text": " "}, {"texts": []string{"a", ""}}} {
		u.refused(domain.CodeInvalid, 422, "POST", path, bad)
	}
	for location, bad := range map[string]object{
		"body.text":     {"text": " ", "texts": []string{"a"}},
		"body.texts[0]": {"text": "a", "texts": []string{strings.Repeat("ä", 100_001)}},
	} {
		var p api.Problem
		if u.refused(domain.CodeInvalid, 422, "POST", path, bad).into(t, &p); len(p.Errors) != 1 || p.Errors[0].Location != location {
			t.Errorf("%s is at fault, reported as %+v", location, p.Errors)
		}
	}
	u.refused(domain.CodeModelNotFound, 422, "POST", path, object{"text": "x", "provider": "anthropic"})
	if r := u.refused(domain.CodeModelNotFound, 422, "POST", path, object{"text": "x", "provider": "grok"}); !strings.Contains(string(r.body), "Name the model") {
		t.Errorf("a provider without a model to embed with: %s", r.body)
	}
	u.refused(domain.CodeProviderUnknown, 422, "POST", path, object{"text": "x", "provider": "nope"})
	u.refused(domain.CodeContextTooLong, 422, "POST", path, object{"text": strings.Repeat("word ", 300)})
	for fault, want := range map[llmtest.Fault]struct {
		code   domain.Code
		status int
	}{
		llmtest.TooFew:      {domain.CodeModelMalformed, 502},
		llmtest.Forbidden:   {domain.CodeModelUnavailable, 503},
		llmtest.Overloaded:  {domain.CodeModelOverloaded, 503},
		llmtest.RateLimited: {domain.CodeModelRateLimited, 503},
	} {
		m.ollama.Fail(m.ollama.EmbedPath, fault, 1)
		u.refused(want.code, want.status, "POST", path, object{"text": "x"})
	}
	m.ollama.Fail(m.ollama.EmbedPath, llmtest.Hang, 1)
	hasty, err := ollama.New(ollama.Config{BaseURL: m.ollama.URL, HeaderTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	models := m.models(gateway.Config{DefaultProvider: "ollama", Currency: "USD"}, gateway.Source{Provider: hasty, Local: true})
	u.as(m.variant(func(o *api.Options) { o.LLM = models })).refused(domain.CodeModelTimeout, 504, "POST", path, object{"text": "x"})
	if err := m.store.System().SetLocalOnly(t.Context(), u.id, true); err != nil {
		t.Fatal(err)
	}
	u.refused(domain.CodeLocalOnly, 403, "POST", path, object{"text": "x", "provider": "grok", "model": llmtest.EmbedModel})
}

func TestUsageOfMine(t *testing.T) {
	t.Parallel()
	m := newModelled(t, func(c *gateway.Config) { c.MonthlyTokens, c.MonthlyCost, c.RequestsPerMinute = 100, 5, 9 })
	u := m.newUser()
	u.must(200, "POST", generate, object{"prompt": "one two three", "provider": "grok"})
	var got api.LLMUsage
	u.must(200, "GET", "/v1/llm/usage?days=2", nil).into(t, &got)
	if len(got.Days) != 1 || got.Days[0].Calls != 1 || got.Days[0].PromptTokens != 3 || got.Days[0].Provider != "grok" || got.Currency != "EUR" {
		t.Fatalf("%+v", got)
	}
	if *got.TokensLeft != 100-got.MonthTokens || *got.CostLeft >= 5 || *got.RequestsPerMinute != 9 || got.MonthCost != got.Days[0].Cost || got.LocalOnly {
		t.Errorf("%+v", got)
	}
	got = api.LLMUsage{}
	m.newUser().must(200, "GET", "/v1/llm/usage", nil).into(t, &got)
	if len(got.Days) != 0 || got.MonthTokens != 0 {
		t.Errorf("another user sees %+v", got)
	}
	u.refused(domain.CodeInvalid, 422, "GET", "/v1/llm/usage?days=0", nil)
}

func TestLLMConfig(t *testing.T) {
	t.Parallel()
	m := newModelled(t, nil)
	admin, u := m.newAdmin(), m.newUser()
	const path = "/v1/admin/llm-config"
	raw := admin.must(200, "GET", path, nil)
	if strings.Contains(string(raw.body), "hunter2") {
		t.Error("a key is shown")
	}
	var config api.LLMConfig
	raw.into(t, &config)
	if len(config.Configured) != 3 || !config.Configured[1].KeySet || config.Configured[0].KeySet || !config.Configured[0].Local || config.Version != 0 {
		t.Fatalf("%s", raw.body)
	}
	config.DefaultProvider, config.Fallback = "grok", []string{"anthropic"}
	var saved api.LLMConfig
	admin.must(200, "PUT", path, config).into(t, &saved)
	if saved.Version != 1 || saved.DefaultProvider != "grok" {
		t.Errorf("saved %+v", saved)
	}
	var got api.Generated
	u.must(200, "POST", generate, object{"prompt": "x"}).into(t, &got)
	if got.Provider != "grok" {
		t.Errorf("the default is still %s", got.Provider)
	}
	admin.refused(domain.CodeConflict, 409, "PUT", path, config)
	saved.DefaultProvider, saved.Currency = "nope", "eur"
	var problem api.Problem
	admin.refused(domain.CodeInvalid, 422, "PUT", path, saved).into(t, &problem)
	if len(problem.Errors) != 2 || problem.Errors[0].Location != "body.default_provider" {
		t.Errorf("%+v", problem.Errors)
	}
	var log api.Page[api.AuditEntry]
	if admin.must(200, "GET", "/v1/admin/audit-log?action=llm-config.update", nil).into(t, &log); len(log.Items) != 1 {
		t.Errorf("written down: %+v", log.Items)
	}
	u.refused(domain.CodeForbidden, 403, "GET", path, nil)
	u.refused(domain.CodeForbidden, 403, "PUT", path, saved)
}
