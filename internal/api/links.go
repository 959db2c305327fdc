package api

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"generalbackend/internal/domain"
)

// AddressRequest names an account by its address.
type AddressRequest struct {
	Email string `json:"email" format:"email" maxLength:"320" example:"ada@example.org"`
}

// Sent says that a mail is on its way, if there is an account. It is the same for
// every address.
type Sent struct {
	Message string `json:"message" example:"If there is an account with this address, a mail is on its way."`
}

// LinkToken is what a mailed link carries.
type LinkToken struct {
	Token string `json:"token" minLength:"1" maxLength:"512" doc:"From the link" example:"AAECAwQFBgcICQoLDA0ODw"`
}

// NewPassword sets a password by a mailed link.
type NewPassword struct {
	Token         string `json:"token" minLength:"1" maxLength:"512" doc:"From the link" example:"AAECAwQFBgcICQoLDA0ODw"`
	Password      string `json:"password" minLength:"8" maxLength:"1024" example:"correct horse battery"`
	DeleteAPIKeys bool   `json:"delete_api_keys,omitempty" doc:"Delete all API keys of the account, too"`
}

// LinkState says that a link is still good.
type LinkState struct {
	Email string `json:"email" format:"email" doc:"The address it proves" example:"ada@example.org"`
}

type addressInput struct {
	Body AddressRequest
}

type sentOutput struct {
	Body Sent
}

type linkInput struct {
	Reader
	Token string `query:"token" required:"true" minLength:"1" maxLength:"512" doc:"From the link" example:"AAECAwQFBgcICQoLDA0ODw"`
}

type linkFormInput struct {
	Reader
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"application/json"`
}

func (s *server) linkOperations() {
	const tag = "accounts"
	mailed := []domain.Code{domain.CodeMailMissing}
	linkIsGood := func() map[string]*huma.Response {
		return map[string]*huma.Response{"200": respond[LinkState](s, "The link is good. Browsers get HTML.")}
	}
	register(s, endpoint{
		id: "request-verify-token", method: http.MethodPost, path: "/auth/request-verify-token", tag: tag, summary: "Have a link mailed that verifies my address",
		description: "The answer is the same whether or not there is such an account.",
		status:      http.StatusAccepted, public: true, limited: true, codes: mailed,
	}, s.requestVerification)
	register(s, endpoint{
		id: "forgot-password", method: http.MethodPost, path: "/auth/forgot-password", tag: tag, summary: "Have a link mailed that sets a new password",
		description: "The answer is the same whether or not there is such an account.",
		status:      http.StatusAccepted, public: true, limited: true, codes: mailed,
	}, s.forgotPassword)
	register(s, endpoint{
		id: "check-verify-link", method: http.MethodGet, path: "/auth/verify", tag: tag, summary: "Is this link good?",
		description: "Changes nothing, because mail scanners follow links too. A browser gets a page with a button that does.",
		public:      true, limited: true, pages: true, codes: []domain.Code{domain.CodeLinkInvalid},
		responses: linkIsGood(),
	}, s.checkLink(domain.LinkVerify))
	register(s, endpoint{
		id: "check-reset-link", method: http.MethodGet, path: "/auth/reset-password", tag: tag, summary: "May this link set a password?",
		description: "Changes nothing. A browser gets a page that asks for the new password.",
		public:      true, limited: true, pages: true, codes: []domain.Code{domain.CodeLinkInvalid},
		responses: linkIsGood(),
	}, s.checkLink(domain.LinkReset))
	register(s, endpoint{
		id: "verify", method: http.MethodPost, path: "/auth/verify", tag: tag, summary: "Verify my address by a mailed link",
		description: "The link works once. Reads JSON and the form of the page.",
		public:      true, limited: true, unchecked: true, pages: true, codes: []domain.Code{domain.CodeLinkInvalid, domain.CodeEmailTaken},
		responses: map[string]*huma.Response{"200": respond[User](s, "Verified. Browsers get HTML.")},
	}, s.verify)
	register(s, endpoint{
		id: "reset-password", method: http.MethodPost, path: "/auth/reset-password", tag: tag, summary: "Set a new password by a mailed link",
		description: "The link works once, and all sessions end. API keys stay, unless delete_api_keys is set. Reads JSON and the form of the page.",
		public:      true, limited: true, unchecked: true, pages: true, codes: []domain.Code{domain.CodeLinkInvalid, domain.CodeInvalid},
		responses: map[string]*huma.Response{"200": respond[User](s, "The password was set. Browsers get HTML.")},
	}, s.resetPassword)
	s.describeBody("/auth/verify", s.jsonOrForm(typeOf[LinkToken](), "token"))
	reset := s.jsonOrForm(typeOf[NewPassword](), "token", "password")
	reset.Content[formType].Schema.Properties["delete_api_keys"] = &huma.Schema{Type: huma.TypeString, Enum: []any{"true"}}
	s.describeBody("/auth/reset-password", reset)
}

const onItsWay = "If there is an account with this address, a mail is on its way."

func (s *server) requestVerification(ctx context.Context, in *addressInput) (*sentOutput, error) {
	return s.mailLink(ctx, in.Body.Email, s.Accounts.RequestVerification)
}

func (s *server) forgotPassword(ctx context.Context, in *addressInput) (*sentOutput, error) {
	return s.mailLink(ctx, in.Body.Email, s.Accounts.ForgotPassword)
}

func (s *server) mailLink(ctx context.Context, email string, request func(context.Context, string) error) (*sentOutput, error) {
	if err := s.takeLetter(ctx, email); err != nil {
		return nil, err
	}
	if err := request(ctx, email); err != nil {
		return nil, err
	}
	s.Mailed()
	return &sentOutput{Body: Sent{Message: onItsWay}}, nil
}

func (s *server) checkLink(purpose domain.LinkPurpose) func(context.Context, *linkInput) (*pageOutput, error) {
	return func(ctx context.Context, in *linkInput) (*pageOutput, error) {
		user, email, err := s.Accounts.CheckLink(ctx, in.Token, purpose)
		return s.answer(ctx, in.Reader, LinkState{Email: email}, linkPage{Form: string(purpose), Token: in.Token, Email: email}, user.Language, err)
	}
}

func (s *server) verify(ctx context.Context, in *linkFormInput) (*pageOutput, error) {
	body, err := linkForm(in)
	if err != nil {
		return nil, err
	}
	before, after, err := s.Accounts.Verify(ctx, body.Token)
	if err == nil && before.Email != after.Email {
		s.Mailed()
		err = s.auditAs(ctx, after, "account.email_change", after.ID.String(), nil)
	}
	return s.answer(ctx, in.Reader, toUser(after), linkPage{Done: "verify", Email: after.Email}, after.Language, err)
}

func (s *server) resetPassword(ctx context.Context, in *linkFormInput) (*pageOutput, error) {
	body, err := linkForm(in)
	if err != nil {
		return nil, err
	}
	user, err := s.Accounts.ResetPassword(ctx, body.Token, body.Password, body.DeleteAPIKeys)
	if err == nil {
		s.Mailed()
		err = s.auditAs(ctx, user, "account.password_reset", user.ID.String(), endsKeys(body.DeleteAPIKeys))
	}
	page := linkPage{Done: "reset", Email: user.Email}
	if domain.CodeOf(err) == domain.CodeInvalid { // the form comes again
		page = linkPage{Form: "reset", Token: body.Token}
	}
	return s.answer(ctx, in.Reader, toUser(user), page, user.Language, err)
}

// linkForm reads JSON, or the form of the page.
func linkForm(in *linkFormInput) (NewPassword, error) {
	var body NewPassword
	media, _, err := mime.ParseMediaType(in.ContentType)
	switch {
	case err == nil && media == formType:
		form, err := url.ParseQuery(string(in.RawBody))
		if err != nil {
			return body, badRequest("The form is not valid.")
		}
		body = NewPassword{Token: form.Get("token"), Password: form.Get("password"), DeleteAPIKeys: form.Get("delete_api_keys") == "true"}
	case in.ContentType == "" || media == "application/json":
		if err := unmarshal(in.RawBody, &body); err != nil {
			return body, badRequest("The request body is not valid JSON with token and password as strings.")
		}
	default:
		return body, domain.Errorf(domain.CodeUnsupportedType, "Send JSON or a form.")
	}
	if body.Token == "" {
		return body, invalid("body.token", "is missing")
	}
	return body, nil
}

// jsonOrForm documents a body that is read in both forms.
func (s *server) jsonOrForm(body reflect.Type, fields ...string) *huma.RequestBody {
	form := &huma.Schema{Type: huma.TypeObject, Required: fields, Properties: map[string]*huma.Schema{}}
	for _, name := range fields {
		form.Properties[name] = &huma.Schema{Type: huma.TypeString}
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(body, true, "")}, formType: {Schema: form},
	}}
}
