package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// WorkerBeat is a sign of life of a worker process.
type WorkerBeat struct {
	ID      string
	Stages  []domain.Stage
	Slots   int
	Running int
	Version string
}

// BeatWorker records that a worker lives, and returns whether its stage is
// paused.
func (s *Store) BeatWorker(ctx context.Context, b WorkerBeat) (paused bool, err error) {
	stages := make([]string, len(b.Stages))
	for i, stage := range b.Stages {
		stages[i] = string(stage)
	}
	paused, err = s.queries.BeatWorker(ctx, dbsqlc.BeatWorkerParams{
		ID: b.ID, Stages: stages, Slots: int32(b.Slots), Running: int32(b.Running), Version: b.Version,
	})
	return paused, translate(err)
}

// RemoveWorker takes a worker that stops off the list.
func (s *Store) RemoveWorker(ctx context.Context, id string) error {
	return translate(s.queries.RemoveWorker(ctx, id))
}

// RemoveSilentWorkers takes workers off the list that were not heard for long.
func (s *Store) RemoveSilentWorkers(ctx context.Context) error {
	return translate(s.queries.RemoveSilentWorkers(ctx))
}

// StageSlots counts the slots of live workers by stage.
func (s *Store) StageSlots(ctx context.Context) (map[domain.Stage]int, error) {
	rows, err := s.queries.StageSlots(ctx)
	slots := make(map[domain.Stage]int, len(rows))
	for _, r := range rows {
		slots[domain.Stage(r.Stage)] = int(r.Slots)
	}
	return slots, translate(err)
}

// Leadership is the right of one process to dispatch; it lasts as long as its
// connection.
type Leadership struct{ conn *pgxpool.Conn }

// dispatcherLock is an arbitrary, fixed advisory lock key.
const dispatcherLock = 0x6762_6469_7370

// Lead tries to become the dispatcher; nil without error means another is.
func (s *Store) Lead(ctx context.Context) (*Leadership, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, translate(err)
	}
	var got bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", dispatcherLock).Scan(&got); err != nil || !got {
		conn.Release()
		return nil, translate(err)
	}
	return &Leadership{conn: conn}, nil
}

// Held reports whether the connection that holds the lock still lives.
func (l *Leadership) Held(ctx context.Context) bool { return l.conn.Ping(ctx) == nil }

// Resign gives the right up by closing its connection.
func (l *Leadership) Resign(ctx context.Context) {
	conn := l.conn.Hijack()
	_ = conn.Close(ctx) // the lock ends with the connection, however it closes
}
