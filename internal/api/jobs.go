package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// Job is one thing the user asked for.
type Job struct {
	ID              uuid.UUID  `json:"id" format:"uuid"`
	Kind            string     `json:"kind" enum:"ingest,match,chat,story,reembed" doc:"What was asked for"`
	Stage           string     `json:"stage" enum:"extract,embed,match,chat,story,reembed" doc:"Where it stands"`
	Class           string     `json:"class" enum:"interactive,standard,bulk"`
	State           string     `json:"state" enum:"queued,dispatched,running,succeeded,failed,cancelled" doc:"The last three are final"`
	ProjectID       *uuid.UUID `json:"project_id" format:"uuid" nullable:"true"`
	Resource        Resource   `json:"resource" doc:"What the job makes"`
	Progress        Progress   `json:"progress"`
	Attempts        int        `json:"attempts" doc:"Of this stage, the running one included"`
	MaxAttempts     int        `json:"max_attempts"`
	CancelRequested bool       `json:"cancel_requested"`
	QueuePosition   *int       `json:"queue_position" doc:"Jobs that run before it; null once it runs"`
	ETASeconds      *float64   `json:"eta_seconds" doc:"Estimated seconds until it is done; null where not known"`
	Error           *JobError  `json:"error,omitempty" doc:"Of the failure, or of the last attempt"`
	EventSeq        int64      `json:"event_seq" doc:"Of the newest event"`
	CreatedAt       time.Time  `json:"created_at"`
	RunAt           time.Time  `json:"run_at" doc:"When it may run, as after a failed attempt"`
	StartedAt       *time.Time `json:"started_at"`
	FinishedAt      *time.Time `json:"finished_at"`
}

// Resource is where the result of a job is.
type Resource struct {
	Type string    `json:"type" enum:"document,match,chat,question,refinement,reembedding"`
	ID   uuid.UUID `json:"id" format:"uuid"`
	Href string    `json:"href" example:"/v1/documents/0198c5b1-0000-7000-8000-000000000000"`
}

// Progress counts what a running attempt has done; total 0 is not known.
type Progress struct {
	Done  int    `json:"done"`
	Total int    `json:"total"`
	Unit  string `json:"unit" example:"pages"`
}

// JobError says why something failed.
type JobError struct {
	Code   string `json:"code" example:"document_encrypted"`
	Detail string `json:"detail" example:"The document is encrypted."`
	Hint   string `json:"hint,omitempty" example:"Upload a copy without a password."`
}

func toJobError(e *domain.JobError) *JobError {
	if e == nil {
		return nil
	}
	return &JobError{Code: string(e.Code), Detail: e.Detail, Hint: e.Hint}
}

func toJob(j domain.Job) Job {
	return Job{
		ID: j.ID, Kind: string(j.Kind), Stage: string(j.Stage), Class: string(j.Class), State: string(j.State),
		ProjectID: j.ProjectID, Resource: resourceOf(j), Progress: Progress(j.Progress),
		Attempts: j.Attempt, MaxAttempts: j.MaxAttempts, CancelRequested: j.CancelRequested,
		Error: toJobError(j.Error), EventSeq: j.EventSeq,
		CreatedAt: j.CreatedAt, RunAt: j.RunAt, StartedAt: j.StartedAt, FinishedAt: j.FinishedAt,
	}
}

func resourceOf(j domain.Job) Resource {
	switch j.Kind {
	case domain.KindMatch:
		return Resource{Type: "match", ID: j.ResourceID, Href: matchPath(j.ResourceID)}
	case domain.KindChat:
		return Resource{Type: "chat", ID: j.ResourceID, Href: chatMessagePath(j)}
	case domain.KindStory:
		return storyResource(j)
	case domain.KindReembed:
		return Resource{Type: "reembedding", ID: j.ResourceID, Href: reembeddingPath(j.ResourceID)}
	}
	return Resource{Type: "document", ID: j.ResourceID, Href: documentPath(j.ResourceID)}
}

func jobPath(id uuid.UUID) string      { return "/v1/jobs/" + id.String() }
func documentPath(id uuid.UUID) string { return "/v1/documents/" + id.String() }
func matchPath(id uuid.UUID) string    { return "/v1/cv-matcher/matches/" + id.String() }

func chatMessagePath(j domain.Job) string {
	if j.ProjectID == nil {
		return ""
	}
	return "/v1/chat/" + j.ProjectID.String() + "/messages/" + j.ResourceID.String()
}

// JobPath names a job in an address.
type JobPath struct {
	ID uuid.UUID `path:"job_id" format:"uuid"`
}

type jobsInput struct {
	Paging
	State string `query:"state" enum:"queued,dispatched,running,succeeded,failed,cancelled"`
	Kind  string `query:"kind" enum:"ingest,match,chat,story,reembed"`
}

type getJobInput struct {
	JobPath
	IfNoneMatch string `header:"If-None-Match" doc:"The ETag of an earlier reply; 304 when nothing changed"`
}

type jobOutput struct {
	Status     int
	ETag       string `header:"ETag"`
	Cache      string `header:"Cache-Control" hidden:"true"`
	RetryAfter string `header:"Retry-After" doc:"Seconds until it is worth asking again; absent once the job is final"`
	Body       Job
}

// notModified answers a reader who has the newest state.
var notModified = &huma.Response{Description: "Not modified: If-None-Match names the newest state"}

func (s *server) jobOperations() {
	const tag = "jobs"
	missing := []domain.Code{domain.CodeNotFound}
	registerList(s, endpoint{
		id: "list-jobs", scope: domain.ScopeJobs, method: http.MethodGet, path: "/jobs", tag: tag, summary: "List my jobs",
		codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listJobs)
	register(s, endpoint{
		id: "get-job", scope: domain.ScopeJobs, method: http.MethodGet, path: "/jobs/{job_id}", tag: tag, summary: "Get a job", codes: missing,
		responses: map[string]*huma.Response{"304": notModified},
	}, s.getJob)
	register(s, endpoint{
		id: "cancel-job", scope: domain.ScopeJobs, method: http.MethodPost, path: "/jobs/{job_id}/cancel", tag: tag, summary: "Cancel a job",
		description: "A job that waits is cancelled at once; a running one is asked to stop and is final a moment later.",
		codes:       append(missing, domain.CodeNotCancel),
	}, s.cancelJob)
	register(s, endpoint{
		id: "retry-job", scope: domain.ScopeJobs, method: http.MethodPost, path: "/jobs/{job_id}/retry", tag: tag, summary: "Try a failed job again",
		codes: append(missing, domain.CodeNotRetryable),
	}, s.retryJob)
	s.eventOperations()
}

func (s *server) listJobs(ctx context.Context, in *jobsInput) (Page[Job], error) {
	const list = "jobs"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[Job]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Store.Jobs(ctx, userID(ctx), postgres.JobFilter{
		State: domain.State(in.State), Kind: domain.Kind(in.Kind), Before: before, Limit: size,
	})
	return cut(s.cursors, list, userID(ctx), rows, size, func(j domain.Job) uuid.UUID { return j.ID }, toJob), err
}

func (s *server) getJob(ctx context.Context, in *getJobInput) (*jobOutput, error) {
	job, err := s.Store.Job(ctx, userID(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := s.jobReply(ctx, job)
	if matchesETag(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

func (s *server) cancelJob(ctx context.Context, in *JobPath) (*jobOutput, error) {
	job, err := s.Store.RequestCancel(ctx, userID(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	s.Engine.Cancelled(context.WithoutCancel(ctx), []domain.Job{job})
	return s.jobReply(ctx, job), nil
}

func (s *server) retryJob(ctx context.Context, in *JobPath) (*jobOutput, error) {
	job, err := s.Store.RetryJob(ctx, userID(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	s.Engine.Submitted(job)
	return s.jobReply(ctx, job), nil
}

func (s *server) jobReply(ctx context.Context, job domain.Job) *jobOutput {
	shown := s.showJob(ctx, job)
	out := &jobOutput{Status: http.StatusOK, Body: shown, Cache: "private, no-cache", ETag: jobETag(shown)}
	if !job.State.Terminal() {
		out.RetryAfter = askAgain
	}
	return out
}

// showJob adds what is known of a job beyond its row. The job is shown without
// where that cannot be had: the estimate is not worth an error.
func (s *server) showJob(ctx context.Context, job domain.Job) Job {
	shown := toJob(job)
	if job.State.Terminal() {
		return shown
	}
	position, eta, err := s.Engine.Position(ctx, job)
	if err != nil {
		s.log.WarnContext(ctx, "no queue position", "job_id", job.ID, "error", err)
		return shown
	}
	shown.ETASeconds = eta
	if job.State != domain.StateRunning {
		shown.QueuePosition = &position
	}
	return shown
}

// jobETag changes with each event and each place in the queue. It is weak: the
// estimate moves between them.
func jobETag(j Job) string {
	if j.QueuePosition == nil {
		return fmt.Sprintf(`W/"%d"`, j.EventSeq)
	}
	return fmt.Sprintf(`W/"%d-%d"`, j.EventSeq, *j.QueuePosition)
}

// matchesETag compares weakly, as If-None-Match asks for.
func matchesETag(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || candidate != "" && strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
