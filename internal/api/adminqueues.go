package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

type queueStore interface {
	Queues(ctx context.Context, users int) ([]postgres.Queue, []postgres.UserBacklog, error)
	PauseStage(ctx context.Context, p postgres.Pause) error
	ResumeStage(ctx context.Context, stage domain.Stage) error
	Workers(ctx context.Context) ([]postgres.Worker, error)
}

// Backlog counts jobs that are not final.
type Backlog struct {
	Ready         int64   `json:"ready" doc:"Queued and due" example:"120"`
	Delayed       int64   `json:"delayed" doc:"Queued for a time to come, as after a failed attempt" example:"3"`
	Dispatched    int64   `json:"dispatched" doc:"Handed to the broker, not started" example:"16"`
	Running       int64   `json:"running" example:"4"`
	OldestSeconds float64 `json:"oldest_seconds" doc:"How long the job that waits longest has been due" example:"42.5"`
}

func toBacklog(b postgres.Backlog) Backlog {
	return Backlog{Ready: b.Ready, Delayed: b.Delayed, Dispatched: b.Dispatched, Running: b.Running, OldestSeconds: b.OldestSeconds}
}

// ClassBacklog is the backlog of one class of a stage.
type ClassBacklog struct {
	Class string `json:"class" enum:"interactive,standard,bulk"`
	Backlog
}

// UserBacklog is what one user has outstanding.
type UserBacklog struct {
	UserID uuid.UUID `json:"user_id" format:"uuid"`
	Email  string    `json:"email" example:"ada@example.org"`
	Backlog
}

// Pause says who holds a stage back, since when and why.
type Pause struct {
	At     time.Time  `json:"at"`
	By     *uuid.UUID `json:"by" format:"uuid" nullable:"true" doc:"Null once that account is gone"`
	Email  string     `json:"email" example:"ada@example.org"`
	Reason string     `json:"reason" example:"The model server is being replaced."`
}

// Queue is one stage as operators see it.
type Queue struct {
	Stage         string         `json:"stage" enum:"extract,embed,match,chat,story,reembed"`
	Paused        bool           `json:"paused"`
	Pause         *Pause         `json:"pause,omitempty" doc:"While it is paused"`
	Backlog       Backlog        `json:"backlog" doc:"Of all classes"`
	Classes       []ClassBacklog `json:"classes" doc:"Most urgent first"`
	DeadLetters   int64          `json:"dead_letters" doc:"Failed jobs that nobody retried or discarded" example:"7"`
	Slots         int            `json:"slots" doc:"Attempts that live workers can run at once" example:"4"`
	RatePerMinute float64        `json:"rate_per_minute" doc:"Successful attempts, over the last five minutes" example:"31.2"`
	MeanSeconds   *float64       `json:"mean_seconds" doc:"Of the last hundred successful attempts; null where there were none" example:"1.8"`
	DrainSeconds  *float64       `json:"drain_seconds" doc:"Until the backlog is done if nothing is added; null where the stage is paused, has no workers or was never measured" example:"54"`
}

// Queues is all the work there is.
type Queues struct {
	Queues []Queue       `json:"queues" doc:"In pipeline order"`
	Users  []UserBacklog `json:"users" doc:"Those with most jobs outstanding, in all stages"`
}

func toQueue(q postgres.Queue) Queue {
	shown := Queue{
		Stage: string(q.Stage), Paused: q.Pause != nil, Backlog: toBacklog(q.Backlog()), DeadLetters: q.DeadLetters,
		Slots: q.Slots, RatePerMinute: q.RatePerMinute, DrainSeconds: q.DrainSeconds(),
	}
	for _, class := range domain.Classes() {
		shown.Classes = append(shown.Classes, ClassBacklog{Class: string(class), Backlog: toBacklog(q.Classes[class])})
	}
	if q.MeanSeconds > 0 {
		shown.MeanSeconds = &q.MeanSeconds
	}
	if p := q.Pause; p != nil {
		shown.Pause = &Pause{At: p.At, By: p.By, Email: p.ByEmail, Reason: p.Reason}
	}
	return shown
}

type queuesInput struct {
	Users int `query:"users" minimum:"0" maximum:"1000" default:"20" doc:"How many of the busiest users to show"`
}

type queuesOutput struct {
	Body Queues
}

// StagePath names a stage in an address.
type StagePath struct {
	Stage string `path:"stage" maxLength:"40" doc:"extract, embed, match, chat, story or reembed" example:"extract"`
}

// PauseReason says why a stage is paused.
type PauseReason struct {
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"Shown to other operators" example:"The model server is being replaced."`
}

type pauseInput struct {
	StagePath
	Body *PauseReason `required:"false"`
}

type queueOutput struct {
	Body Queue
}

func (s *server) queueOperations() {
	missing := []domain.Code{domain.CodeNotFound}
	register(s, endpoint{
		id: "list-queues", method: http.MethodGet, path: "/admin/queues", tag: adminTag, summary: "What waits and what runs", admin: true,
	}, s.listQueues)
	register(s, endpoint{
		id: "pause-queue", method: http.MethodPost, path: "/admin/queues/{stage}/pause", tag: adminTag, summary: "Hold a stage back",
		description: "No job of the stage starts from now on, in any process and after any restart, until it is resumed. " +
			"Attempts that run go on; jobs can still be submitted and wait. Pausing again changes nothing.",
		admin: true, codes: missing,
	}, s.pauseQueue)
	register(s, endpoint{
		id: "resume-queue", method: http.MethodPost, path: "/admin/queues/{stage}/resume", tag: adminTag, summary: "Let a stage go on",
		description: "Resuming a stage that is not paused changes nothing.", admin: true, codes: missing,
	}, s.resumeQueue)
}

func (s *server) listQueues(ctx context.Context, in *queuesInput) (*queuesOutput, error) {
	queues, users, err := s.Admin.Queues(ctx, in.Users)
	if err != nil {
		return nil, err
	}
	out := &queuesOutput{Body: Queues{Queues: make([]Queue, len(queues)), Users: make([]UserBacklog, len(users))}}
	for i, q := range queues {
		out.Body.Queues[i] = toQueue(q)
	}
	for i, u := range users {
		out.Body.Users[i] = UserBacklog{UserID: u.UserID, Email: u.Email, Backlog: toBacklog(u.Backlog)}
	}
	return out, nil
}

func (p StagePath) stage() (domain.Stage, error) {
	stage := domain.Stage(p.Stage)
	if !slices.Contains(domain.Stages(), stage) {
		return "", domain.Errorf(domain.CodeNotFound, "There is no such stage.")
	}
	return stage, nil
}

func (s *server) pauseQueue(ctx context.Context, in *pauseInput) (*queueOutput, error) {
	stage, err := in.stage()
	if err != nil {
		return nil, err
	}
	pause := postgres.Pause{Stage: stage, By: new(userID(ctx))}
	if in.Body != nil {
		pause.Reason = plain(in.Body.Reason, 500)
	}
	if err := s.Admin.PauseStage(ctx, pause); err != nil {
		return nil, err
	}
	return s.switched(ctx, stage, "queue.pause", map[string]any{"reason": pause.Reason})
}

func (s *server) resumeQueue(ctx context.Context, in *StagePath) (*queueOutput, error) {
	stage, err := in.stage()
	if err != nil {
		return nil, err
	}
	if err := s.Admin.ResumeStage(ctx, stage); err != nil {
		return nil, err
	}
	return s.switched(ctx, stage, "queue.resume", map[string]any{})
}

// switched follows a pause or its end.
func (s *server) switched(ctx context.Context, stage domain.Stage, action string, details map[string]any) (*queueOutput, error) {
	s.Engine.Switched(stage)
	if err := s.audit(ctx, action, string(stage), details); err != nil {
		return nil, err
	}
	queues, _, err := s.Admin.Queues(ctx, 0)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(queues, func(q postgres.Queue) bool { return q.Stage == stage })
	return &queueOutput{Body: toQueue(queues[i])}, nil
}
