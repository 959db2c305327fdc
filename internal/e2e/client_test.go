package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// user is somebody with an account, or with no token a visitor. It speaks plain
// HTTP, so that nothing of ours stands between a test and the wire.
type user struct {
	t      testing.TB
	base   string
	id     string
	email  string
	token  string
	client *http.Client
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// problem is the body of an error.
type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	RequestID                 string `json:"request_id"`
}

const password = "correct-horse-battery"

var accounts atomic.Int64

func visitor(t testing.TB, base string) *user {
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &user{t: t, base: base, client: &http.Client{Transport: transport, Timeout: workDeadline}}
}

// register makes an account and logs in with it.
func register(t testing.TB, base string) *user {
	t.Helper()
	u := visitor(t, base)
	u.email = fmt.Sprintf("user%d@example.com", accounts.Add(1))
	u.must(http.StatusCreated, "POST", "/v1/auth/register", object{"email": u.email, "password": password})
	var login struct {
		AccessToken string `json:"access_token"`
		User        struct{ ID string }
	}
	u.must(http.StatusOK, "POST", "/v1/auth/login", object{"email": u.email, "password": password}).into(t, &login)
	u.token, u.id = login.AccessToken, login.User.ID
	if u.token == "" || u.id == "" {
		t.Fatalf("login answered %+v", login)
	}
	return u
}

// as is the same user in a subtest, which then is the one that fails.
func (u *user) as(t testing.TB) *user {
	same := *u
	same.t = t
	return &same
}

// object is a JSON object.
type object map[string]any

// file is the body of an upload.
type file struct {
	name string
	data []byte
}

// encode turns what is sent into bytes: objects become JSON, files forms, and
// strings stay as they are.
func encode(body any) (data []byte, contentType string) {
	switch body := body.(type) {
	case nil:
		return nil, ""
	case string:
		return []byte(body), "application/json"
	case file:
		return form(body)
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // a test's own literal
	}
	return data, "application/json"
}

func form(f file) ([]byte, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", f.name)
	if err == nil {
		_, err = part.Write(f.data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return b.Bytes(), w.FormDataContentType()
}

// try sends a request once. Headers are given as "Name: value".
func (u *user) try(method, path string, body any, headers ...string) (reply, error) {
	data, contentType := encode(body)
	req, err := http.NewRequestWithContext(u.t.Context(), method, u.base+path, bytes.NewReader(data))
	if err != nil {
		return reply{}, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if u.token != "" {
		req.Header.Set("Authorization", "Bearer "+u.token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := u.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: answer}, err
}

// send sends a request to a system that is whole.
func (u *user) send(method, path string, body any, headers ...string) reply {
	u.t.Helper()
	r, err := u.try(method, path, body, headers...)
	if err != nil {
		u.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// must demands a status.
func (u *user) must(status int, method, path string, body any, headers ...string) reply {
	u.t.Helper()
	r := u.send(method, path, body, headers...)
	if r.status != status {
		u.t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, r.body)
	}
	return r
}

// insist repeats a request, as a client should that has a key to repeat it
// with, until the system answers it one way or the other.
func (u *user) insist(method, path string, body any, headers ...string) reply {
	u.t.Helper()
	var r reply
	eventually(u.t, workDeadline, method+" "+path+" is answered", func() bool {
		var err error
		r, err = u.try(method, path, body, headers...)
		return err == nil && r.status < http.StatusInternalServerError && r.status != http.StatusTooManyRequests
	})
	return r
}

func (r reply) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

// job is as much of a job as tests look at.
type job struct {
	ID       string
	State    string
	Stage    string
	Attempts int
	EventSeq int64 `json:"event_seq"`
	Resource struct{ Type, ID string }
	Error    *struct{ Code, Detail, Hint string }
}

func (j job) terminal() bool {
	return j.State == "succeeded" || j.State == "failed" || j.State == "cancelled"
}

func (j job) code() string {
	if j.Error == nil {
		return ""
	}
	return j.Error.Code
}

// submit demands that a request is accepted and returns its job.
func (u *user) submit(path string, body any, headers ...string) job {
	u.t.Helper()
	return jobOf(u.t, u.must(http.StatusAccepted, "POST", path, body, headers...))
}

func jobOf(t testing.TB, r reply) job {
	t.Helper()
	var answer struct{ Job job }
	r.into(t, &answer)
	if answer.Job.ID == "" {
		t.Fatalf("accepted without a job: %s", r.body)
	}
	return answer.Job
}

func (u *user) upload(name string, data []byte) job {
	u.t.Helper()
	return u.submit("/v1/documents/upload", file{name, data})
}

func (u *user) text(title, content string) job {
	u.t.Helper()
	return u.submit("/v1/documents/text", object{"title": title, "content": content})
}

func (u *user) web(address string) job {
	u.t.Helper()
	return u.submit("/v1/documents/url", object{"url": address})
}

func (u *user) job(id string) job {
	u.t.Helper()
	var j job
	u.must(http.StatusOK, "GET", "/v1/jobs/"+id, nil).into(u.t, &j)
	return j
}

func (u *user) cancel(id string) { u.must(http.StatusOK, "POST", "/v1/jobs/"+id+"/cancel", nil) }

// settled waits until a job is terminal.
func (u *user) settled(j job) job {
	u.t.Helper()
	return u.until(j, "is terminal", job.terminal)
}

func (u *user) until(j job, what string, cond func(job) bool) job {
	u.t.Helper()
	var now job
	eventually(u.t, workDeadline, "job "+j.ID+" "+what, func() bool {
		now = u.job(j.ID)
		return cond(now) || now.terminal()
	})
	if !cond(now) {
		u.t.Fatalf("job %s never %s: it %s (%s)", j.ID, what, now.State, now.code())
	}
	return now
}

// succeeded waits for a job and demands that it made its resource.
func (u *user) succeeded(j job) job {
	u.t.Helper()
	j = u.settled(j)
	if j.State != "succeeded" {
		u.t.Fatalf("job %s: %s, %+v", j.ID, j.State, j.Error)
	}
	return j
}

// match asks for the applicants' documents to be compared with a posting.
func (u *user) match(posting string, applicants ...string) job {
	u.t.Helper()
	return u.submit("/v1/cv-matcher/match", object{"employer_doc_ids": []string{posting}, "applicant_doc_ids": applicants})
}

// problem reads an error, which has the one form of all errors.
func (r reply) problem(t testing.TB) problem {
	t.Helper()
	var p problem
	r.into(t, &p)
	if kind := r.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("an error came as %s: %s", kind, r.body)
	}
	if p.Status != r.status || p.Code == "" || p.Title == "" || p.Type == "" {
		t.Errorf("status %d with an incomplete problem: %s", r.status, r.body)
	}
	if p.RequestID == "" || p.RequestID != r.header.Get("X-Request-ID") {
		t.Errorf("the request id is %q in the body and %q in the header", p.RequestID, r.header.Get("X-Request-ID"))
	}
	if !strings.HasSuffix(p.Detail, ".") || !strings.Contains(p.Detail, " ") {
		t.Errorf("code %s has no sentence: %q", p.Code, p.Detail)
	}
	return p
}
