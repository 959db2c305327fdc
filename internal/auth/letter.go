package auth

import (
	"context"
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"
	"time"

	"generalbackend/internal/domain"
)

// Letter makes of a mail what is to be sent, with a link where it needs one;
// CodeNotFound when there is nothing to send any more. Made again, it is the
// same.
func (a *Auth) Letter(ctx context.Context, m domain.Mail) (domain.Letter, error) {
	user, err := a.addressee(ctx, m)
	if err != nil {
		return domain.Letter{}, err
	}
	letter := domain.Letter{ID: m.ID, Kind: m.Kind, To: m.Recipient, Language: user.Language, About: m.About}
	if m.UserID == nil || letter.To == "" {
		letter.To = user.Email // as its owner wrote it, never as a stranger did
	}
	if err := a.spareRecipient(ctx, m, letter.To); err != nil {
		return letter, err
	}
	switch kind := m.Kind; {
	case kind == domain.MailVerify && m.UserID == nil && user.WaitsFor == domain.WaitVerification:
		// Who registered is not known, so the password is not theirs for sure.
		letter.Kind = domain.MailReset
		letter.Link, err = a.newLink(ctx, letter, user, domain.LinkReset)
	case kind == domain.MailVerify:
		return a.withVerifyLink(ctx, letter, user)
	case kind == domain.MailReset && !user.IsActive:
		return letter, errNothingToSend
	case kind == domain.MailReset:
		letter.Link, err = a.newLink(ctx, letter, user, domain.LinkReset)
	case kind == domain.MailApproved, kind == domain.MailTaken:
		letter.Link = a.options.PublicURL
	}
	return letter, err
}

var errNothingToSend = domain.Errorf(domain.CodeNotFound, "There is nothing to send.")

// How often strangers can have one address written to: mailBurst times at once,
// and once more each mailEvery.
const (
	mailEvery = 10 * time.Minute
	mailBurst = 6
)

// spareRecipient keeps strangers from filling a mailbox. What is left out says
// nothing that the mails before did not.
func (a *Auth) spareRecipient(ctx context.Context, m domain.Mail, to string) error {
	if m.Attempt > 1 || !slices.Contains([]domain.MailKind{domain.MailVerify, domain.MailReset, domain.MailTaken}, m.Kind) {
		return nil
	}
	key := sha256.Sum256([]byte("mail\x00" + strings.ToLower(to)))
	taken, err := a.store.TakeThrottle(ctx, key[:], mailEvery, mailBurst*mailEvery)
	if err == nil && !taken {
		err = errNothingToSend
	}
	return err
}

func (a *Auth) addressee(ctx context.Context, m domain.Mail) (domain.User, error) {
	if m.UserID != nil {
		return a.store.User(ctx, *m.UserID)
	}
	return a.store.UserByEmail(ctx, m.Recipient)
}

// withVerifyLink sends nothing to an address that is proven already.
func (a *Auth) withVerifyLink(ctx context.Context, letter domain.Letter, user domain.User) (domain.Letter, error) {
	pending := strings.EqualFold(letter.To, user.PendingEmail)
	present := strings.EqualFold(letter.To, user.Email) && !user.IsVerified
	if !pending && !present {
		return letter, errNothingToSend
	}
	var err error
	letter.Link, err = a.newLink(ctx, letter, user, domain.LinkVerify)
	return letter, err
}

// linkPaths are where the links lead, below the public address.
var linkPaths = map[domain.LinkPurpose]string{
	domain.LinkVerify: "/auth/verify",
	domain.LinkReset:  "/auth/reset-password",
}

func (a *Auth) newLink(ctx context.Context, letter domain.Letter, user domain.User, purpose domain.LinkPurpose) (string, error) {
	link := a.signer.link(letter.ID, purpose)
	link.UserID, link.Email, link.ExpiresAt = user.ID, letter.To, a.now().Add(VerifyTTL)
	if purpose == domain.LinkReset {
		link.ExpiresAt = a.now().Add(ResetTTL)
	}
	address := a.options.PublicURL + linkPaths[purpose] + "?" + url.Values{"token": {a.signer.linkToken(link)}}.Encode()
	return address, a.store.SaveLink(ctx, link)
}
