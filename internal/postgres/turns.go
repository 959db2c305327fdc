package postgres

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// The kinds of turn.
const (
	turnQuestion   = "question"
	turnRefinement = "refinement"
)

// AskQuestion stores a question to be thought of and submits its job in one
// transaction. A repeated idempotency key returns the first one.
func (s *Store) AskQuestion(ctx context.Context, question domain.Question, sub domain.Submission) (domain.Question, domain.Job, error) {
	job, err := s.submitTurn(ctx, dbsqlc.InsertTurnParams{
		ID: question.ID, UserID: question.UserID, StoryID: question.StoryID, Kind: turnQuestion,
		Provider: question.Provider, Model: question.Model,
	}, sub)
	if err != nil {
		return domain.Question{}, domain.Job{}, err
	}
	question, err = s.Question(ctx, question.UserID, question.StoryID, job.ResourceID)
	return question, job, err
}

// Refine stores a text to be refined and submits its job in one transaction. A
// repeated idempotency key returns the first one.
func (s *Store) Refine(ctx context.Context, r domain.Refinement, sub domain.Submission) (domain.Refinement, domain.Job, error) {
	job, err := s.submitTurn(ctx, dbsqlc.InsertTurnParams{
		ID: r.ID, UserID: r.UserID, StoryID: r.StoryID, MemoryID: &r.MemoryID, Kind: turnRefinement,
		Provider: r.Provider, Model: r.Model, Language: r.Language, Style: r.Style, Suggest: r.Suggest,
	}, sub)
	if err != nil {
		return domain.Refinement{}, domain.Job{}, err
	}
	r, err = s.Refinement(ctx, r.UserID, r.StoryID, job.ResourceID)
	return r, job, err
}

func (s *Store) submitTurn(ctx context.Context, turn dbsqlc.InsertTurnParams, sub domain.Submission) (domain.Job, error) {
	var job domain.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		if _, err := q.InsertTurn(ctx, turn); err != nil {
			return err
		}
		var err error
		job, err = submit(ctx, q, sub)
		if isUnique(err, "jobs_idempotency") {
			return errReplay
		}
		return err
	})
	if err != errReplay { //nolint:errorlint // a sentinel that tx passes through unwrapped
		return job, err
	}
	return s.replay(ctx, sub)
}

// Question returns a question of a user's story.
func (s *Store) Question(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Question, error) {
	questions, err := s.questions(ctx, dbsqlc.QuestionsOfStoryParams{StoryID: storyID, UserID: userID, ID: &id, MaxRows: 1})
	if err == nil && len(questions) == 0 {
		err = errNotFound
	}
	if err != nil {
		return domain.Question{}, err
	}
	return questions[0], nil
}

// Questions lists a story's questions, newest first, from before on.
func (s *Store) Questions(ctx context.Context, userID, storyID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Question, error) {
	return s.questions(ctx, dbsqlc.QuestionsOfStoryParams{StoryID: storyID, UserID: userID, Before: before, MaxRows: int32(limit)})
}

func (s *Store) questions(ctx context.Context, params dbsqlc.QuestionsOfStoryParams) ([]domain.Question, error) {
	rows, err := s.queries.QuestionsOfStory(ctx, params)
	if err != nil {
		return nil, translate(err)
	}
	questions := make([]domain.Question, len(rows))
	for i, r := range rows {
		if questions[i], err = toQuestion(r); err != nil {
			return nil, err
		}
	}
	return questions, nil
}

// Refinement returns a refinement of a user's story.
func (s *Store) Refinement(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Refinement, error) {
	row, err := s.queries.Turn(ctx, dbsqlc.TurnParams{ID: id, StoryID: storyID, UserID: userID, Kind: turnRefinement})
	if err != nil {
		return domain.Refinement{}, translate(err)
	}
	return toRefinement(row)
}

// Telling is the store as the story stage sees it.
type Telling struct{ *Store }

// Turn returns what a job is to make: a question or a refinement; the other is
// nil.
func (t Telling) Turn(ctx context.Context, id uuid.UUID) (*domain.Question, *domain.Refinement, error) {
	row, err := t.queries.TurnForWork(ctx, id)
	if err != nil {
		return nil, nil, translate(err)
	}
	if row.Kind == turnRefinement {
		r, err := toRefinement(row)
		return nil, &r, err
	}
	q, err := t.Question(ctx, row.UserID, row.StoryID, row.ID)
	return &q, nil, err
}

// allMemories is more than any story may have.
const allMemories = 1 << 20

// All returns a story with all its memories, names and questions, newest first.
func (s *Store) All(ctx context.Context, userID, storyID uuid.UUID) (domain.Story, []domain.Memory, error) {
	story, err := s.Story(ctx, userID, storyID)
	if err != nil {
		return story, nil, err
	}
	memories, err := s.Memories(ctx, userID, storyID, nil, allMemories)
	return story, memories, err
}

// SaveQuestion stores a question and ends its job.
func (t Telling) SaveQuestion(ctx context.Context, lease domain.Lease, q domain.Question) error {
	result, err := json.Marshal(questionResult{Text: q.Text, Topic: q.Topic, Subject: q.Subject, Reason: q.Reason, AskedBy: q.AskedBy})
	if err != nil {
		return err
	}
	return t.fenced(ctx, lease, func(tx *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error {
		if err := tx.FinishTurn(ctx, dbsqlc.FinishTurnParams{ID: q.ID, Model: q.Model, Result: result}); err != nil {
			return err
		}
		return tx.FinishJob(ctx, held.ID)
	})
}

// SaveRefinement adds the refined text to its memory, stores the refinement and ends
// its job. It becomes the current version, unless another one did meanwhile.
func (t Telling) SaveRefinement(ctx context.Context, lease domain.Lease, r domain.Refinement) error {
	return t.fenced(ctx, lease, func(q *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error {
		memory, err := q.LockMemory(ctx, dbsqlc.LockMemoryParams{ID: r.MemoryID, StoryID: r.StoryID, UserID: r.UserID})
		if err != nil {
			return err
		}
		number, err := q.AddVersion(ctx, dbsqlc.AddVersionParams{
			MemoryID: r.MemoryID, UserID: r.UserID, Kind: string(domain.VersionRefined), Text: r.Text,
			Language: r.Language, Style: r.Style, Provider: r.Provider, Model: r.Model,
		})
		if err != nil {
			return err
		}
		update := dbsqlc.UpdateMemoryParams{ID: r.MemoryID, UserID: r.UserID}
		if int(memory.CurrentVersion) == r.Base {
			update.CurrentVersion = &number
		}
		if err := q.UpdateMemory(ctx, update); err != nil {
			return err
		}
		if err := q.IndexMemories(ctx, dbsqlc.IndexMemoriesParams{StoryID: r.StoryID, UserID: r.UserID, MemoryID: &r.MemoryID}); err != nil {
			return err
		}
		result, err := json.Marshal(refinementResult{Text: r.Text, Version: int(number), By: r.By, Suggestions: r.Suggestions})
		if err != nil {
			return err
		}
		if err := q.FinishTurn(ctx, dbsqlc.FinishTurnParams{ID: r.ID, Model: r.Model, Language: r.Language, Result: result}); err != nil {
			return err
		}
		return q.FinishJob(ctx, held.ID)
	})
}

// questionResult and refinementResult are what story_turns.result holds.
type questionResult struct {
	Text    string         `json:"text"`
	Topic   string         `json:"topic"`
	Subject string         `json:"subject"`
	Reason  string         `json:"reason"`
	AskedBy domain.AskedBy `json:"asked_by"`
}

type refinementResult struct {
	Text        string              `json:"text"`
	Version     int                 `json:"version"`
	By          domain.AskedBy      `json:"by"`
	Suggestions *domain.Suggestions `json:"suggestions,omitempty"`
}

func toQuestion(r dbsqlc.QuestionsOfStoryRow) (domain.Question, error) {
	var result questionResult
	err := json.Unmarshal(r.Result, &result)
	q := domain.Question{
		ID: r.ID, UserID: r.UserID, StoryID: r.StoryID, State: domain.TurnState(r.State), Provider: r.Provider, Model: r.Model,
		Text: result.Text, Topic: result.Topic, Subject: result.Subject, Reason: result.Reason, AskedBy: result.AskedBy,
		Error: toJobError(r.ErrorCode, r.ErrorDetail, r.ErrorHint), CreatedAt: r.CreatedAt,
	}
	if r.AnsweredBy != uuid.Nil {
		q.AnsweredBy = &r.AnsweredBy
	}
	return q, err
}

func toRefinement(r dbsqlc.StoryTurn) (domain.Refinement, error) {
	var result refinementResult
	err := json.Unmarshal(r.Result, &result)
	refinement := domain.Refinement{
		ID: r.ID, UserID: r.UserID, StoryID: r.StoryID, State: domain.TurnState(r.State), Provider: r.Provider, Model: r.Model,
		Language: r.Language, Style: r.Style, Suggest: r.Suggest, Text: result.Text, Version: result.Version, By: result.By,
		Suggestions: result.Suggestions, Error: toJobError(r.ErrorCode, r.ErrorDetail, r.ErrorHint), CreatedAt: r.CreatedAt,
	}
	if r.MemoryID != nil {
		refinement.MemoryID = *r.MemoryID
	}
	return refinement, err
}
