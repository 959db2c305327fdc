package api

import (
	"context"
	"io"

	"github.com/google/uuid"

	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/postgres"
)

// Store is what the edge needs of the truth. Methods that take a user return
// only what is that user's; anything else is CodeNotFound.
type Store interface {
	Ping(ctx context.Context) error
	Audit(ctx context.Context, e domain.AuditEntry) error

	CreateProject(ctx context.Context, p domain.Project) (domain.Project, error)
	Project(ctx context.Context, userID, id uuid.UUID) (domain.Project, error)
	Projects(ctx context.Context, userID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Project, error)
	UpdateProject(ctx context.Context, userID, id uuid.UUID, change domain.ProjectChange) (domain.Project, error)
	DeleteProject(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error)

	BeginDocument(ctx context.Context, d domain.Document) error
	AppendPart(ctx context.Context, documentID uuid.UUID, ordinal int, part []byte) error
	AcceptDocument(ctx context.Context, d domain.Document, sub domain.Submission) (domain.Document, domain.Job, error)
	DropUpload(ctx context.Context, userID, id uuid.UUID) error
	Document(ctx context.Context, userID, id uuid.UUID) (domain.Document, error)
	Documents(ctx context.Context, userID uuid.UUID, f postgres.DocumentFilter) ([]domain.Document, error)
	DocumentStates(ctx context.Context, userID uuid.UUID, ids []uuid.UUID) (map[uuid.UUID]domain.DocumentState, error)
	DeleteDocument(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error)
	PagesFrom(ctx context.Context, userID, id uuid.UUID, after, limit int) ([]domain.Page, error)
	Original(ctx context.Context, documentID uuid.UUID) (io.ReadCloser, error)

	CreateMatch(ctx context.Context, m domain.Match, sub domain.Submission) (domain.Match, domain.Job, error)
	Match(ctx context.Context, userID, id uuid.UUID) (domain.Match, error)
	Matches(ctx context.Context, userID uuid.UUID, project, before *uuid.UUID, limit int) ([]domain.Match, error)
	DeleteMatch(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error)

	Replay(ctx context.Context, sub domain.Submission) (domain.Job, error)
	Job(ctx context.Context, userID, id uuid.UUID) (domain.Job, error)
	JobsByID(ctx context.Context, userID uuid.UUID, ids []uuid.UUID) ([]domain.Job, error)
	Jobs(ctx context.Context, userID uuid.UUID, f postgres.JobFilter) ([]domain.Job, error)
	ActiveJobs(ctx context.Context, userID uuid.UUID, limit int) ([]domain.Job, error)
	JobEvents(ctx context.Context, jobID uuid.UUID, after int64, limit int) ([]domain.JobEvent, error)
	RequestCancel(ctx context.Context, userID, id uuid.UUID) (domain.Job, error)
	RetryJob(ctx context.Context, userID, id uuid.UUID) (domain.Job, error)
}

// Engine is the job engine as the edge sees it.
type Engine interface {
	// Submitted follows a commit: it wakes the dispatcher and never blocks.
	Submitted(job domain.Job)
	// Cancelled tells running workers of jobs that were asked to stop.
	Cancelled(ctx context.Context, jobs []domain.Job)
	// Switched tells everybody that a stage was paused or resumed.
	Switched(stage domain.Stage)
	// Subscribe delivers hints that jobs changed. Hints may be dropped and say
	// nothing but where to look: the truth is read from the store.
	Subscribe(userID uuid.UUID, jobID *uuid.UUID) (hints <-chan domain.JobHint, cancel func())
	// Position estimates the jobs before this one and the seconds until it is done.
	Position(ctx context.Context, job domain.Job) (position int, etaSeconds *float64, err error)
	// Ready reports whether work can be handed out.
	Ready(ctx context.Context) error
}

// Accounts establishes who is asking.
type Accounts interface {
	Register(ctx context.Context, account auth.NewAccount) (domain.User, error)
	Login(ctx context.Context, email, password, userAgent string) (auth.Tokens, domain.User, error)
	Open(ctx context.Context, user domain.User, userAgent string) (auth.Tokens, error)
	Refresh(ctx context.Context, token string) (auth.Tokens, domain.User, error)
	Logout(ctx context.Context, sessionID uuid.UUID) error
	Authenticate(ctx context.Context, token string) (auth.Principal, error)
	Alive(ctx context.Context, who auth.Principal) error
	AccountID(ctx context.Context, email string) (string, error)
	NewAPIKey(ctx context.Context, key domain.APIKey) (made domain.APIKey, secret string, err error)
	CheckPassword(ctx context.Context, user domain.User, password string) error
	ChangePassword(ctx context.Context, who auth.Principal, password string, endKeys bool) error
	ChangeEmail(ctx context.Context, user domain.User, email string) (domain.User, error)

	RequestVerification(ctx context.Context, email string) error
	ForgotPassword(ctx context.Context, email string) error
	CheckLink(ctx context.Context, token string, purpose domain.LinkPurpose) (owner domain.User, sentTo string, err error)
	Verify(ctx context.Context, token string) (before, after domain.User, err error)
	ResetPassword(ctx context.Context, token, password string, endKeys bool) (domain.User, error)
}

// Searcher finds passages in a user's documents.
type Searcher interface {
	Search(ctx context.Context, q SearchQuery) (SearchResult, error)
}

// SearchQuery asks for the passages of a user's documents that answer a text.
type SearchQuery struct {
	UserID    uuid.UUID
	ProjectID *uuid.UUID
	Documents []uuid.UUID
	Text      string
	Limit     int
}

// SearchResult is what was found and how: Mode is "hybrid" or "keyword", the
// latter with Provider and Model empty when the embedder was down.
type SearchResult struct {
	Mode     string
	Provider string
	Model    string
	Passages []domain.Passage
}

// Providers lists the language models that can be asked.
type Providers interface {
	Provider(name string) (llm.Provider, error)
	Default() llm.Provider
	All() []llm.Provider
}

// DetectFunc tells a document's type from its first bytes, never from its name
// alone, or answers CodeUnsupportedType.
type DetectFunc func(head []byte, filename string) (domain.DocumentType, error)
