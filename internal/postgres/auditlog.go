package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// AuditFilter narrows the audit log; zero fields do not.
type AuditFilter struct {
	ActorID    *uuid.UUID
	ActorEmail string // without regard to case
	Action     string
	Target     string
	After      *time.Time // or at that time
	Until      *time.Time
	Before     *uuid.UUID
	Limit      int
}

func (f AuditFilter) conditions() *conditions {
	c := &conditions{}
	if f.ActorID != nil {
		c.add("actor_id = %s", *f.ActorID)
	}
	if f.ActorEmail != "" {
		c.add("lower(actor_email) = %s", strings.ToLower(f.ActorEmail))
	}
	c.equal("action", f.Action)
	c.equal("target", f.Target)
	if f.Before != nil {
		c.add("id < %s", *f.Before)
	}
	c.between("id", "created_at", f.After, f.Until)
	return c
}

// AuditLog lists what was done, newest first.
func (s *Store) AuditLog(ctx context.Context, f AuditFilter) ([]domain.AuditEntry, error) {
	c := f.conditions()
	rows, err := s.pool.Query(ctx, "SELECT * FROM audit_log"+c.where()+" ORDER BY id DESC LIMIT "+c.bind(f.Limit), c.args...)
	if err != nil {
		return nil, translate(err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (domain.AuditEntry, error) {
		r, err := pgx.RowToStructByName[dbsqlc.AuditLog](row)
		return domain.AuditEntry(r), err
	})
	return entries, translate(err)
}
