// Package auth decides who is asking: it makes accounts, checks passwords,
// issues and rotates tokens and ends sessions. It knows nothing of HTTP.
package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Store is what the package needs of the truth.
type Store interface {
	CreateUser(ctx context.Context, u domain.User) (domain.User, error)
	UserByEmail(ctx context.Context, email string) (domain.User, error)
	UpgradePasswordHash(ctx context.Context, id uuid.UUID, oldHash, newHash string) error
	// CreateSession is CodeNotFound where the password is not the one with this hash
	// any more.
	CreateSession(ctx context.Context, session domain.Session, passwordHash string) error
	LiveSession(ctx context.Context, id uuid.UUID) (domain.User, error)
	RotateSession(ctx context.Context, id uuid.UUID, oldHash, newHash []byte, expires time.Time) (domain.User, error)
	RevokeSession(ctx context.Context, id uuid.UUID) error
	CreateAPIKey(ctx context.Context, k domain.APIKey) (domain.APIKey, error)
	LiveAPIKey(ctx context.Context, secretHash []byte) (domain.APIKey, domain.User, error)

	User(ctx context.Context, id uuid.UUID) (domain.User, error)
	CreateWaitingUser(ctx context.Context, u domain.User, link domain.Link) error
	AddMail(ctx context.Context, m domain.Mail) error
	SaveLink(ctx context.Context, l domain.Link) error
	LinkOwner(ctx context.Context, l domain.Link) (domain.User, string, error)
	VerifyByLink(ctx context.Context, l domain.Link) (before, after domain.User, err error)
	ResetByLink(ctx context.Context, l domain.Link, passwordHash string, endKeys bool) (domain.User, error)
	ChangePassword(ctx context.Context, id uuid.UUID, passwordHash string, keepSession uuid.UUID, endKeys bool) error
	SetEmail(ctx context.Context, id uuid.UUID, email string) (domain.User, error)
	SetPendingEmail(ctx context.Context, id uuid.UUID, email string, link domain.Link) (domain.User, error)
	TakeThrottle(ctx context.Context, key []byte, every, most time.Duration) (bool, error)
}

// Options configures the package. Zero durations take the defaults of 30
// minutes and 30 days.
type Options struct {
	Secret       []byte // at least 32 bytes
	AccessTTL    time.Duration
	RefreshTTL   time.Duration
	Registration Mode   // open by default
	PublicURL    string // where mailed links lead, without a slash at the end
	Mail         bool   // whether mail is delivered, if only to the log
	Hashing      Hashing
	Now          func() time.Time // nil means time.Now
}

// Auth checks passwords and tokens.
type Auth struct {
	store     Store
	options   Options
	passwords *passwords
	signer    signer
	now       func() time.Time
}

// minSecretBytes is the key size below which HS256 is weaker than its hash.
const minSecretBytes = 32

// New refuses a secret that is too short to sign with.
func New(store Store, o Options) (*Auth, error) {
	if len(o.Secret) < minSecretBytes {
		return nil, errors.New("SECRET_KEY must have at least 32 bytes")
	}
	if o.AccessTTL == 0 {
		o.AccessTTL = 30 * time.Minute
	}
	if o.RefreshTTL == 0 {
		o.RefreshTTL = 30 * 24 * time.Hour
	}
	if o.Registration == "" {
		o.Registration = ModeOpen
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	passwords, err := newPasswords(o.Hashing)
	if err != nil {
		return nil, err
	}
	return &Auth{store: store, options: o, passwords: passwords, signer: newSigner(o), now: o.Now}, nil
}

// Principal is who a request comes from: a user's session, or a program with one
// of the user's API keys.
type Principal struct {
	User      domain.User
	SessionID uuid.UUID      // nil with a key
	Key       *domain.APIKey // nil in a session
}

// errBadCredentials is the same for an unknown address, a wrong password and an
// account that was shut, so that nobody learns which accounts exist.
var errBadCredentials = domain.Errorf(domain.CodeBadCredentials, "E-mail address or password is wrong.")

// Login opens a session. It takes as long for an unknown address as for a wrong
// password.
func (a *Auth) Login(ctx context.Context, email, password, userAgent string) (Tokens, domain.User, error) {
	user, err := a.store.UserByEmail(ctx, strings.TrimSpace(email))
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		return Tokens{}, domain.User{}, err
	}
	known := err == nil
	hash := user.PasswordHash
	if !known {
		hash = a.passwords.dummy
	}
	match, outdated, err := a.passwords.check(ctx, password, hash)
	if err != nil {
		return Tokens{}, domain.User{}, err
	}
	if !known || !match || !user.Usable() {
		return Tokens{}, domain.User{}, a.badCredentials()
	}
	if outdated {
		if user.PasswordHash, err = a.upgrade(ctx, user, password); err != nil {
			return Tokens{}, domain.User{}, err
		}
	}
	tokens, err := a.Open(ctx, user, userAgent)
	return tokens, user, err
}

// badCredentials says, where accounts wait for something, that this may be why:
// to everybody, since only somebody who registered has use for it.
func (a *Auth) badCredentials() error {
	switch a.options.Registration {
	case ModeVerify:
		return errBadCredentials.WithHint("If you registered lately, open the link that was mailed to you first.")
	case ModeApprove:
		return errBadCredentials.WithHint("If you registered lately, an administrator has to approve the account first.")
	}
	return errBadCredentials
}

// AccountID returns the id of the account with an address, empty without one.
func (a *Auth) AccountID(ctx context.Context, email string) (string, error) {
	user, err := a.store.UserByEmail(ctx, strings.TrimSpace(email))
	if domain.CodeOf(err) == domain.CodeNotFound {
		return "", nil
	}
	return user.ID.String(), err
}

// upgrade replaces a hash of an older method or cost, and returns the new one.
func (a *Auth) upgrade(ctx context.Context, user domain.User, password string) (string, error) {
	hash, err := a.passwords.hash(ctx, password)
	if err != nil {
		return "", err
	}
	return hash, a.store.UpgradePasswordHash(ctx, user.ID, user.PasswordHash, hash)
}

// Open starts a session for a user whose identity is already established. A user
// whose password was changed since then is CodeBadCredentials.
func (a *Auth) Open(ctx context.Context, user domain.User, userAgent string) (Tokens, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Tokens{}, err
	}
	refresh := a.signer.newRefresh(id)
	err = a.store.CreateSession(ctx, domain.Session{
		ID: id, UserID: user.ID, RefreshHash: refresh.hash(), UserAgent: clip(userAgent, 255),
		ExpiresAt: a.now().Add(a.options.RefreshTTL),
	}, user.PasswordHash)
	if domain.CodeOf(err) == domain.CodeNotFound {
		err = a.badCredentials()
	}
	if err != nil {
		return Tokens{}, err
	}
	return a.tokens(user, refresh)
}

// Refresh exchanges a refresh token for new tokens. A token that was used
// before ends its session.
func (a *Auth) Refresh(ctx context.Context, token string) (Tokens, domain.User, error) {
	old, err := a.signer.parseRefresh(token)
	if err != nil {
		return Tokens{}, domain.User{}, err
	}
	next := a.signer.newRefresh(old.session)
	user, err := a.store.RotateSession(ctx, old.session, old.hash(), next.hash(), a.now().Add(a.options.RefreshTTL))
	if domain.CodeOf(err) == domain.CodeNotFound {
		err = errSessionEnded
	}
	if err != nil {
		return Tokens{}, domain.User{}, err
	}
	tokens, err := a.tokens(user, next)
	return tokens, user, err
}

var errSessionEnded = domain.Errorf(domain.CodeUnauthorized, "The session has ended. Log in again.")

// Logout ends a session; its tokens are refused from then on.
func (a *Auth) Logout(ctx context.Context, sessionID uuid.UUID) error {
	return a.store.RevokeSession(ctx, sessionID)
}

// Authenticate returns who an access token or an API key belongs to. The session
// or key is looked up each time, so that ending it works at once.
func (a *Auth) Authenticate(ctx context.Context, token string) (Principal, error) {
	if isAPIKey(token) {
		return a.authenticateKey(ctx, token)
	}
	id, err := a.signer.verify(token)
	if err != nil {
		return Principal{}, err
	}
	user, err := a.store.LiveSession(ctx, id.session)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return Principal{}, errSessionEnded
	}
	if err != nil {
		return Principal{}, err
	}
	if user.ID != id.user {
		return Principal{}, errBadToken
	}
	return Principal{User: user, SessionID: id.session}, nil
}

// Alive reports whether a session or key still holds, for replies that outlast
// it.
func (a *Auth) Alive(ctx context.Context, who Principal) error {
	if who.Key != nil {
		_, _, err := a.store.LiveAPIKey(ctx, who.Key.SecretHash)
		if domain.CodeOf(err) == domain.CodeNotFound {
			return errBadKey
		}
		return err
	}
	_, err := a.store.LiveSession(ctx, who.SessionID)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return errSessionEnded
	}
	return err
}

// clip shortens s to at most n bytes of valid text.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}
