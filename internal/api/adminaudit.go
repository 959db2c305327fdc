package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

type auditStore interface {
	AuditLog(ctx context.Context, f postgres.AuditFilter) ([]domain.AuditEntry, error)
}

// AuditEntry says who did what.
type AuditEntry struct {
	ID        uuid.UUID  `json:"id" format:"uuid"`
	At        time.Time  `json:"at"`
	ActorID   *uuid.UUID `json:"actor_id" format:"uuid" nullable:"true" doc:"Null for the system itself"`
	Actor     string     `json:"actor" doc:"The address of who did it, as it was then; empty once that account is gone" example:"ada@example.org"`
	Action    string     `json:"action" example:"user.update"`
	Target    string     `json:"target" doc:"What it was done to: an id or a name" example:"0198c5b1-0000-7000-8000-000000000000"`
	Details   Object     `json:"details"`
	RequestID string     `json:"request_id"`
}

func toAuditEntry(e domain.AuditEntry) AuditEntry {
	return AuditEntry{
		ID: e.ID, At: e.CreatedAt, ActorID: e.ActorID, Actor: e.ActorEmail, Action: e.Action, Target: e.Target,
		Details: Object{e.Details}, RequestID: e.RequestID,
	}
}

type auditInput struct {
	Paging
	ActorID optionalID `query:"actor_id" format:"uuid"`
	Actor   string     `query:"actor" maxLength:"320" doc:"The address of who did it" example:"ada@example.org"`
	Action  string     `query:"action" maxLength:"100" example:"user.update"`
	Target  string     `query:"target" maxLength:"320"`
	After   time.Time  `query:"after" doc:"Or at that time" example:"2026-01-01T00:00:00Z"`
	Before  time.Time  `query:"before" example:"2026-02-01T00:00:00Z"`
}

func (s *server) auditOperation() {
	registerList(s, endpoint{
		id: "list-audit-log", method: http.MethodGet, path: "/admin/audit-log", tag: adminTag, summary: "Who did what",
		description: "Entries outlive what they name. Of a deleted account the id remains.", admin: true, codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listAuditLog)
}

func (s *server) listAuditLog(ctx context.Context, in *auditInput) (Page[AuditEntry], error) {
	const list = "audit-log"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[AuditEntry]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Admin.AuditLog(ctx, postgres.AuditFilter{
		ActorID: in.ActorID.get(), ActorEmail: in.Actor, Action: in.Action, Target: in.Target,
		After: moment(in.After), Until: moment(in.Before), Before: before, Limit: size,
	})
	return cut(s.cursors, list, userID(ctx), rows, size, func(e domain.AuditEntry) uuid.UUID { return e.ID }, toAuditEntry), err
}
