package postgres

import (
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Names lists a story's people, places or tags, or all of them for an empty
// kind, newest first, from before on.
func (s *Store) Names(ctx context.Context, userID, storyID uuid.UUID, kind domain.NameKind, before *uuid.UUID, limit int) ([]domain.Name, error) {
	rows, err := s.queries.NamesOfStory(ctx, dbsqlc.NamesOfStoryParams{
		StoryID: storyID, UserID: userID, Kind: null(string(kind)), Before: before, MaxRows: int32(limit),
	})
	names := make([]domain.Name, len(rows))
	for i, r := range rows {
		names[i] = toName(dbsqlc.NameRow(r))
	}
	return names, translate(err)
}

// Rename changes a name or relation, nil leaving it. A name that the story has
// already is CodeConflict: those two can be merged.
func (s *Store) Rename(ctx context.Context, userID, storyID, id uuid.UUID, name, relation *string) (domain.Name, error) {
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		if relation != nil && *relation != "" {
			row, err := q.Name(ctx, dbsqlc.NameParams{ID: id, StoryID: storyID, UserID: userID})
			if err != nil {
				return err
			}
			if row.Kind != string(domain.NamePerson) {
				return domain.Errorf(domain.CodeInvalid, "Only people have a relation.")
			}
		}
		err := one(q.RenameName(ctx, dbsqlc.RenameNameParams{ID: id, StoryID: storyID, UserID: userID, Name: name, Relation: relation}))
		if isUnique(err, "story_names_name") {
			return domain.Errorf(domain.CodeConflict, "The story has that name already.").WithHint("Merge the two.").WithCause(err)
		}
		if err != nil {
			return err
		}
		return q.IndexMemories(ctx, dbsqlc.IndexMemoriesParams{StoryID: storyID, UserID: userID})
	})
	if err != nil {
		return domain.Name{}, err
	}
	return s.name(ctx, userID, storyID, id)
}

// MergeNames gives all memories of one name to another of the same kind, and
// deletes the first.
func (s *Store) MergeNames(ctx context.Context, userID, storyID, id, into uuid.UUID) (domain.Name, error) {
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		from, err := q.Name(ctx, dbsqlc.NameParams{ID: id, StoryID: storyID, UserID: userID})
		if err != nil {
			return err
		}
		to, err := q.Name(ctx, dbsqlc.NameParams{ID: into, StoryID: storyID, UserID: userID})
		switch {
		case err != nil:
			return err
		case from.ID == to.ID || from.Kind != to.Kind:
			return domain.Errorf(domain.CodeInvalid, "Only two different names of the same kind can be merged.")
		}
		if err := q.MoveLinks(ctx, dbsqlc.MoveLinksParams{FromID: id, IntoID: into, UserID: userID}); err != nil {
			return err
		}
		if err := one(q.DeleteName(ctx, dbsqlc.DeleteNameParams{ID: id, StoryID: storyID, UserID: userID})); err != nil {
			return err
		}
		return q.IndexMemories(ctx, dbsqlc.IndexMemoriesParams{StoryID: storyID, UserID: userID})
	})
	if err != nil {
		return domain.Name{}, err
	}
	return s.name(ctx, userID, storyID, into)
}

// DeleteName takes a name out of its story and all memories.
func (s *Store) DeleteName(ctx context.Context, userID, storyID, id uuid.UUID) error {
	return s.tx(ctx, func(q *dbsqlc.Queries) error {
		if err := one(q.DeleteName(ctx, dbsqlc.DeleteNameParams{ID: id, StoryID: storyID, UserID: userID})); err != nil {
			return err
		}
		return q.IndexMemories(ctx, dbsqlc.IndexMemoriesParams{StoryID: storyID, UserID: userID})
	})
}

func (s *Store) name(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Name, error) {
	row, err := s.queries.Name(ctx, dbsqlc.NameParams{ID: id, StoryID: storyID, UserID: userID})
	return toName(row), translate(err)
}

func toName(r dbsqlc.NameRow) domain.Name {
	return domain.Name{
		ID: r.ID, StoryID: r.StoryID, Kind: domain.NameKind(r.Kind), Name: r.Name, Relation: r.Relation, Memories: int(r.Memories),
	}
}
