package postgres

import (
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// CreateProject stores a new project.
func (s *Store) CreateProject(ctx context.Context, p domain.Project) (domain.Project, error) {
	row, err := s.queries.InsertProject(ctx, dbsqlc.InsertProjectParams{
		ID: p.ID, UserID: p.UserID, Type: string(p.Type), Name: p.Name, Description: p.Description, Config: p.Config,
		LocalOnly: p.LocalOnly,
	})
	return toProject(row), translate(err)
}

// Project returns a user's project.
func (s *Store) Project(ctx context.Context, userID, id uuid.UUID) (domain.Project, error) {
	row, err := s.queries.Project(ctx, dbsqlc.ProjectParams{ID: id, UserID: userID})
	return toProject(row), translate(err)
}

// Projects lists a user's projects, newest first, from before on.
func (s *Store) Projects(ctx context.Context, userID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Project, error) {
	rows, err := s.queries.ProjectsOfUser(ctx, dbsqlc.ProjectsOfUserParams{UserID: userID, Before: before, MaxRows: int32(limit)})
	projects := make([]domain.Project, len(rows))
	for i, r := range rows {
		projects[i] = toProject(r)
	}
	return projects, translate(err)
}

// UpdateProject changes the named fields of a user's project.
func (s *Store) UpdateProject(ctx context.Context, userID, id uuid.UUID, change domain.ProjectChange) (domain.Project, error) {
	row, err := s.queries.UpdateProject(ctx, dbsqlc.UpdateProjectParams{
		ID: id, UserID: userID, Type: (*string)(change.Type), Name: change.Name,
		Description: change.Description, Config: change.Config, LocalOnly: change.LocalOnly,
	})
	return toProject(row), translate(err)
}

// DeleteProject deletes a project with everything in it and returns the jobs
// that were asked to stop.
func (s *Store) DeleteProject(ctx context.Context, userID, id uuid.UUID) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		var err error
		stopped, err = q.CancelJobsOfProject(ctx, dbsqlc.CancelJobsOfProjectParams{ProjectID: &id, UserID: userID})
		if err != nil {
			return err
		}
		n, err := q.DeleteProject(ctx, dbsqlc.DeleteProjectParams{ID: id, UserID: userID})
		if err == nil && n == 0 {
			err = errNotFound
		}
		return err
	})
	return toJobs(stopped), err
}
