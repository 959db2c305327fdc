package postgres

import (
	"context"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Audit writes down what somebody did; no user may read or write there.
func (s *Store) Audit(ctx context.Context, e domain.AuditEntry) error {
	if len(e.Details) == 0 {
		e.Details = []byte("{}")
	}
	return translate(s.queries.InsertAuditEntry(AsSystem(ctx), dbsqlc.InsertAuditEntryParams{
		ID: e.ID, ActorID: e.ActorID, ActorEmail: e.ActorEmail, Action: e.Action,
		Target: e.Target, Details: e.Details, RequestID: e.RequestID,
	}))
}
