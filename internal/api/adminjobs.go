package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

type jobStore interface {
	SelectJobs(ctx context.Context, selection postgres.JobSelection, before *uuid.UUID, limit int) ([]postgres.OwnedJob, error)
	AnyJob(ctx context.Context, id uuid.UUID) (postgres.OwnedJob, error)
	Attempts(ctx context.Context, jobID uuid.UUID, limit int) ([]postgres.Attempt, error)
	CountJobs(ctx context.Context, action postgres.JobAction, selection postgres.JobSelection) (int64, error)
	ChangeJobs(ctx context.Context, action postgres.JobAction, selection postgres.JobSelection, done func([]domain.Job)) (int64, error)
}

// OwnedJob is a job as operators see it.
type OwnedJob struct {
	Job
	UserID      uuid.UUID  `json:"user_id" format:"uuid"`
	Email       string     `json:"email" doc:"Of its owner" example:"ada@example.org"`
	Worker      string     `json:"worker" doc:"Who runs it, else empty" example:"extract-host-4711-0198c5b1"`
	DiscardedAt *time.Time `json:"discarded_at" nullable:"true" doc:"When the failed job was given up"`
}

func toOwnedJob(j postgres.OwnedJob) OwnedJob {
	return OwnedJob{Job: toJob(j.Job), UserID: j.UserID, Email: j.Email, Worker: j.Worker, DiscardedAt: j.DiscardedAt}
}

// JobEntry is one event of a job's history.
type JobEntry struct {
	Seq  int64     `json:"seq" doc:"From 1, without gaps" example:"1"`
	Type string    `json:"type" example:"state"`
	At   time.Time `json:"at"`
	Data Object    `json:"data"`
}

// Attempt is one that ended.
type Attempt struct {
	Number     int       `json:"number" doc:"Within its stage; free attempts do not count" example:"1"`
	Stage      string    `json:"stage" enum:"extract,embed,match,chat,story,reembed"`
	Worker     string    `json:"worker" example:"extract-host-4711-0198c5b1"`
	Outcome    string    `json:"outcome" enum:"succeeded,retried,failed,cancelled"`
	ErrorCode  string    `json:"error_code,omitempty" example:"model_timeout"`
	Seconds    float64   `json:"seconds" example:"2.4"`
	FinishedAt time.Time `json:"finished_at"`
}

// JobHistory is a job with all that happened to it.
type JobHistory struct {
	Job      OwnedJob   `json:"job"`
	Events   []JobEntry `json:"events" doc:"Oldest first, at most 1,000"`
	Attempts []Attempt  `json:"attempts" doc:"Oldest first, at most 1,000; the running one is not among them"`
}

const historyLimit = 1000

type ownedJobsInput struct {
	Paging
	State         string     `query:"state" enum:"queued,dispatched,running,succeeded,failed,cancelled"`
	Stage         string     `query:"stage" enum:"extract,embed,match,chat,story,reembed"`
	Kind          string     `query:"kind" enum:"ingest,match,chat,story,reembed"`
	Class         string     `query:"class" enum:"interactive,standard,bulk"`
	UserID        optionalID `query:"user_id" format:"uuid"`
	ResourceID    optionalID `query:"resource_id" format:"uuid" doc:"The document, match or text it makes"`
	ErrorCode     string     `query:"error_code" maxLength:"100" example:"model_timeout"`
	Discarded     string     `query:"discarded" enum:"true,false" doc:"With state=failed, false lists the dead letters"`
	CreatedAfter  time.Time  `query:"created_after" doc:"Or at that time" example:"2026-01-01T00:00:00Z"`
	CreatedBefore time.Time  `query:"created_before" example:"2026-02-01T00:00:00Z"`
}

func (in ownedJobsInput) selection() postgres.JobSelection {
	return postgres.JobSelection{
		State: domain.State(in.State), Stage: domain.Stage(in.Stage), Kind: domain.Kind(in.Kind), Class: domain.Class(in.Class),
		UserID: in.UserID.get(), ResourceID: in.ResourceID.get(), ErrorCode: domain.Code(in.ErrorCode), Discarded: flag(in.Discarded),
		CreatedAfter: moment(in.CreatedAfter), CreatedBefore: moment(in.CreatedBefore),
	}
}

// moment reads a time that may be left out.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// JobSelection picks jobs: those for which all that is given holds.
type JobSelection struct {
	All           bool        `json:"all,omitempty" doc:"Needed where nothing else narrows the selection"`
	DryRun        bool        `json:"dry_run,omitempty" doc:"Only count"`
	IDs           []uuid.UUID `json:"ids,omitempty" format:"uuid" maxItems:"10000"`
	State         string      `json:"state,omitempty" enum:"queued,dispatched,running,succeeded,failed,cancelled"`
	Stage         string      `json:"stage,omitempty" enum:"extract,embed,match,chat,story,reembed" example:"extract"`
	Kind          string      `json:"kind,omitempty" enum:"ingest,match,chat,story,reembed"`
	Class         string      `json:"class,omitempty" enum:"interactive,standard,bulk"`
	UserID        *uuid.UUID  `json:"user_id,omitempty" format:"uuid"`
	ResourceID    *uuid.UUID  `json:"resource_id,omitempty" format:"uuid" doc:"The document, match or text it makes"`
	ErrorCode     string      `json:"error_code,omitempty" maxLength:"100" example:"model_timeout"`
	Discarded     *bool       `json:"discarded,omitempty" doc:"Retrying leaves discarded jobs out unless this is true or ids are given"`
	CreatedAfter  *time.Time  `json:"created_after,omitempty" doc:"Or at that time"`
	CreatedBefore *time.Time  `json:"created_before,omitempty"`
}

func (j JobSelection) selection() (postgres.JobSelection, error) {
	selection := postgres.JobSelection{
		IDs: j.IDs, State: domain.State(j.State), Stage: domain.Stage(j.Stage), Kind: domain.Kind(j.Kind), Class: domain.Class(j.Class),
		UserID: j.UserID, ResourceID: j.ResourceID, ErrorCode: domain.Code(j.ErrorCode), Discarded: j.Discarded,
		CreatedAfter: j.CreatedAfter, CreatedBefore: j.CreatedBefore,
	}
	if j.IDs != nil && len(j.IDs) == 0 {
		return selection, invalid("body.ids", "must name a job")
	}
	if !j.All && !j.narrows() {
		return selection, invalid("body", "must select jobs, or say `all`")
	}
	return selection, nil
}

// narrows reports whether anything is selected by.
func (j JobSelection) narrows() bool {
	named := j.State + j.Stage + j.Kind + j.Class + j.ErrorCode
	return named != "" || len(j.IDs) > 0 || j.UserID != nil || j.ResourceID != nil || j.CreatedAfter != nil || j.CreatedBefore != nil
}

// recordedIDs is how many ids of a selection the audit log repeats.
const recordedIDs = 100

// record is what the audit log keeps of a call, and the one job it names.
func (j JobSelection) record(count int64, failure error) (target string, details map[string]any) {
	if len(j.IDs) == 1 {
		target = j.IDs[0].String()
	}
	details = map[string]any{"count": count, "ids": len(j.IDs)}
	if len(j.IDs) > recordedIDs {
		j.IDs = j.IDs[:recordedIDs]
	}
	details["selection"] = j
	if failure != nil {
		details["incomplete"] = true
	}
	return target, details
}

// Changed says how many jobs there were.
type Changed struct {
	Count  int64 `json:"count" doc:"Jobs that were changed; with dry_run those that would be" example:"120000"`
	DryRun bool  `json:"dry_run"`
}

type changeJobsInput struct {
	Body JobSelection
}

type changedOutput struct {
	Body Changed
}

type jobHistoryOutput struct {
	Body JobHistory
}

func (s *server) ownedJobOperations() {
	registerList(s, endpoint{
		id: "list-all-jobs", method: http.MethodGet, path: "/admin/jobs", tag: adminTag, summary: "List the jobs of all users",
		admin: true, codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listOwnedJobs)
	register(s, endpoint{
		id: "get-job-history", method: http.MethodGet, path: "/admin/jobs/{job_id}", tag: adminTag, summary: "Get a job with its history",
		admin: true, codes: []domain.Code{domain.CodeNotFound},
	}, s.getJobHistory)
	s.jobAction("retry-jobs", postgres.RetryJobs, "Try failed jobs again",
		"They have all their attempts again, and what they make is pending again.")
	s.jobAction("cancel-jobs", postgres.CancelJobs, "Cancel jobs",
		"Those that wait are cancelled at once; running ones are asked to stop and are final a moment later.")
	s.jobAction("discard-jobs", postgres.DiscardJobs, "Give up failed jobs",
		"They stay failed, with what they made, and are no dead letters any more. Their owners can still try them again.")
}

// jobAction mounts an action on many jobs. It takes as long as it takes: what
// was done stays done when the caller hangs up.
func (s *server) jobAction(id string, action postgres.JobAction, summary, description string) {
	register(s, endpoint{
		id: id, method: http.MethodPost, path: "/admin/jobs/" + action.String(), tag: adminTag, summary: summary,
		description: description + " Applies to all jobs of the selection, however many, oldest first, in batches: " +
			"what was done stays done when the caller hangs up.",
		admin: true, timeout: -1,
	}, func(ctx context.Context, in *changeJobsInput) (*changedOutput, error) {
		return s.changeJobs(ctx, action, in.Body)
	})
}

func (s *server) listOwnedJobs(ctx context.Context, in *ownedJobsInput) (Page[OwnedJob], error) {
	const list = "all-jobs"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[OwnedJob]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Admin.SelectJobs(ctx, in.selection(), before, size)
	return cut(s.cursors, list, userID(ctx), rows, size, func(j postgres.OwnedJob) uuid.UUID { return j.ID }, toOwnedJob), err
}

func (s *server) getJobHistory(ctx context.Context, in *JobPath) (*jobHistoryOutput, error) {
	job, err := s.Admin.AnyJob(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	events, err := s.Store.JobEvents(ctx, in.ID, 0, historyLimit)
	if err != nil {
		return nil, err
	}
	attempts, err := s.Admin.Attempts(ctx, in.ID, historyLimit)
	out := &jobHistoryOutput{Body: JobHistory{
		Job: toOwnedJob(job), Events: make([]JobEntry, len(events)), Attempts: make([]Attempt, len(attempts)),
	}}
	out.Body.Job.Job = s.showJob(ctx, job.Job)
	for i, e := range events {
		out.Body.Events[i] = JobEntry{Seq: e.Seq, Type: e.Type, At: e.CreatedAt, Data: Object{e.Data}}
	}
	for i, a := range attempts {
		out.Body.Attempts[i] = Attempt{
			Number: a.Number, Stage: string(a.Stage), Worker: a.Worker, Outcome: a.Outcome,
			ErrorCode: string(a.ErrorCode), Seconds: a.Seconds, FinishedAt: a.FinishedAt,
		}
	}
	return out, err
}

func (s *server) changeJobs(ctx context.Context, action postgres.JobAction, body JobSelection) (*changedOutput, error) {
	selection, err := body.selection()
	if err != nil {
		return nil, err
	}
	if body.DryRun {
		count, err := s.Admin.CountJobs(ctx, action, selection)
		return &changedOutput{Body: Changed{Count: count, DryRun: true}}, err
	}
	count, failure := s.Admin.ChangeJobs(ctx, action, selection, func(batch []domain.Job) { s.follows(ctx, action, batch) })
	target, details := body.record(count, failure)
	if err := s.audit(context.WithoutCancel(ctx), "jobs."+action.String(), target, details); err != nil {
		return nil, err
	}
	return &changedOutput{Body: Changed{Count: count}}, failure
}

// follows tells the engine what a batch of an action committed.
func (s *server) follows(ctx context.Context, action postgres.JobAction, batch []domain.Job) {
	switch action {
	case postgres.RetryJobs:
		for _, job := range batch {
			s.Engine.Submitted(job)
		}
	case postgres.CancelJobs:
		s.stopped(ctx, batch, nil)
	}
}
