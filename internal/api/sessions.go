package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// SessionStore keeps logins.
type SessionStore interface {
	Sessions(ctx context.Context, userID uuid.UUID, before *uuid.UUID, limit int) ([]domain.Session, error)
	EndSession(ctx context.Context, userID, id uuid.UUID) error
	EndOtherSessions(ctx context.Context, userID, keep uuid.UUID) (int64, error)
}

// Session is one login.
type Session struct {
	ID         uuid.UUID `json:"id" format:"uuid"`
	Current    bool      `json:"current" doc:"Whether this request came from it"`
	UserAgent  string    `json:"user_agent" example:"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at" doc:"When its tokens were last renewed: as exact as an access token is long-lived"`
	ExpiresAt  time.Time `json:"expires_at" doc:"Unless it is renewed before"`
}

// SessionPath names a session in an address.
type SessionPath struct {
	ID uuid.UUID `path:"session_id" format:"uuid"`
}

// Ended says how many sessions were ended.
type Ended struct {
	Ended int64 `json:"ended" example:"2"`
}

type endedOutput struct {
	Body Ended
}

func (s *server) sessionOperations() {
	const tag = "accounts"
	registerList(s, endpoint{
		id: "list-sessions", method: http.MethodGet, path: "/auth/sessions", tag: tag, summary: "List my sessions",
		codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listSessions)
	register(s, endpoint{
		id: "end-session", method: http.MethodDelete, path: "/auth/sessions/{session_id}", tag: tag, summary: "End one of my sessions",
		description: "Its tokens are refused from then on, on every server. It may be the one that asks.",
		status:      http.StatusNoContent, codes: []domain.Code{domain.CodeNotFound},
	}, s.endSession)
	register(s, endpoint{
		id: "end-other-sessions", method: http.MethodDelete, path: "/auth/sessions", tag: tag, summary: "End all my other sessions",
	}, s.endOtherSessions)
}

func (s *server) listSessions(ctx context.Context, in *Paging) (Page[Session], error) {
	const list = "sessions"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[Session]{}, err
	}
	current := principal(ctx).SessionID
	size := in.size(atRoot(ctx))
	rows, err := s.Own.Sessions(ctx, userID(ctx), before, size)
	return cut(s.cursors, list, userID(ctx), rows, size, func(d domain.Session) uuid.UUID { return d.ID }, func(d domain.Session) Session {
		return Session{
			ID: d.ID, Current: d.ID == current, UserAgent: d.UserAgent,
			CreatedAt: d.CreatedAt, LastUsedAt: d.RotatedAt, ExpiresAt: d.ExpiresAt,
		}
	}), err
}

func (s *server) endSession(ctx context.Context, in *SessionPath) (*struct{}, error) {
	if err := s.Own.EndSession(ctx, userID(ctx), in.ID); err != nil {
		return nil, err
	}
	return nil, s.audit(ctx, "session.end", in.ID.String(), nil)
}

func (s *server) endOtherSessions(ctx context.Context, _ *struct{}) (*endedOutput, error) {
	who := principal(ctx)
	ended, err := s.Own.EndOtherSessions(ctx, who.User.ID, who.SessionID)
	if err == nil && ended > 0 {
		err = s.audit(ctx, "session.end_others", who.User.ID.String(), Ended{ended})
	}
	return &endedOutput{Body: Ended{ended}}, err
}
