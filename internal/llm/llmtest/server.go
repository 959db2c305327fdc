package llmtest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"generalbackend/internal/llm/offline"
)

// The models of a Server.
const (
	EmbedModel = "all-minilm"  // 384 dimensions, 256 tokens
	ChatModel  = "llama3.2:1b" // answers what OnChat says
)

const embedWindow = 256

// Protocol is what a Server speaks.
type Protocol string

// The protocols.
const (
	Ollama    Protocol = "ollama"
	OpenAI    Protocol = "openai"
	Anthropic Protocol = "anthropic"
)

// Server speaks a provider's protocol on a random port. Its vectors are those of
// package offline; its chat answers are scripted; its faults come on demand.
// Everything may be called while it serves.
type Server struct {
	URL       string
	Protocol  Protocol
	ChatPath  string // where completions are asked for
	EmbedPath string // "" where the protocol has none

	http *httptest.Server
	stop func() // lets requests that hang go
	held <-chan struct{}
	gate chan struct{} // one token for each Release

	mu        sync.Mutex
	chat      func(ChatRequest) string
	pace      func(ctx context.Context, word int)
	faults    []armed
	requests  map[string]int
	batches   [][]string
	chats     []ChatRequest
	cancelled int
	running   int
	waiting   sync.Cond
}

// ChatRequest is what a client asked for, in Ollama's terms: Format is the JSON
// schema, and Options has at least num_predict.
type ChatRequest struct {
	Model    string          `json:"model"`
	Messages []ChatMessage   `json:"messages"`
	Format   json.RawMessage `json:"format"`
	Options  map[string]any  `json:"options"`
	Stream   *bool           `json:"stream"`
	Truncate *bool           `json:"truncate"`
}

// ChatMessage is one message of a ChatRequest.
type ChatMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// NewServer starts a server that speaks Ollama's protocol; Close stops it.
func NewServer() *Server {
	return start(Ollama, "/api/chat", "/api/embed", func(s *Server, mux *http.ServeMux) {
		mux.HandleFunc("GET /api/tags", s.handle(s.serveTags))
		mux.HandleFunc("POST /api/show", s.handle(s.serveShow))
		mux.HandleFunc("POST /api/embed", s.handle(s.serveEmbed))
		mux.HandleFunc("POST /api/chat", s.handle(s.serveChat))
	})
}

func start(p Protocol, chatPath, embedPath string, routes func(*Server, *http.ServeMux)) *Server {
	stop := make(chan struct{})
	s := &Server{
		Protocol: p, ChatPath: chatPath, EmbedPath: embedPath,
		requests: make(map[string]int),
		chat:     answerAnything,
		stop:     sync.OnceFunc(func() { close(stop) }),
		held:     stop,
		gate:     make(chan struct{}, 1024),
	}
	s.waiting.L = &s.mu
	mux := http.NewServeMux()
	routes(s, mux)
	s.http = httptest.NewServer(mux)
	s.URL = s.http.URL
	return s
}

// Close stops the server; requests it holds back are let go. It may be called
// more than once.
func (s *Server) Close() {
	s.stop()
	s.http.CloseClientConnections()
	s.http.Close()
}

// OnChat sets the answer to each chat request.
func (s *Server) OnChat(answer func(ChatRequest) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chat = answer
}

// OnWord sets what happens before each word of an answer is sent, such as a
// wait. Words count from 0; ctx ends when the client goes away.
func (s *Server) OnWord(pace func(ctx context.Context, word int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pace = pace
}

func (s *Server) pacing() func(ctx context.Context, word int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pace == nil {
		return func(context.Context, int) {}
	}
	return s.pace
}

// Release lets one request go that Held, SlowFirst or Stalled holds back.
func (s *Server) Release() { s.gate <- struct{}{} }

// Requests counts the requests of a path, as in "/api/embed".
func (s *Server) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

// Batches returns the texts of every embedding request, in order.
func (s *Server) Batches() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches)
}

// Chats returns every chat request, in order.
func (s *Server) Chats() []ChatRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.chats)
}

// Cancelled counts requests whose client went away before the answer.
func (s *Server) Cancelled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cancelled
}

// AwaitRunning blocks until n requests are being served.
func (s *Server) AwaitRunning(n int) { s.await(func() bool { return s.running >= n }) }

// AwaitCancelled blocks until n clients went away.
func (s *Server) AwaitCancelled(n int) { s.await(func() bool { return s.cancelled >= n }) }

func (s *Server) await(until func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !until() {
		s.waiting.Wait()
	}
}

// handle counts a request around h and notices clients that go away.
func (s *Server) handle(h func(http.ResponseWriter, *http.Request, Fault)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		fault := s.begin(r.URL.Path)
		defer s.end(r)
		h(w, r, fault)
	}
}

func (s *Server) end(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if r.Context().Err() != nil {
		s.cancelled++
	}
	s.waiting.Broadcast()
}

func (s *Server) begin(path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[path]++
	s.running++
	s.waiting.Broadcast()
	return s.nextFault(path)
}

func (s *Server) serveTags(w http.ResponseWriter, _ *http.Request, fault Fault) {
	if failEarly(w, fault) {
		return
	}
	reply(w, map[string]any{"models": []map[string]any{{"name": EmbedModel + ":latest"}, {"name": ChatModel}}})
}

func (s *Server) serveShow(w http.ResponseWriter, r *http.Request, fault Fault) {
	var in struct{ Model string }
	if !decode(w, r, &in) || failEarly(w, fault) {
		return
	}
	switch strings.TrimSuffix(in.Model, ":latest") {
	case EmbedModel:
		reply(w, show("bert", offline.Dims, embedWindow, "embedding"))
	case ChatModel:
		reply(w, show("llama", 2048, 131072, "completion"))
	default:
		fail(w, http.StatusNotFound, "model '"+in.Model+"' not found")
	}
}

func show(arch string, dims, window int, capability string) map[string]any {
	return map[string]any{
		"details":      map[string]any{"family": arch, "parameter_size": "23M"},
		"capabilities": []string{capability},
		"model_info": map[string]any{
			"general.architecture":     arch,
			arch + ".embedding_length": dims,
			arch + ".context_length":   window,
		},
	}
}

func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	// The client may be gone; the request's context tells.
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": text})
}
