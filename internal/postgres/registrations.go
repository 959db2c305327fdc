package postgres

import (
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// CreateWaitingUser stores an account that waits for something, and the mail that
// goes with it: the link, which verifies it with this registration's password, or
// word to the administrators. That an address is taken is told to its owner, by
// mail, and to nobody else.
func (s *Store) CreateWaitingUser(ctx context.Context, u domain.User, link domain.Link) error {
	return s.tx(ctx, func(q *dbsqlc.Queries) error {
		wait := string(u.WaitsFor)
		made, err := q.InsertWaitingUser(ctx, dbsqlc.InsertWaitingUserParams{
			ID: u.ID, Email: u.Email, PasswordHash: u.PasswordHash, Name: u.Name, Language: u.Language,
			IsActive: u.WaitsFor != domain.WaitApproval, WaitsFor: &wait,
		})
		if err != nil {
			return err
		}
		owner, err := q.UserByEmail(ctx, u.Email)
		if err != nil {
			return err
		}
		link.UserID, link.Email, link.PasswordHash = owner.ID, owner.Email, u.PasswordHash
		switch waits := domain.Wait(deref(owner.WaitsFor)); {
		case waits == domain.WaitVerification:
			return mailLink(ctx, q, link)
		case made == 0 && waits == domain.WaitApproval:
			return nil
		case made == 0:
			return insertMail(ctx, q, domain.Mail{ID: link.ID, Kind: domain.MailTaken, UserID: &owner.ID})
		}
		return q.InsertMailToAdmins(ctx, dbsqlc.InsertMailToAdminsParams{Kind: string(domain.MailRegistered), About: u.Email})
	})
}

// mailLink stores a link that verifies an address, and has it mailed.
func mailLink(ctx context.Context, q *dbsqlc.Queries, l domain.Link) error {
	if err := q.UpsertLink(ctx, toUpsertLink(l)); err != nil {
		return err
	}
	return insertMail(ctx, q, domain.Mail{ID: l.ID, Kind: domain.MailVerify, UserID: &l.UserID, Recipient: l.Email})
}

// SetEmail replaces an address, which is unproven then; a taken one is
// CodeEmailTaken. The former address is told.
func (s *Store) SetEmail(ctx context.Context, id uuid.UUID, email string) (user domain.User, err error) {
	err = s.tx(ctx, func(q *dbsqlc.Queries) error {
		before, err := q.LockUser(ctx, id)
		if err != nil {
			return err
		}
		row, err := q.SetEmail(ctx, dbsqlc.SetEmailParams{ID: id, Email: email})
		if err != nil {
			return emailTaken(err)
		}
		user = toUser(row)
		return insertMail(ctx, q, domain.Mail{Kind: domain.MailEmailChanged, UserID: &id, Recipient: before.Email, About: email})
	})
	return user, err
}

// SetPendingEmail has a link mailed to an address that takes the place of the
// present one when it is followed. The owner of a taken address is told instead,
// which the caller does not see.
func (s *Store) SetPendingEmail(ctx context.Context, id uuid.UUID, email string, link domain.Link) (user domain.User, err error) {
	err = s.tx(ctx, func(q *dbsqlc.Queries) error {
		row, err := q.SetPendingEmail(ctx, dbsqlc.SetPendingEmailParams{ID: id, PendingEmail: &email})
		if err != nil {
			return err
		}
		user = toUser(row)
		owner, err := q.UserByEmail(ctx, email)
		switch domain.CodeOf(translate(err)) {
		case domain.CodeNotFound:
			link.UserID = id
			return mailLink(ctx, q, link)
		case "":
			return insertMail(ctx, q, domain.Mail{ID: link.ID, Kind: domain.MailTaken, UserID: &owner.ID})
		}
		return err
	})
	return user, err
}

// SweepAccounts removes what has run out: accounts whose address was not verified
// within a week, links, sessions, and counts of attempts.
func (s *Store) SweepAccounts(ctx context.Context) error {
	for _, sweep := range []func(context.Context) (int64, error){
		s.queries.DeleteWaitingUsers, s.queries.DeleteExpiredLinks, s.queries.DeleteExpiredSessions, s.queries.DeleteFreeThrottles,
	} {
		if _, err := sweep(ctx); err != nil {
			return translate(err)
		}
	}
	return nil
}
