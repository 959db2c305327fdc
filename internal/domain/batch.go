package domain

import (
	"time"

	"github.com/google/uuid"
)

// BatchState says how far the matches of a batch are.
type BatchState string

// The states of a batch: partial means that it is done and some matches failed.
const (
	BatchPending BatchState = "pending"
	BatchReady   BatchState = "ready"
	BatchPartial BatchState = "partial"
	BatchFailed  BatchState = "failed"
)

// Batch compares the same applicants with several postings, one match for each.
type Batch struct {
	ID        uuid.UUID
	UserID    uuid.UUID
	ProjectID *uuid.UUID
	CreatedAt time.Time
	BatchCounts
	Matches []BatchMatch // in the order handed in; nil where they were not asked for
}

// BatchCounts counts the matches of a batch by state.
type BatchCounts struct{ Pending, Ready, Failed int }

// Add counts one match.
func (c *BatchCounts) Add(state MatchState) {
	switch state {
	case MatchPending:
		c.Pending++
	case MatchReady:
		c.Ready++
	case MatchFailed:
		c.Failed++
	}
}

// Total is how many matches there are.
func (c BatchCounts) Total() int { return c.Pending + c.Ready + c.Failed }

// State follows from the matches. One whose matches were all deleted is ready.
func (c BatchCounts) State() BatchState {
	switch {
	case c.Pending > 0:
		return BatchPending
	case c.Failed == 0:
		return BatchReady
	case c.Ready > 0:
		return BatchPartial
	}
	return BatchFailed
}

// BatchMatch is a match of a batch, without candidates, and its job.
type BatchMatch struct {
	Match
	Job Job
}

// BatchCell is what a table shows of one applicant against one posting.
type BatchCell struct {
	MatchID  uuid.UUID
	Document uuid.UUID
	Rank     int
	Score    int
	Levels   map[string]Level // by requirement
}
