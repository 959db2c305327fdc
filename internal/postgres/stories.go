package postgres

import (
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// CreateStory stores a new story.
func (s *Store) CreateStory(ctx context.Context, story domain.Story) (domain.Story, error) {
	row, err := s.queries.InsertStory(ctx, dbsqlc.InsertStoryParams{
		ID: story.ID, UserID: story.UserID, ProjectID: story.ProjectID, Title: story.Title,
		Subject: story.Subject, BornOn: story.BornOn, Language: story.Language,
	})
	return toStory(row, 0), translate(err)
}

// Story returns a user's story.
func (s *Store) Story(ctx context.Context, userID, id uuid.UUID) (domain.Story, error) {
	row, err := s.queries.Story(ctx, dbsqlc.StoryParams{ID: id, UserID: userID})
	return toStory(row.Story, row.Memories), translate(err)
}

// Stories lists a user's stories, newest first, from before on.
func (s *Store) Stories(ctx context.Context, userID uuid.UUID, projectID, before *uuid.UUID, limit int) ([]domain.Story, error) {
	rows, err := s.queries.StoriesOfUser(ctx, dbsqlc.StoriesOfUserParams{
		UserID: userID, ProjectID: projectID, Before: before, MaxRows: int32(limit),
	})
	stories := make([]domain.Story, len(rows))
	for i, r := range rows {
		stories[i] = toStory(r.Story, r.Memories)
	}
	return stories, translate(err)
}

// UpdateStory changes the named fields of a user's story. Another language
// changes how its memories are searched.
func (s *Store) UpdateStory(ctx context.Context, userID, id uuid.UUID, change domain.StoryChange) (domain.Story, error) {
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		n, err := q.UpdateStory(ctx, dbsqlc.UpdateStoryParams{
			ID: id, UserID: userID, Title: change.Title, Subject: change.Subject, BornOn: change.BornOn,
			ForgetBirth: change.ForgetBirth, Language: change.Language,
		})
		switch {
		case err != nil:
			return err
		case n == 0:
			return errNotFound
		case change.Language == nil:
			return nil
		}
		return q.IndexMemories(ctx, dbsqlc.IndexMemoriesParams{StoryID: id, UserID: userID})
	})
	if err != nil {
		return domain.Story{}, err
	}
	return s.Story(ctx, userID, id)
}

// DeleteStory deletes a story with everything in it and returns the jobs that
// were asked to stop.
func (s *Store) DeleteStory(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		var err error
		if stopped, err = q.CancelJobsOfStory(ctx, dbsqlc.CancelJobsOfStoryParams{UserID: userID, StoryID: id}); err != nil {
			return err
		}
		return one(q.DeleteStory(ctx, dbsqlc.DeleteStoryParams{ID: id, UserID: userID}))
	})
	return toJobs(stopped), err
}

// one turns a statement that met no row into CodeNotFound.
func one(n int64, err error) error {
	if err == nil && n == 0 {
		return errNotFound
	}
	return err
}

func toStory(r dbsqlc.Story, memories int64) domain.Story {
	return domain.Story{
		ID: r.ID, UserID: r.UserID, ProjectID: r.ProjectID, Title: r.Title, Subject: r.Subject, BornOn: r.BornOn,
		Language: r.Language, Memories: int(memories), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}
