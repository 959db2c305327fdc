package auth_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
)

// overtaken is a store in which something else happens between the check of a
// password and what follows from it.
type overtaken struct {
	*postgres.Store
	meanwhile func(id uuid.UUID)
}

func (s overtaken) UserByEmail(ctx context.Context, email string) (domain.User, error) {
	user, err := s.Store.UserByEmail(ctx, email)
	if err == nil {
		s.meanwhile(user.ID)
	}
	return user, err
}

// TestLoginsThatAreOvertaken by a new password or by the account being shut get no
// session, and do not bring the old password back.
func TestLoginsThatAreOvertaken(t *testing.T) {
	t.Parallel()
	const changed = "another password"
	old, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change domain.UserChange
		hash   bool // the old password has an outdated hash
	}{
		"a new password":                   {change: domain.UserChange{PasswordHash: new(hashed(t, changed))}},
		"a new password, an outdated hash": {change: domain.UserChange{PasswordHash: new(hashed(t, changed))}, hash: true},
		"the account is shut":              {change: domain.UserChange{IsActive: new(false)}},
	} {
		store := postgrestest.NewStore(t)
		update := func(id uuid.UUID, change domain.UserChange) {
			if _, _, err := store.UpdateUser(t.Context(), id, change); err != nil {
				t.Fatal(err)
			}
		}
		user := register(t, open(t, store, options()), "eva@example.org")
		if tt.hash {
			update(user.ID, domain.UserChange{PasswordHash: new(string(old))})
		}
		slow := open(t, overtaken{Store: store, meanwhile: func(id uuid.UUID) { update(id, tt.change) }}, options())
		_, _, err := slow.Login(t.Context(), user.Email, password, "")
		wantCode(t, name, err, domain.CodeBadCredentials)
		sessions, err := store.Sessions(t.Context(), user.ID, nil, 10)
		if len(sessions) > 0 || err != nil {
			t.Errorf("%s: sessions %v, %v", name, sessions, err)
		}
		if tt.change.PasswordHash == nil {
			continue
		}
		if _, _, err := open(t, store, options()).Login(t.Context(), user.Email, changed, ""); err != nil {
			t.Errorf("%s: the new password: %v", name, err)
		}
	}
}

func hashed(t *testing.T, password string) string {
	t.Helper()
	hash, err := open(t, nil, options()).HashPassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

var _ auth.Store = overtaken{}
