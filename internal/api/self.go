package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// AccountStore is what users keep of and do with their own account.
type AccountStore interface {
	KeyStore
	SessionStore
	ExportStore
	UpdateUser(ctx context.Context, id uuid.UUID, change domain.UserChange) (changed domain.User, stopped []domain.Job, err error)
	DeleteUser(ctx context.Context, id uuid.UUID) ([]domain.Job, error)
}

// SelfChange names the fields of one's own account to change; others stay, and
// roles are not one's own to set.
type SelfChange struct {
	Name            *string `json:"name,omitempty" maxLength:"255" nullable:"true" example:"Ada Lovelace"`
	Language        *string `json:"language,omitempty" maxLength:"2" nullable:"true" doc:"ISO 639-1, or empty" example:"de"`
	LocalOnly       *bool   `json:"local_only,omitempty" nullable:"true" doc:"Keep everything of mine away from cloud providers. False lifts my own choice; an administrator's order it cannot lift, and is forbidden then"`
	Email           *string `json:"email,omitempty" format:"email" maxLength:"320" nullable:"true" doc:"Needs current_password. Where addresses have to be verified it is pending_email until the link mailed to it was followed" example:"ada@example.org"`
	CurrentPassword *string `json:"current_password,omitempty" maxLength:"1024" nullable:"true" doc:"To change email" example:"correct horse battery"`
}

// PasswordChange replaces one's own password.
type PasswordChange struct {
	CurrentPassword string `json:"current_password" minLength:"1" maxLength:"1024" example:"correct horse battery"`
	NewPassword     string `json:"new_password" minLength:"8" maxLength:"1024" example:"staple of another battery"`
	DeleteAPIKeys   bool   `json:"delete_api_keys,omitempty" doc:"Delete all my API keys, too"`
}

// Farewell deletes one's own account.
type Farewell struct {
	Password string `json:"password" minLength:"1" maxLength:"1024" example:"correct horse battery"`
}

type selfChangeInput struct {
	Body SelfChange
}

type passwordInput struct {
	Body PasswordChange
}

type farewellInput struct {
	Body Farewell
}

func (s *server) selfOperations() {
	const tag = "accounts"
	register(s, endpoint{
		id: "update-user-me", method: http.MethodPatch, path: "/users/me", tag: tag, summary: "Change my account",
		limited: true, codes: []domain.Code{domain.CodeBadCredentials, domain.CodeEmailTaken, domain.CodeMailMissing},
	}, s.changeSelf)
	register(s, endpoint{
		id: "change-password", method: http.MethodPost, path: "/auth/change-password", tag: tag, summary: "Change my password",
		description: "Ends all my other sessions. API keys stay, unless delete_api_keys is set.", status: http.StatusNoContent,
		limited: true, codes: []domain.Code{domain.CodeBadCredentials},
	}, s.changePassword)
	register(s, endpoint{
		id: "delete-user-me", method: http.MethodDelete, path: "/users/me", tag: tag, summary: "Delete my account",
		description: "With everything I own, for good: originals, texts, vectors, results. Running jobs are stopped. " +
			"The audit log keeps the account's id, and not its address.",
		status: http.StatusNoContent, timeout: deletionTimeout, limited: true,
		codes: []domain.Code{domain.CodeBadCredentials, domain.CodeLastAdmin},
	}, s.deleteSelf)
}

func (s *server) changeSelf(ctx context.Context, in *selfChangeInput) (*userOutput, error) {
	user := principal(ctx).User
	if local := in.Body.LocalOnly; user.LocalOnly && local != nil && !*local {
		return nil, domain.Errorf(domain.CodeForbidden, "An administrator keeps your work on local models. Only an administrator can change that.")
	}
	if email := in.Body.Email; email != nil && strings.TrimSpace(*email) != user.Email {
		var err error
		if user, err = s.changeEmail(ctx, user, *email, in.Body.CurrentPassword); err != nil {
			return nil, err
		}
	}
	change := domain.UserChange{Name: in.Body.Name, Language: in.Body.Language, ChoseLocal: in.Body.LocalOnly}
	if change == (domain.UserChange{}) {
		return &userOutput{Body: toUser(user)}, nil
	}
	if change.Name != nil {
		*change.Name = plain(*change.Name, 255)
	}
	if change.Language != nil {
		*change.Language = plain(*change.Language, 2)
	}
	user, _, err := s.Own.UpdateUser(postgres.AsSystem(ctx), user.ID, change)
	return &userOutput{Body: toUser(user)}, err
}

func (s *server) changeEmail(ctx context.Context, user domain.User, email string, password *string) (domain.User, error) {
	if password == nil {
		return user, invalid("body.current_password", "is needed to change the e-mail address")
	}
	if err := s.confirm(ctx, *password); err != nil {
		return user, err
	}
	if err := s.takeLetter(ctx, email); err != nil {
		return user, err
	}
	changed, err := s.Accounts.ChangeEmail(postgres.AsSystem(ctx), user, email)
	if err != nil {
		return user, err
	}
	s.Mailed()
	action := "account.email_change"
	if changed.Email == user.Email {
		action = "account.email_change_request"
	}
	return changed, s.audit(ctx, action, user.ID.String(), nil)
}

// confirm demands the password of whoever holds the session. It may be tried as
// often as at a login.
func (s *server) confirm(ctx context.Context, password string) error {
	user := principal(ctx).User
	return s.guess(ctx, user.Email, func() error { return s.Accounts.CheckPassword(ctx, user, password) })
}

func (s *server) changePassword(ctx context.Context, in *passwordInput) (*struct{}, error) {
	who := principal(ctx)
	if err := s.confirm(ctx, in.Body.CurrentPassword); err != nil {
		return nil, err
	}
	if err := s.Accounts.ChangePassword(postgres.AsSystem(ctx), who, in.Body.NewPassword, in.Body.DeleteAPIKeys); err != nil {
		return nil, err
	}
	s.Mailed()
	return nil, s.audit(ctx, "account.password_change", who.User.ID.String(), endsKeys(in.Body.DeleteAPIKeys))
}

// endsKeys is what the audit log keeps of a new password that ended the API keys.
func endsKeys(deleted bool) any {
	if !deleted {
		return nil
	}
	return map[string]any{"api_keys": "deleted"}
}

func (s *server) deleteSelf(ctx context.Context, in *farewellInput) (*struct{}, error) {
	if err := s.confirm(ctx, in.Body.Password); err != nil {
		return nil, err
	}
	id := userID(ctx)
	stopped, err := s.Own.DeleteUser(postgres.AsSystem(ctx), id)
	if err != nil {
		return nil, err
	}
	s.stopped(ctx, stopped, nil)
	return nil, s.auditAs(postgres.AsSystem(context.WithoutCancel(ctx)), domain.User{ID: id}, "account.delete", id.String(), nil)
}
