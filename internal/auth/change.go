package auth

import (
	"context"
	"strings"

	"generalbackend/internal/domain"
)

// CheckPassword confirms that whoever holds the session knows the password; else
// CodeBadCredentials.
func (a *Auth) CheckPassword(ctx context.Context, user domain.User, password string) error {
	match, _, err := a.passwords.check(ctx, password, user.PasswordHash)
	if err != nil {
		return err
	}
	if !match {
		return domain.Errorf(domain.CodeBadCredentials, "The password is wrong.")
	}
	return nil
}

// ChangePassword replaces the password and ends all sessions but the caller's, and
// the API keys where that is asked for.
func (a *Auth) ChangePassword(ctx context.Context, who Principal, password string, endKeys bool) error {
	hash, err := a.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return a.store.ChangePassword(ctx, who.User.ID, hash, who.SessionID, endKeys)
}

// ChangeEmail replaces the address. Where addresses are not to be found out, or
// accounts need a proven one, it waits in PendingEmail until the link that is
// mailed to it was followed; a taken one waits for ever, and its owner is told.
func (a *Auth) ChangeEmail(ctx context.Context, user domain.User, email string) (domain.User, error) {
	email, err := checkAddress(email)
	if err != nil || email == user.Email {
		return user, err
	}
	if a.options.Registration == ModeOpen || a.options.Registration == ModeClosed || strings.EqualFold(email, user.Email) {
		return a.store.SetEmail(ctx, user.ID, email)
	}
	if err := a.CanMail(); err != nil {
		return user, err
	}
	return a.store.SetPendingEmail(ctx, user.ID, email, a.verifyLink(email))
}
