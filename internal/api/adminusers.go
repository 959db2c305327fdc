package api

import (
	"context"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

type userStore interface {
	Users(ctx context.Context, f postgres.UserFilter) ([]domain.User, error)
	User(ctx context.Context, id uuid.UUID) (domain.User, error)
	AddUser(ctx context.Context, u domain.User) (domain.User, error)
	UpdateUser(ctx context.Context, id uuid.UUID, change domain.UserChange) (changed domain.User, stopped []domain.Job, err error)
	DeleteUser(ctx context.Context, id uuid.UUID) ([]domain.Job, error)
}

// NewUser is an account that an administrator makes.
type NewUser struct {
	Email      string `json:"email" format:"email" maxLength:"320" example:"ada@example.org"`
	Password   string `json:"password" minLength:"8" maxLength:"1024" example:"correct horse battery"`
	Name       string `json:"name,omitempty" maxLength:"255" example:"Ada"`
	Language   string `json:"language,omitempty" maxLength:"2" doc:"ISO 639-1" example:"en"`
	IsAdmin    bool   `json:"is_admin,omitempty"`
	IsActive   *bool  `json:"is_active,omitempty" nullable:"true" doc:"True by default; nobody can log in to one that is not"`
	IsVerified *bool  `json:"is_verified,omitempty" nullable:"true" doc:"That the address is the owner's; true by default"`
}

// UserChange names the fields to change; others stay.
type UserChange struct {
	Email      *string `json:"email,omitempty" format:"email" maxLength:"320" nullable:"true" example:"ada@example.org"`
	Password   *string `json:"password,omitempty" minLength:"8" maxLength:"1024" nullable:"true" doc:"A new password ends all sessions of the account"`
	Name       *string `json:"name,omitempty" maxLength:"255" nullable:"true" example:"Ada"`
	Language   *string `json:"language,omitempty" maxLength:"2" nullable:"true" doc:"ISO 639-1" example:"en"`
	IsAdmin    *bool   `json:"is_admin,omitempty" nullable:"true"`
	IsActive   *bool   `json:"is_active,omitempty" nullable:"true" doc:"False ends all sessions and cancels all jobs at once; true approves an account that waits for it"`
	IsVerified *bool   `json:"is_verified,omitempty" nullable:"true"`
}

// UserPath names an account in an address.
type UserPath struct {
	ID uuid.UUID `path:"user_id" format:"uuid"`
}

type usersInput struct {
	Paging
	Email    string `query:"email" maxLength:"320" doc:"A part of the address, without regard to case" example:"example.org"`
	Admin    string `query:"is_admin" enum:"true,false"`
	Active   string `query:"is_active" enum:"true,false"`
	Verified string `query:"is_verified" enum:"true,false"`
	WaitsFor string `query:"waits_for" enum:"verification,approval" doc:"Who waits for approval is let in by is_active, for verification by is_verified"`
}

type createUserInput struct {
	Body NewUser
}

type updateUserInput struct {
	UserPath
	Body UserChange
}

// Done says in words that something was done.
type Done struct {
	Message string `json:"message" example:"The account was deleted."`
}

type doneOutput struct {
	Body Done
}

// deletionTimeout bounds deleting an account with all it owns, and shutting one with
// all its jobs.
const deletionTimeout = 10 * time.Minute

func (s *server) userOperations() {
	const path = "/admin/users/{user_id}"
	missing := []domain.Code{domain.CodeNotFound}
	registerList(s, endpoint{
		id: "list-users", method: http.MethodGet, path: "/admin/users", tag: adminTag, summary: "List accounts",
		admin: true, codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listUsers)
	register(s, endpoint{
		id: "create-user", method: http.MethodPost, path: "/admin/users", tag: adminTag, summary: "Make an account",
		description: "Whatever the registration mode is. The account needs no approval and no verification.",
		admin:       true, status: http.StatusCreated, codes: []domain.Code{domain.CodeEmailTaken},
	}, s.createUser)
	register(s, endpoint{
		id: "get-user", method: http.MethodGet, path: path, tag: adminTag, summary: "Get an account", admin: true, codes: missing,
	}, s.getUser)
	register(s, endpoint{
		id: "update-user", method: http.MethodPatch, path: path, tag: adminTag, summary: "Change an account", admin: true,
		description: "Setting is_active approves an account that waits for it; clearing it ends the account's sessions and cancels its jobs at once. " +
			"The last active administrator can neither be deactivated nor lose the role.",
		timeout: deletionTimeout, codes: append(slices.Clone(missing), domain.CodeEmailTaken, domain.CodeLastAdmin),
	}, s.updateUser)
	register(s, endpoint{
		id: "delete-user", method: http.MethodDelete, path: path, tag: adminTag, summary: "Delete an account", admin: true,
		description: "Deletes everything it owns, and stops its jobs. Nobody deletes their own account here.",
		timeout:     deletionTimeout, codes: append(slices.Clone(missing), domain.CodeOwnAccount, domain.CodeLastAdmin),
	}, s.deleteUser)
}

func (s *server) listUsers(ctx context.Context, in *usersInput) (Page[User], error) {
	const list = "users"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[User]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Admin.Users(ctx, postgres.UserFilter{
		Email: in.Email, Admin: flag(in.Admin), Active: flag(in.Active), Verified: flag(in.Verified),
		WaitsFor: domain.Wait(in.WaitsFor), Before: before, Limit: size,
	})
	return cut(s.cursors, list, userID(ctx), rows, size, func(u domain.User) uuid.UUID { return u.ID }, toUser), err
}

// flag reads a query parameter that may be left out.
func flag(value string) *bool {
	if value == "" {
		return nil
	}
	is := value == "true"
	return &is
}

func (s *server) createUser(ctx context.Context, in *createUserInput) (*userOutput, error) {
	user, err := s.NewAccounts.NewUser(ctx, auth.NewAccount{
		Email: in.Body.Email, Password: in.Body.Password,
		Name: plain(in.Body.Name, 255), Language: plain(in.Body.Language, 2),
	})
	if err != nil {
		return nil, err
	}
	user.IsAdmin = in.Body.IsAdmin
	user.IsActive = in.Body.IsActive == nil || *in.Body.IsActive
	user.IsVerified = in.Body.IsVerified == nil || *in.Body.IsVerified
	if user, err = s.Admin.AddUser(ctx, user); err != nil {
		return nil, err
	}
	return &userOutput{Body: toUser(user)}, s.audit(ctx, "user.create", user.ID.String(), map[string]any{
		"is_admin": user.IsAdmin, "is_active": user.IsActive, "is_verified": user.IsVerified,
	})
}

func (s *server) getUser(ctx context.Context, in *UserPath) (*userOutput, error) {
	user, err := s.Admin.User(ctx, in.ID)
	return &userOutput{Body: toUser(user)}, err
}

func (s *server) updateUser(ctx context.Context, in *updateUserInput) (*userOutput, error) {
	change, err := s.userChange(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	user, stopped, err := s.Admin.UpdateUser(ctx, in.ID, change)
	if err != nil {
		return nil, err
	}
	s.stopped(ctx, stopped, nil)
	details := changed(in.Body)
	if change.Shuts() {
		details["cancelled_jobs"] = len(stopped)
	}
	return &userOutput{Body: toUser(user)}, s.audit(ctx, "user.update", user.ID.String(), details)
}

func (s *server) userChange(ctx context.Context, c UserChange) (change domain.UserChange, err error) {
	change = domain.UserChange{IsAdmin: c.IsAdmin, IsActive: c.IsActive, IsVerified: c.IsVerified}
	if c.Email != nil {
		email := strings.TrimSpace(*c.Email)
		if address, err := mail.ParseAddress(email); err != nil || address.Address != email {
			return change, invalid("body.email", "must be an e-mail address")
		}
		change.Email = &email
	}
	if c.Name != nil {
		change.Name = new(plain(*c.Name, 255))
	}
	if c.Language != nil {
		change.Language = new(plain(*c.Language, 2))
	}
	if c.Password != nil {
		hash, err := s.NewAccounts.HashPassword(ctx, *c.Password)
		if err != nil {
			return change, err
		}
		change.PasswordHash = &hash
	}
	return change, nil
}

// changed is what the audit log keeps of a change. It outlives the account, so
// it does not repeat what is personal.
func changed(c UserChange) map[string]any {
	details := map[string]any{}
	for name, value := range map[string]*string{"email": c.Email, "name": c.Name, "language": c.Language, "password": c.Password} {
		if value != nil {
			details[name] = "replaced"
		}
	}
	for name, value := range map[string]*bool{"is_admin": c.IsAdmin, "is_active": c.IsActive, "is_verified": c.IsVerified} {
		if value != nil {
			details[name] = *value
		}
	}
	return details
}

func (s *server) deleteUser(ctx context.Context, in *UserPath) (*doneOutput, error) {
	if in.ID == userID(ctx) {
		return nil, domain.Errorf(domain.CodeOwnAccount, "This is your own account. Another administrator can delete it.")
	}
	stopped, err := s.Admin.DeleteUser(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	s.stopped(ctx, stopped, nil)
	out := &doneOutput{Body: Done{Message: "The account was deleted."}}
	return out, s.audit(ctx, "user.delete", in.ID.String(), map[string]any{})
}
