package api_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/photo/phototest"
	"generalbackend/internal/postgres"
)

// description is as much of the published description as tests look at.
type description struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Security    []any
		Responses   map[string]struct {
			Description string
			Codes       []string `json:"x-codes"`
			Content     map[string]any
		}
	}
}

func (u *user) description() description {
	u.t.Helper()
	var d description
	u.must(200, "GET", "/openapi.json", nil).into(u.t, &d)
	return d
}

// TestForeignIDs: wherever an operation takes an id, in its address, query or
// body, another user's is answered like one that nobody has, under /v1 and at the
// root, and changes nothing of either user.
func TestForeignIDs(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	owner, other := s.newUser(), s.newUser()
	theirs, own := owner.owned(), other.owned()
	owner.settle()
	other.settle()
	owners, others := owner.rows(), other.rows()
	tried := 0
	for _, op := range published().operations {
		plain := other.sampler(own)
		plain.all = true
		plain.sample(op)
		slices.Sort(plain.asked)
		fields := slices.Compact(plain.asked)
		for _, field := range fields {
			tried++
			other.strays(op, field, own, theirs)
		}
		if len(fields) == 0 {
			continue
		}
		if diff := cmp.Diff(owners, owner.rows()); diff != "" {
			t.Fatalf("%s, asked by another user, changed rows of the owner: %s", op.id, diff)
		}
		if diff := cmp.Diff(counts(others), counts(other.rows())); diff != "" {
			t.Fatalf("%s about another user's things left rows: %s", op.id, diff)
		}
	}
	if tried < 40 || len(owners) < 15 {
		t.Errorf("only %d ids tried, only %d tables watched", tried, len(owners))
	}
}

// strays asks for what is another user's by one field of a request, and for what
// is nobody's by the same.
func (u *user) strays(op *operation, field string, own, theirs map[string]uuid.UUID) {
	u.t.Helper()
	foreign, nobodys := u.sampler(own), u.sampler(own)
	foreign.all, foreign.alien, foreign.from = true, field, theirs
	nobodys.all, nobodys.alien = true, field
	a, b := foreign.sample(op), nobodys.sample(op)
	as, bs := op.mounts(a.path), op.mounts(b.path)
	for i := range as {
		a.path, b.path = as[i], bs[i]
		got, want := u.direct(a), u.direct(b)
		what := fmt.Sprintf("%s %s with another user's %s", a.method, a.path, field)
		if shape(got) != shape(want) {
			u.t.Errorf("%s is answered %s, and with nobody's %s", what, shape(got), shape(want))
		}
		switch {
		case strings.HasPrefix(op.template, "/v1/admin/"):
			checkRefusal(u.t, what, got, domain.CodeForbidden, 403)
		case op.method != "GET" || strings.Contains(op.template, "{"+field+"}"):
			checkRefusal(u.t, what, got, domain.CodeNotFound, 404)
		}
		for name, id := range theirs {
			if strings.Contains(string(got.body), id.String()) && !strings.Contains(a.path+string(a.body), id.String()) {
				u.t.Errorf("%s tells their %s: %s", what, name, got.body)
			}
		}
	}
}

// shape is an answer without what tells requests apart.
func shape(r reply) string {
	return fmt.Sprintf("%d %s %s", r.status, r.header.Get("Content-Type"), anyID.ReplaceAllString(string(r.body), "ID"))
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// settle ends a user's jobs, so that none of them changes anything.
func (u *user) settle() {
	u.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		active, err := u.store.ActiveJobs(postgres.AsSystem(u.t.Context()), u.id, 100)
		if err != nil {
			u.t.Fatal(err)
		}
		if len(active) == 0 {
			return
		}
		for _, job := range active {
			u.direct(sample{method: "POST", path: "/v1/jobs/" + job.ID.String() + "/cancel"})
		}
	}
}

// fingerprint stands for the rows of a table.
type fingerprint struct {
	Rows int
	Hash string
}

// ownedTables lists all tables with a query for a user's rows in them: those
// that carry the user's id, and those that belong to one that does.
const ownedTables = `
	SELECT c.relname, format('SELECT count(*), coalesce(md5(string_agg(r::text, E''\n'' ORDER BY r::text)), '''') FROM %I r WHERE %s', c.relname,
		CASE WHEN own.attname IS NOT NULL THEN format('%I = $1', own.attname)
		     ELSE format('%I IN (SELECT id FROM %I WHERE user_id = $1)', via.attname, parent.relname) END)
	FROM pg_class c
	JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
	LEFT JOIN pg_attribute own ON own.attrelid = c.oid AND own.attname = CASE c.relname WHEN 'users' THEN 'id' ELSE 'user_id' END
	LEFT JOIN LATERAL (SELECT confrelid, conkey[1] AS key FROM pg_constraint
		WHERE conrelid = c.oid AND contype = 'f' AND array_length(conkey, 1) = 1
		  AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = confrelid AND a.attname = 'user_id')
		LIMIT 1) fk ON own.attname IS NULL
	LEFT JOIN pg_class parent ON parent.oid = fk.confrelid
	LEFT JOIN pg_attribute via ON via.attrelid = c.oid AND via.attnum = fk.key
	WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND (own.attname IS NOT NULL OR via.attname IS NOT NULL)`

// rows are a user's rows in all tables.
func (u *user) rows() map[string]fingerprint {
	u.t.Helper()
	conn := u.connect()
	defer conn.Close(u.t.Context())
	found, err := conn.Query(u.t.Context(), ownedTables)
	if err != nil {
		u.t.Fatal(err)
	}
	statements, err := pgx.CollectRows(found, pgx.RowToStructByPos[struct{ Table, SQL string }])
	if err != nil {
		u.t.Fatal(err)
	}
	tables := map[string]fingerprint{}
	for _, s := range statements {
		var f fingerprint
		if err := conn.QueryRow(u.t.Context(), s.SQL, u.id).Scan(&f.Rows, &f.Hash); err != nil {
			u.t.Fatalf("%s: %v", s.SQL, err)
		}
		tables[s.Table] = f
	}
	return tables
}

func counts(tables map[string]fingerprint) map[string]int {
	rows := map[string]int{}
	for name, f := range tables {
		rows[name] = f.Rows
	}
	return rows
}

// owned makes one of everything.
func (u *user) owned() map[string]uuid.UUID {
	u.t.Helper()
	var project api.Project
	u.must(201, "POST", "/v1/projects", object{"name": "mine"}).into(u.t, &project)
	document := u.ready("mine")
	answer := u.answered(project.ID, "mine?")
	match := u.matched(document.ID)
	var batch api.AcceptedBatch
	u.must(202, "POST", "/v1/cv-matcher/batches", object{
		"employer_documents": []uuid.UUID{document.ID}, "applicant_documents": []uuid.UUID{document.ID},
	}).into(u.t, &batch)
	told := u.told()
	key := u.newKey("read")
	var sessions api.Page[api.Session]
	u.must(200, "GET", "/v1/auth/sessions", nil).into(u.t, &sessions)
	var jobs api.Page[api.Job]
	u.must(200, "GET", "/v1/jobs", nil).into(u.t, &jobs)
	return map[string]uuid.UUID{
		"story_id": told["story_id"], "memory_id": told["memory_id"], "name_id": told["name_id"], "photo_id": told["photo_id"],
		"question_id": told["question_id"], "refinement_id": told["refinement_id"], "into": told["into"],
		"project_id": project.ID, "document_id": document.ID, "match_id": match.ID, "batch_id": batch.Batch.ID, "job_id": jobs.Items[0].ID,
		"reembedding_id": uuid.New(), // which only administrators have
		"user_id":        u.id, "message_id": answer.ID, "key_id": key.ID, "session_id": sessions.Items[0].ID,
	}
}

// told makes one of everything in a story.
func (u *user) told() map[string]uuid.UUID {
	u.t.Helper()
	s := u.teller(nil)
	m := s.tell(object{"text": "mine", "tags": []string{"mine", "ours"}})
	var question api.AcceptedInterview
	u.must(202, "POST", s.path+"/interview", object{}).into(u.t, &question)
	var refinement api.AcceptedRefinement
	u.must(202, "POST", s.memoryPath(m)+"/refine", object{}).into(u.t, &refinement)
	return map[string]uuid.UUID{
		"story_id": s.story.ID, "memory_id": m.ID, "name_id": m.Tags[0].ID, "photo_id": s.show(m, phototest.JPEG(u.t, phototest.Corners(8, 8), phototest.Exif{})).ID,
		"question_id": question.Question.ID, "refinement_id": refinement.Refinement.ID, "into": m.Tags[1].ID,
	}
}

func (u *user) matched(document uuid.UUID) api.Match {
	u.t.Helper()
	body := object{"employer_documents": []uuid.UUID{document}, "applicant_documents": []uuid.UUID{document}}
	var match api.Match
	u.must(201, "POST", "/v1/cv-matcher/match", body, "Prefer: wait=300").into(u.t, &match)
	return match
}

// TestForeignIDsInBodies: naming another user's things helps as little.
func TestForeignIDsInBodies(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	owner, other := s.newUser(), s.newUser()
	ids := owner.owned()
	project, document := ids["project_id"].String(), ids["document_id"].String()
	before, contentType := form(t, field{"project_id", "", project}, field{"file", "a.pdf", pdf})
	other.refused(domain.CodeNotFound, 404, "POST", "/v1/documents/upload", before, contentType)
	after, contentType := form(t, field{"file", "a.pdf", pdf}, field{"project_id", "", project})
	other.refused(domain.CodeNotFound, 404, "POST", "/v1/documents/upload", after, contentType)
	mine := other.ready("mine").ID.String()
	for path, body := range map[string]object{
		"/v1/documents/url":    {"url": "https://example.org", "project_id": project},
		"/v1/documents/text":   {"content": "text", "project_id": project},
		"/v1/documents/search": {"query": "text", "project_id": project},
		"/v1/cv-matcher/match": {"employer_documents": []string{mine}, "applicant_documents": []string{document}},
	} {
		other.refused(domain.CodeNotFound, 404, "POST", path, body)
	}
	other.refused(domain.CodeNotFound, 404, "POST", "/v1/documents/search", object{"query": "text", "document_ids": []string{document}})
	other.refused(domain.CodeNotFound, 404, "GET", "/v1/documents/search?query=text&document_ids="+mine+","+document, nil)
	var listed api.Page[api.DocumentSummary]
	other.must(200, "GET", "/v1/documents?project_id="+project, nil).into(t, &listed)
	if len(listed.Items) > 0 {
		t.Errorf("another user lists %+v", listed.Items)
	}
}
