package api

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/story"
)

// Memory is something that happened, as somebody tells it. Its text is the
// current version's; no version is ever lost.
type Memory struct {
	ID             uuid.UUID  `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000011"`
	StoryID        uuid.UUID  `json:"story_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000010"`
	Title          string     `json:"title" example:"The first day at school"`
	Text           string     `json:"text" doc:"The current version's" example:"My mother had sewn me a blue dress."`
	OriginalText   string     `json:"original_text" doc:"As it was told first" example:"my mother had sewn me a blue dress"`
	RefinedText    *string    `json:"refined_text" nullable:"true" doc:"The newest refined version's; null when there is none" example:"My mother had sewn me a blue dress."`
	IsRefined      bool       `json:"is_refined" doc:"The current version is a refined one" example:"true"`
	CurrentVersion int        `json:"current_version" example:"2"`
	Versions       []Version  `json:"versions" doc:"In order; empty in lists"`
	When           When       `json:"when"`
	People         []Person   `json:"people"`
	Places         []Named    `json:"places"`
	Tags           []Named    `json:"tags"`
	Photos         []Photo    `json:"photos"`
	QuestionID     *uuid.UUID `json:"question_id" format:"uuid" nullable:"true" doc:"The question it answers" example:"0198c5b1-0000-7000-8000-000000000012"`
	CreatedAt      time.Time  `json:"created_at" example:"2026-05-17T09:30:00Z"`
	UpdatedAt      time.Time  `json:"updated_at" example:"2026-05-17T09:30:00Z"`
}

// Version is one form of a memory's text.
type Version struct {
	Number    int       `json:"number" doc:"Counts from 1" example:"1"`
	Kind      string    `json:"kind" enum:"original,refined,edited" example:"original"`
	Text      string    `json:"text" example:"my mother had sewn me a blue dress"`
	Language  string    `json:"language" doc:"Of a refined version" example:"en"`
	Style     string    `json:"style" doc:"Of a refined version" example:"gentle"`
	Provider  string    `json:"provider" doc:"That refined it" example:"ollama"`
	Model     string    `json:"model" doc:"That refined it" example:"llama3.2"`
	CreatedAt time.Time `json:"created_at" example:"2026-05-17T09:30:00Z"`
}

// When says when a memory happened, and how well that is known.
type When struct {
	Precision string  `json:"precision" enum:"day,month,year,decade,range,circa,unknown" example:"month"`
	Earliest  *string `json:"earliest" format:"date" nullable:"true" doc:"The first day it can have been" example:"1944-09-01"`
	Latest    *string `json:"latest" format:"date" nullable:"true" doc:"The last day it can have been" example:"1944-09-30"`
	Label     string  `json:"label" doc:"In the teller's words" example:"after the harvest"`
	Text      string  `json:"text" doc:"In words: the label, or the dates in the story's language" example:"September 1944"`
}

// NewWhen is a time as it is known.
type NewWhen struct {
	Precision string `json:"precision,omitempty" enum:"day,month,year,decade,range,circa,unknown" doc:"Without it, it follows from the dates" example:"month"`
	Earliest  string `json:"earliest,omitempty" maxLength:"10" doc:"YYYY, YYYY-MM or YYYY-MM-DD" example:"1944-09"`
	Latest    string `json:"latest,omitempty" maxLength:"10" doc:"The end of a range; as earliest" example:"1944-09"`
	Label     string `json:"label,omitempty" maxLength:"200" doc:"In the teller's words" example:"after the harvest"`
}

// NewPerson names a person. One of that name who is in the story already is the
// same one, unless the relation differs.
type NewPerson struct {
	Name     string `json:"name" minLength:"1" maxLength:"255" example:"Aunt Rose"`
	Relation string `json:"relation,omitempty" maxLength:"255" doc:"To the story's subject" example:"aunt"`
}

// NewMemory is a memory as it is told.
type NewMemory struct {
	Title      string      `json:"title,omitempty" maxLength:"255" doc:"Without one, the text's first words" example:"The first day at school"`
	Text       string      `json:"text" minLength:"1" maxLength:"100000" example:"my mother had sewn me a blue dress"`
	When       NewWhen     `json:"when,omitempty"`
	People     []NewPerson `json:"people,omitempty" maxItems:"50"`
	Places     []string    `json:"places,omitempty" maxItems:"50" doc:"Names of places" example:"[\"Lakeside\"]"`
	Tags       []string    `json:"tags,omitempty" maxItems:"50" example:"[\"school\"]"`
	QuestionID *uuid.UUID  `json:"question_id,omitempty" format:"uuid" nullable:"true" doc:"The question it answers" example:"0198c5b1-0000-7000-8000-000000000012"`
}

// MemoryChange names the fields to change; others stay.
type MemoryChange struct {
	Title          *string     `json:"title,omitempty" minLength:"1" maxLength:"255" nullable:"true" example:"The first day at school"`
	Text           *string     `json:"text,omitempty" minLength:"1" maxLength:"100000" nullable:"true" doc:"Becomes a new version, and the current one" example:"My mother had sewn me a blue dress, and I was proud."`
	CurrentVersion *int        `json:"current_version,omitempty" minimum:"1" nullable:"true" doc:"Goes back, or forth, to a version; not with a new text"`
	When           *NewWhen    `json:"when,omitempty"`
	People         []NewPerson `json:"people,omitempty" maxItems:"50" nullable:"true" doc:"Replace those of before"`
	Places         []string    `json:"places,omitempty" maxItems:"50" nullable:"true" doc:"Replace those of before" example:"[\"Lakeside\"]"`
	Tags           []string    `json:"tags,omitempty" maxItems:"50" nullable:"true" doc:"Replace those of before" example:"[\"school\"]"`
}

// MemoryPath names a memory in an address.
type MemoryPath struct {
	StoryPath
	MemoryID uuid.UUID `path:"memory_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000011"`
}

type memoriesInput struct {
	StoryPath
	Paging
}

type newMemoryInput struct {
	StoryPath
	Body NewMemory
}

type changeMemoryInput struct {
	MemoryPath
	Body MemoryChange
}

type memoryOutput struct {
	Body Memory
}

func (s *server) memoryOperations() {
	const list, path = "/stories/{story_id}/memories", "/stories/{story_id}/memories/{memory_id}"
	missing := []domain.Code{domain.CodeNotFound}
	registerList(s, endpoint{
		id: "list-memories", scope: domain.ScopeStories, method: http.MethodGet, path: list, tag: storiesTag, summary: "List a story's memories",
		description: "As they were told, newest first; the timeline has them in the order of the life.",
		codes:       []domain.Code{domain.CodeInvalidCursor, domain.CodeNotFound},
	}, s.listMemories)
	register(s, endpoint{
		id: "create-memory", scope: domain.ScopeStories, method: http.MethodPost, path: list, tag: storiesTag, summary: "Tell a memory",
		status: http.StatusCreated, codes: []domain.Code{domain.CodeNotFound, domain.CodeConflict},
	}, s.createMemory)
	register(s, endpoint{id: "get-memory", scope: domain.ScopeStories, method: http.MethodGet, path: path, tag: storiesTag, summary: "Get a memory", codes: missing}, s.getMemory)
	register(s, endpoint{id: "update-memory", scope: domain.ScopeStories, method: http.MethodPatch, path: path, tag: storiesTag, summary: "Change a memory", codes: missing}, s.updateMemory)
	register(s, endpoint{
		id: "delete-memory", scope: domain.ScopeStories, method: http.MethodDelete, path: path, tag: storiesTag, summary: "Delete a memory",
		description: "With its photos; stops its jobs.", status: http.StatusNoContent, codes: missing,
	}, s.deleteMemory)
}

// toMemory shows a memory with its time in a language.
func toMemory(m domain.Memory, language string) Memory {
	shown := Memory{
		ID: m.ID, StoryID: m.StoryID, Title: m.Title, Text: m.Text, OriginalText: m.Text, CurrentVersion: m.Current,
		Versions: []Version{}, When: toWhen(m.Period, language), People: []Person{}, Places: []Named{}, Tags: []Named{},
		Photos: []Photo{}, QuestionID: m.QuestionID, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
	for _, v := range m.Versions {
		shown.Versions = append(shown.Versions, Version{
			Number: v.Number, Kind: string(v.Kind), Text: v.Text, Language: v.Language, Style: v.Style,
			Provider: v.Provider, Model: v.Model, CreatedAt: v.CreatedAt,
		})
		switch v.Kind {
		case domain.VersionOriginal:
			shown.OriginalText = v.Text
		case domain.VersionRefined:
			shown.RefinedText = &v.Text
			shown.IsRefined = shown.IsRefined || v.Number == m.Current
		}
	}
	for _, n := range m.Names {
		switch n.Kind {
		case domain.NamePerson:
			shown.People = append(shown.People, Person{ID: n.ID, Name: n.Name, Relation: n.Relation})
		case domain.NamePlace:
			shown.Places = append(shown.Places, Named{ID: n.ID, Name: n.Name})
		case domain.NameTag:
			shown.Tags = append(shown.Tags, Named{ID: n.ID, Name: n.Name})
		}
	}
	for _, p := range m.Photos {
		shown.Photos = append(shown.Photos, toPhoto(m.StoryID, p))
	}
	return shown
}

// toListedMemory leaves out the versions.
func toListedMemory(m domain.Memory, language string) Memory {
	shown := toMemory(m, language)
	shown.Versions = []Version{}
	return shown
}

func toWhen(p domain.Period, language string) When {
	w := When{Precision: string(p.Precision), Label: p.Label, Text: story.When(p, language)}
	if p.Known() {
		earliest, latest := p.Earliest.Format(time.DateOnly), p.Latest.Format(time.DateOnly)
		w.Earliest, w.Latest = &earliest, &latest
	}
	return w
}

// period reads a time, which does not begin in the future.
func (n NewWhen) period() (domain.Period, error) {
	p, err := domain.NewPeriod(domain.Precision(n.Precision), n.Earliest, n.Latest, plain(n.Label, 200))
	if err != nil {
		return p, invalid("body.when", "is no time: "+strings.TrimSuffix(domain.AsError(err).Message, "."))
	}
	if p.Earliest.After(tomorrow()) {
		return p, invalid("body.when", "must not be to come")
	}
	return p, nil
}

func (s *server) listMemories(ctx context.Context, in *memoriesInput) (Page[Memory], error) {
	const list = "memories"
	before, err := s.cursors.decode(list, in.StoryID, in.Cursor)
	if err != nil {
		return Page[Memory]{}, err
	}
	parent, err := s.Stories.Story(ctx, userID(ctx), in.StoryID)
	if err != nil {
		return Page[Memory]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Stories.Memories(ctx, userID(ctx), in.StoryID, before, size)
	show := func(m domain.Memory) Memory { return toListedMemory(m, parent.Language) }
	return cut(s.cursors, list, in.StoryID, rows, size, func(m domain.Memory) uuid.UUID { return m.ID }, show), err
}

func (s *server) createMemory(ctx context.Context, in *newMemoryInput) (*memoryOutput, error) {
	parent, err := s.Stories.Story(ctx, userID(ctx), in.StoryID)
	if err != nil {
		return nil, err
	}
	text := prose(in.Body.Text)
	if text == "" {
		return nil, invalid("body.text", "must not be empty")
	}
	period, err := in.Body.When.period()
	if err != nil {
		return nil, err
	}
	names, _, err := names(in.Body.People, in.Body.Places, in.Body.Tags)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	title := plain(in.Body.Title, 255)
	if title == "" {
		title = firstWords(text)
	}
	m, err := s.Stories.CreateMemory(ctx, domain.Memory{
		ID: id, UserID: userID(ctx), StoryID: parent.ID, Title: title, Text: text, Period: period, Names: names,
		QuestionID: in.Body.QuestionID,
	})
	return &memoryOutput{Body: toMemory(m, parent.Language)}, err
}

// prose drops control characters but those that lay out text.
func prose(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
	return strings.TrimSpace(s)
}

// firstWords is a title for a text without one.
func firstWords(text string) string {
	const longest = 60
	title := ""
	for _, word := range strings.Fields(text) {
		if title != "" && len([]rune(title+" "+word)) > longest {
			return title + " …"
		}
		title = strings.TrimSpace(title + " " + word)
	}
	return plain(title, longest)
}

func (s *server) getMemory(ctx context.Context, in *MemoryPath) (*memoryOutput, error) {
	m, err := s.Stories.Memory(ctx, userID(ctx), in.StoryID, in.MemoryID)
	return s.showMemory(ctx, m, err)
}

func (s *server) showMemory(ctx context.Context, m domain.Memory, err error) (*memoryOutput, error) {
	if err != nil {
		return nil, err
	}
	parent, err := s.Stories.Story(ctx, m.UserID, m.StoryID)
	return &memoryOutput{Body: toMemory(m, parent.Language)}, err
}

func (s *server) updateMemory(ctx context.Context, in *changeMemoryInput) (*memoryOutput, error) {
	change, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	m, err := s.Stories.UpdateMemory(ctx, userID(ctx), in.StoryID, in.MemoryID, change)
	return s.showMemory(ctx, m, err)
}

func (c MemoryChange) change() (domain.MemoryChange, error) {
	change := domain.MemoryChange{Current: c.CurrentVersion}
	if c.Title != nil {
		title := plain(*c.Title, 255)
		if title == "" {
			return change, invalid("body.title", "must not be empty")
		}
		change.Title = &title
	}
	if c.Text != nil {
		text := prose(*c.Text)
		if text == "" {
			return change, invalid("body.text", "must not be empty")
		}
		if c.CurrentVersion != nil {
			return change, invalid("body.current_version", "must not come with a new text")
		}
		change.Text = &text
	}
	if c.When != nil {
		period, err := c.When.period()
		if err != nil {
			return change, err
		}
		change.Period = &period
	}
	var err error
	change.Names, change.Kinds, err = names(c.People, c.Places, c.Tags)
	return change, err
}

func (s *server) deleteMemory(ctx context.Context, in *MemoryPath) (*struct{}, error) {
	stopped, err := s.Stories.DeleteMemory(ctx, userID(ctx), in.StoryID, in.MemoryID)
	s.stopped(ctx, stopped, err)
	return nil, err
}
