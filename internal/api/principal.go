package api

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
)

type principalKey struct{}

// principal is who asks; authenticate put it there.
func principal(ctx context.Context) auth.Principal {
	p, _ := ctx.Value(principalKey{}).(auth.Principal)
	return p
}

func userID(ctx context.Context) uuid.UUID { return principal(ctx).User.ID }

// authenticate lets only requests with a good access token pass.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		s.refuse(ctx, domain.Errorf(domain.CodeUnauthorized, "Log in and send the access token as `Authorization: Bearer`."))
		return
	}
	p, err := s.Accounts.Authenticate(ctx.Context(), strings.TrimSpace(token))
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	if r, ok := ctx.Context().Value(requestKey{}).(*request); ok {
		r.user = p.User.ID
	}
	next(huma.WithValue(ctx, principalKey{}, p))
}
