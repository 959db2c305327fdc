package auth

import (
	"context"
	"net/mail"
	"strings"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Mode says who may make an account.
type Mode string

// The registration modes.
const (
	ModeOpen    Mode = "open"    // anybody, and the account is usable at once
	ModeVerify  Mode = "verify"  // anybody; usable after the mailed link was followed
	ModeApprove Mode = "approve" // anybody; usable after an administrator activated it
	ModeClosed  Mode = "closed"  // administrators only
)

// NewAccount is what a visitor tells of themselves. Roles are not theirs to set.
type NewAccount struct {
	Email    string
	Password string
	Name     string
	Language string
}

// Register makes an account for a visitor. Where the account waits for something
// the answer holds no more than that, and is the same for an address that is
// taken: its owner gets a mail instead. In mode open a taken address is
// CodeEmailTaken.
func (a *Auth) Register(ctx context.Context, account NewAccount) (domain.User, error) {
	if a.options.Registration == ModeClosed {
		return domain.User{}, domain.Errorf(domain.CodeRegistrationShut, "Registration is closed here. Ask an administrator for an account.")
	}
	user, err := a.NewUser(ctx, account)
	if err != nil {
		return domain.User{}, err
	}
	switch a.options.Registration {
	case ModeVerify:
		user.WaitsFor = domain.WaitVerification
	case ModeApprove:
		user.WaitsFor = domain.WaitApproval
	default:
		return a.store.CreateUser(ctx, user)
	}
	return domain.User{WaitsFor: user.WaitsFor}, a.store.CreateWaitingUser(ctx, user, a.verifyLink(user.Email))
}

// NewUser checks an account and hashes its password, without storing it.
func (a *Auth) NewUser(ctx context.Context, account NewAccount) (domain.User, error) {
	email, err := checkAddress(account.Email)
	if err != nil {
		return domain.User{}, err
	}
	hash, err := a.HashPassword(ctx, account.Password)
	if err != nil {
		return domain.User{}, err
	}
	id, err := uuid.NewV7()
	return domain.User{ID: id, Email: email, PasswordHash: hash, Name: account.Name, Language: account.Language}, err
}

// HashPassword checks a new password and hashes it.
func (a *Auth) HashPassword(ctx context.Context, password string) (string, error) {
	if err := checkNewPassword(password); err != nil {
		return "", err
	}
	return a.passwords.hash(ctx, password)
}

// checkAddress returns an e-mail address without white space around it.
func checkAddress(email string) (string, error) {
	email = strings.TrimSpace(email)
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || len(email) > 320 {
		return "", domain.Errorf(domain.CodeInvalid, "This is not a valid e-mail address.")
	}
	return email, nil
}
