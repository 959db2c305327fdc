package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// oracle compares what was accepted with what became of it, in the database and
// not by what the system says of itself.
type oracle struct {
	t testing.TB
	s *system
}

// faultless demands that each accepted job succeeded, once in every respect.
func (o oracle) faultless(users []*user, accepted []string) {
	o.t.Helper()
	o.nothingLost(users, accepted)
	o.historiesWhole()
	o.documentsWhole()
	o.nobodyLeft()
}

// nothingLost: the jobs of the users are exactly those that were accepted, all
// succeeded, and each made one document of its own.
func (o oracle) nothingLost(users []*user, accepted []string) {
	t := o.t
	t.Helper()
	owners := make([]string, len(users))
	for i, u := range users {
		owners[i] = u.id
	}
	found := o.s.ids("SELECT id::text FROM jobs WHERE user_id::text = ANY($1)", owners)
	compare(t, "jobs", accepted, found)
	o.none("jobs that did not succeed", "SELECT id || ' ' || state || ' ' || coalesce(error_code, '') FROM jobs WHERE state <> 'succeeded'")
	o.none("documents of no job, or of several", `SELECT d.id FROM documents d LEFT JOIN jobs j ON j.resource_id = d.id
		WHERE d.state <> 'uploading' GROUP BY d.id HAVING count(j.id) <> 1`)
	o.none("jobs without their document", `SELECT j.id FROM jobs j LEFT JOIN documents d ON d.id = j.resource_id
		WHERE j.kind = 'ingest' AND d.state IS DISTINCT FROM 'ready'`)
	o.none("documents uploaded twice", `SELECT min(id::text) FROM documents WHERE state <> 'uploading'
		GROUP BY user_id, filename, title, url HAVING count(*) > 1`)
}

// historiesWhole: events are gapless from 1, and a terminal state is the last,
// except that a person may ask for a failed job to be tried again.
func (o oracle) historiesWhole() {
	o.t.Helper()
	o.none("jobs whose events have gaps", `SELECT j.id FROM jobs j LEFT JOIN job_events e ON e.job_id = j.id
		GROUP BY j.id HAVING count(e.seq) <> j.event_seq OR min(e.seq) <> 1 OR max(e.seq) <> j.event_seq`)
	o.none("jobs that were terminal more than once, or went on", `SELECT e.job_id FROM job_events e
		JOIN job_events later ON later.job_id = e.job_id AND later.seq = e.seq + 1
		WHERE e.type = 'state' AND (e.data->>'state' IN ('succeeded', 'cancelled')
		   OR e.data->>'state' = 'failed' AND later.data->>'state' <> 'queued')`)
	o.none("attempts recorded twice, or missing", `SELECT j.id FROM jobs j LEFT JOIN job_attempts a ON a.job_id = j.id
		GROUP BY j.id HAVING count(a.fence) <> j.fence`)
}

// documentsWhole: in each space that has chunks of a document they are numbered
// without gap, say what the document says at their place, leave nothing out, and
// have one vector each.
func (o oracle) documentsWhole() {
	o.t.Helper()
	o.none("documents without pages or text", `SELECT d.id FROM documents d LEFT JOIN document_pages p ON p.document_id = d.id
		WHERE d.state = 'ready' GROUP BY d.id HAVING count(p.page) <> d.page_count OR d.content = ''`)
	o.none("documents whose chunks are not numbered from 0", `SELECT d.id FROM documents d LEFT JOIN chunks c ON c.document_id = d.id
		WHERE d.state = 'ready' GROUP BY d.id, c.space_id HAVING count(c.id) = 0 OR min(c.ordinal) <> 0 OR max(c.ordinal) <> count(c.id) - 1`)
	o.none("chunks that say what their place does not", `SELECT c.id FROM chunks c JOIN documents d ON d.id = c.document_id
		WHERE c.content <> substr(d.content, c.char_from + 1, c.char_to - c.char_from)`)
	o.none("documents with text in no chunk", `WITH gaps AS (
			SELECT c.document_id, lag(c.char_to, 1, 0) OVER w AS gap_from, c.char_from AS gap_to FROM chunks c WINDOW w AS (PARTITION BY c.document_id, c.space_id ORDER BY c.ordinal)
			UNION ALL SELECT d.id, max(c.char_to), length(d.content) FROM documents d JOIN chunks c ON c.document_id = d.id
				WHERE d.state = 'ready' GROUP BY d.id, c.space_id
		) SELECT d.id FROM gaps JOIN documents d ON d.id = gaps.document_id
		WHERE gap_to > gap_from AND substr(d.content, gap_from + 1, gap_to - gap_from) ~ '\S'`)
	o.none("chunks without exactly one vector", `SELECT c.id FROM chunks c LEFT JOIN embeddings e ON e.chunk_id = c.id AND e.space_id = c.space_id
		GROUP BY c.id HAVING count(e.space_id) <> 1`)
}

// nobodyLeft: no ended job is held by a worker.
func (o oracle) nobodyLeft() {
	o.t.Helper()
	o.none("leases without a running job", "SELECT id FROM jobs WHERE state <> 'running' AND (lease_until IS NOT NULL OR worker IS NOT NULL)")
}

// none demands that a query for what must not be finds nothing.
func (o oracle) none(what, query string, args ...any) {
	o.t.Helper()
	if found := o.s.ids("SELECT x::text FROM ("+query+") AS bad (x)", args...); len(found) > 0 {
		o.t.Errorf("%d %s, among them %s", len(found), what, strings.Join(found[:min(3, len(found))], ", "))
	}
}

// compare reports what was lost and what came from nowhere.
func compare(t testing.TB, what string, want, got []string) {
	t.Helper()
	count := func(ids []string) map[string]int {
		seen := map[string]int{}
		for _, id := range ids {
			seen[id]++
		}
		return seen
	}
	if diff := cmp.Diff(count(want), count(got)); diff != "" {
		if len(diff) > 2000 {
			diff = fmt.Sprintf("%s ... (%d accepted, %d found)", diff[:2000], len(want), len(got))
		}
		t.Errorf("%s, accepted - and found +:\n%s", what, diff)
	}
}
