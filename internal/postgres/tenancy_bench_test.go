package postgres_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
	"generalbackend/internal/postgres/postgrestest"
)

// BenchmarkActors measures one short statement on one connection: as the system,
// as the same user again, and where the user or the job is another each time.
func BenchmarkActors(b *testing.B) {
	store, err := postgres.Open(b.Context(), postgrestest.NewDatabase(b), 1)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(store.Close)
	user := uuid.New()
	for name, actor := range map[string]func(ctx context.Context) context.Context{
		"system":     postgres.AsSystem,
		"same_user":  func(ctx context.Context) context.Context { return postgres.As(ctx, user) },
		"other_user": func(ctx context.Context) context.Context { return postgres.As(ctx, uuid.New()) },
		"other_job": func(ctx context.Context) context.Context {
			return postgres.AsWorker(ctx, domain.Job{ID: uuid.New(), UserID: user})
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := store.Jobs(actor(b.Context()), user, postgres.JobFilter{Limit: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("system_and_user", func(b *testing.B) { // plans depend on the role
		for n := 0; b.Loop(); n++ {
			ctx := postgres.AsSystem(b.Context())
			if n%2 == 0 {
				ctx = postgres.As(ctx, user)
			}
			if _, err := store.Jobs(ctx, user, postgres.JobFilter{Limit: 1}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
