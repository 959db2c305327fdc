package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

const (
	keyMark   = "gb_" // tells keys from tokens, and lets scanners find leaked ones
	keyShown  = len(keyMark) + 8
	keyRandom = 32 // bytes
)

// NewAPIKey completes a key and stores it. The secret is returned and not kept: a
// fast hash will do for 256 random bits, since nobody can try them all, however
// quick each try is. That is for what people choose.
func (a *Auth) NewAPIKey(ctx context.Context, key domain.APIKey) (domain.APIKey, string, error) {
	random := make([]byte, keyRandom)
	rand.Read(random) // never fails, see its documentation
	secret := keyMark + base64.RawURLEncoding.EncodeToString(random)
	id, err := uuid.NewV7()
	if err != nil {
		return domain.APIKey{}, "", err
	}
	key.ID, key.Prefix, key.SecretHash = id, secret[:keyShown], hashKey(secret)
	key, err = a.store.CreateAPIKey(ctx, key)
	return key, secret, err
}

func hashKey(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

var errBadKey = domain.Errorf(domain.CodeUnauthorized, "The API key is not valid, has expired, or was deleted.")

// authenticateKey returns who an API key belongs to.
func (a *Auth) authenticateKey(ctx context.Context, secret string) (Principal, error) {
	key, user, err := a.store.LiveAPIKey(ctx, hashKey(secret))
	if domain.CodeOf(err) == domain.CodeNotFound {
		return Principal{}, errBadKey
	}
	if err != nil {
		return Principal{}, err
	}
	return Principal{User: user, Key: &key}, nil
}

func isAPIKey(token string) bool { return strings.HasPrefix(token, keyMark) }
