package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// MaxAPIKeys is how many keys a user may have.
const MaxAPIKeys = 50

// CreateAPIKey stores a new key; CodeConflict when the user has too many.
func (s *Store) CreateAPIKey(ctx context.Context, k domain.APIKey) (domain.APIKey, error) {
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		scopes[i] = string(scope)
	}
	row, err := s.queries.InsertAPIKey(ctx, dbsqlc.InsertAPIKeyParams{
		ID: k.ID, UserID: k.UserID, Name: k.Name, Prefix: k.Prefix, SecretHash: k.SecretHash,
		Scopes: scopes, ExpiresAt: k.ExpiresAt, Most: MaxAPIKeys,
	})
	if err = translate(err); domain.CodeOf(err) == domain.CodeNotFound {
		err = domain.Errorf(domain.CodeConflict, "There are %d API keys already. Delete one that is not needed.", MaxAPIKeys)
	}
	return toAPIKey(row), err
}

// APIKeys lists a user's keys, newest first, from before on.
func (s *Store) APIKeys(ctx context.Context, userID uuid.UUID, before *uuid.UUID, limit int) ([]domain.APIKey, error) {
	rows, err := s.queries.APIKeysOfUser(ctx, dbsqlc.APIKeysOfUserParams{UserID: userID, Before: before, MaxRows: int32(limit)})
	keys := make([]domain.APIKey, len(rows))
	for i, r := range rows {
		keys[i] = toAPIKey(r)
	}
	return keys, translate(err)
}

// DeleteAPIKey ends a user's key at once.
func (s *Store) DeleteAPIKey(ctx context.Context, userID, id uuid.UUID) error {
	n, err := s.queries.DeleteAPIKey(ctx, dbsqlc.DeleteAPIKeyParams{ID: id, UserID: userID})
	if err == nil && n == 0 {
		err = errNotFound
	}
	return translate(err)
}

// touchEvery is how exact LastUsedAt is.
const touchEvery = time.Minute

// LiveAPIKey returns the key with a secret, and its owner, while it is good; else
// CodeNotFound. That it was used is written down once a minute.
func (s *Store) LiveAPIKey(ctx context.Context, secretHash []byte) (domain.APIKey, domain.User, error) {
	row, err := s.queries.LiveAPIKey(ctx, secretHash)
	if err != nil {
		return domain.APIKey{}, domain.User{}, translate(err)
	}
	key := toAPIKey(row.ApiKey)
	if key.LastUsedAt == nil || time.Since(*key.LastUsedAt) > touchEvery {
		err = translate(s.queries.TouchAPIKey(ctx, key.ID))
	}
	return key, toUser(row.User), err
}

func toAPIKey(r dbsqlc.ApiKey) domain.APIKey {
	scopes := make([]domain.Scope, len(r.Scopes))
	for i, scope := range r.Scopes {
		scopes[i] = domain.Scope(scope)
	}
	return domain.APIKey{
		ID: r.ID, UserID: r.UserID, Name: r.Name, Prefix: r.Prefix, SecretHash: r.SecretHash, Scopes: scopes,
		ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt, CreatedAt: r.CreatedAt,
	}
}
