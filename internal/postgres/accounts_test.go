package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

func count(t *testing.T, store *postgres.Store, table string) (n int) {
	t.Helper()
	if err := store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEmailsAreTakenWithoutRegardToCase(t *testing.T) {
	t.Parallel()
	store := open(t)
	u := domain.User{ID: uuid.New(), Email: "Ada@example.org", PasswordHash: "x"}
	if _, err := store.CreateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	u.ID, u.Email = uuid.New(), "ada@EXAMPLE.org"
	if _, err := store.CreateUser(t.Context(), u); domain.CodeOf(err) != domain.CodeEmailTaken {
		t.Errorf("%v", err)
	}
	if _, err := store.UserByEmail(t.Context(), "ADA@example.ORG"); err != nil {
		t.Error(err)
	}
}

func TestFirstAdminIsMadeOnce(t *testing.T) {
	t.Parallel()
	store := open(t)
	made, err := store.EnsureAdmin(t.Context(), domain.User{ID: uuid.New(), Email: "a@example.org", PasswordHash: "x"})
	if !made || err != nil {
		t.Fatal(made, err)
	}
	made, err = store.EnsureAdmin(t.Context(), domain.User{ID: uuid.New(), Email: "b@example.org", PasswordHash: "x"})
	if made || err != nil {
		t.Error(made, err)
	}
}

func TestOldRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	store := open(t)
	s := domain.Session{ID: uuid.New(), UserID: newUser(t, store), RefreshHash: []byte("1"), ExpiresAt: time.Now().Add(time.Hour)}
	if err := store.CreateSession(t.Context(), s, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.RotateSession(t.Context(), s.ID, []byte("1"), []byte("2"), s.ExpiresAt); err != nil {
		t.Fatal(err)
	}
	if _, err := store.LiveSession(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := store.RotateSession(t.Context(), s.ID, []byte("1"), []byte("3"), s.ExpiresAt); domain.CodeOf(err) != domain.CodeUnauthorized {
		t.Errorf("%v", err)
	}
	if _, err := store.LiveSession(t.Context(), s.ID); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("the session lives on: %v", err)
	}
	if _, err := store.RotateSession(t.Context(), s.ID, []byte("2"), []byte("4"), s.ExpiresAt); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("the newest token still works: %v", err)
	}
}

func TestProjectsAreTheirOwners(t *testing.T) {
	t.Parallel()
	store := open(t)
	user, other := newUser(t, store), newUser(t, store)
	p := domain.Project{ID: uuid.Must(uuid.NewV7()), UserID: user, Type: domain.ProjectOther, Name: "n", Config: []byte("{}")}
	if _, err := store.CreateProject(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	name := "m"
	if _, err := store.UpdateProject(t.Context(), other, p.ID, domain.ProjectChange{Name: &name}); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("%v", err)
	}
	changed, err := store.UpdateProject(t.Context(), user, p.ID, domain.ProjectChange{Name: &name})
	if err != nil || changed.Name != "m" || changed.Type != domain.ProjectOther {
		t.Errorf("%+v, %v", changed, err)
	}
	foreign := domain.Document{ID: uuid.Must(uuid.NewV7()), UserID: other, ProjectID: &p.ID, Type: domain.TypeTXT}
	if err := store.BeginDocument(t.Context(), foreign); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("a document in another's project: %v", err)
	}
	if _, err := store.DeleteProject(t.Context(), other, p.ID); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("%v", err)
	}
	if _, err := store.DeleteProject(t.Context(), user, p.ID); err != nil {
		t.Error(err)
	}
}
