package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// How long mailed links are good.
const (
	VerifyTTL = 48 * time.Hour
	ResetTTL  = time.Hour
)

var errBadLink = domain.Errorf(domain.CodeLinkInvalid, "This link is not complete. Copy all of it from the mail, or ask for another.")

// link makes the link of a mail. Its secret follows from the mail's id, which is
// random, and our key: a mail sent twice holds the same link, and none is stored.
func (s signer) link(id uuid.UUID, purpose domain.LinkPurpose) domain.Link {
	sum := sha256.Sum256(s.linkSecret(id, purpose))
	return domain.Link{ID: id, Purpose: purpose, SecretHash: sum[:]}
}

func (s signer) linkSecret(id uuid.UUID, purpose domain.LinkPurpose) []byte {
	return mac(s.linkKey, []byte(purpose), id[:])
}

// linkToken is what a link carries in its address.
func (s signer) linkToken(l domain.Link) string {
	return base64.RawURLEncoding.EncodeToString(append(l.ID[:], s.linkSecret(l.ID, l.Purpose)...))
}

// parseLink refuses what we did not make for this purpose, without asking the
// database.
func (s signer) parseLink(token string, purpose domain.LinkPurpose) (domain.Link, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != len(uuid.UUID{})+sha256.Size {
		return domain.Link{}, errBadLink
	}
	id := uuid.UUID(raw[:len(uuid.UUID{})])
	if !hmac.Equal(raw[len(id):], s.linkSecret(id, purpose)) {
		return domain.Link{}, errBadLink
	}
	return s.link(id, purpose), nil
}

// verifyLink is a new link that proves an address.
func (a *Auth) verifyLink(email string) domain.Link {
	link := a.signer.link(uuid.New(), domain.LinkVerify)
	link.Email, link.ExpiresAt = email, a.now().Add(VerifyTTL)
	return link
}

// errNoMail is the same for every address.
var errNoMail = domain.Errorf(domain.CodeMailMissing, "This server cannot send mail. Ask an administrator for help.")

// RequestVerification has a link mailed that proves an address, if there is an
// account that has not proven it. It takes as long where there is none.
func (a *Auth) RequestVerification(ctx context.Context, email string) error {
	return a.requestLink(ctx, domain.MailVerify, email)
}

// ForgotPassword has a link mailed that sets a new password, if there is such an
// account. It takes as long where there is none.
func (a *Auth) ForgotPassword(ctx context.Context, email string) error {
	return a.requestLink(ctx, domain.MailReset, email)
}

func (a *Auth) requestLink(ctx context.Context, kind domain.MailKind, email string) error {
	email, err := checkAddress(email)
	if err != nil {
		return err
	}
	if err := a.CanMail(); err != nil {
		return err
	}
	return a.store.AddMail(ctx, domain.Mail{Kind: kind, Recipient: email})
}

// CanMail is CodeMailMissing where nothing delivers mail.
func (a *Auth) CanMail() error {
	if !a.options.Mail {
		return errNoMail
	}
	return nil
}

// CheckLink says whose link it is and which address it proves, without using it
// up: mail scanners follow links too.
func (a *Auth) CheckLink(ctx context.Context, token string, purpose domain.LinkPurpose) (domain.User, string, error) {
	link, err := a.signer.parseLink(token, purpose)
	if err != nil {
		return domain.User{}, "", err
	}
	return a.store.LinkOwner(ctx, link)
}

// Verify uses up a link that proves an address, and returns the account as it
// was and as it is.
func (a *Auth) Verify(ctx context.Context, token string) (before, after domain.User, err error) {
	link, err := a.signer.parseLink(token, domain.LinkVerify)
	if err != nil {
		return domain.User{}, domain.User{}, err
	}
	return a.store.VerifyByLink(ctx, link)
}

// ResetPassword uses up a link that sets a new password. All sessions end, and the
// API keys where that is asked for.
func (a *Auth) ResetPassword(ctx context.Context, token, password string, endKeys bool) (domain.User, error) {
	link, err := a.signer.parseLink(token, domain.LinkReset)
	if err != nil {
		return domain.User{}, err
	}
	if _, _, err := a.store.LinkOwner(ctx, link); err != nil {
		return domain.User{}, err // before the expensive part
	}
	hash, err := a.HashPassword(ctx, password)
	if err != nil {
		return domain.User{}, err
	}
	return a.store.ResetByLink(ctx, link, hash, endKeys)
}
