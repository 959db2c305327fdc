// Package api is the HTTP edge: it turns requests into calls of the store and
// the job engine and their answers into JSON. The published contract,
// schema/openapi.yaml, is generated from the input and output types here.
//
// Operations live under /v1. Most are mounted at the root as well, for clients
// of the previous system: there lists are bare arrays and submitting waits for
// the result.
package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
)

// Options is everything the edge is built from. Store, Engine, Accounts,
// Own, Throttles, Searcher, Providers, Detect, Chats, Tokens and Secret are required; the rest
// has defaults.
type Options struct {
	Store     Store
	Batches   BatchStore
	Stories   StoryStore
	Engine    Engine
	Accounts  Accounts
	Own       AccountStore
	Throttles Throttles
	Mailed    func() // wakes who sends mail; may be nil
	Searcher  Searcher
	Providers Providers
	Detect    DetectFunc
	Chats     ChatStore
	Tokens    Tokens

	Admin       AdminStore
	LLM         LLM
	Spaces      Spaces
	Usage       UsageStore
	NewAccounts NewAccounts

	Secret         []byte // signs cursors
	AllowedOrigins []string
	TrustedProxies []string // whose X-Forwarded-For is believed; none by default
	MaxUploadBytes int64    // 50 MiB by default
	AllowPrivate   bool     // accept addresses of private networks for documents by URL
	Version        string

	Log       *slog.Logger
	Metrics   *prometheus.Registry
	Timeout   time.Duration   // of a request that does not wait for a job; 30 s by default
	BodyStall time.Duration   // how long a body may stop arriving; 30 s by default
	Heartbeat time.Duration   // of event streams; 15 s by default
	Stopping  <-chan struct{} // closed when the process stops: streams and waits end
	AuthLimit Rate            // per client address on the routes of accounts
	Logins    Rate            // failed ones, per account and client address, of all processes
	Letters   Rate            // that a client address has mailed to one recipient
}

// Rate allows Burst at once and one more each Every.
type Rate struct {
	Every time.Duration
	Burst int
}

// server holds what the operations share.
type server struct {
	Options
	log     *slog.Logger
	api     huma.API
	v1      huma.API
	root    huma.API
	auths   *limiter
	exports chan struct{} // holds one for each export under way
	cursors cursors
	heavy   gate // photos and books
	models  modelCatalogue
	usage   usageCache

	endpoints map[string]endpoint // by operation id, for the description
}

// New builds the handler of the whole edge.
func New(o Options) http.Handler {
	_, router := build(o)
	return router
}

// OpenAPI returns the description of the API as YAML, as it is published.
func OpenAPI() ([]byte, error) {
	s, _ := build(Options{})
	return s.api.OpenAPI().YAML()
}

func build(o Options) (*server, *gin.Engine) {
	s := &server{Options: withDefaults(o), endpoints: map[string]endpoint{}}
	s.log = s.Log
	s.auths = newLimiter(s.AuthLimit)
	s.exports = make(chan struct{}, exportsMax)
	s.cursors = newCursors(s.Secret)
	s.heavy = make(gate, atOnce)

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.ContextWithFallback = true
	router.HandleMethodNotAllowed = true
	router.RedirectTrailingSlash = false
	if err := router.SetTrustedProxies(s.TrustedProxies); err != nil {
		s.log.Error("TRUSTED_PROXIES is not valid, none is trusted", "error", err)
	}
	s.middleware(router)
	s.api = humagin.New(router, s.config())
	s.mount()
	s.operations()
	s.describeErrors()
	tidy(s.api.OpenAPI())
	exemplify(s.api.OpenAPI())
	s.pages(router)
	return s, router
}

func withDefaults(o Options) Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.MaxUploadBytes == 0 {
		o.MaxUploadBytes = 50 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.BodyStall == 0 {
		o.BodyStall = defaultTimeout
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.AuthLimit == (Rate{}) {
		o.AuthLimit = Rate{Every: 500 * time.Millisecond, Burst: 100}
	}
	if o.Logins == (Rate{}) {
		o.Logins = Rate{Every: 30 * time.Second, Burst: 10}
	}
	if o.Letters == (Rate{}) {
		o.Letters = Rate{Every: 5 * time.Minute, Burst: 5}
	}
	if o.Mailed == nil {
		o.Mailed = func() {}
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return o
}

// operations is the whole surface on one screen.
func (s *server) operations() {
	s.accountOperations()
	s.linkOperations()
	s.sessionOperations()
	s.keyOperations()
	s.selfOperations()
	s.exportOperation()
	s.projectOperations()
	s.documentOperations()
	s.searchOperations()
	s.matchOperations()
	s.batchOperations()
	s.chatOperations()
	s.jobOperations()
	s.modelOperations()
	s.generateOperations()
	s.embedOperation()
	s.llmUsageOperation()
	s.llmConfigOperations()
	s.adminOperations()
	s.storyOperations()
	s.systemOperations()
}
