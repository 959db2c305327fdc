package api

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

type principalKey struct{}

// principal is who asks; authenticate put it there.
func principal(ctx context.Context) auth.Principal {
	p, _ := ctx.Value(principalKey{}).(auth.Principal)
	return p
}

func userID(ctx context.Context) uuid.UUID { return principal(ctx).User.ID }

// administrate lets only administrators pass, and lets them see the rows of all.
func (s *server) administrate(ctx huma.Context, next func(huma.Context)) {
	if !principal(ctx.Context()).User.IsAdmin {
		s.refuse(ctx, domain.Errorf(domain.CodeForbidden, "This is for administrators only."))
		return
	}
	next(huma.WithContext(ctx, postgres.AsSystem(ctx.Context())))
}

// audit writes down what the caller did; details may be nil.
func (s *server) audit(ctx context.Context, action, target string, details any) error {
	return s.auditAs(ctx, principal(ctx).User, action, target, details)
}

// auditAs writes down what somebody did who is known by other means than a login.
func (s *server) auditAs(ctx context.Context, who domain.User, action, target string, details any) error {
	if details == nil {
		details = map[string]any{} // an object, as in the description
	}
	body, err := json.Marshal(details)
	if err != nil {
		return err
	}
	entry := domain.AuditEntry{
		ID: uuid.Must(uuid.NewV7()), ActorEmail: who.Email, Action: action,
		Target: target, Details: body, RequestID: requestID(ctx),
	}
	if who.ID != uuid.Nil {
		entry.ActorID = &who.ID
	}
	return s.Store.Audit(ctx, entry)
}

// authenticate lets only requests pass that come with a good access token, or with
// an API key that is meant for the operation, and lets them see the rows of the
// account that it is for.
func (s *server) authenticate(e endpoint) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			s.refuse(ctx, domain.Errorf(domain.CodeUnauthorized, "Log in and send the access token as `Authorization: Bearer`."))
			return
		}
		bounded, cancel := context.WithTimeout(ctx.Context(), s.Timeout)
		defer cancel()
		p, err := s.Accounts.Authenticate(bounded, strings.TrimSpace(token))
		if err == nil && p.Key != nil {
			err = e.admit(*p.Key)
		}
		if err != nil {
			s.refuse(ctx, err)
			return
		}
		if r, ok := ctx.Context().Value(requestKey{}).(*request); ok {
			r.user = p.User.ID
		}
		ctx = huma.WithValue(ctx, principalKey{}, p)
		next(huma.WithContext(ctx, postgres.As(ctx.Context(), p.User.ID)))
	}
}

// admit is CodeForbidden for a key that the operation is not in the scopes of.
func (e endpoint) admit(key domain.APIKey) error {
	switch {
	case key.Allows(e.scope, e.readOnly()):
		return nil
	case e.scope == "":
		return domain.Errorf(domain.CodeForbidden, "API keys are not accepted here. Log in.")
	}
	return domain.Errorf(domain.CodeForbidden, "This API key does not have the scope `%s`.", e.scopes())
}
