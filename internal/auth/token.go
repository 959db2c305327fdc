package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

const (
	issuer   = "general-backend"
	audience = "general-backend:api"
)

// Tokens are the two keys of a session: the access token for requests, the
// refresh token for the next pair.
type Tokens struct {
	Access    string
	Refresh   string
	ExpiresIn time.Duration // of the access token
}

var (
	errBadToken = domain.Errorf(domain.CodeUnauthorized, "The access token is not valid. Log in again.")
	errExpired  = domain.Errorf(domain.CodeTokenExpired, "The access token has expired. Refresh it or log in again.")
)

// claims are those of an access token.
type claims struct {
	Session uuid.UUID `json:"sid"`
	jwt.RegisteredClaims
}

// identity is what a verified token says.
type identity struct {
	user, session uuid.UUID
}

// signer makes and checks tokens. Each use has a key of its own.
type signer struct {
	key, refreshKey, linkKey []byte
	ttl                      time.Duration
	now                      func() time.Time
}

func newSigner(o Options) signer {
	return signer{key: o.Secret, refreshKey: mac(o.Secret, []byte("refresh")), linkKey: mac(o.Secret, []byte("link")), ttl: o.AccessTTL, now: o.Now}
}

func (s signer) access(user, session uuid.UUID) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	now := s.now()
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		Session: session,
		RegisteredClaims: jwt.RegisteredClaims{
			ID: id.String(), Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: user.String(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(s.ttl)),
		},
	}).SignedString(s.key)
}

// verify accepts only tokens of our own making: algorithm, issuer and audience
// are pinned and an expiry is required.
func (s signer) verify(token string) (identity, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return s.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return identity{}, errExpired.WithCause(err)
	case err != nil:
		return identity{}, errBadToken.WithCause(err)
	}
	user, err := uuid.Parse(c.Subject)
	if err != nil {
		return identity{}, errBadToken.WithCause(err)
	}
	return identity{user: user, session: c.Session}, nil
}

// refresh is a refresh token taken apart: "session.secret", where the secret
// ends in a code that only we can make. So a guess never reaches the database
// and cannot end somebody's session.
type refresh struct {
	session uuid.UUID
	secret  []byte
}

const (
	randomBytes = 32
	codeBytes   = 16
)

func (s signer) newRefresh(session uuid.UUID) refresh {
	random := make([]byte, randomBytes)
	rand.Read(random) // never fails, see its documentation
	return refresh{session: session, secret: append(random, s.code(session, random)...)}
}

func (s signer) code(session uuid.UUID, random []byte) []byte {
	return mac(s.refreshKey, session[:], random)[:codeBytes]
}

func (s signer) parseRefresh(token string) (refresh, error) {
	bad := domain.Errorf(domain.CodeUnauthorized, "The refresh token is not valid. Log in again.")
	id, encoded, _ := strings.Cut(token, ".")
	session, err := uuid.Parse(id)
	if err != nil {
		return refresh{}, bad
	}
	secret, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(secret) != randomBytes+codeBytes {
		return refresh{}, bad
	}
	if !hmac.Equal(secret[randomBytes:], s.code(session, secret[:randomBytes])) {
		return refresh{}, bad
	}
	return refresh{session: session, secret: secret}, nil
}

func (r refresh) String() string {
	return r.session.String() + "." + base64.RawURLEncoding.EncodeToString(r.secret)
}

// hash is what is stored: a stolen database holds no usable token.
func (r refresh) hash() []byte {
	sum := sha256.Sum256(r.secret)
	return sum[:]
}

func (a *Auth) tokens(user domain.User, r refresh) (Tokens, error) {
	access, err := a.signer.access(user.ID, r.session)
	return Tokens{Access: access, Refresh: r.String(), ExpiresIn: a.options.AccessTTL}, err
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
