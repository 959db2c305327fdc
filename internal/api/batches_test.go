package api_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/llmtest"
	"generalbackend/internal/llm/offline"
	"generalbackend/internal/matching"
	"generalbackend/internal/postgres"
)

const (
	bakerPosting = "Baker\n\nRequirements\n- Two years of experience in a bakery\n- Journeyman certificate as a baker\n- Fluent German\n"
	nursePosting = "Registered Nurse\n\nRequirements\n- Registered Nurse license\n- Three years of experience in a hospital\n"
	bakerCV      = "Baker\nExperience\nBaker\n2012 - 2020 Mill Lane Bakery\nBaked bread and rolls in the bakery.\nJourneyman certificate as a baker, 2012\nLanguages: German (native)\n"
	nurseCV      = "Registered Nurse\nExperience\nRegistered Nurse\n2019 - 2020 City Hospital\nCared for patients in the hospital.\nRegistered Nurse license\n"
)

// matcher is the real worker of matches over the system's store.
func (s *system) matcher(providers ...llm.Provider) domain.Worker {
	providers = append(providers, offline.New())
	return matching.NewWorker(postgres.Matching{Store: s.edge}, nil, llmtest.NewRegistry("", providers[0], providers[1:]...),
		matching.Options{Log: slog.New(slog.DiscardHandler)})
}

// content adds a text with the given content and waits until it can be used.
func (u *user) content(title, content string) uuid.UUID {
	u.t.Helper()
	var d api.Document
	u.must(201, "POST", "/v1/documents/text", object{"title": title, "content": content}, "Prefer: wait=300").into(u.t, &d)
	return d.ID
}

const batchesPath = "/v1/cv-matcher/batches"

// batched makes a batch of two postings and three applicants and waits for it.
func (u *user) batched(headers ...string) api.Batch {
	u.t.Helper()
	body := object{
		"employer_documents":  []uuid.UUID{u.content("bakery", bakerPosting), u.content("hospital", nursePosting)},
		"applicant_documents": []uuid.UUID{u.content("=nurse", nurseCV), u.content("baker", bakerCV), u.content("nobody", "Nothing to tell.")},
		"language":            "en",
	}
	var b api.Batch
	u.must(201, "POST", batchesPath, body, append(headers, "Prefer: wait=300")...).into(u.t, &b)
	return b
}

func TestBatchRanksApplicantsForEachPosting(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.workWith(s.matcher())
	u := s.newUser()
	b := u.batched()
	if b.State != "ready" || b.Progress != (api.Progress{Done: 2, Total: 2, Unit: "postings"}) || len(b.Postings) != 2 || len(b.ApplicantDocuments) != 3 {
		t.Fatalf("batch = %+v", b)
	}
	path := batchesPath + "/" + b.ID.String()
	var table api.Table
	u.must(200, "GET", path+"/table", nil).into(t, &table)
	baker, nurse := table.Applicants[0], table.Applicants[1]
	if baker.Name != "baker" || baker.Place != 1 || *baker.BestMatchID != b.Postings[0].MatchID || *baker.Cells[0].Rank != 1 {
		t.Errorf("first = %+v, want the baker, best at the bakery", baker)
	}
	if nurse.Name != "=nurse" || *nurse.BestMatchID != b.Postings[1].MatchID || *nurse.Cells[1].Rank != 1 || len(nurse.Cells[0].MustMissing) == 0 {
		t.Errorf("second = %+v, want the nurse, best at the hospital, without the baker's musts", nurse)
	}
	if c := baker.Cells[0]; c.Full+c.Partial+c.Missing != table.Postings[0].Requirements || table.Postings[0].MustHaves == 0 {
		t.Errorf("counts %+v of %+v", c, table.Postings[0])
	}
	var match api.Match
	u.must(200, "GET", "/v1/cv-matcher/matches/"+b.Postings[0].MatchID.String(), nil).into(t, &match)
	if *match.BatchID != b.ID || *match.MatchScore != *baker.Cells[0].Score || len(match.Candidates) != 3 {
		t.Errorf("match of the batch has score %d and %d candidates", *match.MatchScore, len(match.Candidates))
	}
	for query, want := range map[string][]string{
		"":            {"baker", "=nurse", "nobody"},
		"?sort=given": {"=nurse", "baker", "nobody"},
		"?sort=name":  {"=nurse", "baker", "nobody"},
		"?sort=mean":  {"baker", "=nurse", "nobody"},
		"?match_id=" + b.Postings[1].MatchID.String(): {"=nurse", "baker", "nobody"},
	} {
		u.must(200, "GET", path+"/table"+query, nil).into(t, &table)
		var names []string
		for _, a := range table.Applicants {
			names = append(names, a.Name)
		}
		if query != "?sort=mean" && !slices.Equal(names, want) || names[2] != "nobody" {
			t.Errorf("%q: %v, want %v", query, names, want)
		}
	}
	u.refused(domain.CodeInvalid, 422, "GET", path+"/table?match_id="+uuid.NewString(), nil)
	u.refused(domain.CodeInvalid, 422, "GET", path+"/table?sort=colour", nil)
}

func TestBatchTableAsCSV(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.workWith(s.matcher())
	u := s.newUser()
	path := batchesPath + "/" + u.batched().ID.String() + "/table"
	for _, ask := range [][2]string{{path, "Accept: text/csv"}, {path + "?format=csv", "Accept: application/json"}, {path + "?format=csv&bom=true", "Accept: */*"}} {
		r := u.must(200, "GET", ask[0], nil, ask[1])
		if kind := r.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/csv; charset=utf-8") {
			t.Errorf("%v came as %s", ask, kind)
		}
		body, bom := bytes.CutPrefix(r.body, []byte("\uFEFF"))
		if bom != strings.Contains(ask[0], "bom") {
			t.Errorf("%v: byte order mark %v", ask, bom)
		}
		if !bytes.HasSuffix(body, []byte("\r\n")) || bytes.Count(body, []byte("\r\n")) != 4 {
			t.Errorf("%v: lines of %q", ask, body)
		}
		rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
		if err != nil || len(rows) != 4 || len(rows[0]) != 6+2*6 {
			t.Fatalf("%v: %d rows, %v", ask, len(rows), err)
		}
		if rows[1][1] != "baker" || rows[1][0] != "1" || rows[1][3] != "1 Baker" || rows[2][1] != "'=nurse" {
			t.Errorf("rows %q", rows)
		}
	}
	if kind := u.must(200, "GET", path+"?format=json", nil, "Accept: text/csv").header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("format=json came as %s", kind)
	}
}

// TestBatchIsRepeatedByItsKey, and a key of something else is refused.
func TestBatchIsRepeatedByItsKey(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	posting, cv := u.content("posting", bakerPosting), u.content("cv", bakerCV)
	body := object{"employer_documents": []uuid.UUID{posting, cv}, "applicant_documents": []uuid.UUID{cv}}
	key := "Idempotency-Key: " + uuid.NewString()
	var first, again api.AcceptedBatch
	r := u.must(202, "POST", batchesPath, body, key)
	r.into(t, &first)
	u.must(202, "POST", batchesPath, body, key).into(t, &again)
	if first.Batch.ID != again.Batch.ID || r.header.Get("Location") != batchesPath+"/"+first.Batch.ID.String() || len(again.Batch.Postings) != 2 {
		t.Errorf("batches %v and %v, at %q", first.Batch.ID, again.Batch.ID, r.header.Get("Location"))
	}
	body["language"] = "de"
	u.refused(domain.CodeIdempotencyReused, 422, "POST", batchesPath, body, key)
	u.refused(domain.CodeIdempotencyReused, 422, "POST", "/v1/cv-matcher/match", body, key)
	var list api.Page[api.BatchSummary]
	u.must(200, "GET", batchesPath, nil).into(t, &list)
	if len(list.Items) != 1 || list.Items[0].ID != first.Batch.ID || list.Items[0].Progress.Total != 2 {
		t.Errorf("list = %+v", list)
	}
	u.refused(domain.CodeInvalidCursor, 400, "GET", batchesPath+"?cursor=nonsense", nil)
}

func TestBatchRefusesWhatCannotBeCompared(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.work()
	u := s.newUser()
	posting, cv := u.content("posting", bakerPosting), u.content("cv", bakerCV)
	many := func(n int) (ids []uuid.UUID) {
		for range n {
			ids = append(ids, uuid.New())
		}
		return ids
	}
	ask := func(postings, applicants []uuid.UUID, more ...any) object {
		o := object{"employer_documents": postings, "applicant_documents": applicants}
		for i := 0; i < len(more); i += 2 {
			o[more[i].(string)] = more[i+1]
		}
		return o
	}
	one, two := []uuid.UUID{posting}, []uuid.UUID{cv}
	for name, tt := range map[string]struct {
		code   domain.Code
		status int
		body   object
	}{
		"no posting":          {domain.CodeInvalid, 422, ask(nil, two)},
		"no applicant":        {domain.CodeInvalid, 422, ask(one, []uuid.UUID{})},
		"too many postings":   {domain.CodeInvalid, 422, ask(many(21), two)},
		"too many applicants": {domain.CodeInvalid, 422, ask(one, many(201))},
		"too many judgements": {domain.CodeInvalid, 422, ask(many(10), many(50), "stability", 10)},
		"stability of one":    {domain.CodeInvalid, 422, ask(one, two, "stability", 1)},
		"foreign document":    {domain.CodeNotFound, 404, ask(one, many(1))},
		"foreign project":     {domain.CodeNotFound, 404, ask(one, two, "project_id", uuid.New())},
		"unknown provider":    {domain.CodeProviderUnknown, 422, ask(one, two, "provider", "oracle")},
		"document not ready":  {domain.CodeNotReady, 409, ask(one, []uuid.UUID{u.text("slow").Document.ID})},
	} {
		r := u.refused(tt.code, tt.status, "POST", batchesPath, tt.body)
		if t.Failed() {
			t.Errorf("%s: %s", name, r.body)
		}
	}
	var list api.Page[api.BatchSummary]
	u.must(200, "GET", batchesPath, nil).into(t, &list)
	if len(list.Items) > 0 {
		t.Errorf("refused, and yet there are %+v", list.Items)
	}
}

// TestBatchOutlivesAFailedPosting: the other postings are judged.
func TestBatchOutlivesAFailedPosting(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.workWith(s.matcher())
	u := s.newUser()
	body := object{
		"employer_documents":  []uuid.UUID{u.content("bakery", bakerPosting), u.content("empty", "-\n")},
		"applicant_documents": []uuid.UUID{u.content("baker", bakerCV)},
	}
	var b api.Batch
	u.must(201, "POST", batchesPath, body, "Prefer: wait=300").into(t, &b)
	if b.State != "partial" || b.Ready != 1 || b.Failed != 1 || b.Postings[1].Error == nil || b.Postings[1].Error.Code != "invalid_request" {
		t.Errorf("batch = %+v", b)
	}
	var table api.Table
	u.must(200, "GET", batchesPath+"/"+b.ID.String()+"/table", nil).into(t, &table)
	if c := table.Applicants[0].Cells; c[0].Score == nil || c[1].Score != nil || table.Postings[1].Error == nil {
		t.Errorf("table = %+v", table)
	}
}

// TestBatchStops: cancelling ends what runs and what waits, and deleting leaves
// nothing.
func TestBatchStops(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.workWith(workerFunc(func(ctx context.Context, _ domain.Task) error {
		<-ctx.Done()
		return ctx.Err()
	}))
	u := s.newUser()
	posting, cv := u.content("posting", bakerPosting), u.content("cv", bakerCV)
	body := object{"employer_documents": []uuid.UUID{posting, cv}, "applicant_documents": []uuid.UUID{cv}}
	var a api.AcceptedBatch
	u.must(202, "POST", batchesPath, body, "Prefer: wait=1").into(t, &a)
	path := batchesPath + "/" + a.Batch.ID.String()
	u.refused(domain.CodeTimeout, 504, "POST", "/cv-matcher/batches", object{"employer_documents": []uuid.UUID{posting}, "applicant_documents": []uuid.UUID{cv}}, "Prefer: wait=1")
	u.must(200, "POST", path+"/cancel", nil)
	for _, p := range a.Batch.Postings {
		u.await(p.JobID)
	}
	var b api.Batch
	u.must(200, "GET", path, nil).into(t, &b)
	if b.State != "failed" || b.Postings[0].JobState != "cancelled" || b.Postings[0].Error == nil || b.Postings[0].Error.Code != "cancelled" {
		t.Errorf("cancelled batch = %+v", b)
	}
	u.refused(domain.CodeNotCancel, 409, "POST", path+"/cancel", nil)
	u.must(204, "DELETE", path, nil)
	u.refused(domain.CodeNotFound, 404, "GET", path, nil)
	u.refused(domain.CodeNotFound, 404, "GET", "/v1/cv-matcher/matches/"+b.Postings[0].MatchID.String(), nil)
}

// await follows a job to its end.
func (u *user) await(id uuid.UUID) {
	u.t.Helper()
	u.must(200, "GET", "/v1/jobs/"+id.String()+"/events", nil)
}
