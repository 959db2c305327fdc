package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Models is what can be asked for.
type Models struct {
	Models    []llm.Model      `json:"models"`
	Total     int              `json:"total"`
	Default   string           `json:"default_provider"`
	Providers []ProviderStatus `json:"providers"`
}

// ProviderStatus says whether a provider answers.
type ProviderStatus struct {
	Name  string    `json:"name" example:"ollama"`
	Error *JobError `json:"error,omitempty" doc:"Why it does not answer"`
}

type modelsInput struct {
	Provider string `query:"provider" maxLength:"50"`
}

type modelsOutput struct {
	Body Models
}

func (s *server) modelOperations() {
	register(s, endpoint{
		id: "list-models", scope: domain.ScopeLLM, method: http.MethodGet, path: "/llm/models", tag: "llm", summary: "List language models",
		description: "A provider that does not answer is listed with its error.", codes: []domain.Code{domain.CodeProviderUnknown},
	}, s.listModels)
}

func (s *server) listModels(ctx context.Context, in *modelsInput) (*modelsOutput, error) {
	providers := s.Providers.All()
	if in.Provider != "" {
		one, err := s.Providers.Provider(in.Provider)
		if err != nil {
			return nil, err
		}
		providers = []llm.Provider{one}
	}
	out := &modelsOutput{Body: Models{Models: []llm.Model{}, Providers: []ProviderStatus{}, Default: s.Providers.Default().Name()}}
	for _, a := range askAll(ctx, providers) {
		out.Body.Models = append(out.Body.Models, a.models...)
		out.Body.Providers = append(out.Body.Providers, a.status)
	}
	out.Body.Total = len(out.Body.Models)
	return out, nil
}

// answer is what a provider said of its models.
type answer struct {
	models []llm.Model
	status ProviderStatus
}

const modelsTimeout = 3 * time.Second

// askAll asks the providers at the same time.
func askAll(ctx context.Context, providers []llm.Provider) []answer {
	ctx, cancel := context.WithTimeout(ctx, modelsTimeout)
	defer cancel()
	answers := make([]answer, len(providers))
	var wait sync.WaitGroup
	for i, p := range providers {
		wait.Go(func() {
			models, err := p.Models(ctx)
			answers[i] = answer{models: models, status: ProviderStatus{Name: p.Name(), Error: providerError(err)}}
		})
	}
	wait.Wait()
	return answers
}

func providerError(err error) *JobError {
	if err == nil {
		return nil
	}
	e := domain.AsError(err)
	return &JobError{Code: string(e.Code), Detail: e.Message, Hint: e.Hint}
}

// modelCatalogue remembers for a moment how the providers are, so that asking
// whether we are ready does not ask them each time.
type modelCatalogue struct {
	mu     sync.Mutex
	status []ProviderStatus
	until  time.Time
}

const statusAge = 30 * time.Second

func (m *modelCatalogue) providers(ctx context.Context, all []llm.Provider) []ProviderStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Now().Before(m.until) {
		return m.status
	}
	m.status = []ProviderStatus{}
	for _, a := range askAll(context.WithoutCancel(ctx), all) {
		m.status = append(m.status, a.status)
	}
	m.until = time.Now().Add(statusAge)
	return m.status
}
