package postgres

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// UserFilter narrows a list of accounts; zero fields do not.
type UserFilter struct {
	Email    string // or a part of it, without regard to case
	Admin    *bool
	Active   *bool
	Verified *bool
	WaitsFor domain.Wait
	Before   *uuid.UUID
	Limit    int
}

func (f UserFilter) conditions() *conditions {
	c := &conditions{}
	if f.Email != "" {
		c.add("lower(email) LIKE %s", contains(strings.ToLower(f.Email)))
	}
	c.is("is_admin", f.Admin)
	c.is("is_active", f.Active)
	c.is("is_verified", f.Verified)
	c.equal("waits_for", string(f.WaitsFor))
	if f.Before != nil {
		c.add("id < %s", *f.Before)
	}
	return c
}

// Users lists accounts, newest first.
func (s *Store) Users(ctx context.Context, f UserFilter) ([]domain.User, error) {
	c := f.conditions()
	rows, err := s.pool.Query(ctx, "SELECT * FROM users"+c.where()+" ORDER BY id DESC LIMIT "+c.bind(f.Limit), c.args...)
	if err != nil {
		return nil, translate(err)
	}
	users, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (domain.User, error) {
		r, err := pgx.RowToStructByName[dbsqlc.User](row)
		return toUser(r), err
	})
	return users, translate(err)
}

// User returns an account.
func (s *Store) User(ctx context.Context, id uuid.UUID) (domain.User, error) {
	row, err := s.queries.User(ctx, id)
	return toUser(row), translate(err)
}

// AddUser stores an account with the roles and the state that it names; a taken
// e-mail address is CodeEmailTaken.
func (s *Store) AddUser(ctx context.Context, u domain.User) (domain.User, error) {
	row, err := s.queries.InsertAccount(ctx, dbsqlc.InsertAccountParams{
		ID: u.ID, Email: u.Email, PasswordHash: u.PasswordHash, Name: u.Name, Language: u.Language,
		IsAdmin: u.IsAdmin, IsActive: u.IsActive, IsVerified: u.IsVerified,
	})
	return toUser(row), emailTaken(err)
}

// UpdateUser changes an account, and ends its sessions where the change asks for
// that. Shutting it cancels its jobs, which are returned with what tells the engine
// where they are. The last active administrator remains one: CodeLastAdmin.
func (s *Store) UpdateUser(ctx context.Context, id uuid.UUID, change domain.UserChange) (domain.User, []domain.Job, error) {
	var row dbsqlc.User
	var stopped []domain.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) (err error) {
		row, err = q.UpdateAccount(ctx, dbsqlc.UpdateAccountParams{
			ID: id, Email: change.Email, Name: change.Name, Language: change.Language, ChoseLocal: change.ChoseLocal, PasswordHash: change.PasswordHash,
			IsAdmin: change.IsAdmin, IsActive: change.IsActive, IsVerified: change.IsVerified,
		})
		if err == nil && change.EndsSessions() {
			err = q.RevokeSessionsOfUser(ctx, id)
		}
		if err == nil && change.Shuts() {
			stopped, err = cancelJobs(ctx, q, id)
		}
		return emailTaken(err)
	})
	return toUser(row), stopped, err
}

// cancelJobs cancels what a user's jobs have not done yet.
func cancelJobs(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID) ([]domain.Job, error) {
	if err := q.PatientStatements(ctx); err != nil {
		return nil, err
	}
	rows, err := q.CancelJobsOfUser(ctx, id)
	jobs := make([]domain.Job, len(rows))
	for i, r := range rows {
		jobs[i] = domain.Job{ID: r.ID, UserID: r.UserID, Stage: r.Stage, Class: r.Class, State: r.State, DispatchedAt: r.DispatchedAt}
	}
	return jobs, err
}

// DeleteUser deletes an account with everything it owns and returns its jobs
// that a worker or the broker holds, as cancelled ones. The last active
// administrator stays: CodeLastAdmin.
func (s *Store) DeleteUser(ctx context.Context, id uuid.UUID) ([]domain.Job, error) {
	var held []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) (err error) {
		if held, err = q.OutstandingJobsOfUser(ctx, id); err != nil {
			return err
		}
		if err := q.PatientStatements(ctx); err != nil {
			return err
		}
		n, err := q.DeleteAccount(ctx, id)
		if err == nil && n == 0 {
			err = errNotFound
		}
		return err
	})
	jobs := toJobs(held)
	for i := range jobs {
		jobs[i].State = domain.StateCancelled
	}
	return jobs, err
}

func emailTaken(err error) error {
	if isUnique(err, "users_email") {
		return domain.Errorf(domain.CodeEmailTaken, "An account with this e-mail address exists already.").WithCause(err)
	}
	return translate(err)
}
