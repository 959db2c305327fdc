package matching_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/matching"
)

func payrollMatch() *memory {
	store := newMemory()
	store.match = domain.Match{
		ID: uuid.New(), UserID: uuid.New(), Provider: matching.Offline, CreatedAt: now(),
		EmployerDocuments: []uuid.UUID{store.add("posting.txt", postingEN)},
		ApplicantDocuments: []uuid.UUID{
			store.add("gardener.pdf", gardenerCV), store.add("payroll.pdf", payrollCV, payrollCVPage2),
		},
	}
	return store
}

func offline() *model { return &model{name: matching.Offline} }

func TestWorkRanksApplicants(t *testing.T) {
	t.Parallel()
	store := payrollMatch()
	var progress []domain.Progress
	w := matching.NewWorker(store, nil, registry(offline()), matching.Options{})
	task := domain.Task{Lease: domain.Lease{Fence: 3}, Progress: func(p domain.Progress) { progress = append(progress, p) }}
	if err := w.Work(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	m := store.last(t)
	if m.State != domain.MatchReady || m.Judge != domain.JudgeOffline || m.Provider != "offline" || m.Language != "en" {
		t.Errorf("match = %s by %s, %s, %q", m.State, m.Judge, m.Provider, m.Language)
	}
	if store.lease.Fence != 3 {
		t.Errorf("saved under fence %d, want 3", store.lease.Fence)
	}
	if len(m.Candidates) != 2 || m.Candidates[0].Name != "payroll.pdf" || m.Candidates[0].Rank != 1 || m.Candidates[1].Rank != 2 {
		t.Fatalf("candidates = %+v, want payroll first", m.Candidates)
	}
	want := domain.Progress{Done: 2 * len(m.Requirements), Total: 2 * len(m.Requirements), Unit: "requirements"}
	if got := progress[len(progress)-1]; got != want {
		t.Errorf("last progress = %+v, want %+v", got, want)
	}
}

func TestWorkCombinesDocumentsOfOnePerson(t *testing.T) {
	t.Parallel()
	store := payrollMatch()
	store.match.Combine = true
	if err := work(t, store, offline(), matching.Options{}); err != nil {
		t.Fatal(err)
	}
	m := store.last(t)
	if len(m.Candidates) != 1 || len(m.Candidates[0].Documents) != 2 {
		t.Errorf("%d candidates of %d documents, want one of two", len(m.Candidates), len(m.Candidates[0].Documents))
	}
}

func TestWorkAgainComesFromTheCache(t *testing.T) {
	t.Parallel()
	store, llm := bakery(bakerCV), baker()
	for range 2 {
		store.match.ID = uuid.New()
		if err := work(t, store, llm, matching.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := store.saved[0].Candidates[0], store.saved[1].Candidates[0]
	calls := len(llm.requests)
	if !second.Cached {
		t.Error("the second result does not come from the cache")
	}
	second.Cached = false
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("results differ (-first +second):\n%s", diff)
	}

	store.match.ApplicantDocuments = []uuid.UUID{store.add("again.pdf", bakerCV)}
	if err := work(t, store, llm, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(llm.requests) != calls {
		t.Error("the same text under another id was judged again")
	}
	if e := store.last(t).Candidates[0].Verdicts[0].Evidence[0]; e.DocumentID != store.match.ApplicantDocuments[0] || e.Filename != "again.pdf" {
		t.Errorf("evidence points to %v %q, want the new document", e.DocumentID, e.Filename)
	}

	store.match.Language = "de"
	if err := work(t, store, llm, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(llm.requests) == calls {
		t.Error("another language was not judged anew")
	}
}

func TestWorkReadsAPostingOnceForAll(t *testing.T) {
	t.Parallel()
	store, llm := bakery(bakerCV), baker()
	if err := work(t, store, llm, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	store.match.ApplicantDocuments = append(store.match.ApplicantDocuments, store.add("bert.pdf", bakerCV+"Bert\n"))
	if err := work(t, store, llm, matching.Options{}); err != nil {
		t.Fatal(err)
	}
	if n := llm.calls(`"category"`); n != 1 {
		t.Errorf("the posting was read %d times, want once", n)
	}
}

func TestWorkWithDocumentsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	state := func(s domain.DocumentState) func(*memory) {
		return func(m *memory) {
			doc := m.documents[m.match.ApplicantDocuments[0]]
			doc.State = s
			m.documents[doc.ID] = doc
		}
	}
	tests := map[string]struct {
		change func(*memory)
		want   domain.Code
	}{
		"pending":      {state(domain.DocumentPending), domain.CodeNotReady},
		"uploading":    {state(domain.DocumentUploading), domain.CodeNotReady},
		"failed":       {state(domain.DocumentFailed), domain.CodeInvalid},
		"deleted":      {func(m *memory) { m.match.ApplicantDocuments[0] = uuid.New() }, domain.CodeNotFound},
		"without text": {func(m *memory) { m.match.ApplicantDocuments[0] = m.add("scan.pdf", " ") }, domain.CodeEmptyDocument},
		"no applicant": {func(m *memory) { m.match.ApplicantDocuments = nil }, domain.CodeInvalid},
		"no provider":  {func(m *memory) { m.match.Provider = "nowhere" }, domain.CodeProviderUnknown},
		"no demands":   {func(m *memory) { m.match.EmployerDocuments[0] = m.add("x.txt", "-") }, domain.CodeInvalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := payrollMatch()
			tt.change(store)
			err := work(t, store, offline(), matching.Options{})
			if got := domain.CodeOf(err); got != tt.want {
				t.Errorf("error = %v, want code %s", err, tt.want)
			}
			if len(store.saved) > 0 {
				t.Error("a match that failed was saved")
			}
		})
	}
}

func TestWorkAcceptsPartialDocuments(t *testing.T) {
	t.Parallel()
	store := payrollMatch()
	doc := store.documents[store.match.ApplicantDocuments[0]]
	doc.State = domain.DocumentPartial
	store.documents[doc.ID] = doc
	if err := work(t, store, offline(), matching.Options{}); err != nil {
		t.Fatal(err)
	}
}

func TestWorkStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	store := payrollMatch()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := matching.NewWorker(store, nil, registry(offline()), matching.Options{})
	if err := w.Work(ctx, domain.Task{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}
