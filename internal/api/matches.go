package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/matching"
)

// NewMatch asks to compare applicants with a posting.
type NewMatch struct {
	EmployerDocuments  []uuid.UUID `json:"employer_documents,omitempty" maxItems:"20" doc:"The posting" example:"[\"0198c5b1-0000-7000-8000-000000000002\"]"`
	ApplicantDocuments []uuid.UUID `json:"applicant_documents,omitempty" maxItems:"200" doc:"Each is a candidate of its own, unless combine is set" example:"[\"0198c5b1-0000-7000-8000-000000000003\"]"`
	EmployerDocIDs     []uuid.UUID `json:"employer_doc_ids,omitempty" maxItems:"20" doc:"The older name of employer_documents" example:"[]"`
	ApplicantDocIDs    []uuid.UUID `json:"applicant_doc_ids,omitempty" maxItems:"200" doc:"The older name of applicant_documents" example:"[]"`
	Combine            bool        `json:"combine,omitempty" doc:"All applicant documents describe one person" example:"false"`
	MatchOptions
}

// MatchOptions say how to judge.
type MatchOptions struct {
	Language  string     `json:"language,omitempty" maxLength:"2" pattern:"^([a-z]{2})?$" doc:"Of the reply; empty asks for the posting's" example:"de"`
	Provider  string     `json:"provider,omitempty" maxLength:"50" doc:"Of the language model; empty asks for the default. See /v1/llm/models" example:"ollama"`
	Model     string     `json:"model,omitempty" maxLength:"200" doc:"Empty asks for the provider's default" example:"llama3.2"`
	ProjectID *uuid.UUID `json:"project_id,omitempty" format:"uuid" nullable:"true" example:"0198c5b1-0000-7000-8000-000000000001"`
	Masked    bool       `json:"masked,omitempty" doc:"Hide from the judge who the applicants are: names, photos, age, gender, marital status, nationality, religion, addresses and contacts" example:"true"`
	Fresh     bool       `json:"fresh,omitempty" doc:"Judge anew what was judged before" example:"false"`
	Stability int        `json:"stability,omitempty" minimum:"2" maximum:"10" doc:"Judge every candidate so many times and report how far the judgements agree. Never from cache" example:"3"`
}

// options are what was asked for, in a match without documents.
func (o MatchOptions) options(user uuid.UUID) domain.Match {
	return domain.Match{
		UserID: user, ProjectID: o.ProjectID, Language: o.Language, Provider: o.Provider, Model: plain(o.Model, 200),
		Masked: o.Masked, Fresh: o.Fresh, Stability: o.Stability,
	}
}

// Match compares applicants with a posting.
type Match struct {
	ID                 uuid.UUID            `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000006"`
	UserID             uuid.UUID            `json:"user_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000005"`
	ProjectID          *uuid.UUID           `json:"project_id" format:"uuid" nullable:"true" example:"0198c5b1-0000-7000-8000-000000000001"`
	EmployerDocuments  []uuid.UUID          `json:"employer_documents" example:"[\"0198c5b1-0000-7000-8000-000000000002\"]"`
	ApplicantDocuments []uuid.UUID          `json:"applicant_documents" example:"[\"0198c5b1-0000-7000-8000-000000000003\"]"`
	EmployerDocIDs     []uuid.UUID          `json:"employer_doc_ids" doc:"The older name of employer_documents" example:"[\"0198c5b1-0000-7000-8000-000000000002\"]"`
	ApplicantDocIDs    []uuid.UUID          `json:"applicant_doc_ids" doc:"The older name of applicant_documents" example:"[\"0198c5b1-0000-7000-8000-000000000003\"]"`
	BatchID            *uuid.UUID           `json:"batch_id" format:"uuid" nullable:"true" doc:"The batch it is part of" example:"0198c5b1-0000-7000-8000-000000000004"`
	Combine            bool                 `json:"combine" example:"false"`
	Masked             bool                 `json:"masked" doc:"Who the applicants are was hidden from the judge" example:"true"`
	Fresh              bool                 `json:"fresh" doc:"Judged anew, not taken from cache" example:"false"`
	Stability          int                  `json:"stability" doc:"How often each candidate was judged; 0 is once, as usual" example:"0"`
	Language           string               `json:"language" example:"en"`
	LLMType            string               `json:"llm_type" doc:"The provider asked for; where none was, the one that answers for it once it is done" example:"ollama"`
	Model              string               `json:"model" example:"llama3.2"`
	PromptVersion      string               `json:"prompt_version" example:"match-2"`
	Judge              string               `json:"judge" doc:"Who judged: llm, or offline for rules and retrieval without a model; empty until it is done" example:"llm"`
	State              string               `json:"state" enum:"pending,ready,failed" example:"ready"`
	JobTitle           string               `json:"job_title" example:"Payroll clerk"`
	MatchScore         *int                 `json:"match_score" doc:"0 to 100, computed from the verdicts; null until it is ready" example:"83"`
	Requirements       []domain.Requirement `json:"requirements"`
	Candidates         []MatchCandidate     `json:"candidates" doc:"By rank"`
	Error              *JobError            `json:"error,omitempty"`
	CreatedAt          time.Time            `json:"created_at"`
	UpdatedAt          time.Time            `json:"updated_at"`
	BestResult
}

// BestResult is the best candidate's result in the names of both generations of
// clients, on the match itself. All of it is absent until there is one.
type BestResult struct {
	OverallScore         *int                         `json:"overallScore,omitzero" example:"83"`
	Summary              string                       `json:"summary,omitzero" example:"Strong match for Payroll clerk: 83 of 100."`
	DetailedAnalysis     string                       `json:"detailedAnalysis,omitzero" example:"Strong match for Payroll clerk: 83 of 100."`
	Strengths            []string                     `json:"strengths,omitzero" example:"[\"Three years of payroll experience\"]"`
	Gaps                 []string                     `json:"gaps,omitzero" example:"[\"Fluent German: only partly evidenced\"]"`
	Recommendations      []string                     `json:"recommendations,omitzero" example:"[\"Talk it through in the interview: Fluent German\"]"`
	Comparison           []matching.Comparison        `json:"comparison,omitzero"`
	RiskAssessment       *domain.RiskAssessment       `json:"riskAssessment,omitzero"`
	DevelopmentPotential *domain.DevelopmentPotential `json:"developmentPotential,omitzero"`
}

func bestResult(r *matching.Reply) BestResult {
	return BestResult{
		OverallScore: &r.OverallScore, Summary: r.Summary, DetailedAnalysis: r.DetailedAnalysis,
		Strengths: r.Strengths, Gaps: r.Gaps, Recommendations: r.Recommendations, Comparison: r.Comparison,
		RiskAssessment: &r.RiskAssessment, DevelopmentPotential: &r.DevelopmentPotential,
	}
}

// MatchCandidate is the result for one person.
type MatchCandidate struct {
	Documents []uuid.UUID       `json:"documents" example:"[\"0198c5b1-0000-7000-8000-000000000003\"]"`
	Name      string            `json:"name" doc:"Of the documents" example:"cv.pdf"`
	Rank      int               `json:"rank" doc:"Counts from 1" example:"1"`
	Cached    bool              `json:"cached" doc:"The same comparison was judged before" example:"false"`
	JudgedBy  []domain.Judged   `json:"judged_by" doc:"Who answered; more than one, or another than the one asked for, when a provider was down"`
	JudgedAt  *time.Time        `json:"judged_at" doc:"When it was judged, which is earlier than the match where it comes from cache"`
	Flags     []domain.Flag     `json:"flags" doc:"instructions_in_document: sentences to the judge were left out; template_text: the model's texts were unusable; other_provider: another provider helped to judge" example:"[]"`
	Masks     []domain.Mask     `json:"masks" doc:"What was hidden from the judge, where the match is masked"`
	Stability *domain.Stability `json:"stability,omitempty" doc:"Of a match with stability alone"`
	Verdicts  []domain.Verdict  `json:"verdicts" doc:"One for each requirement, with quotes that were checked"`
	matching.Reply
}

// AcceptedMatch is a match that a job will judge.
type AcceptedMatch struct {
	Job   Job   `json:"job"`
	Match Match `json:"match"`
}

func toMatch(m domain.Match) Match {
	shown := Match{
		ID: m.ID, UserID: m.UserID, ProjectID: m.ProjectID,
		EmployerDocuments: notNil(m.EmployerDocuments), ApplicantDocuments: notNil(m.ApplicantDocuments),
		EmployerDocIDs: notNil(m.EmployerDocuments), ApplicantDocIDs: notNil(m.ApplicantDocuments),
		BatchID: m.BatchID, Combine: m.Combine, Masked: m.Masked, Fresh: m.Fresh, Stability: m.Stability,
		Language: m.Language, LLMType: m.Provider, Model: m.Model, PromptVersion: m.PromptVersion,
		Judge: string(m.Judge), State: string(m.State), JobTitle: m.JobTitle,
		Requirements: notNil(m.Requirements), Candidates: []MatchCandidate{},
		Error: toJobError(m.Error), CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
	for _, c := range m.Candidates {
		shown.Candidates = append(shown.Candidates, toCandidate(c, m.Requirements))
	}
	if len(shown.Candidates) > 0 {
		best := &shown.Candidates[0]
		shown.BestResult, shown.MatchScore = bestResult(&best.Reply), &best.MatchScore
	}
	return shown
}

func toCandidate(c domain.Candidate, requirements []domain.Requirement) MatchCandidate {
	shown := MatchCandidate{
		Documents: notNil(c.Documents), Name: c.Name, Rank: c.Rank, Cached: c.Cached,
		JudgedBy: notNil(c.JudgedBy), Flags: notNil(c.Flags), Masks: notNil(c.Masks), Stability: c.Stability,
		Verdicts: []domain.Verdict{}, Reply: matching.NewReply(c, requirements),
	}
	if !c.JudgedAt.IsZero() {
		shown.JudgedAt = &c.JudgedAt
	}
	for _, v := range c.Verdicts {
		v.Evidence, v.Flags = notNil(v.Evidence), notNil(v.Flags)
		shown.Verdicts = append(shown.Verdicts, v)
	}
	return shown
}

type matchInput struct {
	Submission
	Body NewMatch
}

// MatchPath names a match in an address.
type MatchPath struct {
	ID uuid.UUID `path:"match_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000006"`
}

type matchesInput struct {
	Paging
	ProjectID optionalID `query:"project_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000001"`
}

type matchOutput struct {
	Body Match
}

func (s *server) matchOperations() {
	const tag, path = "cv-matcher", "/cv-matcher/matches/{match_id}"
	missing := []domain.Code{domain.CodeNotFound}
	register(s, submitEndpoint[AcceptedMatch, Match](s, endpoint{
		id: "match", scope: domain.ScopeMatches, method: http.MethodPost, path: "/cv-matcher/match", tag: tag, summary: "Compare applicants with a posting",
		description: "Each verdict quotes the applicant's documents, and each quote was looked up there. The score is computed from the verdicts.",
		codes: []domain.Code{
			domain.CodeNotReady, domain.CodeProviderUnknown, domain.CodeModelNotFound, domain.CodeModelUnavailable,
			domain.CodeModelOverloaded, domain.CodeModelRateLimited, domain.CodeModelTimeout, domain.CodeModelMalformed,
			domain.CodeModelRefused, domain.CodeContextTooLong, domain.CodeTimedOut, domain.CodeNoTextFound,
		},
	}), s.match)
	registerList(s, endpoint{
		id: "list-matches", scope: domain.ScopeMatches, method: http.MethodGet, path: "/cv-matcher/matches", tag: tag, summary: "List my matches",
		description: "Without their candidates.", codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listMatches)
	register(s, endpoint{id: "get-match", scope: domain.ScopeMatches, method: http.MethodGet, path: path, tag: tag, summary: "Get a match", codes: missing}, s.getMatch)
	register(s, endpoint{
		id: "delete-match", scope: domain.ScopeMatches, method: http.MethodDelete, path: path, tag: tag, summary: "Delete a match",
		description: "Stops its job, too.", status: http.StatusNoContent, codes: missing,
	}, s.deleteMatch)
	s.reportOperation()
}

// toMatch is what was asked for, under whichever names.
func (n NewMatch) toMatch(user uuid.UUID) (domain.Match, error) {
	m := n.options(user)
	m.EmployerDocuments = unique(slices.Concat(n.EmployerDocuments, n.EmployerDocIDs))
	m.ApplicantDocuments = unique(slices.Concat(n.ApplicantDocuments, n.ApplicantDocIDs))
	m.Combine = n.Combine
	switch {
	case len(m.EmployerDocuments) == 0:
		return m, invalid("body.employer_documents", "must name at least one document")
	case len(m.ApplicantDocuments) == 0:
		return m, invalid("body.applicant_documents", "must name at least one document")
	}
	return m, affordable(m.Stability, len(m.ApplicantDocuments), 1)
}

func (s *server) match(ctx context.Context, in *matchInput) (*submitted, error) {
	m, err := in.Body.toMatch(userID(ctx))
	if err != nil {
		return nil, err
	}
	hash, err := requestHash(domain.KindMatch, in.Body)
	if err != nil {
		return nil, err
	}
	sub := domain.Submission{
		UserID: m.UserID, ProjectID: m.ProjectID, Kind: domain.KindMatch, Stage: domain.StageMatch, Class: class(ctx, in.Submission),
		IdempotencyKey: in.IdempotencyKey, RequestHash: hash, Trace: traceparent(ctx),
	}
	job, err := s.replay(ctx, sub)
	if err != nil {
		return nil, err
	}
	if job != nil {
		return s.followMatch(ctx, in.Submission, job.ResourceID, *job)
	}
	if err := s.matchable(ctx, m); err != nil {
		return nil, err
	}
	if m.ID, err = uuid.NewV7(); err != nil {
		return nil, err
	}
	sub.ResourceID = m.ID
	created, accepted, err := s.Store.CreateMatch(ctx, m, sub)
	if err != nil {
		return nil, err
	}
	return s.followMatch(ctx, in.Submission, created.ID, accepted)
}

func (s *server) followMatch(ctx context.Context, in Submission, id uuid.UUID, job domain.Job) (*submitted, error) {
	created, err := s.Store.Match(ctx, job.UserID, id)
	if err != nil {
		return nil, err
	}
	return s.follow(ctx, in, job, result{
		accepted: func(j Job) any { return AcceptedMatch{Job: j, Match: toMatch(created)} },
		finished: func(ctx context.Context) (any, error) {
			done, err := s.Store.Match(ctx, job.UserID, id)
			return toMatch(done), err
		},
	})
}

// matchable refuses at once what could only fail later.
func (s *server) matchable(ctx context.Context, m domain.Match) error {
	if _, err := s.Providers.Provider(m.Provider); err != nil {
		return err
	}
	documents := slices.Concat(m.EmployerDocuments, m.ApplicantDocuments)
	if err := s.ownsAll(ctx, m.ProjectID, documents); err != nil {
		return err
	}
	states, err := s.Store.DocumentStates(ctx, m.UserID, documents)
	if err != nil {
		return err
	}
	for _, id := range documents {
		if !states[id].Usable() {
			return domain.Errorf(domain.CodeNotReady, "Document %s is %s. Only documents that are ready or partial can be compared.", id, states[id])
		}
	}
	return nil
}

// unique keeps the first of each.
func unique(ids []uuid.UUID) []uuid.UUID {
	var kept []uuid.UUID
	for _, id := range ids {
		if !slices.Contains(kept, id) {
			kept = append(kept, id)
		}
	}
	return kept
}

func (s *server) listMatches(ctx context.Context, in *matchesInput) (Page[Match], error) {
	const list = "matches"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[Match]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Store.Matches(ctx, userID(ctx), in.ProjectID.get(), before, size)
	return cut(s.cursors, list, userID(ctx), rows, size, func(m domain.Match) uuid.UUID { return m.ID }, toMatch), err
}

func (s *server) getMatch(ctx context.Context, in *MatchPath) (*matchOutput, error) {
	m, err := s.Store.Match(ctx, userID(ctx), in.ID)
	return &matchOutput{Body: toMatch(m)}, err
}

func (s *server) deleteMatch(ctx context.Context, in *MatchPath) (*struct{}, error) {
	stopped, err := s.Store.DeleteMatch(ctx, userID(ctx), in.ID)
	s.stopped(ctx, stopped, err)
	return nil, err
}
