package postgres

import (
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Sessions lists a user's logins that still hold, newest first, from before on.
func (s *Store) Sessions(ctx context.Context, userID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Session, error) {
	rows, err := s.queries.SessionsOfUser(ctx, dbsqlc.SessionsOfUserParams{UserID: userID, Before: before, MaxRows: int32(limit)})
	sessions := make([]domain.Session, len(rows))
	for i, r := range rows {
		sessions[i] = domain.Session{
			ID: r.ID, UserID: r.UserID, UserAgent: r.UserAgent, CreatedAt: r.CreatedAt, RotatedAt: r.RotatedAt, ExpiresAt: r.ExpiresAt,
		}
	}
	return sessions, translate(err)
}

// EndSession ends one login of a user; CodeNotFound when it has ended already.
func (s *Store) EndSession(ctx context.Context, userID, id uuid.UUID) error {
	n, err := s.queries.EndSession(ctx, dbsqlc.EndSessionParams{ID: id, UserID: userID})
	if err == nil && n == 0 {
		err = errNotFound
	}
	return translate(err)
}

// EndOtherSessions ends all logins of a user but one, and says how many.
func (s *Store) EndOtherSessions(ctx context.Context, userID, keep uuid.UUID) (int64, error) {
	n, err := s.queries.RevokeOtherSessions(ctx, dbsqlc.RevokeOtherSessionsParams{UserID: userID, But: keep})
	return n, translate(err)
}
