package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// StoryStore keeps stories. What takes a user sees only what is that user's.
type StoryStore interface {
	CreateStory(ctx context.Context, s domain.Story) (domain.Story, error)
	Story(ctx context.Context, userID, id uuid.UUID) (domain.Story, error)
	Stories(ctx context.Context, userID uuid.UUID, projectID, before *uuid.UUID, limit int) ([]domain.Story, error)
	UpdateStory(ctx context.Context, userID, id uuid.UUID, change domain.StoryChange) (domain.Story, error)
	DeleteStory(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error)
	All(ctx context.Context, userID, storyID uuid.UUID) (domain.Story, []domain.Memory, error)

	CreateMemory(ctx context.Context, m domain.Memory) (domain.Memory, error)
	Memory(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Memory, error)
	Memories(ctx context.Context, userID, storyID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Memory, error)
	UpdateMemory(ctx context.Context, userID, storyID, id uuid.UUID, change domain.MemoryChange) (domain.Memory, error)
	DeleteMemory(ctx context.Context, userID, storyID, id uuid.UUID) ([]domain.Job, error)
	SearchMemories(ctx context.Context, userID, storyID uuid.UUID, query string, limit int) ([]postgres.MemoryFound, error)

	Names(ctx context.Context, userID, storyID uuid.UUID, kind domain.NameKind, before *uuid.UUID, limit int) ([]domain.Name, error)
	Rename(ctx context.Context, userID, storyID, id uuid.UUID, name, relation *string) (domain.Name, error)
	MergeNames(ctx context.Context, userID, storyID, id, into uuid.UUID) (domain.Name, error)
	DeleteName(ctx context.Context, userID, storyID, id uuid.UUID) error

	AddPhoto(ctx context.Context, storyID uuid.UUID, p domain.Photo, bytes map[domain.PhotoSize][]byte) (domain.Photo, error)
	Photo(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Photo, error)
	PhotoBytes(ctx context.Context, userID, id uuid.UUID, size domain.PhotoSize) ([]byte, error)
	CaptionPhoto(ctx context.Context, userID, storyID, id uuid.UUID, caption string) (domain.Photo, error)
	DeletePhoto(ctx context.Context, userID, storyID, id uuid.UUID) error

	AskQuestion(ctx context.Context, q domain.Question, sub domain.Submission) (domain.Question, domain.Job, error)
	Question(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Question, error)
	Questions(ctx context.Context, userID, storyID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Question, error)
	Refine(ctx context.Context, r domain.Refinement, sub domain.Submission) (domain.Refinement, domain.Job, error)
	Refinement(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Refinement, error)
}

// Story is somebody's life, told in memories.
type Story struct {
	ID        uuid.UUID  `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000010"`
	UserID    uuid.UUID  `json:"user_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000002"`
	ProjectID *uuid.UUID `json:"project_id" format:"uuid" nullable:"true" example:"0198c5b1-0000-7000-8000-000000000001"`
	Title     string     `json:"title" example:"A life by the river"`
	Subject   string     `json:"subject" doc:"Whose life it is" example:"Grandmother"`
	BornOn    *string    `json:"born_on" format:"date" nullable:"true" doc:"When the subject was born" example:"1938-05-17"`
	Language  string     `json:"language" doc:"Of the story and of its questions" example:"en"`
	Memories  int        `json:"memories" doc:"How many there are" example:"12"`
	CreatedAt time.Time  `json:"created_at" example:"2026-05-17T09:30:00Z"`
	UpdatedAt time.Time  `json:"updated_at" example:"2026-05-17T09:30:00Z"`
}

// NewStory is what a story begins with.
type NewStory struct {
	Title     string     `json:"title" minLength:"1" maxLength:"255" example:"A life by the river"`
	Subject   string     `json:"subject,omitempty" maxLength:"255" doc:"Whose life it is" example:"Grandmother"`
	BornOn    string     `json:"born_on,omitempty" maxLength:"10" doc:"YYYY-MM-DD; empty when it is not known" example:"1938-05-17"`
	Language  string     `json:"language,omitempty" maxLength:"2" pattern:"^([a-z]{2})?$" doc:"Of the story and of its questions; empty asks for yours, or en" example:"en"`
	ProjectID *uuid.UUID `json:"project_id,omitempty" format:"uuid" nullable:"true" doc:"One of type tell_me_life" example:"0198c5b1-0000-7000-8000-000000000001"`
}

// StoryChange names the fields to change; others stay.
type StoryChange struct {
	Title    *string `json:"title,omitempty" minLength:"1" maxLength:"255" nullable:"true" example:"A life by the river"`
	Subject  *string `json:"subject,omitempty" maxLength:"255" nullable:"true" example:"Grandmother"`
	BornOn   *string `json:"born_on,omitempty" maxLength:"10" nullable:"true" doc:"YYYY-MM-DD; empty forgets it" example:"1938-05-17"`
	Language *string `json:"language,omitempty" pattern:"^[a-z]{2}$" nullable:"true" example:"de"`
}

// StoryPath names a story in an address.
type StoryPath struct {
	StoryID uuid.UUID `path:"story_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000010"`
}

type storiesInput struct {
	Paging
	ProjectID optionalID `query:"project_id" format:"uuid"`
}

type newStoryInput struct {
	Body NewStory
}

type changeStoryInput struct {
	StoryPath
	Body StoryChange
}

type storyOutput struct {
	Body Story
}

const storiesTag = "stories"

func (s *server) storyOperations() {
	const path = "/stories/{story_id}"
	missing := []domain.Code{domain.CodeNotFound}
	registerList(s, endpoint{
		id: "list-stories", scope: domain.ScopeStories, method: http.MethodGet, path: "/stories", tag: storiesTag, summary: "List my stories",
		codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listStories)
	register(s, endpoint{
		id: "create-story", scope: domain.ScopeStories, method: http.MethodPost, path: "/stories", tag: storiesTag, summary: "Begin a story",
		status: http.StatusCreated, codes: missing,
	}, s.createStory)
	register(s, endpoint{id: "get-story", scope: domain.ScopeStories, method: http.MethodGet, path: path, tag: storiesTag, summary: "Get a story", codes: missing}, s.getStory)
	register(s, endpoint{id: "update-story", scope: domain.ScopeStories, method: http.MethodPatch, path: path, tag: storiesTag, summary: "Change a story", codes: missing}, s.updateStory)
	register(s, endpoint{
		id: "delete-story", scope: domain.ScopeStories, method: http.MethodDelete, path: path, tag: storiesTag, summary: "Delete a story",
		description: "Deletes everything in it, and stops its jobs.", status: http.StatusNoContent, codes: missing,
	}, s.deleteStory)
	s.memoryOperations()
	s.nameOperations()
	s.photoOperations()
	s.tellingOperations()
	s.interviewOperations()
}

func toStory(d domain.Story) Story {
	story := Story{
		ID: d.ID, UserID: d.UserID, ProjectID: d.ProjectID, Title: d.Title, Subject: d.Subject,
		Language: d.Language, Memories: d.Memories, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	if d.BornOn != nil {
		born := d.BornOn.Format(time.DateOnly)
		story.BornOn = &born
	}
	return story
}

func (s *server) listStories(ctx context.Context, in *storiesInput) (Page[Story], error) {
	const list = "stories"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[Story]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Stories.Stories(ctx, userID(ctx), in.ProjectID.get(), before, size)
	return cut(s.cursors, list, userID(ctx), rows, size, func(d domain.Story) uuid.UUID { return d.ID }, toStory), err
}

func (s *server) createStory(ctx context.Context, in *newStoryInput) (*storyOutput, error) {
	title := plain(in.Body.Title, 255)
	if title == "" {
		return nil, invalid("body.title", "must not be empty")
	}
	born, err := birth(in.Body.BornOn)
	if err != nil {
		return nil, err
	}
	if err := s.tellable(ctx, in.Body.ProjectID); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	story, err := s.Stories.CreateStory(ctx, domain.Story{
		ID: id, UserID: userID(ctx), ProjectID: in.Body.ProjectID, Title: title, Subject: plain(in.Body.Subject, 255),
		BornOn: born, Language: languageOr(in.Body.Language, principal(ctx).User.Language),
	})
	return &storyOutput{Body: toStory(story)}, err
}

// languageOr is the first that is a language's two letters.
func languageOr(languages ...string) string {
	for _, l := range languages {
		if len(l) == 2 && l[0] >= 'a' && l[0] <= 'z' && l[1] >= 'a' && l[1] <= 'z' {
			return l
		}
	}
	return "en"
}

// tellable demands a project for stories, if any.
func (s *server) tellable(ctx context.Context, id *uuid.UUID) error {
	if id == nil {
		return nil
	}
	project, err := s.Store.Project(ctx, userID(ctx), *id)
	if err == nil && project.Type != domain.ProjectTellMeLife {
		return invalid("body.project_id", "must be a project of type tell_me_life")
	}
	return err
}

// birth reads a day of birth, which is not to come; nil for none.
func birth(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // not known
	}
	born, err := time.Parse(time.DateOnly, text)
	if err != nil || born.Year() < 1000 || born.After(tomorrow()) {
		return nil, invalid("body.born_on", "must be a day as YYYY-MM-DD that is not to come")
	}
	return &born, nil
}

// tomorrow allows for callers in any zone.
func tomorrow() time.Time { return time.Now().UTC().Add(24 * time.Hour) }

func (s *server) getStory(ctx context.Context, in *StoryPath) (*storyOutput, error) {
	story, err := s.Stories.Story(ctx, userID(ctx), in.StoryID)
	return &storyOutput{Body: toStory(story)}, err
}

func (s *server) updateStory(ctx context.Context, in *changeStoryInput) (*storyOutput, error) {
	change := domain.StoryChange{Language: in.Body.Language}
	if in.Body.Title != nil {
		title := plain(*in.Body.Title, 255)
		if title == "" {
			return nil, invalid("body.title", "must not be empty")
		}
		change.Title = &title
	}
	if in.Body.Subject != nil {
		change.Subject = new(plain(*in.Body.Subject, 255))
	}
	if in.Body.BornOn != nil {
		born, err := birth(*in.Body.BornOn)
		if err != nil {
			return nil, err
		}
		change.BornOn, change.ForgetBirth = born, born == nil
	}
	story, err := s.Stories.UpdateStory(ctx, userID(ctx), in.StoryID, change)
	return &storyOutput{Body: toStory(story)}, err
}

func (s *server) deleteStory(ctx context.Context, in *StoryPath) (*struct{}, error) {
	stopped, err := s.Stories.DeleteStory(ctx, userID(ctx), in.StoryID)
	s.stopped(ctx, stopped, err)
	return nil, err
}
