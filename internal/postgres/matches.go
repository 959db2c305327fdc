package postgres

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// CreateMatch stores a match to be judged and submits its job in one
// transaction. A repeated idempotency key returns the first match.
func (s *Store) CreateMatch(ctx context.Context, m domain.Match, sub domain.Submission) (domain.Match, domain.Job, error) {
	var job domain.Job
	var created domain.Match
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		row, err := q.InsertMatch(ctx, insertMatch(m))
		if err != nil {
			return err
		}
		if created, err = toMatch(row, nil); err != nil {
			return err
		}
		job, err = submit(ctx, q, sub)
		if isUnique(err, "jobs_idempotency") {
			return errReplay
		}
		return err
	})
	if err != errReplay { //nolint:errorlint // a sentinel that tx passes through unwrapped
		return created, job, err
	}
	if job, err = s.replay(ctx, sub); err != nil {
		return domain.Match{}, domain.Job{}, err
	}
	created, err = s.Match(ctx, m.UserID, job.ResourceID)
	return created, job, err
}

func insertMatch(m domain.Match) dbsqlc.InsertMatchParams {
	return dbsqlc.InsertMatchParams{
		ID: m.ID, UserID: m.UserID, ProjectID: m.ProjectID, BatchID: m.BatchID,
		EmployerDocIds: m.EmployerDocuments, ApplicantDocIds: m.ApplicantDocuments, Combine: m.Combine,
		LlmType: m.Provider, Model: m.Model, Language: m.Language,
		Masked: m.Masked, Fresh: m.Fresh, Stability: int32(m.Stability),
	}
}

// Match returns a user's match with its candidates, best first; they are there
// once it is ready.
func (s *Store) Match(ctx context.Context, userID, id uuid.UUID) (domain.Match, error) {
	row, err := s.queries.Match(ctx, dbsqlc.MatchParams{ID: id, UserID: userID})
	if err != nil {
		return domain.Match{}, translate(err)
	}
	if row.State != string(domain.MatchReady) {
		return toMatch(row, nil)
	}
	candidates, err := s.queries.CandidatesOfMatch(ctx, id)
	if err != nil {
		return domain.Match{}, translate(err)
	}
	return toMatch(row, candidates)
}

// Matches lists a user's matches, newest first, without their candidates.
func (s *Store) Matches(ctx context.Context, userID uuid.UUID, projectID, before *uuid.UUID, limit int) ([]domain.Match, error) {
	rows, err := s.queries.MatchesOfUser(ctx, dbsqlc.MatchesOfUserParams{
		UserID: userID, ProjectID: projectID, Before: before, MaxRows: int32(limit),
	})
	if err != nil {
		return nil, translate(err)
	}
	matches := make([]domain.Match, len(rows))
	for i, r := range rows {
		if matches[i], err = toMatch(r, nil); err != nil {
			return nil, err
		}
	}
	return matches, nil
}

// DeleteMatch deletes a match and returns the jobs that were asked to stop.
func (s *Store) DeleteMatch(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		var err error
		if stopped, err = q.CancelJobsOfResource(ctx, dbsqlc.CancelJobsOfResourceParams{ResourceID: id, UserID: userID}); err != nil {
			return err
		}
		n, err := q.DeleteMatch(ctx, dbsqlc.DeleteMatchParams{ID: id, UserID: userID})
		if err == nil && n == 0 {
			err = errNotFound
		}
		return err
	})
	return toJobs(stopped), err
}

// Matching is the store as the match stage sees it.
type Matching struct{ *Store }

// Match returns a match by id alone, without candidates.
func (m Matching) Match(ctx context.Context, id uuid.UUID) (domain.Match, error) {
	row, err := m.queries.MatchForWork(ctx, id)
	if err != nil {
		return domain.Match{}, translate(err)
	}
	return toMatch(row, nil)
}

// Source returns a document of the match's owner with its pages.
func (m Matching) Source(ctx context.Context, userID, documentID uuid.UUID) (domain.Document, []domain.Page, error) {
	document, err := m.Document(ctx, userID, documentID)
	if err != nil {
		return domain.Document{}, nil, err
	}
	pages, err := Ingest(m).Pages(ctx, documentID)
	return document, pages, err
}

// CachedCandidate returns the user's newest result under the key, of one match
// alone where that is given, or nil.
func (m Matching) CachedCandidate(ctx context.Context, userID uuid.UUID, key string, match *uuid.UUID) (*domain.Candidate, error) {
	result, err := m.queries.CandidateByKey(ctx, dbsqlc.CandidateByKeyParams{UserID: userID, CacheKey: key, MatchID: match})
	if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
		return nil, nil //nolint:nilnil // absence is an answer of a cache
	}
	if err != nil {
		return nil, err
	}
	var candidate domain.Candidate
	return &candidate, json.Unmarshal(result, &candidate)
}

// KeepCandidate stores what a match under way has judged, so that another
// attempt need not judge it again. Place counts from 0.
func (m Matching) KeepCandidate(ctx context.Context, lease domain.Lease, match domain.Match, place int, c domain.Candidate) error {
	row, err := candidateRow(match, place, c)
	if err != nil {
		return err
	}
	return m.fenced(ctx, lease, func(q *dbsqlc.Queries, _ dbsqlc.HoldLeaseRow) error {
		return q.KeepCandidate(ctx, dbsqlc.KeepCandidateParams(row))
	})
}

// SaveMatch stores the result of a match and ends its job.
func (m Matching) SaveMatch(ctx context.Context, lease domain.Lease, match domain.Match) error {
	rows, err := candidateRows(match)
	if err != nil {
		return err
	}
	result, err := json.Marshal(matchResult{
		PromptVersion: match.PromptVersion, Judge: match.Judge, JobTitle: match.JobTitle, Requirements: match.Requirements,
	})
	if err != nil {
		return err
	}
	var best *int32
	if len(rows) > 0 {
		best = &rows[0].Score
	}
	return m.fenced(ctx, lease, func(q *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error {
		if err := q.DeleteCandidates(ctx, match.ID); err != nil {
			return err
		}
		for _, row := range rows {
			if err := q.InsertCandidate(ctx, row); err != nil {
				return err
			}
		}
		if err := q.FinishMatch(ctx, dbsqlc.FinishMatchParams{
			ID: match.ID, LlmType: match.Provider, Model: match.Model, Language: match.Language, MatchScore: best, Result: result,
		}); err != nil {
			return err
		}
		return q.FinishJob(ctx, held.ID)
	})
}

// matchResult is what matches.result holds: what all candidates share.
type matchResult struct {
	PromptVersion string               `json:"prompt_version"`
	Judge         domain.Judge         `json:"judge"`
	JobTitle      string               `json:"job_title"`
	Requirements  []domain.Requirement `json:"requirements"`
}

func candidateRows(m domain.Match) ([]dbsqlc.InsertCandidateParams, error) {
	rows := make([]dbsqlc.InsertCandidateParams, len(m.Candidates))
	for i, c := range m.Candidates {
		var err error
		if rows[i], err = candidateRow(m, i, c); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func candidateRow(m domain.Match, place int, c domain.Candidate) (dbsqlc.InsertCandidateParams, error) {
	result, err := json.Marshal(c)
	return dbsqlc.InsertCandidateParams{
		MatchID: m.ID, Rank: int32(place + 1), UserID: m.UserID, DocumentIds: c.Documents,
		Score: int32(c.Score), CacheKey: c.CacheKey, Result: result,
	}, err
}

func toMatch(r dbsqlc.Match, candidates []dbsqlc.MatchCandidate) (domain.Match, error) {
	var shared matchResult
	if err := json.Unmarshal(r.Result, &shared); err != nil {
		return domain.Match{}, err
	}
	m := domain.Match{
		ID: r.ID, UserID: r.UserID, ProjectID: r.ProjectID, BatchID: r.BatchID,
		EmployerDocuments: r.EmployerDocIds, ApplicantDocuments: r.ApplicantDocIds, Combine: r.Combine,
		Masked: r.Masked, Fresh: r.Fresh, Stability: int(r.Stability),
		Language: r.Language, Provider: r.LlmType, Model: r.Model, State: domain.MatchState(r.State),
		PromptVersion: shared.PromptVersion, Judge: shared.Judge, JobTitle: shared.JobTitle, Requirements: shared.Requirements,
		Candidates: make([]domain.Candidate, len(candidates)),
		Error:      toJobError(r.ErrorCode, r.ErrorDetail, r.ErrorHint),
		CreatedAt:  r.CreatedAt, UpdatedAt: r.CreatedAt,
	}
	if r.FinishedAt != nil {
		m.UpdatedAt = *r.FinishedAt
	}
	for i, c := range candidates {
		if err := json.Unmarshal(c.Result, &m.Candidates[i]); err != nil {
			return domain.Match{}, err
		}
		m.Candidates[i].Rank = i + 1
	}
	return m, nil
}
