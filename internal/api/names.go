package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Person is somebody in a memory.
type Person struct {
	ID       uuid.UUID `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000013"`
	Name     string    `json:"name" example:"Aunt Rose"`
	Relation string    `json:"relation" doc:"To the story's subject" example:"aunt"`
}

// Named is a place or a tag of a memory.
type Named struct {
	ID   uuid.UUID `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000014"`
	Name string    `json:"name" example:"Lakeside"`
}

// Name is a person, place or tag of a story.
type Name struct {
	ID       uuid.UUID `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000013"`
	StoryID  uuid.UUID `json:"story_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000010"`
	Kind     string    `json:"kind" enum:"person,place,tag" example:"person"`
	Name     string    `json:"name" example:"Aunt Rose"`
	Relation string    `json:"relation" doc:"Of a person to the story's subject" example:"aunt"`
	Memories int       `json:"memories" doc:"How many it is in" example:"3"`
}

// NameChange names the fields to change; others stay.
type NameChange struct {
	Name     *string `json:"name,omitempty" minLength:"1" maxLength:"255" nullable:"true" example:"Aunt Rosemary"`
	Relation *string `json:"relation,omitempty" maxLength:"255" nullable:"true" doc:"Of people alone" example:"aunt"`
}

// Merge names what something becomes part of.
type Merge struct {
	Into uuid.UUID `json:"into" format:"uuid" doc:"A name of the same kind" example:"0198c5b1-0000-7000-8000-000000000015"`
}

// NamePath names a name in an address.
type NamePath struct {
	StoryPath
	NameID uuid.UUID `path:"name_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000013"`
}

type namesInput struct {
	StoryPath
	Paging
	Kind string `query:"kind" enum:"person,place,tag" doc:"All without it" example:"person"`
}

type changeNameInput struct {
	NamePath
	Body NameChange
}

type mergeInput struct {
	NamePath
	Body Merge
}

type nameOutput struct {
	Body Name
}

func (s *server) nameOperations() {
	const path = "/stories/{story_id}/names/{name_id}"
	registerList(s, endpoint{
		id: "list-names", scope: domain.ScopeStories, method: http.MethodGet, path: "/stories/{story_id}/names", tag: storiesTag,
		summary: "List the people, places and tags of a story",
		codes:   []domain.Code{domain.CodeInvalidCursor, domain.CodeNotFound},
	}, s.listNames)
	register(s, endpoint{
		id: "update-name", scope: domain.ScopeStories, method: http.MethodPatch, path: path, tag: storiesTag, summary: "Rename a person, place or tag",
		description: "In all memories at once.", codes: []domain.Code{domain.CodeNotFound, domain.CodeConflict},
	}, s.updateName)
	register(s, endpoint{
		id: "merge-names", scope: domain.ScopeStories, method: http.MethodPost, path: path + "/merge", tag: storiesTag, summary: "Merge two names of one person, place or tag",
		description: "The name in the address disappears; its memories are the other's.", codes: []domain.Code{domain.CodeNotFound},
	}, s.mergeNames)
	register(s, endpoint{
		id: "delete-name", scope: domain.ScopeStories, method: http.MethodDelete, path: path, tag: storiesTag, summary: "Take a person, place or tag out of a story",
		description: "The memories stay.", status: http.StatusNoContent, codes: []domain.Code{domain.CodeNotFound},
	}, s.deleteName)
}

func toName(n domain.Name) Name {
	return Name{ID: n.ID, StoryID: n.StoryID, Kind: string(n.Kind), Name: n.Name, Relation: n.Relation, Memories: n.Memories}
}

// names are what a memory names, and of which kinds something was said: nothing
// and an empty list differ.
func names(people []NewPerson, places, tags []string) (all []domain.Name, kinds []domain.NameKind, err error) {
	add := func(location string, kind domain.NameKind, name, relation string) {
		if name = plain(name, 255); name == "" {
			err = invalid("body."+location, "must not hold empty names")
		}
		all = append(all, domain.Name{Kind: kind, Name: name, Relation: plain(relation, 255)})
	}
	for _, p := range people {
		add("people", domain.NamePerson, p.Name, p.Relation)
	}
	for _, name := range places {
		add("places", domain.NamePlace, name, "")
	}
	for _, name := range tags {
		add("tags", domain.NameTag, name, "")
	}
	if people != nil {
		kinds = append(kinds, domain.NamePerson)
	}
	if places != nil {
		kinds = append(kinds, domain.NamePlace)
	}
	if tags != nil {
		kinds = append(kinds, domain.NameTag)
	}
	return all, kinds, err
}

func (s *server) listNames(ctx context.Context, in *namesInput) (Page[Name], error) {
	const list = "names"
	before, err := s.cursors.decode(list, in.StoryID, in.Cursor)
	if err != nil {
		return Page[Name]{}, err
	}
	if _, err := s.Stories.Story(ctx, userID(ctx), in.StoryID); err != nil {
		return Page[Name]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Stories.Names(ctx, userID(ctx), in.StoryID, domain.NameKind(in.Kind), before, size)
	return cut(s.cursors, list, in.StoryID, rows, size, func(n domain.Name) uuid.UUID { return n.ID }, toName), err
}

func (s *server) updateName(ctx context.Context, in *changeNameInput) (*nameOutput, error) {
	var name, relation *string
	if in.Body.Name != nil {
		name = new(plain(*in.Body.Name, 255))
		if *name == "" {
			return nil, invalid("body.name", "must not be empty")
		}
	}
	if in.Body.Relation != nil {
		relation = new(plain(*in.Body.Relation, 255))
	}
	changed, err := s.Stories.Rename(ctx, userID(ctx), in.StoryID, in.NameID, name, relation)
	return &nameOutput{Body: toName(changed)}, err
}

func (s *server) mergeNames(ctx context.Context, in *mergeInput) (*nameOutput, error) {
	merged, err := s.Stories.MergeNames(ctx, userID(ctx), in.StoryID, in.NameID, in.Body.Into)
	return &nameOutput{Body: toName(merged)}, err
}

func (s *server) deleteName(ctx context.Context, in *NamePath) (*struct{}, error) {
	return nil, s.Stories.DeleteName(ctx, userID(ctx), in.StoryID, in.NameID)
}
