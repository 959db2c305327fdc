package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Question is what an interviewer asks next. What it asks is empty until it is
// ready.
type Question struct {
	ID         uuid.UUID  `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000012"`
	StoryID    uuid.UUID  `json:"story_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000010"`
	State      string     `json:"state" enum:"pending,ready,failed" example:"ready"`
	Text       string     `json:"text" doc:"One question, in the story's language" example:"What did you do between 1951 and 1955?"`
	Topic      string     `json:"topic" doc:"Why this one: beginning, gap, phase, person, undated, follow_up, open" example:"gap"`
	Subject    string     `json:"subject" doc:"Which one, as the years of a gap or a person's name" example:"1951–1955"`
	Reason     string     `json:"reason" doc:"In a sentence, in the story's language" example:"Nothing has been told about 1951–1955 yet."`
	AskedBy    string     `json:"asked_by" doc:"llm; or offline for a template, without a model or after a bad answer of one" example:"llm"`
	Provider   string     `json:"provider" doc:"That was asked for" example:"ollama"`
	Model      string     `json:"model" example:"llama3.2"`
	AnsweredBy *uuid.UUID `json:"answered_by" format:"uuid" nullable:"true" doc:"The first memory that answers it" example:"0198c5b1-0000-7000-8000-000000000011"`
	Error      *JobError  `json:"error,omitempty"`
	CreatedAt  time.Time  `json:"created_at" example:"2026-05-17T09:30:00Z"`
}

// Refinement is a memory's text rewritten. What it says is empty until it is
// ready; then it is a version of the memory, and the current one.
type Refinement struct {
	ID          uuid.UUID    `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000018"`
	StoryID     uuid.UUID    `json:"story_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000010"`
	MemoryID    uuid.UUID    `json:"memory_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000011"`
	State       string       `json:"state" enum:"pending,ready,failed" example:"ready"`
	Text        string       `json:"text" example:"My mother had sewn me a blue dress."`
	Version     int          `json:"version" doc:"Of the memory; 0 until it is ready" example:"2"`
	RefinedBy   string       `json:"refined_by" doc:"llm; or offline for rules that tidy up, without a model" example:"llm"`
	Style       string       `json:"style" example:"gentle"`
	Language    string       `json:"language" example:"en"`
	Provider    string       `json:"provider" doc:"That was asked for" example:"ollama"`
	Model       string       `json:"model" example:"llama3.2"`
	Suggestions *Suggestions `json:"suggestions,omitempty" doc:"Where they were asked for"`
	Error       *JobError    `json:"error,omitempty"`
	CreatedAt   time.Time    `json:"created_at" example:"2026-05-17T09:30:00Z"`
}

// Suggestions are what the original text names; nothing of it is set by itself.
type Suggestions struct {
	People []NewPerson    `json:"people"`
	Places []string       `json:"places" example:"[\"Lakeside\"]"`
	When   *SuggestedWhen `json:"when,omitempty" doc:"Absent where the text names none"`
}

// SuggestedWhen is a time that the text names.
type SuggestedWhen struct {
	When
	Quote string `json:"quote" doc:"The words that name it" example:"in the summer of 1944"`
}

// Asking says who is to think of the question.
type Asking struct {
	Provider string `json:"provider,omitempty" maxLength:"50" doc:"Of the language model; empty asks for the default. See /v1/llm/models" example:"ollama"`
	Model    string `json:"model,omitempty" maxLength:"200" doc:"Empty asks for the provider's default" example:"llama3.2"`
}

// Refining says how a text is to be rewritten.
type Refining struct {
	Asking
	Style    string `json:"style,omitempty" enum:"gentle,plain,literary" default:"gentle" doc:"gentle mends, plain shortens, literary tells" example:"gentle"`
	Language string `json:"language,omitempty" maxLength:"2" pattern:"^([a-z]{2})?$" doc:"Of the refined text; empty keeps the text's" example:"en"`
	Suggest  bool   `json:"suggest,omitempty" doc:"Look for people, places and a date in the text, too" example:"true"`
}

// AcceptedInterview is a question that a job will think of.
type AcceptedInterview struct {
	Job      Job      `json:"job"`
	Question Question `json:"question"`
}

// AcceptedRefinement is a text that a job will rewrite.
type AcceptedRefinement struct {
	Job        Job        `json:"job"`
	Refinement Refinement `json:"refinement"`
}

// QuestionPath names a question in an address.
type QuestionPath struct {
	StoryPath
	QuestionID uuid.UUID `path:"question_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000012"`
}

// RefinementPath names a refinement in an address.
type RefinementPath struct {
	StoryPath
	RefinementID uuid.UUID `path:"refinement_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000018"`
}

type interviewInput struct {
	StoryPath
	Submission
	Body Asking
}

type refineInput struct {
	MemoryPath
	Submission
	Body Refining
}

type questionOutput struct {
	Body Question
}

type refinementOutput struct {
	Body Refinement
}

func (s *server) interviewOperations() {
	missing := []domain.Code{domain.CodeNotFound}
	failing := []domain.Code{
		domain.CodeProviderUnknown, domain.CodeModelNotFound, domain.CodeModelUnavailable, domain.CodeModelOverloaded,
		domain.CodeModelRateLimited, domain.CodeModelTimeout, domain.CodeContextTooLong, domain.CodeTimedOut,
	}
	register(s, submitEndpoint[AcceptedInterview, Question](s, endpoint{
		id: "ask-question", scope: domain.ScopeStories, method: http.MethodPost, path: "/stories/{story_id}/interview", tag: storiesTag, summary: "Ask for the interviewer's next question",
		description: "The timeline decides what it is about, a language model how it is put. Its answer is a memory with its question_id. " +
			"Twenty questions without an answer are enough: then it is a conflict.",
		codes: append([]domain.Code{domain.CodeConflict}, failing...),
	}), s.interview)
	register(s, submitEndpoint[AcceptedRefinement, Refinement](s, endpoint{
		id: "refine-memory", scope: domain.ScopeStories, method: http.MethodPost, path: "/stories/{story_id}/memories/{memory_id}/refine", tag: storiesTag,
		summary: "Rewrite a memory's text",
		description: "Without inventing: names, numbers and dates of the new text must all be in the original, which is kept. " +
			"The current text is rewritten, or where that is a refined one, what a person wrote last. The result becomes the current text, unless another one did meanwhile.",
		codes: append([]domain.Code{domain.CodeModelMalformed, domain.CodeModelRefused, domain.CodeRefinementUnfaithful}, failing...),
	}), s.refine)
	registerList(s, endpoint{
		id: "list-questions", scope: domain.ScopeStories, method: http.MethodGet, path: "/stories/{story_id}/questions", tag: storiesTag, summary: "List a story's questions",
		codes: []domain.Code{domain.CodeInvalidCursor, domain.CodeNotFound},
	}, s.listQuestions)
	register(s, endpoint{
		id: "get-question", scope: domain.ScopeStories, method: http.MethodGet, path: "/stories/{story_id}/questions/{question_id}", tag: storiesTag,
		summary: "Get a question", codes: missing,
	}, s.getQuestion)
	register(s, endpoint{
		id: "get-refinement", scope: domain.ScopeStories, method: http.MethodGet, path: "/stories/{story_id}/refinements/{refinement_id}", tag: storiesTag,
		summary: "Get a refinement", codes: missing,
	}, s.getRefinement)
}

func toQuestion(q domain.Question) Question {
	return Question{
		ID: q.ID, StoryID: q.StoryID, State: string(q.State), Text: q.Text, Topic: q.Topic, Subject: q.Subject, Reason: q.Reason,
		AskedBy: string(q.AskedBy), Provider: q.Provider, Model: q.Model, AnsweredBy: q.AnsweredBy,
		Error: toJobError(q.Error), CreatedAt: q.CreatedAt,
	}
}

func toRefinement(r domain.Refinement) Refinement {
	return Refinement{
		ID: r.ID, StoryID: r.StoryID, MemoryID: r.MemoryID, State: string(r.State), Text: r.Text, Version: r.Version,
		RefinedBy: string(r.By), Style: r.Style, Language: r.Language, Provider: r.Provider, Model: r.Model,
		Suggestions: toSuggestions(r), Error: toJobError(r.Error), CreatedAt: r.CreatedAt,
	}
}

func toSuggestions(r domain.Refinement) *Suggestions {
	if r.Suggestions == nil {
		return nil
	}
	shown := &Suggestions{People: []NewPerson{}, Places: []string{}}
	for _, p := range r.Suggestions.People {
		shown.People = append(shown.People, NewPerson{Name: p.Name, Relation: p.Relation})
	}
	for _, p := range r.Suggestions.Places {
		shown.Places = append(shown.Places, p.Name)
	}
	if p := r.Suggestions.Period; p != nil {
		shown.When = &SuggestedWhen{When: toWhen(p.Period, r.Language), Quote: p.Quote}
	}
	return shown
}

// telling is a job that makes something for a story.
func (s *server) telling(ctx context.Context, in Submission, parent domain.Story, makes string, asked ...any) (domain.Submission, error) {
	hash, err := requestHash(append([]any{domain.KindStory, parent.ID, makes}, asked...)...)
	if err != nil {
		return domain.Submission{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return domain.Submission{}, err
	}
	args, err := json.Marshal(storyArgs{StoryID: parent.ID, Makes: makes})
	return domain.Submission{
		UserID: parent.UserID, ProjectID: parent.ProjectID, Kind: domain.KindStory, Stage: domain.StageStory, Class: class(ctx, in),
		ResourceID: id, Args: args, IdempotencyKey: in.IdempotencyKey, RequestHash: hash, Trace: traceparent(ctx),
	}, err
}

// storyArgs say what a story's job makes, so that the job can name its address.
type storyArgs struct {
	StoryID uuid.UUID `json:"story_id"`
	Makes   string    `json:"makes"` // "question" or "refinement"
}

// storyResource is what a story's job makes.
func storyResource(j domain.Job) Resource {
	args := storyArgs{Makes: "question"}
	_ = json.Unmarshal(j.Args, &args) // ours, since telling
	return Resource{Type: args.Makes, ID: j.ResourceID, Href: "/v1/stories/" + args.StoryID.String() + "/" + args.Makes + "s/" + j.ResourceID.String()}
}

// maxUnanswered is how many questions may wait for an answer.
const maxUnanswered = 20

func (s *server) interview(ctx context.Context, in *interviewInput) (*submitted, error) {
	parent, err := s.Stories.Story(ctx, userID(ctx), in.StoryID)
	if err != nil {
		return nil, err
	}
	sub, err := s.telling(ctx, in.Submission, parent, "question", in.Body)
	if err != nil {
		return nil, err
	}
	job, err := s.replay(ctx, sub)
	if err != nil {
		return nil, err
	}
	if job != nil {
		return s.followQuestion(ctx, in, job.ResourceID, *job)
	}
	provider, err := s.Providers.Provider(in.Body.Provider)
	if err != nil {
		return nil, err
	}
	if err := s.answerFirst(ctx, parent); err != nil {
		return nil, err
	}
	q, accepted, err := s.Stories.AskQuestion(ctx, domain.Question{
		ID: sub.ResourceID, UserID: parent.UserID, StoryID: parent.ID, Provider: provider.Name(), Model: plain(in.Body.Model, 200),
	}, sub)
	if err != nil {
		return nil, err
	}
	return s.followQuestion(ctx, in, q.ID, accepted)
}

func (s *server) answerFirst(ctx context.Context, parent domain.Story) error {
	asked, err := s.Stories.Questions(ctx, parent.UserID, parent.ID, nil, maxUnanswered)
	if err != nil || len(asked) < maxUnanswered {
		return err
	}
	for _, q := range asked {
		if q.AnsweredBy != nil {
			return nil
		}
	}
	return domain.Errorf(domain.CodeConflict, "The last %d questions have no answer yet. Answer one of them first.", maxUnanswered)
}

func (s *server) followQuestion(ctx context.Context, in *interviewInput, id uuid.UUID, job domain.Job) (*submitted, error) {
	q, err := s.Stories.Question(ctx, job.UserID, in.StoryID, id)
	if err != nil {
		return nil, err
	}
	return s.follow(ctx, in.Submission, job, result{
		accepted: func(j Job) any { return AcceptedInterview{Job: j, Question: toQuestion(q)} },
		finished: func(ctx context.Context) (any, error) {
			done, err := s.Stories.Question(ctx, job.UserID, in.StoryID, id)
			return toQuestion(done), err
		},
	})
}

func (s *server) refine(ctx context.Context, in *refineInput) (*submitted, error) {
	parent, err := s.Stories.Story(ctx, userID(ctx), in.StoryID)
	if err != nil {
		return nil, err
	}
	sub, err := s.telling(ctx, in.Submission, parent, "refinement", in.MemoryID, in.Body)
	if err != nil {
		return nil, err
	}
	job, err := s.replay(ctx, sub)
	if err != nil {
		return nil, err
	}
	if job != nil {
		return s.followRefinement(ctx, in, job.ResourceID, *job)
	}
	provider, err := s.Providers.Provider(in.Body.Provider)
	if err != nil {
		return nil, err
	}
	if _, err := s.Stories.Memory(ctx, parent.UserID, parent.ID, in.MemoryID); err != nil {
		return nil, err
	}
	r, accepted, err := s.Stories.Refine(ctx, domain.Refinement{
		ID: sub.ResourceID, UserID: parent.UserID, StoryID: parent.ID, MemoryID: in.MemoryID,
		Provider: provider.Name(), Model: plain(in.Body.Model, 200), Style: in.Body.Style, Language: in.Body.Language, Suggest: in.Body.Suggest,
	}, sub)
	if err != nil {
		return nil, err
	}
	return s.followRefinement(ctx, in, r.ID, accepted)
}

func (s *server) followRefinement(ctx context.Context, in *refineInput, id uuid.UUID, job domain.Job) (*submitted, error) {
	r, err := s.Stories.Refinement(ctx, job.UserID, in.StoryID, id)
	if err != nil {
		return nil, err
	}
	return s.follow(ctx, in.Submission, job, result{
		accepted: func(j Job) any { return AcceptedRefinement{Job: j, Refinement: toRefinement(r)} },
		finished: func(ctx context.Context) (any, error) {
			done, err := s.Stories.Refinement(ctx, job.UserID, in.StoryID, id)
			return toRefinement(done), err
		},
	})
}

func (s *server) listQuestions(ctx context.Context, in *memoriesInput) (Page[Question], error) {
	const list = "questions"
	before, err := s.cursors.decode(list, in.StoryID, in.Cursor)
	if err != nil {
		return Page[Question]{}, err
	}
	if _, err := s.Stories.Story(ctx, userID(ctx), in.StoryID); err != nil {
		return Page[Question]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Stories.Questions(ctx, userID(ctx), in.StoryID, before, size)
	return cut(s.cursors, list, in.StoryID, rows, size, func(q domain.Question) uuid.UUID { return q.ID }, toQuestion), err
}

func (s *server) getQuestion(ctx context.Context, in *QuestionPath) (*questionOutput, error) {
	q, err := s.Stories.Question(ctx, userID(ctx), in.StoryID, in.QuestionID)
	return &questionOutput{Body: toQuestion(q)}, err
}

func (s *server) getRefinement(ctx context.Context, in *RefinementPath) (*refinementOutput, error) {
	r, err := s.Stories.Refinement(ctx, userID(ctx), in.StoryID, in.RefinementID)
	return &refinementOutput{Body: toRefinement(r)}, err
}
