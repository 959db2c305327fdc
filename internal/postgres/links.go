package postgres

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

var errDeadLink = domain.Errorf(domain.CodeLinkInvalid, "This link was used already, has expired, or was replaced by a newer one. Ask for another.")

// SaveLink writes down a link that is about to be mailed; a second time it only
// lives longer.
func (s *Store) SaveLink(ctx context.Context, l domain.Link) error {
	return translate(s.queries.UpsertLink(ctx, toUpsertLink(l)))
}

func toUpsertLink(l domain.Link) dbsqlc.UpsertLinkParams {
	p := dbsqlc.UpsertLinkParams{
		ID: l.ID, UserID: l.UserID, Purpose: string(l.Purpose), Email: l.Email, SecretHash: l.SecretHash, ExpiresAt: l.ExpiresAt,
	}
	if l.PasswordHash != "" {
		p.PasswordHash = &l.PasswordHash
	}
	return p
}

// LinkOwner returns whose link it is and where it was sent, while it is good;
// else CodeLinkInvalid. It does not use it up.
func (s *Store) LinkOwner(ctx context.Context, l domain.Link) (domain.User, string, error) {
	row, err := s.queries.Link(ctx, dbsqlc.LinkParams{ID: l.ID, Purpose: string(l.Purpose), SecretHash: l.SecretHash})
	if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound || err == nil && !proves(l.Purpose, row.SentTo, row.User) {
		err = errDeadLink
	}
	return toUser(row.User), row.SentTo, err
}

// proves reports whether a link that was sent to an address still says something
// of its owner: a verification of the present or pending address, a reset of the
// present one.
func proves(purpose domain.LinkPurpose, sentTo string, u dbsqlc.User) bool {
	pending := purpose == domain.LinkVerify && strings.EqualFold(sentTo, deref(u.PendingEmail))
	return pending || strings.EqualFold(sentTo, u.Email)
}

// VerifyByLink uses up a link: the address it was sent to is proven, and takes
// the place of the present one where it was waiting to. The former account is
// returned as well. An address somebody else has proven meanwhile is
// CodeEmailTaken.
func (s *Store) VerifyByLink(ctx context.Context, l domain.Link) (before, after domain.User, err error) {
	err = s.useLink(ctx, l, func(q *dbsqlc.Queries, u dbsqlc.User, used dbsqlc.UseLinkRow) error {
		before = toUser(u)
		row, err := q.VerifyUser(ctx, dbsqlc.VerifyUserParams{ID: u.ID, Email: used.Email, PasswordHash: passwordOf(used, u)})
		if err != nil {
			return emailTaken(err)
		}
		after = toUser(row)
		if !strings.EqualFold(before.Email, after.Email) {
			err = insertMail(ctx, q, domain.Mail{Kind: domain.MailEmailChanged, UserID: &u.ID, Recipient: before.Email, About: after.Email})
		}
		return err
	})
	return before, after, err
}

// passwordOf is the password that comes with the link of a registration. It counts
// only while nobody has used the account.
func passwordOf(used dbsqlc.UseLinkRow, u dbsqlc.User) *string {
	if deref(u.WaitsFor) == string(domain.WaitVerification) {
		return used.PasswordHash
	}
	return nil
}

// ResetByLink uses up a link: the password is replaced, all sessions end and
// other reset links are dead. Whoever got the link has proven the address. API keys
// end where that is asked for.
func (s *Store) ResetByLink(ctx context.Context, l domain.Link, hash string, endKeys bool) (user domain.User, err error) {
	err = s.useLink(ctx, l, func(q *dbsqlc.Queries, u dbsqlc.User, used dbsqlc.UseLinkRow) error {
		row, err := q.VerifyUser(ctx, dbsqlc.VerifyUserParams{ID: u.ID, Email: used.Email})
		if err != nil {
			return err
		}
		user = toUser(row)
		return changePassword(ctx, q, u.ID, hash, uuid.Nil, endKeys)
	})
	return user, err
}

// useLink runs fn with the link used up and its owner held. A link that was sent
// to an address which is neither the owner's present nor pending one is dead.
func (s *Store) useLink(ctx context.Context, l domain.Link, fn func(q *dbsqlc.Queries, u dbsqlc.User, used dbsqlc.UseLinkRow) error) error {
	return s.tx(ctx, func(q *dbsqlc.Queries) error {
		used, err := q.UseLink(ctx, dbsqlc.UseLinkParams{ID: l.ID, Purpose: string(l.Purpose), SecretHash: l.SecretHash})
		if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
			return errDeadLink
		}
		if err != nil {
			return err
		}
		u, err := q.LockUser(ctx, used.UserID)
		if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
			return errDeadLink
		}
		if err != nil {
			return err
		}
		if !proves(l.Purpose, used.Email, u) {
			return errDeadLink
		}
		return fn(q, u, used)
	})
}

// ChangePassword replaces a password, ends all sessions but one, and the API keys
// where that is asked for, and tells the owner by mail.
func (s *Store) ChangePassword(ctx context.Context, id uuid.UUID, hash string, keep uuid.UUID, endKeys bool) error {
	return s.tx(ctx, func(q *dbsqlc.Queries) error { return changePassword(ctx, q, id, hash, keep, endKeys) })
}

func changePassword(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, hash string, keep uuid.UUID, endKeys bool) error {
	if err := q.SetPasswordHash(ctx, dbsqlc.SetPasswordHashParams{ID: id, PasswordHash: hash}); err != nil {
		return err
	}
	if err := q.DropLinks(ctx, dbsqlc.DropLinksParams{UserID: id, Purpose: string(domain.LinkReset)}); err != nil {
		return err
	}
	if _, err := q.RevokeOtherSessions(ctx, dbsqlc.RevokeOtherSessionsParams{UserID: id, But: keep}); err != nil {
		return err
	}
	if endKeys {
		if _, err := q.DeleteAPIKeysOfUser(ctx, id); err != nil {
			return err
		}
	}
	return insertMail(ctx, q, domain.Mail{Kind: domain.MailPasswordChanged, UserID: &id})
}
