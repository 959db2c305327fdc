package postgres

import (
	"context"

	"github.com/google/uuid"
)

// actor is who a statement is run for.
type actor struct {
	system bool
	user   uuid.UUID
}

type actorKey struct{}

// As returns a context whose statements see the rows of one user only.
func As(ctx context.Context, userID uuid.UUID) context.Context {
	return context.WithValue(ctx, actorKey{}, actor{user: userID})
}

// AsSystem returns a context whose statements see the rows of all users. It is
// for the job engine and for administrators.
func AsSystem(ctx context.Context) context.Context {
	return context.WithValue(ctx, actorKey{}, actor{system: true})
}
