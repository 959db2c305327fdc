package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// AddMail puts a mail in the line.
func (s *Store) AddMail(ctx context.Context, m domain.Mail) error {
	return translate(insertMail(ctx, s.queries, m))
}

// insertMail gives the mail an id where it has none.
func insertMail(ctx context.Context, q *dbsqlc.Queries, m domain.Mail) error {
	if m.ID == uuid.Nil {
		m.ID = uuid.New()
	}
	return q.InsertMail(ctx, dbsqlc.InsertMailParams{
		ID: m.ID, Kind: string(m.Kind), UserID: m.UserID, Recipient: m.Recipient, About: m.About,
	})
}

// ClaimMail takes the mail that is due longest, for as long as hold; CodeNotFound
// when none is due.
func (s *Store) ClaimMail(ctx context.Context, hold time.Duration) (domain.Mail, error) {
	row, err := s.queries.ClaimMail(ctx, hold.Seconds())
	return domain.Mail{
		ID: row.ID, Kind: domain.MailKind(row.Kind), UserID: row.UserID, Recipient: row.Recipient,
		About: row.About, Attempt: int(row.Attempt), CreatedAt: row.CreatedAt,
	}, translate(err)
}

// PostponeMail makes a claimed mail due again after wait.
func (s *Store) PostponeMail(ctx context.Context, id uuid.UUID, wait time.Duration) error {
	return translate(s.queries.PostponeMail(ctx, dbsqlc.PostponeMailParams{ID: id, WaitSeconds: wait.Seconds()}))
}

// DropMail removes a mail that was sent or never will be.
func (s *Store) DropMail(ctx context.Context, id uuid.UUID) error {
	return translate(s.queries.DeleteMail(ctx, id))
}
