package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"generalbackend/internal/api"
	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/postgrestest"
)

// patience bounds whatever tests wait for: nothing takes so long unless it hangs.
const patience = 10 * time.Minute

// direct hands a request to the edge without a connection.
func (u *user) direct(r sample, headers ...string) reply {
	u.t.Helper()
	return u.from(bytes.NewReader(r.body), r, headers...)
}

func (u *user) from(body io.Reader, r sample, headers ...string) reply {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), patience)
	defer cancel()
	if r.media == "" {
		body = nil
	}
	req := httptest.NewRequestWithContext(ctx, r.method, r.path, body)
	req.Header.Set("Origin", origin)
	if r.media != "" {
		req.Header.Set("Content-Type", r.media)
	}
	if u.token != "" {
		req.Header.Set("Authorization", "Bearer "+u.token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	if cutOff(u.handler, w, req) {
		return reply{header: w.Header()}
	}
	if ctx.Err() != nil {
		u.t.Fatalf("%s %s hangs", r.method, r.path)
	}
	return reply{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// cutOff serves a request and reports whether the connection was cut instead of
// the reply being ended.
func cutOff(handler http.Handler, w http.ResponseWriter, r *http.Request) (cut bool) {
	defer func() {
		if fault := recover(); fault != nil {
			if err, ok := fault.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(fault)
			}
			cut = true
		}
	}()
	handler.ServeHTTP(w, r)
	return false
}

// internals are what no problem may show: words of our database, our language
// and our machine.
var internals = []string{
	"sqlstate", "pgx", "pgconn", `relation \"`, `column \"`, "violates", "goroutine", ".go:", "runtime error", "nil pointer", "panic",
	"generalbackend", "/internal/", "/home/", "/root/", "/tmp/", "dial tcp", "connection refused", "context deadline", "strconv.",
	"json: ", "uuid.", "time.duration", "unexpected eof", "hunter2",
}

// showsInternals looks for them in a reply, but for what the request said itself.
func showsInternals(body []byte, request string) bool {
	text := strings.ToLower(string(body))
	request = strings.ToLower(request)
	return slices.ContainsFunc(internals, func(word string) bool {
		return strings.Contains(text, word) && !strings.Contains(request, word)
	})
}

// checkRefusal is checkProblem for a browser of an allowed origin.
func checkRefusal(t *testing.T, what string, r reply, code domain.Code, status int) {
	t.Helper()
	checkProblem(t, what, r, code, status)
	if showsInternals(r.body, "") {
		t.Errorf("%s shows internals: %s", what, r.body)
	}
	if r.header.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("%s: no CORS headers", what)
	}
}

// everywhere tries a request at all addresses of its operation.
func (u *user) everywhere(op *operation, r sample, code domain.Code, status int, headers ...string) {
	u.t.Helper()
	for _, path := range op.mounts(r.path) {
		r.path = path
		checkRefusal(u.t, r.method+" "+path, u.direct(r, headers...), code, status)
	}
}

// TestBadTokensEverywhere: who has no good token learns that, and no more.
func TestBadTokensEverywhere(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	expired, foreign := u.forged(jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix()}), u.forged(jwt.MapClaims{"iss": "elsewhere"})
	for _, op := range published().operations {
		if !op.secured {
			continue
		}
		r := u.sampler(nil).sample(op)
		u.everywhere(op, r, domain.CodeUnauthorized, 401, "Authorization: ")
		u.everywhere(op, r, domain.CodeUnauthorized, 401, "Authorization: Bearer seven")
		u.everywhere(op, r, domain.CodeUnauthorized, 401, "Authorization: Bearer "+foreign)
		u.everywhere(op, r, domain.CodeTokenExpired, 401, "Authorization: Bearer "+expired)
	}
}

// forged is a token like the user's, with other claims.
func (u *user) forged(changes jwt.MapClaims) string {
	u.t.Helper()
	var claims jwt.MapClaims
	if _, err := jwt.ParseWithClaims(u.token, &claims, func(*jwt.Token) (any, error) { return secret, nil }); err != nil {
		u.t.Fatal(err)
	}
	for name, value := range changes {
		claims[name] = value
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
	if err != nil {
		u.t.Fatal(err)
	}
	return token
}

// TestAdministrationEverywhere is refused to everybody else.
func TestAdministrationEverywhere(t *testing.T) {
	t.Parallel()
	u := newSystem(t).newUser()
	for _, op := range published().operations {
		if op.documents(403, "forbidden") && strings.HasPrefix(op.template, "/v1/admin/") {
			u.everywhere(op, u.sampler(nil).sample(op), domain.CodeForbidden, 403)
		}
	}
}

// TestBadBodiesEverywhere: what cannot be read, is of another type or is too
// large is told from what is not valid.
func TestBadBodiesEverywhere(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newAdmin()
	ids := u.owned()
	for _, op := range published().operations {
		r := u.sampler(ids).sample(op)
		withNUL := r
		withNUL.path = r.path + "?x=%00"
		u.everywhere(op, withNUL, domain.CodeInvalid, 400)
		if len(op.bodies) == 0 {
			continue
		}
		other := r
		other.media = "text/x-unheard-of"
		u.everywhere(op, other, domain.CodeUnsupportedType, 415)
		for _, path := range op.mounts(r.path) {
			large := r
			large.path = path
			checkRefusal(t, r.method+" "+path, u.from(tooMuch(r), large), domain.CodeTooLarge, 413)
		}
		cut := r
		cut.body = r.body[:max(1, len(r.body)-20)]
		if r.media == jsonType {
			cut.body = []byte(`{"`)
		}
		u.everywhere(op, cut, domain.CodeInvalid, 400)
	}
}

// tooMuch is a body that goes on for longer than any operation reads.
func tooMuch(r sample) io.Reader {
	const limit = 64 << 20
	filler := io.LimitReader(zeros{}, limit)
	if r.media == jsonType {
		return io.MultiReader(strings.NewReader(`{"x": "`), filler, strings.NewReader(`"}`))
	}
	head, tail, _ := strings.Cut(string(r.body), "A plain text")
	return io.MultiReader(strings.NewReader(head), filler, strings.NewReader("A plain text"+tail))
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// TestInvalidValuesEverywhere: each parameter with bounds is held to them, and
// each body to its schema.
func TestInvalidValuesEverywhere(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newAdmin()
	ids := u.owned()
	for _, op := range published().operations {
		valid := u.sampler(ids).sample(op)
		for _, p := range op.parameters {
			for _, value := range outside(p.Schema) {
				r := valid
				switch p.In {
				case "path":
					r.path = strings.ReplaceAll(op.template, "{"+p.Name+"}", url.PathEscape(value))
					r.path = (&sampler{t: t}).address(&operation{template: r.path, parameters: op.parameters})
				case "query":
					address, query, _ := strings.Cut(valid.path, "?")
					values, _ := url.ParseQuery(query)
					values.Set(p.Name, value)
					r.path = address + "?" + values.Encode()
				default:
					continue
				}
				u.everywhere(op, r, domain.CodeInvalid, 422)
			}
			if p.Name == "cursor" {
				r := valid
				r.path += "?cursor=seven"
				u.everywhere(op, r, domain.CodeInvalidCursor, 400)
			}
		}
		if valid.media == jsonType {
			u.invalidBodies(op, valid)
		}
	}
}

// outside are values that a schema of a parameter does not allow.
func outside(sc schema) []string {
	var values []string
	if sc["format"] == "uuid" {
		values = append(values, "seven")
	}
	if sc["enum"] != nil {
		values = append(values, "unheard-of")
	}
	if kind := sc.kind(); kind == "integer" || kind == "number" {
		values = append(values, "seven")
	}
	if least, ok := sc["minimum"].(float64); ok {
		values = append(values, fmt.Sprint(least-1))
	}
	if most, ok := sc["maximum"].(float64); ok {
		values = append(values, fmt.Sprint(most+1))
	}
	if most, ok := sc["maxLength"].(float64); ok {
		values = append(values, strings.Repeat("x", int(most)+1))
	}
	return values
}

// invalidBodies sends JSON that is none of an object's. Where the schema has
// required fields, an empty object is one.
func (u *user) invalidBodies(op *operation, valid sample) {
	u.t.Helper()
	_, form := op.body()
	sc := published().resolve(form.Schema)
	bodies := []string{`[]`, `7`}
	if required, _ := sc["required"].([]any); len(required) > 0 {
		bodies = append(bodies, `{}`)
	}
	refused := 0
	for _, body := range bodies {
		r := valid
		r.body = []byte(body)
		got := u.direct(r)
		if got.status == 422 {
			checkRefusal(u.t, op.id+" with "+body, got, domain.CodeInvalid, 422)
			refused++
			continue
		}
		checkRefusal(u.t, op.id+" with "+body, got, domain.CodeInvalid, 400)
	}
	if refused == 0 {
		u.t.Errorf("%s answers 422 to none of %v", op.id, bodies)
	}
}

// TestSlowBodies: a body that stops arriving is given up, everywhere.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newAdmin()
	ids := u.owned()
	hurried := u.as(u.variant(func(o *api.Options) { o.BodyStall = 20 * time.Millisecond }))
	for _, op := range published().operations {
		if len(op.bodies) == 0 {
			continue
		}
		t.Run(op.id, func(t *testing.T) {
			t.Parallel()
			r := u.sampler(ids).sample(op)
			for _, path := range op.mounts(r.path) {
				r.path = path
				checkRefusal(t, path, hurried.stall(t, r), domain.CodeTimeout, 408)
			}
		})
	}
}

// stall sends a request but for the end of its body.
func (u *user) stall(t *testing.T, r sample) reply {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(u.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: test\r\nOrigin: %s\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		r.method, r.path, origin, u.token, r.media, len(r.body), r.body[:len(r.body)-1])
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, body}
}

// TestRatesEverywhere: each operation that is limited refuses the second request
// of an address that may send one.
func TestRatesEverywhere(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for _, op := range published().operations {
		if !op.documents(429, "rate_limited") || op.secured {
			continue
		}
		u := &user{system: s.variant(func(o *api.Options) { o.AuthLimit = api.Rate{Every: time.Hour, Burst: 1} })}
		r := u.sampler(nil).sample(op)
		u.direct(r)
		got := u.direct(r)
		checkRefusal(t, op.id, got, domain.CodeRateLimited, 429)
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s does not say when to come back", op.id)
		}
	}
}

// remembered are accounts that know one user without asking the store, so that
// a fault of the store meets the handlers and not the login before them.
type remembered struct {
	api.Accounts
	principal auth.Principal
}

func (r remembered) Authenticate(context.Context, string) (auth.Principal, error) {
	return r.principal, nil
}

// forgetful are accounts that break when they are asked.
type forgetful struct{ api.Accounts }

func (forgetful) Authenticate(context.Context, string) (auth.Principal, error) {
	panic("the password is hunter2")
}

// faulty is the system in which something will be wrong: the same user meets it
// in the login before each handler, and in the handler itself.
type faulty struct {
	before, inside *user
	links          map[string]string
}

func newFaulty(t *testing.T, dsn string, change func(*api.Options)) faulty {
	t.Helper()
	u := newSystemOn(t, dsn).newAdmin()
	p, err := u.accounts.Authenticate(t.Context(), u.token)
	if err != nil {
		t.Fatal(err)
	}
	return faulty{
		links:  u.links(),
		before: u.as(u.variant(change)),
		inside: u.as(u.variant(func(o *api.Options) { change(o); o.Accounts = remembered{o.Accounts, p} })),
	}
}

// meet sends every operation a request. Handlers that ask nothing of the store
// may do without it; nothing else may be wrong.
func (f faulty) meet(code domain.Code, status int) {
	t := f.before.t
	t.Helper()
	var met atomic.Int64
	var handlers sync.WaitGroup
	for _, op := range published().operations {
		if !op.documents(status, string(code)) {
			continue
		}
		sampler := f.before.sampler(nil)
		sampler.links = f.links
		r := sampler.sample(op)
		f.before.everywhere(op, r, code, status)
		if op.secured { // at the same time: some have longer than others
			handlers.Go(func() {
				if f.handles(op, r, code, status) {
					met.Add(1)
				}
			})
		}
	}
	handlers.Wait()
	if met.Load() == 0 {
		t.Errorf("no handler met %s", code)
	}
}

// handles reports whether a handler met what is wrong.
func (f faulty) handles(op *operation, r sample, code domain.Code, status int) bool {
	t, got := f.inside.t, f.inside.direct(r)
	var problem api.Problem
	if got.status >= 400 {
		got.into(t, &problem)
	}
	if problem.Code == string(code) {
		checkRefusal(t, op.id, got, code, status)
		return true
	}
	if got.status >= 500 && !op.documents(got.status, problem.Code) {
		t.Errorf("%s was answered %d while %s was expected: %s", op.id, got.status, code, got.body)
	}
	return false
}

func unchanged(*api.Options) {}

// TestStoreDownEverywhere: while Postgres is away everybody is told to come back.
func TestStoreDownEverywhere(t *testing.T) {
	t.Parallel()
	p, dsn := newProxy(t, postgrestest.NewDatabase(t))
	f := newFaulty(t, dsn, unchanged)
	p.cut()
	f.meet(domain.CodeUnavailable, 503)
}

// TestDeadlinesEverywhere: while Postgres does not answer nobody waits for ever.
func TestDeadlinesEverywhere(t *testing.T) {
	t.Parallel()
	p, dsn := newProxy(t, postgrestest.NewDatabase(t))
	f := newFaulty(t, dsn, func(o *api.Options) { o.Timeout = 20 * time.Millisecond })
	p.hush()
	defer p.speak()
	f.meet(domain.CodeTimeout, 504)
}

// TestFaultsEverywhere: a database that is not ours any more is our fault, and
// nothing of what it says is told.
func TestFaultsEverywhere(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, postgrestest.NewDatabase(t), unchanged)
	conn := f.before.connect()
	const lose = `DO $$ DECLARE t text; BEGIN
		FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
			EXECUTE format('ALTER TABLE %I RENAME TO %I', t, t || '_lost');
		END LOOP; END $$`
	if _, err := conn.Exec(t.Context(), lose); err != nil {
		t.Fatal(err)
	}
	f.meet(domain.CodeInternal, 500)
}

// TestPanicsEverywhere are told without their cause, wherever they happen.
func TestPanicsEverywhere(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u := s.newAdmin().as(s.variant(func(o *api.Options) { o.Accounts = forgetful{o.Accounts} }))
	for _, op := range published().operations {
		if op.secured {
			u.everywhere(op, u.sampler(nil).sample(op), domain.CodeInternal, 500)
		}
	}
}
