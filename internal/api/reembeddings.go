package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

type reembeddingStore interface {
	PlanReembedding(ctx context.Context, space domain.EmbeddingSpace, scope domain.ReembeddingScope) (domain.ReembeddingPlan, error)
	BeginReembedding(ctx context.Context, r domain.Reembedding, sub domain.Submission) (domain.Job, error)
	Reembedding(ctx context.Context, id uuid.UUID) (domain.Reembedding, error)
	Reembeddings(ctx context.Context, before *uuid.UUID, limit int) ([]domain.Reembedding, error)
	PauseReembedding(ctx context.Context, id uuid.UUID) ([]domain.Job, error)
	CancelReembedding(ctx context.Context, id uuid.UUID) ([]domain.Job, error)
	ResumeReembedding(ctx context.Context, id uuid.UUID, sub domain.Submission) (domain.Job, error)
	Spaces(ctx context.Context) ([]domain.SpaceUse, error)
	Space(ctx context.Context, id int64) (domain.EmbeddingSpace, error)
	DeleteSpace(ctx context.Context, id int64) error
}

// ReembeddingOrder says into which space documents are to be embedded, and which
// of them.
type ReembeddingOrder struct {
	Provider  string `json:"provider,omitempty" maxLength:"50" doc:"The configured one where it is left out" example:"offline"`
	Model     string `json:"model,omitempty" maxLength:"200" doc:"The configured one where it is left out; needed for another provider, except offline" example:"all-minilm"`
	PerMinute int    `json:"passages_per_minute,omitempty" minimum:"0" maximum:"10000000" doc:"At most; 0 for as fast as the model goes"`
	ReembeddingScope
}

// ReembeddingScope narrows a re-embedding. Only a whole one changes what search
// uses; a narrowed one is a beginning of it.
type ReembeddingScope struct {
	UserID     *uuid.UUID `json:"user_id,omitempty" format:"uuid" doc:"Only documents of this user"`
	ProjectID  *uuid.UUID `json:"project_id,omitempty" format:"uuid" doc:"Only documents of this project"`
	DocumentID *uuid.UUID `json:"document_id,omitempty" format:"uuid" doc:"Only this document"`
}

// ReembeddingPlan is what a re-embedding would have to do.
type ReembeddingPlan struct {
	Provider   string   `json:"provider" example:"ollama"`
	Model      string   `json:"model" example:"all-minilm"`
	Dimensions int      `json:"dimensions" example:"384"`
	Documents  int64    `json:"documents" doc:"That are not in the new space yet" example:"1200"`
	Passages   int64    `json:"passages" doc:"That they have in the active space; in the new one there may be more or fewer" example:"48000"`
	Tokens     int64    `json:"tokens" doc:"Estimated: four characters each" example:"6200000"`
	Seconds    *float64 `json:"seconds" nullable:"true" doc:"Estimated from embedding some text now, and from passages_per_minute; null where there is nothing to do" example:"410"`
}

// Reembedding is one embedding of documents into another space.
type Reembedding struct {
	ID         uuid.UUID        `json:"id" format:"uuid"`
	State      string           `json:"state" enum:"running,paused,failed,finished,cancelled" doc:"Paused and failed ones can be resumed"`
	SpaceID    int64            `json:"space_id" doc:"That is built" example:"2"`
	FormerID   *int64           `json:"former_space_id" nullable:"true" doc:"That was active when it began; null once it is deleted" example:"1"`
	Provider   string           `json:"provider" example:"ollama"`
	Model      string           `json:"model" example:"all-minilm"`
	Scope      ReembeddingScope `json:"scope"`
	PerMinute  int              `json:"passages_per_minute"`
	Progress   Progress         `json:"progress" doc:"In documents, of the last attempt"`
	Activated  bool             `json:"activated" doc:"Search uses its space since it finished"`
	Recall     *float64         `json:"recall" nullable:"true" doc:"Share of passages that the space found by their own text, before it was activated" example:"1"`
	Error      *JobError        `json:"error,omitempty" doc:"Of the failure, or of the last attempt"`
	JobID      *uuid.UUID       `json:"job_id" format:"uuid" nullable:"true" doc:"Of the last start; null once its owner is gone"`
	CreatedAt  time.Time        `json:"created_at"`
	FinishedAt *time.Time       `json:"finished_at" nullable:"true"`
}

func toReembedding(r domain.Reembedding) Reembedding {
	return Reembedding{
		ID: r.ID, State: string(r.State), SpaceID: r.Space.ID, FormerID: r.FormerID, Provider: r.Space.Provider, Model: r.Space.Model,
		Scope: ReembeddingScope(r.Scope), PerMinute: r.PerMinute, Progress: Progress(r.Progress), Activated: r.Activated, Recall: r.Recall,
		Error: toJobError(r.Error), JobID: r.JobID, CreatedAt: r.CreatedAt, FinishedAt: r.FinishedAt,
	}
}

// ReembeddingPath names a re-embedding in an address.
type ReembeddingPath struct {
	ID uuid.UUID `path:"reembedding_id" format:"uuid"`
}

func reembeddingPath(id uuid.UUID) string { return "/v1/admin/reembeddings/" + id.String() }

type reembeddingInput struct {
	Body ReembeddingOrder
}

type planOutput struct {
	Body ReembeddingPlan
}

type reembeddingOutput struct {
	Body Reembedding
}

type acceptedReembedding struct {
	Location string `header:"Location" doc:"The re-embedding"`
	Body     Reembedding
}

func (s *server) reembeddingOperations() {
	const path = "/admin/reembeddings"
	missing := []domain.Code{domain.CodeNotFound}
	ended := []domain.Code{domain.CodeNotFound, domain.CodeConflict}
	asking := []domain.Code{
		domain.CodeProviderUnknown, domain.CodeModelNotFound, domain.CodeModelUnavailable,
		domain.CodeModelOverloaded, domain.CodeModelRateLimited, domain.CodeModelTimeout, domain.CodeModelMalformed,
	}
	register(s, endpoint{
		id: "plan-reembedding", method: http.MethodPost, path: path + "/plan", tag: adminTag, admin: true, reads: true,
		summary: "What a re-embedding would cost", description: "Nothing is begun, and no text of a user is sent to the model.", codes: asking,
	}, s.planReembedding)
	register(s, endpoint{
		id: "start-reembedding", method: http.MethodPost, path: path, tag: adminTag, admin: true, status: http.StatusAccepted,
		summary: "Embed all documents with another model",
		description: "The space before serves all the while. When the new one has every document, and finds what is in it, search changes over at once. " +
			"It goes on where an earlier one into the same space ended, and there is one at a time.",
		codes: append(asking, domain.CodeConflict),
	}, s.startReembedding)
	registerList(s, endpoint{
		id: "list-reembeddings", method: http.MethodGet, path: path, tag: adminTag, admin: true,
		summary: "List re-embeddings", codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listReembeddings)
	register(s, endpoint{
		id: "get-reembedding", method: http.MethodGet, path: path + "/{reembedding_id}", tag: adminTag, admin: true,
		summary: "Get a re-embedding", codes: missing,
	}, s.getReembedding)
	register(s, endpoint{
		id: "pause-reembedding", method: http.MethodPost, path: path + "/{reembedding_id}/pause", tag: adminTag, admin: true,
		summary: "Pause a re-embedding", description: "What was embedded stays.", codes: ended,
	}, s.pauseReembedding)
	register(s, endpoint{
		id: "resume-reembedding", method: http.MethodPost, path: path + "/{reembedding_id}/resume", tag: adminTag, admin: true,
		summary: "Let a paused or failed re-embedding go on", codes: ended,
	}, s.resumeReembedding)
	register(s, endpoint{
		id: "cancel-reembedding", method: http.MethodPost, path: path + "/{reembedding_id}/cancel", tag: adminTag, admin: true,
		summary: "Give a re-embedding up", description: "Search is as before. What was embedded stays until its space is deleted.", codes: ended,
	}, s.cancelReembedding)
	register(s, endpoint{
		id: "roll-back-reembedding", method: http.MethodPost, path: path + "/{reembedding_id}/rollback", tag: adminTag, admin: true, status: http.StatusAccepted,
		summary: "Go back to the space before",
		description: "It is a re-embedding into that space, which has everything but what came in since: " +
			"only that is embedded, and then search changes over.",
		codes: ended,
	}, s.rollBackReembedding)
}

// target finds out which space an order means.
func (s *server) target(ctx context.Context, order ReembeddingOrder) (domain.EmbeddingSpace, error) {
	return s.Spaces.Describe(ctx, plain(order.Provider, 50), plain(order.Model, 200))
}

func (s *server) planReembedding(ctx context.Context, in *reembeddingInput) (*planOutput, error) {
	space, err := s.target(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	plan, err := s.Admin.PlanReembedding(ctx, space, domain.ReembeddingScope(in.Body.ReembeddingScope))
	if err != nil {
		return nil, err
	}
	out := ReembeddingPlan{
		Provider: space.Provider, Model: space.Model, Dimensions: space.Dims,
		Documents: plan.Documents, Passages: plan.Chunks, Tokens: plan.Characters / llm.CharsPerToken,
	}
	if plan.Chunks > 0 {
		speed, err := s.Spaces.Speed(ctx, space, int(plan.Characters/plan.Chunks))
		if err != nil {
			return nil, err
		}
		if limit := float64(in.Body.PerMinute) / 60; limit > 0 {
			speed = min(speed, limit)
		}
		out.Seconds = new(math.Ceil(float64(plan.Chunks) / speed))
	}
	return &planOutput{Body: out}, nil
}

func (s *server) startReembedding(ctx context.Context, in *reembeddingInput) (*acceptedReembedding, error) {
	space, err := s.target(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, "reembedding.start", domain.Reembedding{
		Space: space, Scope: domain.ReembeddingScope(in.Body.ReembeddingScope), PerMinute: in.Body.PerMinute,
	})
}

func (s *server) rollBackReembedding(ctx context.Context, in *ReembeddingPath) (*acceptedReembedding, error) {
	done, err := s.Admin.Reembedding(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !done.Activated || done.FormerID == nil {
		return nil, domain.Errorf(domain.CodeConflict, "There is no space to go back to: the re-embedding changed nothing, or the space before was deleted.")
	}
	former, err := s.Admin.Space(ctx, *done.FormerID)
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, "reembedding.rollback", domain.Reembedding{Space: former})
}

// begin submits a re-embedding and answers with it.
func (s *server) begin(ctx context.Context, action string, r domain.Reembedding) (*acceptedReembedding, error) {
	var err error
	if r.ID, err = uuid.NewV7(); err != nil {
		return nil, err
	}
	job, err := s.Admin.BeginReembedding(ctx, r, reembeddingJob(ctx, r.ID))
	if err != nil {
		return nil, err
	}
	s.Engine.Submitted(job)
	begun, err := s.changedReembedding(ctx, r.ID, action)
	if err != nil {
		return nil, err
	}
	return &acceptedReembedding{Location: reembeddingPath(r.ID), Body: begun.Body}, nil
}

func reembeddingJob(ctx context.Context, id uuid.UUID) domain.Submission {
	return domain.Submission{
		UserID: userID(ctx), Kind: domain.KindReembed, Stage: domain.StageReembed, Class: domain.ClassBulk,
		ResourceID: id, Trace: traceparent(ctx),
	}
}

// changedReembedding follows what an administrator did to one.
func (s *server) changedReembedding(ctx context.Context, id uuid.UUID, action string) (*reembeddingOutput, error) {
	r, err := s.Admin.Reembedding(ctx, id)
	if err != nil {
		return nil, err
	}
	shown := toReembedding(r)
	details := map[string]any{"space_id": shown.SpaceID, "provider": shown.Provider, "model": shown.Model, "scope": shown.Scope}
	return &reembeddingOutput{Body: shown}, s.audit(ctx, action, id.String(), details)
}

func (s *server) listReembeddings(ctx context.Context, in *Paging) (Page[Reembedding], error) {
	const list = "reembeddings"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[Reembedding]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Admin.Reembeddings(ctx, before, size)
	return cut(s.cursors, list, userID(ctx), rows, size, func(r domain.Reembedding) uuid.UUID { return r.ID }, toReembedding), err
}

func (s *server) getReembedding(ctx context.Context, in *ReembeddingPath) (*reembeddingOutput, error) {
	r, err := s.Admin.Reembedding(ctx, in.ID)
	return &reembeddingOutput{Body: toReembedding(r)}, err
}

func (s *server) pauseReembedding(ctx context.Context, in *ReembeddingPath) (*reembeddingOutput, error) {
	stopped, err := s.Admin.PauseReembedding(ctx, in.ID)
	return s.stoppedReembedding(ctx, in.ID, "reembedding.pause", stopped, err)
}

func (s *server) cancelReembedding(ctx context.Context, in *ReembeddingPath) (*reembeddingOutput, error) {
	stopped, err := s.Admin.CancelReembedding(ctx, in.ID)
	return s.stoppedReembedding(ctx, in.ID, "reembedding.cancel", stopped, err)
}

// stoppedReembedding follows what stopped one, if it did.
func (s *server) stoppedReembedding(ctx context.Context, id uuid.UUID, action string, stopped []domain.Job, err error) (*reembeddingOutput, error) {
	if err != nil {
		return nil, err
	}
	s.stopped(ctx, stopped, nil)
	return s.changedReembedding(ctx, id, action)
}

func (s *server) resumeReembedding(ctx context.Context, in *ReembeddingPath) (*reembeddingOutput, error) {
	job, err := s.Admin.ResumeReembedding(ctx, in.ID, reembeddingJob(ctx, in.ID))
	if err != nil {
		return nil, err
	}
	s.Engine.Submitted(job)
	return s.changedReembedding(ctx, in.ID, "reembedding.resume")
}
