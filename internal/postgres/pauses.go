package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// Pause holds a stage back: no job of it is dispatched or claimed. Attempts that
// run go on.
type Pause struct {
	Stage   domain.Stage
	Reason  string
	By      *uuid.UUID // nil once that account is gone
	ByEmail string     // when read
	At      time.Time
}

// PauseStage pauses a stage for all processes, until ResumeStage. Pausing again
// changes nothing.
func (s *Store) PauseStage(ctx context.Context, p Pause) error {
	return translate(s.queries.PauseStage(ctx, dbsqlc.PauseStageParams{
		Stage: string(p.Stage), Reason: p.Reason, PausedBy: p.By,
	}))
}

// ResumeStage ends a pause; ending none is no error.
func (s *Store) ResumeStage(ctx context.Context, stage domain.Stage) error {
	return translate(s.queries.ResumeStage(ctx, string(stage)))
}

// StagePauses returns the pauses in force, by stage.
func (s *Store) StagePauses(ctx context.Context) (map[domain.Stage]Pause, error) {
	rows, err := s.queries.StagePauses(ctx)
	pauses := make(map[domain.Stage]Pause, len(rows))
	for _, r := range rows {
		stage := domain.Stage(r.Stage)
		pauses[stage] = Pause{Stage: stage, Reason: r.Reason, By: r.PausedBy, ByEmail: r.Email, At: r.PausedAt}
	}
	return pauses, translate(err)
}

// StagePaused reports whether a stage is paused.
func (s *Store) StagePaused(ctx context.Context, stage domain.Stage) (bool, error) {
	paused, err := s.queries.StagePaused(ctx, string(stage))
	return paused, translate(err)
}
