package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// site is a web server for documents by URL. Its slow pages wait for release.
type site struct {
	*httptest.Server
	hold func() // lets slow pages go

	mu       sync.Mutex
	waiting  int
	finished int
	gone     int // clients that hung up before their page came
}

const article = `<!doctype html><html lang="en"><head><title>%[1]s</title></head><body><article><h1>%[1]s</h1>
<p>The harbour of the town was dredged in spring, and the ferries have kept their summer timetable since.</p>
<p>Passengers who hold a yearly ticket may take a bicycle along without paying for it on any day but Sunday.</p>
<p>The office by the pier opens at seven and sells tickets for the islands, the bus and the small museum.</p>
</article></body></html>`

func newSite(t testing.TB) *site {
	released := make(chan struct{})
	s := &site{hold: sync.OnceFunc(func() { close(released) })}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page/{name}", func(w http.ResponseWriter, r *http.Request) {
		s.note(func() { s.finished++ })
		show(w, r.PathValue("name"))
	})
	mux.HandleFunc("GET /slow/{name}", func(w http.ResponseWriter, r *http.Request) {
		s.note(func() { s.waiting++ })
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = http.NewResponseController(w).Flush() // the page begins, so that nobody gives up on it
		select {
		case <-released:
			s.note(func() { s.waiting--; s.finished++ })
			show(w, r.PathValue("name"))
		case <-r.Context().Done():
			s.note(func() { s.waiting--; s.gone++ })
		}
	})
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "User-agent: *\nDisallow: /denied/\n")
	})
	mux.HandleFunc("GET /loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/pool", http.StatusFound) })
	mux.HandleFunc("GET /pool", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() { s.release(); s.Close() })
	return s
}

func show(w http.ResponseWriter, title string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, article, title)
}

func (s *site) slow(name any) string { return fmt.Sprintf("%s/slow/%v", s.URL, name) }
func (s *site) page(name any) string { return fmt.Sprintf("%s/page/%v", s.URL, name) }

// release lets the slow pages go, now and from now on.
func (s *site) release() { s.hold() }

func (s *site) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// awaitWaiting blocks until n clients wait for slow pages.
func (s *site) awaitWaiting(t testing.TB, n int) {
	t.Helper()
	eventually(t, workDeadline, fmt.Sprintf("%d pages are asked for", n), func() bool { return s.count(&s.waiting) >= n })
}

// awaitGone blocks until n clients hung up.
func (s *site) awaitGone(t testing.TB, n int) {
	t.Helper()
	eventually(t, workDeadline, fmt.Sprintf("%d clients hang up", n), func() bool { return s.count(&s.gone) >= n })
}

func (s *site) count(n *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *n
}

// served counts the pages that were answered.
func (s *site) served() int { return s.count(&s.finished) }
