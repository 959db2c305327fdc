package domain

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Kind is what the user asked for.
type Kind string

// The kinds of job.
const (
	KindIngest  Kind = "ingest"
	KindMatch   Kind = "match"
	KindChat    Kind = "chat"
	KindStory   Kind = "story"
	KindReembed Kind = "reembed"
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{KindIngest, KindMatch, KindChat, KindStory, KindReembed} }

// Stage is where a job stands; each stage has its own worker.
type Stage string

// The stages.
const (
	StageExtract Stage = "extract"
	StageEmbed   Stage = "embed"
	StageMatch   Stage = "match"
	StageChat    Stage = "chat"
	StageStory   Stage = "story"
	StageReembed Stage = "reembed"
)

// Stages lists every stage, in pipeline order.
func Stages() []Stage {
	return []Stage{StageExtract, StageEmbed, StageMatch, StageChat, StageStory, StageReembed}
}

// Class is a job's lane: interactive goes before standard before bulk.
type Class string

// The classes, most urgent first.
const (
	ClassInteractive Class = "interactive"
	ClassStandard    Class = "standard"
	ClassBulk        Class = "bulk"
)

// Classes lists every class, most urgent first.
func Classes() []Class { return []Class{ClassInteractive, ClassStandard, ClassBulk} }

// State is a job's state. Succeeded, failed and cancelled are terminal.
type State string

// The states of a job.
const (
	StateQueued     State = "queued"
	StateDispatched State = "dispatched"
	StateRunning    State = "running"
	StateSucceeded  State = "succeeded"
	StateFailed     State = "failed"
	StateCancelled  State = "cancelled"
)

// States lists every state, as a job passes them.
func States() []State {
	return []State{StateQueued, StateDispatched, StateRunning, StateSucceeded, StateFailed, StateCancelled}
}

// Terminal reports whether the state is final.
func (s State) Terminal() bool {
	return s == StateSucceeded || s == StateFailed || s == StateCancelled
}

// Progress counts what a running attempt has done, in Unit ("pages", "chunks").
type Progress struct {
	Done  int    `json:"done"`
	Total int    `json:"total"`
	Unit  string `json:"unit"`
}

// JobError is the failure a job shows to its owner.
type JobError struct {
	Code   Code   `json:"code"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// Job is one thing a user asked for: the record, the outbox and the backlog.
type Job struct {
	ID              uuid.UUID
	UserID          uuid.UUID
	ProjectID       *uuid.UUID
	Kind            Kind
	Stage           Stage
	Class           Class
	State           State
	RunAt           time.Time
	Attempt         int
	MaxAttempts     int
	CancelRequested bool
	Progress        Progress
	ResourceID      uuid.UUID // the document, match, answer or text the job makes
	Args            json.RawMessage
	Error           *JobError
	EventSeq        int64
	CreatedAt       time.Time
	DispatchedAt    *time.Time // last; nil for a job that was never in the stream
	StartedAt       *time.Time
	FinishedAt      *time.Time
	DiscardedAt     *time.Time // when a failed job was given up
	Worker          string     // who runs it, else empty
	Trace           string     // W3C traceparent of the submitting request
}

// Submission is a job to accept. With an IdempotencyKey a second submission of
// the same key and request returns the first one's job.
type Submission struct {
	UserID         uuid.UUID
	ProjectID      *uuid.UUID
	Kind           Kind
	Stage          Stage
	Class          Class
	ResourceID     uuid.UUID
	Args           json.RawMessage
	IdempotencyKey string
	RequestHash    []byte // of what was asked, to tell a repeat from a reused key
	Trace          string // W3C traceparent of the request
}

// JobEvent is one entry of a job's gapless history; Seq counts from 1.
type JobEvent struct {
	JobID     uuid.UUID
	Seq       int64
	Type      string // "state", "progress", "attempt_failed", "cancel_requested"
	Data      json.RawMessage
	CreatedAt time.Time
}

// Lease is the right to write the effects of one attempt. Every effect is
// guarded by Fence in Postgres, so that a worker that lost its lease can do no
// harm.
type Lease struct {
	JobID   uuid.UUID
	Fence   int64
	Attempt int
	Worker  string
}

// Task is what a stage's worker receives: the claimed job, the lease under
// which it saves its effects, and a way to report progress. Progress may be
// called as often as convenient; it is throttled.
type Task struct {
	Job      Job
	Lease    Lease
	Progress func(Progress)
}

// Worker does one stage. Work returns nil only after its effects and the next
// stage were committed under the task's lease. The context is cancelled when
// the job is cancelled, its lease is lost or the process stops.
type Worker interface {
	Work(ctx context.Context, task Task) error
}

// ErrLeaseLost says that the attempt no longer owns its job; its effects were
// not, and will not be, written.
var ErrLeaseLost = Errorf(CodeConflict, "The job was taken over or cancelled.")

// JobMessage is the body of a message in the JOBS stream: ids only. Its schema
// is schema/events/job.json.
type JobMessage struct {
	JobID  uuid.UUID `json:"job_id"`
	UserID uuid.UUID `json:"user_id"`
	Stage  Stage     `json:"stage"`
	Class  Class     `json:"class"`
}

// JobHint is the core NATS hint that a job changed; whoever hears it reads the
// truth from Postgres. Its schema is schema/events/hint.json.
type JobHint struct {
	JobID  uuid.UUID `json:"job_id"`
	UserID uuid.UUID `json:"user_id"`
}
