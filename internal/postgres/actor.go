package postgres

import (
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// actor is who a statement is run for; the zero actor is nobody.
type actor struct {
	system bool
	user   uuid.UUID
	job    uuid.UUID // of a worker; it narrows what of the user's is seen
}

var system = actor{system: true}

type actorKey struct{}

// As returns a context whose statements see the rows of one user only.
func As(ctx context.Context, userID uuid.UUID) context.Context {
	return context.WithValue(ctx, actorKey{}, actor{user: userID})
}

// AsWorker returns a context whose statements see what a job is about, and
// nothing that proves who its user is.
func AsWorker(ctx context.Context, job domain.Job) context.Context {
	return context.WithValue(ctx, actorKey{}, actor{user: job.UserID, job: job.ID})
}

// AsSystem returns a context whose statements see the rows of all users. It is
// for the job engine and for administrators.
func AsSystem(ctx context.Context) context.Context {
	return context.WithValue(ctx, actorKey{}, system)
}

// System returns the store as the system uses it: its statements see the rows
// of all users, whoever the context names.
func (s *Store) System() *Store {
	connections := &connections{pool: s.pool.pool, system: true}
	return newStore(connections)
}
