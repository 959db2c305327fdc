package api

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
)

// User is an account as its owner sees it.
type User struct {
	ID         uuid.UUID `json:"id" format:"uuid"`
	Email      string    `json:"email" format:"email"`
	Name       string    `json:"name" example:"Ada"`
	Language   string    `json:"language" doc:"ISO 639-1, or empty" example:"en"`
	IsActive   bool      `json:"is_active"`
	IsAdmin    bool      `json:"is_admin"`
	IsVerified bool      `json:"is_verified"`
	WaitsFor   string    `json:"waits_for" enum:",verification,approval" doc:"What the account needs before it can be used; empty when nothing"`
	LocalOnly  bool      `json:"local_only" doc:"Nothing of this user ever reaches a cloud provider: by the user's choice, or an administrator's order"`
	Ordered    bool      `json:"local_only_ordered" doc:"An administrator ordered it, so that the user cannot lift it"`
	Pending    string    `json:"pending_email" doc:"An address that replaces email once the link mailed to it was followed"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

func toUser(u domain.User) User {
	return User{
		ID: u.ID, Email: u.Email, Name: u.Name, Language: u.Language, IsActive: u.IsActive,
		IsAdmin: u.IsAdmin, IsVerified: u.IsVerified, WaitsFor: string(u.WaitsFor), Pending: u.PendingEmail,
		LocalOnly: u.LocalOnly || u.ChoseLocal, Ordered: u.LocalOnly,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

// Login is an open session.
type Login struct {
	AccessToken  string `json:"access_token" doc:"Send as Authorization: Bearer" example:"eyJhbGciOiJIUzI1NiJ9.e30.c2ln"`
	RefreshToken string `json:"refresh_token" doc:"Good for one call of refresh" example:"AAECAwQFBgcICQoLDA0ODw"`
	TokenType    string `json:"token_type" enum:"bearer"`
	ExpiresIn    int    `json:"expires_in" doc:"Seconds until the access token expires"`
	User         User   `json:"user"`
}

func toLogin(t auth.Tokens, u domain.User) Login {
	return Login{
		AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: "bearer",
		ExpiresIn: int(t.ExpiresIn.Seconds()), User: toUser(u),
	}
}

// Registration makes an account. Other fields are ignored: roles are not the
// visitor's to set.
type Registration struct {
	Email    string `json:"email" format:"email" maxLength:"320" example:"ada@example.org"`
	Password string `json:"password" minLength:"8" maxLength:"1024" example:"correct horse battery"`
	Name     string `json:"name,omitempty" maxLength:"255" example:"Ada"`
	Language string `json:"language,omitempty" maxLength:"2" doc:"ISO 639-1" example:"en"`
}

// Credentials open a session. The form of OAuth2, with username and password,
// is read as well.
type Credentials struct {
	Email    string `json:"email,omitempty" doc:"Or username" example:"ada@example.org"`
	Username string `json:"username,omitempty" doc:"Another name for email"`
	Password string `json:"password" example:"correct horse battery"`
}

// Refreshment exchanges a refresh token.
type Refreshment struct {
	RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"512" example:"AAECAwQFBgcICQoLDA0ODw"`
}

type registerInput struct {
	UserAgent string `header:"User-Agent" hidden:"true"`
	Body      Registration
}

type loginInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	UserAgent   string `header:"User-Agent" hidden:"true"`
	RawBody     []byte `contentType:"application/json"`
}

type refreshInput struct {
	Body Refreshment
}

type loginOutput struct {
	Body Login
}

// Registered is an account that cannot be used yet. It says the same for an
// address that is taken.
type Registered struct {
	WaitsFor string `json:"waits_for" enum:"verification,approval" example:"verification"`
	Message  string `json:"message" doc:"What happens next, for people" example:"Open the link that was mailed to this address to finish."`
}

type registerOutput struct {
	Status int
	Body   any
}

type userOutput struct {
	Body User
}

func (s *server) accountOperations() {
	const tag = "accounts"
	register(s, endpoint{
		id: "register", method: http.MethodPost, path: "/auth/register", tag: tag, summary: "Make an account and log in",
		description: "Where accounts have to be verified or approved first the answer is 202, without tokens, and does not tell whether " +
			"the address is taken: its owner gets a mail instead.",
		status: http.StatusCreated, public: true, limited: true,
		codes: []domain.Code{domain.CodeEmailTaken, domain.CodeRegistrationShut},
		responses: map[string]*huma.Response{
			"201": respond[Login](s, "Made, and logged in."),
			"202": respond[Registered](s, "The account waits for something."),
		},
	}, s.register)
	register(s, endpoint{
		id: "login", method: http.MethodPost, path: "/auth/login", tag: tag, summary: "Log in",
		public: true, limited: true, unchecked: true, codes: []domain.Code{domain.CodeBadCredentials},
	}, s.login)
	register(s, endpoint{
		id: "refresh", method: http.MethodPost, path: "/auth/refresh", tag: tag, summary: "Exchange a refresh token",
		description: "Each refresh token works once. One that comes back ends its session, since somebody else may hold it.",
		public:      true, limited: true, codes: []domain.Code{domain.CodeUnauthorized},
	}, s.refresh)
	register(s, endpoint{
		id: "logout", method: http.MethodPost, path: "/auth/logout", tag: tag, summary: "End the session",
		status: http.StatusNoContent,
	}, s.logout)
	register(s, endpoint{id: "me", method: http.MethodGet, path: "/auth/me", tag: tag, summary: "Who am I"}, s.me)
	register(s, endpoint{id: "get-user-me", method: http.MethodGet, path: "/users/me", tag: tag, summary: "My account"}, s.me)
	s.describeBody("/auth/login", s.jsonOrForm(typeOf[Credentials](), "username", "password"))
}

func (s *server) register(ctx context.Context, in *registerInput) (*registerOutput, error) {
	if err := s.takeLetter(ctx, in.Body.Email); err != nil {
		return nil, err
	}
	user, err := s.Accounts.Register(ctx, auth.NewAccount{
		Email: in.Body.Email, Password: in.Body.Password,
		Name: plain(in.Body.Name, 255), Language: plain(in.Body.Language, 2),
	})
	if err != nil {
		return nil, err
	}
	switch user.WaitsFor {
	case domain.WaitVerification:
		s.Mailed()
		return stillWaiting(user.WaitsFor, "Open the link that was mailed to this address to finish."), nil
	case domain.WaitApproval:
		s.Mailed()
		return stillWaiting(user.WaitsFor, "An administrator has to approve the account first."), nil
	}
	tokens, err := s.Accounts.Open(ctx, user, in.UserAgent)
	return &registerOutput{Status: http.StatusCreated, Body: toLogin(tokens, user)}, err
}

func stillWaiting(what domain.Wait, message string) *registerOutput {
	return &registerOutput{Status: http.StatusAccepted, Body: Registered{WaitsFor: string(what), Message: message}}
}

func (s *server) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	c, err := credentials(in.ContentType, in.RawBody)
	if err != nil {
		return nil, err
	}
	var out loginOutput
	err = s.guess(ctx, c.Email, func() error {
		tokens, user, err := s.Accounts.Login(ctx, c.Email, c.Password, in.UserAgent)
		out.Body = toLogin(tokens, user)
		return err
	})
	return &out, err
}

const formType = "application/x-www-form-urlencoded"

// credentials reads JSON or the form of OAuth2.
func credentials(contentType string, body []byte) (Credentials, error) {
	var c Credentials
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && media == formType:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return c, badRequest("The form is not valid.")
		}
		c = Credentials{Email: form.Get("email"), Username: form.Get("username"), Password: form.Get("password")}
	case contentType == "" || media == "application/json":
		if err := unmarshal(body, &c); err != nil {
			return c, badRequest("The request body is not valid JSON with email and password as strings.")
		}
	default:
		return c, domain.Errorf(domain.CodeUnsupportedType, "Send the credentials as JSON or as a form.")
	}
	if c.Email == "" {
		c.Email = c.Username
	}
	c.Email = strings.TrimSpace(c.Email)
	switch {
	case c.Email == "" || len(c.Email) > 320 || plain(c.Email, 320) != c.Email:
		return c, invalid("body.email", "must be an e-mail address")
	case c.Password == "":
		return c, invalid("body.password", "is missing")
	}
	return c, nil
}

func (s *server) refresh(ctx context.Context, in *refreshInput) (*loginOutput, error) {
	tokens, user, err := s.Accounts.Refresh(ctx, in.Body.RefreshToken)
	return &loginOutput{Body: toLogin(tokens, user)}, err
}

func (s *server) logout(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Accounts.Logout(ctx, principal(ctx).SessionID)
}

func (s *server) me(ctx context.Context, _ *struct{}) (*userOutput, error) {
	return &userOutput{Body: toUser(principal(ctx).User)}, nil
}
