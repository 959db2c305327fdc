package postgres

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// CreateUser stores a new account; a taken e-mail address is CodeEmailTaken.
func (s *Store) CreateUser(ctx context.Context, u domain.User) (domain.User, error) {
	row, err := s.queries.InsertUser(ctx, dbsqlc.InsertUserParams{
		ID: u.ID, Email: u.Email, PasswordHash: u.PasswordHash, Name: u.Name, Language: u.Language,
		IsAdmin: u.IsAdmin, IsVerified: u.IsVerified,
	})
	return toUser(row), emailTaken(err)
}

// EnsureAdmin creates the first admin, unless there is one already or the
// address is taken; it reports whether it did.
func (s *Store) EnsureAdmin(ctx context.Context, u domain.User) (bool, error) {
	has, err := s.queries.HasAdmin(ctx)
	if err != nil || has {
		return false, translate(err)
	}
	u.IsAdmin, u.IsVerified = true, true
	_, err = s.CreateUser(ctx, u)
	if domain.CodeOf(err) == domain.CodeEmailTaken { // another process was first
		return false, nil
	}
	return err == nil, err
}

// UserByEmail finds an account without regard to case.
func (s *Store) UserByEmail(ctx context.Context, email string) (domain.User, error) {
	row, err := s.queries.UserByEmail(ctx, email)
	return toUser(row), translate(err)
}

// UpgradePasswordHash replaces the hash of a password by another one of the same
// password. Where it was changed meanwhile nothing happens.
func (s *Store) UpgradePasswordHash(ctx context.Context, id uuid.UUID, oldHash, newHash string) error {
	return translate(s.queries.UpgradePasswordHash(ctx, dbsqlc.UpgradePasswordHashParams{ID: id, OldHash: oldHash, NewHash: newHash}))
}

// CreateSession stores a login to an account whose password has this hash;
// CodeNotFound when that was changed meanwhile, or the account was shut.
func (s *Store) CreateSession(ctx context.Context, session domain.Session, passwordHash string) error {
	return translate(one(s.queries.InsertSession(ctx, dbsqlc.InsertSessionParams{
		ID: session.ID, UserID: session.UserID, RefreshHash: session.RefreshHash,
		UserAgent: session.UserAgent, ExpiresAt: session.ExpiresAt, PasswordHash: passwordHash,
	})))
}

// LiveSession returns the account behind a session that is neither revoked nor
// expired and whose account is active, else CodeNotFound.
func (s *Store) LiveSession(ctx context.Context, id uuid.UUID) (domain.User, error) {
	row, err := s.queries.LiveSession(ctx, id)
	return toUser(row.User), translate(err)
}

// RotateSession exchanges a session's refresh token for the next one. A token
// that is not the newest was used before, perhaps by a thief: the session is
// revoked and the answer is CodeUnauthorized.
func (s *Store) RotateSession(ctx context.Context, id uuid.UUID, oldHash, newHash []byte, expires time.Time) (domain.User, error) {
	var user domain.User
	reused := false
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		row, err := q.SessionForRefresh(ctx, id)
		if err != nil {
			return err
		}
		user = toUser(row.User)
		if subtle.ConstantTimeCompare(row.RefreshHash, oldHash) != 1 {
			reused = true
			return q.RevokeSession(ctx, id)
		}
		return q.RotateSession(ctx, dbsqlc.RotateSessionParams{ID: id, RefreshHash: newHash, ExpiresAt: expires})
	})
	if err == nil && reused {
		err = domain.Errorf(domain.CodeUnauthorized, "This refresh token was used before. The session was ended; log in again.")
	}
	return user, err
}

// RevokeSession ends a login; ending it twice is no error.
func (s *Store) RevokeSession(ctx context.Context, id uuid.UUID) error {
	return translate(s.queries.RevokeSession(ctx, id))
}
