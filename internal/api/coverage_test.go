package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// outcome is a way in which an operation answers: a success in some media type,
// or a refusal with a code.
type outcome struct {
	status int
	what   string
}

func (o outcome) String() string { return strings.TrimSpace(fmt.Sprint(o.status, " ", o.what)) }

// seen is what the servers of this package's tests have answered, by operation.
var seen = &coverage{answers: map[string]map[outcome]string{}}

type coverage struct {
	mu      sync.Mutex
	answers map[string]map[outcome]string // to an example of the request
}

// recording notes every answer of a server.
func recording(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op := published().match(r.Method, r.URL.Path)
		if op == nil {
			handler.ServeHTTP(w, r)
			return
		}
		watched := &watchedWriter{ResponseWriter: w, status: http.StatusOK}
		handler.ServeHTTP(watched, r)
		if watched.status != clientGone {
			seen.add(op, r, watched)
		}
	})
}

// byChance marks, in its context, a request that was made up. What it meets shows
// no documented answer, or that would be shown one day and not the next.
type byChance struct{}

// clientGone is the status of an answer that nobody waits for any more.
const clientGone = 499

// watchedWriter keeps the status of an answer, and its body when it is a problem.
type watchedWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	event  bool // one was sent
}

func (w *watchedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(data []byte) (int, error) {
	if w.status >= http.StatusBadRequest {
		w.body.Write(data)
	}
	w.event = w.event || bytes.Contains(data, []byte("data: "))
	return w.ResponseWriter.Write(data)
}

// Flush implements http.Flusher, which event streams need.
func (w *watchedWriter) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// Unwrap gives http.ResponseController what is below.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (c *coverage) add(op *operation, r *http.Request, w *watchedWriter) {
	media, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	o := outcome{status: w.status}
	switch {
	case media == "application/problem+json":
		var problem struct{ Code string }
		_ = json.Unmarshal(w.body.Bytes(), &problem) // a code that is missing is not documented
		o.what = problem.Code
	case media == eventStream && !w.event:
		return
	case len(op.answers[w.status].Content) > 0:
		o.what = op.documented(w.status, media)
	}
	if r.Context().Value(byChance{}) != nil && slices.Contains(op.outcomes(), o) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers[op.id] == nil {
		c.answers[op.id] = map[outcome]string{}
	}
	if c.answers[op.id][o] == "" {
		c.answers[op.id][o] = r.Method + " " + r.URL.Path
	}
}

// documented is the media type under which an answer is documented; bytes of
// any type are documented as octets.
func (op *operation) documented(status int, media string) string {
	const octets = "application/octet-stream"
	content := op.answers[status].Content
	if _, ok := content[media]; ok {
		return media
	}
	if _, ok := content[octets]; ok {
		return octets
	}
	return media
}

// outcomes are all documented answers of an operation.
func (op *operation) outcomes() []outcome {
	var all []outcome
	for status, a := range op.answers {
		for _, code := range a.Codes {
			all = append(all, outcome{status, code})
		}
		for media := range a.Content {
			if len(a.Codes) == 0 || media != "application/problem+json" {
				all = append(all, outcome{status, media})
			}
		}
		if len(a.Content) == 0 {
			all = append(all, outcome{status: status})
		}
	}
	slices.SortFunc(all, func(a, b outcome) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// gaps are the documented answers that were not seen, and the answers that were
// seen and are not documented, one line each.
func (c *coverage) gaps() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for _, op := range published().operations {
		documented := op.outcomes()
		for _, o := range documented {
			if c.answers[op.id][o] == "" {
				lines = append(lines, fmt.Sprintf("%s: no test saw %s", op.id, o))
			}
		}
		var strange []string
		for o, request := range c.answers[op.id] {
			if !slices.Contains(documented, o) {
				strange = append(strange, fmt.Sprintf("%s: %s was answered %s, which is not documented", op.id, request, o))
			}
		}
		slices.Sort(strange)
		lines = append(lines, strange...)
	}
	return lines
}
