package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// BatchStore is what batches need of the truth.
type BatchStore interface {
	CreateBatch(ctx context.Context, b domain.Batch, subs []domain.Submission) (domain.Batch, error)
	ReplayBatch(ctx context.Context, sub domain.Submission) (domain.Batch, error)
	Batch(ctx context.Context, userID, id uuid.UUID) (domain.Batch, error)
	Batches(ctx context.Context, userID uuid.UUID, projectID, before *uuid.UUID, limit int) ([]domain.Batch, error)
	BatchCells(ctx context.Context, userID, id uuid.UUID) ([]domain.BatchCell, error)
	CancelBatch(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error)
	DeleteBatch(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error)
	DocumentNames(ctx context.Context, userID uuid.UUID, ids []uuid.UUID) (map[uuid.UUID]string, error)
}

// NewBatch asks to compare the same applicants with several postings.
type NewBatch struct {
	EmployerDocuments  []uuid.UUID `json:"employer_documents" minItems:"1" maxItems:"20" doc:"Each is a posting of its own" example:"[\"0198c5b1-0000-7000-8000-000000000002\"]"`
	ApplicantDocuments []uuid.UUID `json:"applicant_documents" minItems:"1" maxItems:"200" doc:"Each is an applicant of its own" example:"[\"0198c5b1-0000-7000-8000-000000000003\"]"`
	MatchOptions
}

// Batch compares the same applicants with several postings.
type Batch struct {
	BatchSummary
	ApplicantDocuments []uuid.UUID    `json:"applicant_documents" example:"[\"0198c5b1-0000-7000-8000-000000000003\"]"`
	Postings           []BatchPosting `json:"postings" doc:"In the order handed in"`
}

// BatchSummary is a batch without its postings.
type BatchSummary struct {
	ID        uuid.UUID  `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000004"`
	UserID    uuid.UUID  `json:"user_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000005"`
	ProjectID *uuid.UUID `json:"project_id" format:"uuid" nullable:"true" example:"0198c5b1-0000-7000-8000-000000000001"`
	State     string     `json:"state" enum:"pending,ready,partial,failed" doc:"pending while a match is; partial when it is done and some of the matches failed" example:"ready"`
	Progress  Progress   `json:"progress" doc:"Postings that are done, failed ones included"`
	Ready     int        `json:"ready" doc:"Postings that were judged" example:"3"`
	Failed    int        `json:"failed" doc:"Postings whose match failed" example:"0"`
	CreatedAt time.Time  `json:"created_at"`
}

// BatchPosting is one posting of a batch: a match with a job of its own.
type BatchPosting struct {
	MatchID          uuid.UUID `json:"match_id" format:"uuid" doc:"Has the verdicts, see /v1/cv-matcher/matches" example:"0198c5b1-0000-7000-8000-000000000006"`
	EmployerDocument uuid.UUID `json:"employer_document" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000002"`
	JobID            uuid.UUID `json:"job_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000007"`
	JobState         string    `json:"job_state" enum:"queued,dispatched,running,succeeded,failed,cancelled" example:"succeeded"`
	State            string    `json:"state" enum:"pending,ready,failed" example:"ready"`
	Progress         Progress  `json:"progress"`
	JobTitle         string    `json:"job_title" example:"Payroll clerk"`
	Judge            string    `json:"judge" doc:"llm or offline; empty until it is done" example:"offline"`
	Error            *JobError `json:"error,omitempty"`
}

// AcceptedBatch is a batch that jobs will work.
type AcceptedBatch struct {
	Batch Batch `json:"batch"`
}

func toBatchSummary(b domain.Batch) BatchSummary {
	return BatchSummary{
		ID: b.ID, UserID: b.UserID, ProjectID: b.ProjectID, State: string(b.State()),
		Progress: Progress{Done: b.Ready + b.Failed, Total: b.Total(), Unit: "postings"},
		Ready:    b.Ready, Failed: b.Failed, CreatedAt: b.CreatedAt,
	}
}

func toBatch(b domain.Batch) Batch {
	shown := Batch{BatchSummary: toBatchSummary(b), ApplicantDocuments: notNil(applicantsOf(b)), Postings: []BatchPosting{}}
	for _, m := range b.Matches {
		shown.Postings = append(shown.Postings, BatchPosting{
			MatchID: m.ID, EmployerDocument: m.EmployerDocuments[0], JobID: m.Job.ID, JobState: string(m.Job.State),
			State: string(m.State), Progress: Progress(m.Job.Progress), JobTitle: m.JobTitle, Judge: string(m.Judge),
			Error: toJobError(m.Error),
		})
	}
	return shown
}

// applicantsOf are those that every match of a batch compares.
func applicantsOf(b domain.Batch) []uuid.UUID {
	if len(b.Matches) == 0 {
		return nil
	}
	return b.Matches[0].ApplicantDocuments
}

type batchInput struct {
	Submission
	Body NewBatch
}

// BatchPath names a batch in an address.
type BatchPath struct {
	ID uuid.UUID `path:"batch_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000004"`
}

type batchOutput struct {
	Body Batch
}

func (s *server) batchOperations() {
	const tag, path = "cv-matcher", "/cv-matcher/batches/{batch_id}"
	missing := []domain.Code{domain.CodeNotFound}
	register(s, endpoint{
		id: "create-batch", scope: domain.ScopeMatches, method: http.MethodPost, path: "/cv-matcher/batches", tag: tag, summary: "Compare applicants with several postings",
		description: "Each posting is a match of its own, worked by a job of its own: one that fails leaves the others alone.",
		codes: []domain.Code{
			domain.CodeNotFound, domain.CodeIdempotencyReused, domain.CodeNotReady, domain.CodeProviderUnknown,
		},
		status: http.StatusAccepted,
		responses: map[string]*huma.Response{
			"202": respond[AcceptedBatch](s, "Accepted: jobs will do it. Location is the batch."),
			"201": respond[Batch](s, "Done: with `Prefer: wait` and all postings finished in time, whether judged or failed."),
		},
	}, s.createBatch)
	registerList(s, endpoint{
		id: "list-batches", scope: domain.ScopeMatches, method: http.MethodGet, path: "/cv-matcher/batches", tag: tag, summary: "List my batches",
		description: "Without their postings.", codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listBatches)
	register(s, endpoint{id: "get-batch", scope: domain.ScopeMatches, method: http.MethodGet, path: path, tag: tag, summary: "Get a batch", codes: missing}, s.getBatch)
	register(s, endpoint{
		id: "cancel-batch", scope: domain.ScopeMatches, method: http.MethodPost, path: path + "/cancel", tag: tag, summary: "Stop a batch",
		description: "Stops the jobs that have not ended. What was judged stays.",
		codes:       []domain.Code{domain.CodeNotFound, domain.CodeNotCancel},
	}, s.cancelBatch)
	register(s, endpoint{
		id: "delete-batch", scope: domain.ScopeMatches, method: http.MethodDelete, path: path, tag: tag, summary: "Delete a batch",
		description: "With its matches, and stops their jobs.", status: http.StatusNoContent, codes: missing,
	}, s.deleteBatch)
	s.batchTableOperation()
}

func (s *server) createBatch(ctx context.Context, in *batchInput) (*submitted, error) {
	sub, err := batchSubmission(ctx, in)
	if err != nil {
		return nil, err
	}
	b, err := s.Batches.ReplayBatch(ctx, sub)
	if domain.CodeOf(err) == domain.CodeNotFound {
		b, err = s.submitBatch(ctx, in.Body, sub)
	}
	if err != nil {
		return nil, err
	}
	for _, m := range b.Matches {
		s.Engine.Submitted(m.Job)
	}
	return s.followBatch(ctx, in.Submission, b)
}

func batchSubmission(ctx context.Context, in *batchInput) (domain.Submission, error) {
	hash, err := requestHash("batch", in.Body)
	return domain.Submission{
		UserID: userID(ctx), ProjectID: in.Body.ProjectID, Kind: domain.KindMatch, Stage: domain.StageMatch, Class: domain.ClassBulk,
		IdempotencyKey: in.IdempotencyKey, RequestHash: hash, Trace: traceparent(ctx),
	}, err
}

// submitBatch makes a match and a job for each posting.
func (s *server) submitBatch(ctx context.Context, n NewBatch, sub domain.Submission) (domain.Batch, error) {
	b, err := n.toBatch(sub.UserID)
	if err != nil {
		return b, err
	}
	all := b.Matches[0].Match
	all.EmployerDocuments = unique(n.EmployerDocuments)
	if err := s.matchable(ctx, all); err != nil {
		return b, err
	}
	if sub.Args, err = postgres.BatchArgs(b.ID); err != nil {
		return b, err
	}
	var subs []domain.Submission
	for i := range b.Matches {
		sub.ResourceID = b.Matches[i].ID
		subs = append(subs, sub)
		sub.IdempotencyKey, sub.RequestHash = "", nil
	}
	return s.Batches.CreateBatch(ctx, b, subs)
}

// toBatch makes the matches, with ids in the order handed in.
func (n NewBatch) toBatch(user uuid.UUID) (domain.Batch, error) {
	postings, applicants := unique(n.EmployerDocuments), unique(n.ApplicantDocuments)
	b := domain.Batch{UserID: user, ProjectID: n.ProjectID}
	if err := affordable(n.Stability, len(applicants), len(postings)); err != nil {
		return b, err
	}
	var err error
	if b.ID, err = uuid.NewV7(); err != nil {
		return b, err
	}
	for _, posting := range postings {
		m := n.options(user)
		m.BatchID, m.EmployerDocuments, m.ApplicantDocuments = &b.ID, []uuid.UUID{posting}, applicants
		if m.ID, err = uuid.NewV7(); err != nil {
			return b, err
		}
		b.Matches = append(b.Matches, domain.BatchMatch{Match: m})
	}
	return b, nil
}

// maxJudgements bounds what one request may ask for.
const maxJudgements = 4000

// affordable refuses more judgements than one request may ask for.
func affordable(stability, applicants, postings int) error {
	if n := max(1, stability) * applicants * postings; n > maxJudgements {
		return invalid("body.stability", fmt.Sprintf("together with the documents asks for %d judgements; at most %d are made at once", n, maxJudgements))
	}
	return nil
}

// followBatch answers, after waiting where that is wanted.
func (s *server) followBatch(ctx context.Context, in Submission, b domain.Batch) (*submitted, error) {
	wait, preference := waiting(ctx, in.Prefer)
	out := &submitted{Status: http.StatusAccepted, Location: batchPath(b.ID), RetryAfter: askAgain}
	if wait > 0 {
		var err error
		if b, err = s.awaitBatch(unbounded(ctx), b, wait); err != nil {
			return nil, err
		}
		out.PreferenceApplied = preference
	}
	switch {
	case wait > 0 && b.State() != domain.BatchPending:
		out.Status, out.RetryAfter, out.Body = http.StatusCreated, "", toBatch(b)
		return out, nil
	case wait > 0 && atRoot(ctx):
		p := newProblem(domain.CodeTimeout, "It is not done yet, but nothing is lost: the jobs go on. Ask for the batch at the address in Location.")
		p.headers.Set("Location", batchPath(b.ID))
		p.headers.Set("Retry-After", askAgain)
		return nil, p
	}
	out.Body = AcceptedBatch{Batch: toBatch(b)}
	return out, nil
}

func batchPath(id uuid.UUID) string { return "/v1/cv-matcher/batches/" + id.String() }

// awaitBatch returns the batch when it is done or the time is up.
func (s *server) awaitBatch(ctx context.Context, b domain.Batch, wait time.Duration) (domain.Batch, error) {
	hints, cancel := s.Engine.Subscribe(b.UserID, nil)
	defer cancel()
	return awaitDone(ctx, s, hints, wait, b,
		func(ctx context.Context) (domain.Batch, error) { return s.Batches.Batch(ctx, b.UserID, b.ID) },
		func(now domain.Batch) bool { return now.State() != domain.BatchPending })
}

func (s *server) listBatches(ctx context.Context, in *matchesInput) (Page[BatchSummary], error) {
	const list = "batches"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[BatchSummary]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Batches.Batches(ctx, userID(ctx), in.ProjectID.get(), before, size)
	return cut(s.cursors, list, userID(ctx), rows, size, func(b domain.Batch) uuid.UUID { return b.ID }, toBatchSummary), err
}

func (s *server) getBatch(ctx context.Context, in *BatchPath) (*batchOutput, error) {
	b, err := s.Batches.Batch(ctx, userID(ctx), in.ID)
	return &batchOutput{Body: toBatch(b)}, err
}

func (s *server) cancelBatch(ctx context.Context, in *BatchPath) (*batchOutput, error) {
	stopped, err := s.Batches.CancelBatch(ctx, userID(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if len(stopped) == 0 {
		return nil, domain.Errorf(domain.CodeNotCancel, "All jobs of the batch have ended already.")
	}
	s.stopped(ctx, stopped, nil)
	return s.getBatch(ctx, in)
}

func (s *server) deleteBatch(ctx context.Context, in *BatchPath) (*struct{}, error) {
	stopped, err := s.Batches.DeleteBatch(ctx, userID(ctx), in.ID)
	s.stopped(ctx, stopped, err)
	return nil, err
}
