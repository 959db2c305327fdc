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
	Name       string    `json:"name"`
	Language   string    `json:"language" doc:"ISO 639-1, or empty"`
	IsActive   bool      `json:"is_active"`
	IsAdmin    bool      `json:"is_admin"`
	IsVerified bool      `json:"is_verified"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

func toUser(u domain.User) User {
	return User{
		ID: u.ID, Email: u.Email, Name: u.Name, Language: u.Language, IsActive: u.IsActive,
		IsAdmin: u.IsAdmin, IsVerified: u.IsVerified, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

// Login is an open session.
type Login struct {
	AccessToken  string `json:"access_token" doc:"Send as Authorization: Bearer"`
	RefreshToken string `json:"refresh_token" doc:"Good for one call of refresh"`
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
	Email    string `json:"email" format:"email" maxLength:"320"`
	Password string `json:"password" minLength:"8" maxLength:"1024"`
	Name     string `json:"name,omitempty" maxLength:"255"`
	Language string `json:"language,omitempty" maxLength:"2" doc:"ISO 639-1"`
}

// Credentials open a session. The form of OAuth2, with username and password,
// is read as well.
type Credentials struct {
	Email    string `json:"email,omitempty" doc:"Or username"`
	Username string `json:"username,omitempty" doc:"Another name for email"`
	Password string `json:"password"`
}

// Refreshment exchanges a refresh token.
type Refreshment struct {
	RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"512"`
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

type userOutput struct {
	Body User
}

func (s *server) accountOperations() {
	const tag = "accounts"
	register(s, endpoint{
		id: "register", method: http.MethodPost, path: "/auth/register", tag: tag, summary: "Make an account and log in",
		status: http.StatusCreated, public: true, limited: true,
		codes: []domain.Code{domain.CodeEmailTaken, domain.CodeRegistrationShut},
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
	s.describeBody("/auth/login", s.loginBody())
}

// loginBody documents both forms of logging in.
func (s *server) loginBody() *huma.RequestBody {
	schema := s.api.OpenAPI().Components.Schemas.Schema(typeOf[Credentials](), true, "")
	form := &huma.Schema{Type: huma.TypeObject, Required: []string{"username", "password"}, Properties: map[string]*huma.Schema{
		"username": {Type: huma.TypeString}, "password": {Type: huma.TypeString},
	}}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: schema}, formType: {Schema: form},
	}}
}

func (s *server) register(ctx context.Context, in *registerInput) (*loginOutput, error) {
	user, err := s.Accounts.Register(ctx, auth.NewAccount{
		Email: in.Body.Email, Password: in.Body.Password,
		Name: plain(in.Body.Name, 255), Language: plain(in.Body.Language, 2),
	})
	if err != nil {
		return nil, err
	}
	tokens, err := s.Accounts.Open(ctx, user, in.UserAgent)
	return &loginOutput{Body: toLogin(tokens, user)}, err
}

func (s *server) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	c, err := credentials(in.ContentType, in.RawBody)
	if err != nil {
		return nil, err
	}
	address, _ := ctx.Value(addressKey{}).(string)
	key := address + " " + strings.ToLower(c.Email)
	if err := s.logins.take(key); err != nil {
		return nil, err
	}
	tokens, user, err := s.Accounts.Login(ctx, c.Email, c.Password, in.UserAgent)
	if err != nil {
		return nil, err
	}
	s.logins.forget(key) // only failures count
	return &loginOutput{Body: toLogin(tokens, user)}, nil
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
