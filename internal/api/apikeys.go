package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// KeyStore keeps API keys.
type KeyStore interface {
	APIKeys(ctx context.Context, userID uuid.UUID, before *uuid.UUID, limit int) ([]domain.APIKey, error)
	DeleteAPIKey(ctx context.Context, userID, id uuid.UUID) error
}

// ScopeName is a scope of API keys.
type ScopeName string

// Schema implements huma.SchemaProvider.
func (ScopeName) Schema(huma.Registry) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString, Examples: []any{"documents:read"}}
	for _, scope := range domain.Scopes() {
		schema.Enum = append(schema.Enum, string(scope))
	}
	return schema
}

// APIKey lets a program act for its owner, within its scopes.
type APIKey struct { //nolint:revive // a bare Key would say too little in the description
	ID         uuid.UUID   `json:"id" format:"uuid"`
	Name       string      `json:"name" example:"Nightly import"`
	Prefix     string      `json:"prefix" doc:"The beginning of the key, to recognise it by" example:"gb_k3Xq9ZpA"`
	Scopes     []ScopeName `json:"scopes"`
	ExpiresAt  *time.Time  `json:"expires_at" doc:"Null: never"`
	LastUsedAt *time.Time  `json:"last_used_at" doc:"At most a minute behind"`
	CreatedAt  time.Time   `json:"created_at"`
}

func toAPIKey(k domain.APIKey) APIKey {
	key := APIKey{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, Scopes: []ScopeName{},
		ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt, CreatedAt: k.CreatedAt,
	}
	for _, scope := range k.Scopes {
		key.Scopes = append(key.Scopes, ScopeName(scope))
	}
	return key
}

// NewAPIKey asks for a key.
type NewAPIKey struct {
	Name      string      `json:"name" minLength:"1" maxLength:"255" example:"Nightly import"`
	Scopes    []ScopeName `json:"scopes" maxItems:"20" doc:"What it may be used for; with none it is good for nothing"`
	ExpiresAt *time.Time  `json:"expires_at,omitempty" nullable:"true" doc:"After that it is not accepted; by default never" example:"2030-01-01T00:00:00Z"`
}

// MadeAPIKey is a new key with its secret.
type MadeAPIKey struct {
	APIKey
	Key string `json:"key" doc:"The key itself. It is shown this once: send it as Authorization: Bearer" example:"gb_k3Xq9ZpAdHhGvOqeGVU4ZbAtVEtVqyDgV6Yv3bQYdN0"`
}

// KeyPath names an API key in an address.
type KeyPath struct {
	ID uuid.UUID `path:"key_id" format:"uuid"`
}

type newKeyInput struct {
	Body NewAPIKey
}

type madeKeyOutput struct {
	Body MadeAPIKey
}

func (s *server) keyOperations() {
	const tag = "accounts"
	register(s, endpoint{
		id: "create-api-key", method: http.MethodPost, path: "/auth/api-keys", tag: tag, summary: "Make an API key",
		description: "The key is shown this once. It cannot be used for accounts, keys or the administration.",
		status:      http.StatusCreated, codes: []domain.Code{domain.CodeConflict},
	}, s.createKey)
	registerList(s, endpoint{
		id: "list-api-keys", method: http.MethodGet, path: "/auth/api-keys", tag: tag, summary: "List my API keys",
		codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listKeys)
	register(s, endpoint{
		id: "delete-api-key", method: http.MethodDelete, path: "/auth/api-keys/{key_id}", tag: tag, summary: "Delete an API key",
		description: "It is not accepted any more from then on.", status: http.StatusNoContent, codes: []domain.Code{domain.CodeNotFound},
	}, s.deleteKey)
}

func (s *server) createKey(ctx context.Context, in *newKeyInput) (*madeKeyOutput, error) {
	key := domain.APIKey{UserID: userID(ctx), Name: plain(in.Body.Name, 255), ExpiresAt: in.Body.ExpiresAt}
	switch {
	case key.Name == "":
		return nil, invalid("body.name", "must not be empty")
	case key.ExpiresAt != nil && (!key.ExpiresAt.After(time.Now()) || key.ExpiresAt.Year() > 9999):
		return nil, invalid("body.expires_at", "must be a time to come")
	}
	for _, scope := range in.Body.Scopes {
		key.Scopes = append(key.Scopes, domain.Scope(scope))
	}
	slices.Sort(key.Scopes)
	key.Scopes = slices.Compact(key.Scopes)
	key, secret, err := s.Accounts.NewAPIKey(ctx, key)
	if err != nil {
		return nil, err
	}
	err = s.audit(ctx, "api_key.create", key.ID.String(), map[string]any{"prefix": key.Prefix, "scopes": key.Scopes})
	return &madeKeyOutput{Body: MadeAPIKey{APIKey: toAPIKey(key), Key: secret}}, err
}

func (s *server) listKeys(ctx context.Context, in *Paging) (Page[APIKey], error) {
	const list = "api-keys"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[APIKey]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Own.APIKeys(ctx, userID(ctx), before, size)
	return cut(s.cursors, list, userID(ctx), rows, size, func(k domain.APIKey) uuid.UUID { return k.ID }, toAPIKey), err
}

func (s *server) deleteKey(ctx context.Context, in *KeyPath) (*struct{}, error) {
	if err := s.Own.DeleteAPIKey(ctx, userID(ctx), in.ID); err != nil {
		return nil, err
	}
	return nil, s.audit(ctx, "api_key.delete", in.ID.String(), nil)
}
