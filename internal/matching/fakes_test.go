package matching_test

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/matching"
)

// memory is a Store of one user.
type memory struct {
	match     domain.Match
	documents map[uuid.UUID]domain.Document
	pages     map[uuid.UUID][]domain.Page
	cache     map[string]domain.Candidate
	kept      map[string]uuid.UUID // the match a result came from
	saved     []domain.Match
	lease     domain.Lease
}

func newMemory() *memory {
	return &memory{documents: map[uuid.UUID]domain.Document{}, pages: map[uuid.UUID][]domain.Page{}, cache: map[string]domain.Candidate{}, kept: map[string]uuid.UUID{}}
}

func (m *memory) add(filename string, pages ...string) uuid.UUID {
	id := uuid.New()
	m.documents[id] = domain.Document{ID: id, Filename: filename, State: domain.DocumentReady}
	for i, text := range pages {
		m.pages[id] = append(m.pages[id], domain.Page{Number: i + 1, Text: text})
	}
	return id
}

func (m *memory) Match(context.Context, uuid.UUID) (domain.Match, error) { return m.match, nil }

func (m *memory) Source(_ context.Context, _, id uuid.UUID) (domain.Document, []domain.Page, error) {
	doc, ok := m.documents[id]
	if !ok {
		return doc, nil, domain.Errorf(domain.CodeNotFound, "There is no such document.")
	}
	return doc, m.pages[id], nil
}

func (m *memory) CachedCandidate(_ context.Context, _ uuid.UUID, key string, match *uuid.UUID) (*domain.Candidate, error) {
	if c, ok := m.cache[key]; ok && key != "" && (match == nil || m.kept[key] == *match) {
		return &c, nil
	}
	return nil, nil //nolint:nilnil // absence is an answer of a cache
}

func (m *memory) KeepCandidate(_ context.Context, lease domain.Lease, match domain.Match, _ int, c domain.Candidate) error {
	m.lease = lease
	return m.keep(match, c)
}

func (m *memory) keep(match domain.Match, c domain.Candidate) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	var back domain.Candidate
	if err := json.Unmarshal(raw, &back); err != nil {
		return err
	}
	m.cache[c.CacheKey], m.kept[c.CacheKey] = back, match.ID
	return nil
}

// SaveMatch keeps the match as a database would: through JSON.
func (m *memory) SaveMatch(_ context.Context, lease domain.Lease, match domain.Match) error {
	m.lease = lease
	m.saved = append(m.saved, match)
	for _, c := range match.Candidates {
		if err := m.keep(match, c); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) last(t *testing.T) domain.Match {
	t.Helper()
	if len(m.saved) == 0 {
		t.Fatal("nothing was saved")
	}
	return m.saved[len(m.saved)-1]
}

// model is an llm.Provider that answers by script and keeps what it was asked.
type model struct {
	name     string
	read     func(user string) string
	verdicts func(user string) string
	describe func(user string) string
	err      error
	standIn  string // who answers instead; "" for itself

	mu       sync.Mutex
	requests []llm.CompleteRequest
}

func (m *model) Name() string { return m.name }

func (m *model) Stream(ctx context.Context, req llm.CompleteRequest, _ func(string) error) (llm.CompleteResponse, error) {
	return m.Complete(ctx, req)
}

func (m *model) Complete(_ context.Context, req llm.CompleteRequest) (llm.CompleteResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, req)
	user, schema := req.Messages[1].Content, string(req.Schema)
	answer := m.describe
	switch {
	case strings.Contains(schema, `"verdicts"`):
		answer = m.verdicts
	case strings.Contains(schema, `"requirements"`):
		answer = m.read
	}
	content := answer(user)
	return llm.CompleteResponse{Content: content, Provider: cmp.Or(m.standIn, m.name), Model: cmp.Or(req.Model, "m")}, m.err
}

func (m *model) Embed(context.Context, llm.EmbedRequest) (llm.EmbedResponse, error) {
	return llm.EmbedResponse{}, domain.Errorf(domain.CodeInvalid, "No embeddings here.")
}

func (m *model) Models(context.Context) ([]llm.Model, error) { return nil, nil }

func (m *model) calls(part string) int {
	n := 0
	for _, r := range m.requests {
		if strings.Contains(string(r.Schema), part) {
			n++
		}
	}
	return n
}

const readBaker = `{"title":"Baker","requirements":[
	{"text":"Two years in a bakery","kind":"must","category":"experience"},
	{"text":"Journeyman certificate","kind":"must","category":"licence"},
	{"text":"Speaks Polish","kind":"nice","category":"language"}]}`

const describeBaker = `{"summary":"A baker by trade.","strengths":["Bakes"],"gaps":["Polish"],"recommendations":["Meet"],
	"risk_factors":["None"],"mitigation_strategies":["Talk"],"development_areas":["Polish"],"timeline":"a year","development_recommendations":["Course"]}`

var askedID = regexp.MustCompile(`(?m)^(r\d+): `)

type said struct {
	ID         string `json:"id"`
	Level      string `json:"level"`
	Confidence int    `json:"confidence"`
	Quote      string `json:"quote"`
	Reason     string `json:"reason"`
}

// verdictsFor answers the ids that were asked, by the given table.
func verdictsFor(user string, table map[string]said) string {
	var out []said
	for _, m := range askedID.FindAllStringSubmatch(user, -1) {
		if v, ok := table[m[1]]; ok {
			v.ID = m[1]
			out = append(out, v)
		}
	}
	raw, err := json.Marshal(map[string][]said{"verdicts": out})
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func same(answer string) func(string) string { return func(string) string { return answer } }

// baker is a model that finds all but Polish in bakerCV.
func baker() *model {
	return &model{
		name: "ollama", read: same(readBaker), describe: same(describeBaker),
		verdicts: func(user string) string { return verdictsFor(user, bakerVerdicts()) },
	}
}

const bakerCV = "Anna\nBaker at Mill Lane, 2015 to 2021\nJourneyman certificate of the bakers' guild, 2014\n"

func bakerVerdicts() map[string]said {
	return map[string]said{
		"r1": {Level: "full", Confidence: 90, Quote: "Baker at Mill Lane", Reason: "Worked as a baker."},
		"r2": {Level: "full", Confidence: 80, Quote: "2015 to 2021", Reason: "Six years."},
		"r3": {Level: "full", Confidence: 95, Quote: "Journeyman certificate of the bakers’ guild", Reason: "Holds it."},
		"r4": {Level: "missing", Confidence: 70, Reason: "Not named."},
	}
}

func registry(providers ...llm.Provider) *llmtest.Registry {
	return llmtest.NewRegistry("", providers[0], providers[1:]...)
}

func work(t *testing.T, store *memory, provider llm.Provider, options matching.Options) error {
	t.Helper()
	w := matching.NewWorker(store, nil, registry(provider), options)
	return w.Work(t.Context(), domain.Task{Job: domain.Job{ResourceID: store.match.ID}, Lease: domain.Lease{Fence: 7}})
}

// bakery is a store with one posting and one applicant.
func bakery(cv ...string) *memory {
	store := newMemory()
	store.match = domain.Match{
		ID: uuid.New(), UserID: uuid.New(), Language: "en",
		EmployerDocuments:  []uuid.UUID{store.add("posting.txt", "Baker\n\nRequirements\n- Two years in a bakery\n")},
		ApplicantDocuments: []uuid.UUID{store.add("anna.pdf", cv...)},
	}
	return store
}
