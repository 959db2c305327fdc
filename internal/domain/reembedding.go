package domain

import (
	"time"

	"github.com/google/uuid"
)

// Reembedding embeds all documents, or those of a scope, into another space
// while the active one serves. A whole one makes that space the active one.
type Reembedding struct {
	ID         uuid.UUID
	Space      EmbeddingSpace
	FormerID   *int64 // the space that was active when it began; nil once that was deleted
	Scope      ReembeddingScope
	PerMinute  int // chunks; 0 for as fast as it goes
	State      ReembeddingState
	Activated  bool
	Recall     *float64 // of the check before the space became active
	JobID      *uuid.UUID
	Progress   Progress
	Error      *JobError
	CreatedAt  time.Time
	FinishedAt *time.Time
}

// ReembeddingScope narrows a re-embedding; the zero scope is everything.
type ReembeddingScope struct {
	UserID     *uuid.UUID
	ProjectID  *uuid.UUID
	DocumentID *uuid.UUID
}

// Whole reports whether nothing is left out.
func (s ReembeddingScope) Whole() bool { return s == ReembeddingScope{} }

// ReembeddingState is how a re-embedding stands.
type ReembeddingState string

// The states of a re-embedding. A paused or failed one can be resumed.
const (
	ReembeddingRunning   ReembeddingState = "running"
	ReembeddingPaused    ReembeddingState = "paused"
	ReembeddingFailed    ReembeddingState = "failed"
	ReembeddingFinished  ReembeddingState = "finished"
	ReembeddingCancelled ReembeddingState = "cancelled"
)

// ReembeddingPlan is what a re-embedding has to do.
type ReembeddingPlan struct {
	Documents  int64
	Chunks     int64
	Characters int64
}

// SpaceUse is an embedding space with what is in it.
type SpaceUse struct {
	EmbeddingSpace
	Documents int64
	Chunks    int64
	CreatedAt time.Time
}

// OwnedDocument says whose a document is.
type OwnedDocument struct {
	ID        uuid.UUID
	UserID    uuid.UUID
	ProjectID *uuid.UUID
}

// Sample is a stored chunk with the hash of its text, for checking a space.
type Sample struct {
	UserID    uuid.UUID
	ProjectID *uuid.UUID
	Content   string
	Hash      []byte
}
