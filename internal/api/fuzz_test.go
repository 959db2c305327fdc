package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

var (
	fuzzRequests = flag.Int("fuzz.requests", 20_000, "requests that TestFuzz makes from the description")
	fuzzSeed     = flag.Uint64("fuzz.seed", 1, "what TestFuzz's requests follow from")
)

// naughtyStrings are part of the Big List of Naughty Strings where the corpus is
// there, and a few of our own.
func naughtyStrings(t *testing.T) []string {
	own := []string{
		"", " ", "\t\n", "\x00", "\ufeff", "\u202e", "Ω≈ç√", "👩‍👩‍👧‍👦", "'; DROP TABLE users; --", "<script>alert(1)</script>", "../../etc/passwd", "%s%n%d", "${7*7}",
		"\xff\xfe", "null", "NaN", "-0", "1e400", strings.Repeat("é", 5000), "\r\nSet-Cookie: a=b", "{{.}}", "%00", "a\u0000b", "\\u0000", "\"", "\\",
	}
	data, err := os.ReadFile("../../../shared/data/hostile/naughty-strings.json")
	if os.IsNotExist(err) {
		t.Log("the corpus of naughty strings is not there: only our own are used")
		return own
	}
	var list []string
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(own, list...)
}

// fuzz makes requests from the description, good and bad.
type fuzz struct {
	*testing.T
	random  *rand.Rand
	naughty []string
	ids     []map[string]uuid.UUID
	bad     bool // this request is to be wrong somewhere
}

func (f *fuzz) chance(percent int) bool { return f.random.IntN(100) < percent }

func pick[T any](f *fuzz, from []T) T { return from[f.random.IntN(len(from))] }

// id is somebody's, or nobody's.
func (f *fuzz) id(field string) string {
	if f.chance(15) {
		return uuid.NewString()
	}
	own := &sampler{t: f, ids: pick(f, f.ids)}
	id, _ := own.id(field)
	return id.String()
}

// junk is any JSON value.
func (f *fuzz) junk(depth int) any {
	switch f.random.IntN(9) {
	case 0:
		return nil
	case 1:
		return f.chance(50)
	case 2:
		return pick(f, []float64{0, -1, 1, 1e308, -1e308, 0.1, 1 << 53, -9223372036854775808, 9223372036854775808})
	case 3:
		if depth < 4 {
			return []any{f.junk(depth + 1), f.junk(depth + 1)}
		}
	case 4:
		if depth < 4 {
			return map[string]any{pick(f, f.naughty): f.junk(depth + 1)}
		}
	case 5:
		return json.RawMessage(strings.Repeat("[", 2000) + strings.Repeat("]", 2000))
	case 6:
		return strings.Repeat("x", f.random.IntN(20_000))
	}
	return pick(f, f.naughty)
}

// value is one that a schema allows, or, in a bad request, may be any other.
func (f *fuzz) value(field string, sc schema, depth int) any {
	sc = published().resolve(sc)
	if f.bad && f.chance(20) {
		return f.junk(0)
	}
	if isID(field, sc) && sc.kind() != "array" {
		return f.id(field)
	}
	if all, ok := sc["enum"].([]any); ok {
		return pick(f, all)
	}
	switch sc.kind() {
	case "object":
		return f.object(sc, depth)
	case "array":
		most, ok := sc["maxItems"].(float64)
		if !ok || most > 3 {
			most = 3
		}
		items := []any{}
		for range f.random.IntN(int(most) + 1) {
			item := within(sc["items"])
			if isID(field, sc) {
				items = append(items, f.id(field))
			} else {
				items = append(items, f.value(field, item, depth+1))
			}
		}
		return items
	case "integer", "number":
		return f.number(sc)
	case "boolean":
		return f.chance(50)
	}
	return f.text(sc)
}

func (f *fuzz) number(sc schema) any {
	least, _ := sc["minimum"].(float64)
	most, ok := sc["maximum"].(float64)
	if !ok {
		most = least + 100
	}
	if f.bad && f.chance(30) {
		return pick(f, []float64{least - 1, most + 1})
	}
	return pick(f, []float64{least, most, float64(int((least + most) / 2))})
}

func (f *fuzz) text(sc schema) any {
	if examples, ok := sc["examples"].([]any); ok && f.chance(30) {
		return pick(f, examples)
	}
	most, bounded := sc["maxLength"].(float64)
	if bounded && f.chance(10) {
		return strings.Repeat("ü", int(most)+f.random.IntN(3)-1)
	}
	if _, formatted := sc["format"]; formatted && !f.bad {
		return text(sc)
	}
	return pick(f, f.naughty)
}

func (f *fuzz) object(sc schema, depth int) any {
	made := map[string]any{}
	required, _ := sc["required"].([]any)
	properties := sc.properties()
	for _, name := range slices.Sorted(keys(properties)) {
		wanted := slices.Contains(required, any(name))
		if percent := f.presence(wanted); f.chance(percent) {
			made[name] = f.value(name, properties[name], depth+1)
		}
	}
	if f.chance(5) {
		made[pick(f, f.naughty)] = f.junk(1)
	}
	return made
}

// presence is how often a field is there, in percent.
func (f *fuzz) presence(wanted bool) int {
	switch {
	case !wanted:
		return 50
	case f.bad:
		return 90
	}
	return 100
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// request makes one for an operation, with its headers.
func (f *fuzz) request(op *operation) (sample, http.Header) {
	f.bad = f.chance(40)
	r := sample{method: op.method, path: pick(f, op.mounts(f.address(op)))}
	header := http.Header{"Prefer": {"respond-async"}, "Origin": {origin}}
	media, form := op.body()
	switch media {
	case jsonType:
		body, err := json.Marshal(f.value("", form.Schema, 0))
		if err != nil {
			f.Fatal(err)
		}
		r.body, r.media = body, jsonType
	case multipartType:
		own := &sampler{t: f, ids: pick(f, f.ids), all: f.chance(50)}
		r.body, r.media = own.form(form.Schema)
		r.body = bytes.Replace(r.body, []byte("A plain text"), []byte(pick(f, f.naughty)), 1)
	}
	if f.bad {
		f.spoil(&r, header)
	}
	return r, header
}

func (f *fuzz) address(op *operation) string {
	path, query := op.template, url.Values{}
	for _, p := range op.parameters {
		if p.In == "header" || p.In == "query" && !p.Required && f.chance(60) {
			continue
		}
		v := f.value(p.Name, p.Schema, 3)
		if list, ok := v.([]any); ok {
			parts := []string{}
			for _, item := range list {
				parts = append(parts, fmt.Sprint(item))
			}
			v = strings.Join(parts, ",")
		}
		text := fmt.Sprint(v)
		if len(text) > 4000 {
			text = text[:4000]
		}
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(text))
		} else {
			query.Set(p.Name, text)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// spoil breaks a request outside of its schema.
func (f *fuzz) spoil(r *sample, header http.Header) {
	switch f.random.IntN(12) {
	case 0:
		r.body = append([]byte(nil), r.body[:f.random.IntN(len(r.body)+1)]...)
	case 1:
		r.body = bytes.ReplaceAll(r.body, []byte(`"`), []byte(pick(f, f.naughty)))
	case 2:
		r.body = append(bytes.TrimSuffix(r.body, []byte("}")), []byte(`,"name":1,"name":2,"\ud800":"\udfff"}`)...)
	case 3:
		r.media = pick(f, []string{"", "text/plain", "application/json; charset=utf-16", "multipart/form-data", "application/xml", jsonType})
	case 4:
		r.method = pick(f, []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "BREW"})
	case 5:
		header.Set(pick(f, []string{"Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-Request-ID", "Accept", "X-Forwarded-For", "Content-Encoding"}), pick(f, f.naughty))
	case 6:
		r.path += pick(f, []string{"/", "//", "?", "?limit=1&limit=2", "?cursor=AAAA", "?x=%ff", "?%zz", ";a=b", "%2e%2e/", "?after=-1", "#x"})
	case 7:
		r.body = []byte(strings.ToValidUTF8(pick(f, f.naughty), "\xff"))
	}
}

// TestFuzz: whatever is asked, good or bad, nothing breaks: no fault of ours, no
// word of another user's, nothing of our insides, no request that hangs, and all
// jobs end.
func TestFuzz(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(o *api.Options) {
		o.Logins = api.Rate{Every: time.Nanosecond, Burst: 1 << 20}
	})
	s.work()
	fuzzers := []*fuzzer{{marker: marker("a")}, {marker: marker("b")}}
	for _, z := range fuzzers {
		z.renew(s.newUser())
	}
	people := &people{
		users: fuzzers, admin: s.newAdmin(), anybody: &user{system: s},
		ids: []map[string]uuid.UUID{fuzzers[0].ids, fuzzers[1].ids}, naughty: naughtyStrings(t),
	}
	t.Logf("seed %d, %d requests", *fuzzSeed, *fuzzRequests)
	const workers = 4
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			f := &fuzz{T: t, random: rand.New(rand.NewPCG(*fuzzSeed, uint64(worker))), naughty: people.naughty, ids: people.ids}
			for range *fuzzRequests / workers {
				people.try(f)
			}
		})
	}
	running.Wait()
	t.Logf("slowest: %s; %d of %d requests succeeded", people.slowest(), people.fine.Load(), people.sent.Load())
	if sent, fine := people.sent.Load(), people.fine.Load(); sent < int64(*fuzzRequests/workers*workers) || fine < sent/20 {
		t.Errorf("only %d requests were made, only %d succeeded", sent, fine)
	}
	people.after(t, s)
}

func marker(name string) string { return "secret-of-" + name + "-" + uuid.NewString() }

// fuzzer is a user of the fuzz who owns something with a marker in it.
type fuzzer struct {
	*user
	marker string
	ids    map[string]uuid.UUID
}

func (z *fuzzer) renew(u *user) {
	z.user = u
	z.ids = u.owned()
	u.text(z.marker)
	u.must(201, "POST", "/v1/projects", object{"name": z.marker, "description": z.marker})
}

// people are who sends the requests.
type people struct {
	users   []*fuzzer
	admin   *user
	anybody *user
	ids     []map[string]uuid.UUID
	naughty []string

	sent, fine atomic.Int64
	mu         sync.Mutex
	longest    time.Duration
	longestOf  string
}

func (p *people) slowest() string { return fmt.Sprintf("%s (%s)", p.longest, p.longestOf) }

// lasting are the operations that would end the fuzz for the one who sends them;
// they have tests of their own.
var lasting = []string{
	"logout", "delete-user", "update-user", "delete-user-me", "update-user-me", "change-password", "end-session", "end-other-sessions",
	"refresh", "pause-queue", "reset-password", "put-llm-config",
}

func (p *people) try(f *fuzz) {
	op := pick(f, published().operations)
	for slices.Contains(lasting, op.id) {
		op = pick(f, published().operations)
	}
	r, header := f.request(op)
	var who *user
	var others []string
	switch n := f.random.IntN(10); {
	case n < 4:
		who, others = p.users[0].user, []string{p.users[1].marker}
	case n < 8:
		who, others = p.users[1].user, []string{p.users[0].marker}
	case n < 9 && strings.HasPrefix(op.template, "/v1/admin/") == (n == 8):
		who = p.admin
	default:
		who, others = p.anybody, []string{p.users[0].marker, p.users[1].marker}
	}
	p.send(f, who, others, r, header)
}

func (p *people) send(f *fuzz, who *user, others []string, r sample, header http.Header) {
	ctx, cancel := context.WithTimeout(context.WithValue(f.Context(), byChance{}, true), patience)
	defer cancel()
	address, err := url.Parse("http://test" + r.path)
	if err != nil {
		p.sent.Add(1) // no client could send it
		return
	}
	streamed := published().match(r.method, address.Path)
	if streamed != nil && streamed.answers[200].Content[eventStream].Schema != nil {
		defer time.AfterFunc(50*time.Millisecond, cancel).Stop() // it would go on for ever
	}
	req := (&http.Request{
		Method: r.method, URL: address, Header: header, Body: http.NoBody, Host: "test", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		RemoteAddr: "192.0.2.1:1234", RequestURI: r.path,
	}).WithContext(ctx)
	if r.media != "" || len(r.body) > 0 {
		req.Body, req.ContentLength = http.NoBody, int64(len(r.body))
		req.Body = readCloser{bytes.NewReader(r.body)}
		header.Set("Content-Type", r.media)
	}
	if who.token != "" {
		header.Set("Authorization", "Bearer "+who.token)
	}
	begin := time.Now()
	w := httptest.NewRecorder()
	if cutOff(who.handler, w, req) && ctx.Err() == nil {
		f.Errorf("the reply was cut off\n%s", curl(r, header))
	}
	p.judge(f, r, header, w, others, time.Since(begin))
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

func (p *people) judge(f *fuzz, r sample, header http.Header, w *httptest.ResponseRecorder, others []string, took time.Duration) {
	p.sent.Add(1)
	if w.Code < 400 {
		p.fine.Add(1)
	}
	p.mu.Lock()
	if took > p.longest {
		p.longest, p.longestOf = took, r.method+" "+strings.SplitN(r.path, "?", 2)[0]
	}
	p.mu.Unlock()
	var wrong []string
	if w.Code >= 500 && r.path != "/ready" { // which gives a busy machine a few seconds only
		wrong = append(wrong, "a fault of ours")
	}
	if took >= patience {
		wrong = append(wrong, "it hangs")
	}
	for _, marker := range others {
		if strings.Contains(w.Body.String(), marker) {
			wrong = append(wrong, "it tells what is another user's")
		}
	}
	if w.Code >= 400 && showsInternals(w.Body.Bytes(), r.said()) {
		wrong = append(wrong, "it tells of our insides")
	}
	if len(wrong) > 0 {
		f.Errorf("%s: %d %s\n%s", strings.Join(wrong, ", "), w.Code, w.Body.Bytes(), curl(r, header))
	}
}

// curl is the request as a command, the token left out.
func curl(r sample, header http.Header) string {
	escapes := strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
	quote := func(s string) string { return "$'" + escapes.Replace(s) + "'" }
	text := "curl -X " + r.method
	for name, values := range header {
		if name != "Authorization" {
			text += " -H " + quote(name+": "+values[0])
		}
	}
	if len(r.body) > 0 {
		text += " --data-binary " + quote(string(r.body))
	}
	return text + " " + quote("http://localhost:8000"+r.path)
}

// after sees that the server is well, and that no job is left hanging.
func (p *people) after(t *testing.T, s *system) {
	t.Helper()
	p.anybody.isReady()
	for _, stage := range domain.Stages() {
		p.admin.direct(sample{method: "POST", path: "/v1/admin/queues/" + string(stage) + "/resume"})
	}
	ctx := postgres.AsSystem(t.Context())
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for _, z := range p.users {
		left, end := *fuzzRequests, time.Now()
		for ; ; <-tick.C {
			active, err := s.store.ActiveJobs(ctx, z.id, *fuzzRequests)
			if err != nil {
				t.Fatal(err)
			}
			if len(active) == 0 {
				break
			}
			if len(active) < left { // however many there are, they get fewer
				left, end = len(active), time.Now().Add(patience)
			}
			if time.Now().After(end) {
				t.Fatalf("%d jobs do not end, such as %+v", left, active[0])
			}
		}
	}
}
