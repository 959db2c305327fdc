package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"generalbackend/internal/api"
	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/embedding"
	"generalbackend/internal/extraction"
	"generalbackend/internal/jobs"
	"generalbackend/internal/llm/gateway"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/matching"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
	"generalbackend/internal/queue"
	"generalbackend/internal/queue/queuetest"
	"generalbackend/internal/story"
)

const origin = "https://console.example.org"

var secret = []byte("a secret of at least thirty-two bytes")

// cheap keeps the tests from spending their time on hashing.
var cheap = auth.Hashing{MemoryKiB: 64, Iterations: 1}

// system is the edge over a real store, broker and job engine.
type system struct {
	t        *testing.T
	dsn      string
	store    *postgres.Store // the system's
	edge     *postgres.Store // as the edge and the workers have it
	queue    *queue.Queue
	timing   jobs.Timing
	search   *searcher
	accounts *auth.Auth
	options  api.Options
	handler  http.Handler
	url      string
	held     *atomic.Int64                // attempts at slow documents that began
	ended    *atomic.Int64                // and were cancelled
	verdict  *atomic.Pointer[domain.Code] // how attempts end, where the test decides
}

// newSystem serves the edge; change may alter its options.
func newSystem(t *testing.T, change ...func(*api.Options)) *system {
	t.Helper()
	return newSystemOn(t, postgrestest.NewDatabase(t), change...)
}

// newSystemOn is newSystem over a database at an address, as behind a proxy.
func newSystemOn(t *testing.T, dsn string, change ...func(*api.Options)) *system {
	t.Helper()
	store := postgrestest.Open(t, dsn)
	s := &system{
		t: t, store: store.System(), edge: store, timing: calm(), search: &searcher{}, dsn: dsn,
		held: new(atomic.Int64), ended: new(atomic.Int64), verdict: new(atomic.Pointer[domain.Code]),
	}
	var err error
	log := slog.New(slog.DiscardHandler)
	if s.queue, err = queue.Open(queue.Options{URL: queuetest.NewServer(t).URL(), Name: t.Name(), Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.queue.Close)
	s.until(func() bool { // the broker may be slow to start
		_, err = s.queue.Ensure(t.Context())
		return err == nil
	})
	engine, err := jobs.NewEngine(store, s.queue, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	if s.accounts, err = auth.New(s.store, auth.Options{Secret: secret, Hashing: cheap, Mail: true}); err != nil {
		t.Fatal(err)
	}
	models := s.models(gateway.Config{DefaultProvider: offline.Name, Currency: "USD"}, gateway.Source{Provider: offline.New(), Local: true})
	options := api.Options{
		Store: store, Batches: store, Engine: engine, Accounts: s.accounts, Throttles: s.store, Searcher: s.search,
		Providers: models, LLM: models, Usage: s.store, Detect: extraction.Detect,
		Own:   s.store,
		Admin: store, NewAccounts: s.accounts, Spaces: spaces{},
		Stories: store,
		Chats:   store, Tokens: s.queue,
		Secret: secret, AllowedOrigins: []string{origin}, MaxUploadBytes: 2 << 20, Log: log, Timeout: patience,
		AuthLimit: api.Rate{Every: time.Nanosecond, Burst: 1 << 20}, // or a fast machine would meet it
	}
	for _, f := range change {
		f(&options)
	}
	s.serve(options)
	return s
}

// calm is a timing by which no machine is too slow to keep a lease, and nothing
// that blocks is waited for at the end.
func calm() jobs.Timing {
	timing := jobs.DefaultTiming()
	timing.Poll, timing.Lease, timing.Grace = 20*time.Millisecond, patience, 0
	return timing
}

// models is a gateway to language models over the system's store and broker.
func (s *system) models(c gateway.Config, sources ...gateway.Source) *gateway.Gateway {
	s.t.Helper()
	g, err := gateway.New(s.t.Context(), gateway.Options{
		Sources: sources, Defaults: c, Store: s.store, Signals: s.queue, EmbeddingProvider: sources[0].Provider.Name(), EmbeddingModel: llmtest.EmbedModel,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

func (s *system) serve(options api.Options) {
	s.options, s.handler = options, recording(api.New(options))
	server := httptest.NewServer(s.handler)
	s.t.Cleanup(server.Close)
	s.url = server.URL
}

// variant serves the same system with other options.
func (s *system) variant(change func(*api.Options)) *system {
	options := s.options
	options.Metrics = nil
	change(&options)
	v := *s
	v.serve(options)
	return &v
}

// as is a user in a variant of the system.
func (u *user) as(s *system) *user {
	v := *u
	v.system = s
	return &v
}

// searcher answers as the test says.
type searcher struct {
	answer func(api.SearchQuery) (api.SearchResult, error)
}

func (s *searcher) Search(_ context.Context, q api.SearchQuery) (api.SearchResult, error) {
	if s.answer == nil {
		return api.SearchResult{Mode: "keyword"}, nil
	}
	return s.answer(q)
}

// user is an account with an open session.
type user struct {
	*system
	id             uuid.UUID
	email          string
	token, refresh string
}

const password = "correct horse"

func (s *system) newUser() *user {
	s.t.Helper()
	u := &user{system: s, email: uuid.NewString() + "@example.org"}
	var login api.Login
	u.must(201, "POST", "/v1/auth/register", object{"email": u.email, "password": password}).into(s.t, &login)
	u.id, u.token, u.refresh = login.User.ID, login.AccessToken, login.RefreshToken
	return u
}

type object map[string]any

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request. The body is an object, to be sent as JSON, a string or
// a reader. Headers are given as "Name: value".
func (u *user) send(method, path string, body any, headers ...string) reply {
	u.t.Helper()
	req, err := http.NewRequestWithContext(u.t.Context(), method, u.url+path, encode(u.t, body))
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if u.token != "" {
		req.Header.Set("Authorization", "Bearer "+u.token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		u.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		u.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{status: resp.StatusCode, header: resp.Header, body: data}
}

func encode(t *testing.T, body any) io.Reader {
	t.Helper()
	switch body := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(body)
	case io.Reader:
		return body
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(data)
}

func (u *user) must(status int, method, path string, body any, headers ...string) reply {
	u.t.Helper()
	r := u.send(method, path, body, headers...)
	if r.status != status {
		u.t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, r.body)
	}
	return r
}

// refused demands an error and checks its form.
func (u *user) refused(code domain.Code, status int, method, path string, body any, headers ...string) reply {
	u.t.Helper()
	r := u.send(method, path, body, headers...)
	checkProblem(u.t, method+" "+path, r, code, status)
	return r
}

func checkProblem(t *testing.T, what string, r reply, code domain.Code, status int) {
	t.Helper()
	if r.status != status {
		t.Errorf("%s: status %d, want %d: %s", what, r.status, status, r.body)
		return
	}
	var p api.Problem
	r.into(t, &p)
	if p.Code != string(code) {
		t.Errorf("%s: code %s, want %s: %s", what, p.Code, code, r.body)
	}
	if kind := r.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("%s: an error came as %s", what, kind)
	}
	if p.Status != r.status || p.Title == "" || p.Type == "" || !strings.HasSuffix(p.Detail, ".") {
		t.Errorf("%s: incomplete problem %s", what, r.body)
	}
	if p.RequestID == "" || p.RequestID != r.header.Get("X-Request-ID") {
		t.Errorf("%s: request id %q in the body, %q in the header", what, p.RequestID, r.header.Get("X-Request-ID"))
	}
}

func (r reply) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

// transaction is one that a test holds open beside the system.
type transaction struct {
	t    *testing.T
	conn *pgx.Conn
	tx   pgx.Tx
}

func (s *system) connect() *pgx.Conn {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (s *system) begin() *transaction {
	s.t.Helper()
	conn := s.connect()
	tx, err := conn.Begin(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return &transaction{t: s.t, conn: s.connect(), tx: tx}
}

func (x *transaction) exec(sql string, args ...any) {
	x.t.Helper()
	if _, err := x.tx.Exec(x.t.Context(), sql, args...); err != nil {
		x.t.Fatal(err)
	}
}

// awaitBlocked waits until somebody waits for a lock that the transaction holds.
func (x *transaction) awaitBlocked() {
	x.t.Helper()
	for waits := false; !waits; pause() {
		err := x.conn.QueryRow(x.t.Context(),
			"SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND $1::integer = ANY (pg_blocking_pids(pid)))", x.tx.Conn().PgConn().PID()).Scan(&waits)
		if err != nil {
			x.t.Fatal(err)
		}
	}
}

func (x *transaction) commit() {
	x.t.Helper()
	if err := x.tx.Commit(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
}

// pause lets a loop that waits for a condition breathe.
func pause() { time.Sleep(5 * time.Millisecond) }

// field is one field of a form; with a filename it is a file.
type field struct{ name, filename, value string }

// form encodes fields in their order.
func form(t testing.TB, fields ...field) (body, contentType string) {
	t.Helper()
	var b strings.Builder
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		create := func() (io.Writer, error) { return w.CreateFormField(f.name) }
		if f.filename != "" {
			create = func() (io.Writer, error) { return w.CreateFormFile(f.name, f.filename) }
		}
		part, err := create()
		if err == nil {
			_, err = io.WriteString(part, f.value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), "Content-Type: " + w.FormDataContentType()
}

const pdf = "%PDF-1.7\nnot much of a document\n%%EOF\n"

// accepted is the reply of a submit.
type accepted struct {
	Job      api.Job
	Document api.Document
	Match    api.Match
}

func (u *user) upload(fields ...field) accepted {
	u.t.Helper()
	body, contentType := form(u.t, fields...)
	var a accepted
	u.must(202, "POST", "/v1/documents/upload", body, contentType).into(u.t, &a)
	return a
}

func (u *user) text(title string) accepted {
	u.t.Helper()
	var a accepted
	u.must(202, "POST", "/v1/documents/text", object{"title": title, "content": "About " + title}).into(u.t, &a)
	return a
}

// ready adds a text and waits until it can be used; workers must be running.
func (u *user) ready(title string) api.Document {
	u.t.Helper()
	var d api.Document
	u.must(201, "POST", "/v1/documents/text", object{"title": title, "content": "About " + title}, "Prefer: wait=300").into(u.t, &d)
	return d
}

func (u *user) job(id uuid.UUID) api.Job {
	u.t.Helper()
	var j api.Job
	u.must(200, "GET", "/v1/jobs/"+id.String(), nil).into(u.t, &j)
	return j
}

// work runs a dispatcher and a worker for each stage. Documents entitled with a
// code fail with it; those entitled "slow" wait until they are cancelled.
func (s *system) work() {
	s.t.Helper()
	s.workWith(workerFunc(s.judge))
}

// workWith is work with another worker for matches.
func (s *system) workWith(judge domain.Worker) {
	s.t.Helper()
	dispatcher := jobs.NewDispatcher(s.store, s.queue, s.timing, slog.New(slog.DiscardHandler))
	s.background(dispatcher.Run)
	metrics := jobs.NewMetrics(prometheus.NewRegistry())
	for name, work := range map[domain.Stage]domain.Worker{
		domain.StageExtract: workerFunc(s.extract), domain.StageEmbed: workerFunc(s.embed), domain.StageMatch: judge,
		domain.StageChat:  workerFunc(s.converse),
		domain.StageStory: story.NewWorker(postgres.Telling{Store: s.store}, s.options.Providers.(story.Providers), story.Options{}),
		domain.StageReembed: &embedding.Reembedder{
			Store: postgres.Ingest{Store: s.store}, Batchers: s.batcher, Log: slog.New(slog.DiscardHandler),
			Admit: func(context.Context, string) error { return nil },
		},
	} {
		stage := jobs.Stage{Name: name, Worker: s.judged(work), Slots: 4, Timeout: patience}
		s.background(jobs.NewRunner(stage, s.store, s.queue, s.timing, metrics, slog.New(slog.DiscardHandler)).Run)
	}
}

// judged is a worker whose attempts end as the test's verdict says, if there is one.
func (s *system) judged(worker domain.Worker) domain.Worker {
	return workerFunc(func(ctx context.Context, task domain.Task) error {
		switch code := s.verdict.Load(); {
		case code == nil:
			return worker.Work(ctx, task)
		case *code == domain.CodeCancelled:
			<-ctx.Done()
			return ctx.Err()
		default:
			return domain.Errorf(*code, "The test wants it so.")
		}
	})
}

func (s *system) background(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := f(ctx); err != nil {
			s.t.Errorf("background: %v", err)
		}
	})
	s.t.Cleanup(func() { cancel(); done.Wait() })
}

// workerFunc lets a function be a worker.
type workerFunc func(ctx context.Context, task domain.Task) error

func (f workerFunc) Work(ctx context.Context, task domain.Task) error { return f(ctx, task) }

func (s *system) extract(ctx context.Context, task domain.Task) error {
	ingest := postgres.Ingest{Store: s.edge}
	d, err := ingest.Document(ctx, task.Job.ResourceID)
	if err != nil {
		return err
	}
	switch {
	case d.Title == "slow":
		s.held.Add(1)
		<-ctx.Done()
		s.ended.Add(1)
		return ctx.Err()
	case strings.Contains(d.Title, "_"):
		return domain.Errorf(domain.Code(d.Title), "The test wants it so.")
	}
	text := "About " + d.Title
	if d.Type == domain.TypeText {
		if text, err = s.original(ctx, d.ID); err != nil {
			return err
		}
	}
	return ingest.SaveExtraction(ctx, task.Lease, d.ID, domain.Extraction{
		Type: d.Type, PageCount: 1, State: domain.DocumentReady,
		Pages: []domain.Page{{Number: 1, Text: text, Quality: domain.PageQuality{Chars: len(text), Readable: true}}},
	})
}

func (s *system) original(ctx context.Context, document uuid.UUID) (string, error) {
	r, err := s.store.Original(ctx, document)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

func (s *system) embed(ctx context.Context, task domain.Task) error {
	return s.store.SaveChunks(ctx, task.Lease, task.Job.ResourceID, 0, nil, nil)
}

func (s *system) judge(ctx context.Context, task domain.Task) error {
	matches := postgres.Matching{Store: s.edge}
	m, err := matches.Match(ctx, task.Job.ResourceID)
	if err != nil {
		return err
	}
	m.Judge, m.Provider, m.JobTitle = domain.JudgeOffline, matching.Offline, "Tester"
	m.Requirements = []domain.Requirement{{ID: "r1", Text: "Go", Kind: domain.RequirementMust, Weight: 1, Category: domain.CategorySkill}}
	m.Candidates = []domain.Candidate{{
		Documents: m.ApplicantDocuments, Rank: 1, Score: 83,
		Verdicts: []domain.Verdict{{RequirementID: "r1", Level: domain.LevelFull, Confidence: 0.9}},
	}}
	return matches.SaveMatch(ctx, task.Lease, m)
}
