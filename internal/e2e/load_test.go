package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// load is what some users ask of a system, remembered for the oracle.
type load struct {
	t     testing.TB
	s     *system
	users []*user

	mu       sync.Mutex
	accepted []string // ids of jobs, once per idempotency key
}

// newLoad registers the users.
func newLoad(t testing.TB, s *system, users int) *load {
	t.Helper()
	l := &load{t: t, s: s}
	for range users {
		l.users = append(l.users, register(t, s.url))
	}
	return l
}

// clientsPerUser is how many requests of a user are under way at once.
const clientsPerUser = 2

// run submits n small documents, spread over the users, and returns when all
// were accepted. Every tenth is a PDF. A request that fails is repeated with its
// idempotency key.
func (l *load) run(t testing.TB, name string, n int) {
	t.Helper()
	var next atomic.Int64
	var clients sync.WaitGroup
	for range clientsPerUser {
		for _, u := range l.users {
			clients.Go(func() {
				for i := int(next.Add(1)); i <= n && !t.Failed(); i = int(next.Add(1)) {
					l.one(u, fmt.Sprintf("%s-%d", name, i), i)
				}
			})
		}
	}
	clients.Wait()
}

func (l *load) one(u *user, key string, i int) {
	path, body := "/v1/documents/text", any(object{"title": key, "content": note(key)})
	if i%10 == 0 {
		path, body = "/v1/documents/upload", file{key + ".pdf", pdf([]string{"Report " + key, "It has a first page."}, []string{"And a second one."})}
	}
	r := u.insist("POST", path, body, "Idempotency-Key: "+key)
	if r.status != 202 {
		l.t.Errorf("%s: status %d: %s", path, r.status, r.body)
		return
	}
	l.remember(jobOf(l.t, r).ID)
}

// note is a text of several chunks, unlike any other.
func note(key string) string {
	var b strings.Builder
	for i := range 6 {
		fmt.Fprintf(&b, "Paragraph %d of the note %s. The kettle was on the stove when the letter came, and nobody read it before supper.\n\n", i+1, key)
	}
	return b.String()
}

func (l *load) remember(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepted = append(l.accepted, id)
}

// drain waits until no job is left to do. The database may be away meanwhile.
func (l *load) drain(t testing.TB) {
	t.Helper()
	eventually(t, workDeadline, "all jobs are terminal", func() bool {
		left, err := l.left()
		return err == nil && left == 0
	})
}

// left counts the jobs that are not terminal.
func (l *load) left() (int, error) {
	var n int
	err := l.s.db.QueryRow(l.t.Context(), "SELECT count(*) FROM jobs WHERE state IN ('queued', 'dispatched', 'running')").Scan(&n)
	return n, err
}

// working reports whether anything is left to do, as far as can be seen.
func (l *load) working() bool {
	left, err := l.left()
	return err != nil || left > 0
}

// check asks the oracle about everything submitted so far.
func (l *load) check(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	oracle{t, l.s}.faultless(l.users, l.accepted)
}
