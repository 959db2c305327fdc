package api

import (
	"context"
	"net/http"
	"time"

	"generalbackend/internal/auth"
	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// AdminStore is what administrators ask of the truth. It sees the rows of all
// users.
type AdminStore interface {
	userStore
	queueStore
	jobStore
	auditStore
	statsStore
	limitStore
	reembeddingStore
}

// NewAccounts makes accounts and passwords for others.
type NewAccounts interface {
	// NewUser checks an account and hashes its password, without storing it.
	NewUser(ctx context.Context, account auth.NewAccount) (domain.User, error)
	// HashPassword refuses a password that is too weak.
	HashPassword(ctx context.Context, password string) (string, error)
}

const adminTag = "administration"

func (s *server) adminOperations() {
	s.userOperations()
	s.limitOperations()
	s.reembeddingOperations()
	s.spaceOperations()
	s.queueOperations()
	s.workerOperation()
	s.ownedJobOperations()
	s.auditOperation()
	s.statsOperation()
}

// Worker is a process that works stages.
type Worker struct {
	ID         string    `json:"id" example:"extract-host-4711-0198c5b1"`
	Stages     []string  `json:"stages" example:"extract"`
	Slots      int       `json:"slots" doc:"Attempts it can run at once" example:"4"`
	Running    int       `json:"running" doc:"Attempts it runs, as of last_seen_at" example:"2"`
	Version    string    `json:"version" example:"1.4.0"`
	StartedAt  time.Time `json:"started_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	Alive      bool      `json:"alive" doc:"Heard within the last 30 seconds"`
}

func toWorker(w postgres.Worker) Worker {
	shown := Worker{
		ID: w.ID, Stages: make([]string, len(w.Stages)), Slots: w.Slots, Running: w.Running, Version: w.Version,
		StartedAt: w.StartedAt, LastSeenAt: w.SeenAt, Alive: w.Alive,
	}
	for i, stage := range w.Stages {
		shown.Stages[i] = string(stage)
	}
	return shown
}

func (s *server) listWorkers(ctx context.Context, _ *struct{}) (Page[Worker], error) {
	rows, err := s.Admin.Workers(ctx)
	page := Page[Worker]{Items: make([]Worker, len(rows))}
	for i, w := range rows {
		page.Items[i] = toWorker(w)
	}
	return page, err
}

func (s *server) workerOperation() {
	registerList(s, endpoint{
		id: "list-workers", method: http.MethodGet, path: "/admin/workers", tag: adminTag, summary: "List the workers",
		description: "A worker that stops takes itself off the list; one that falls silent stays for ten minutes.", admin: true,
	}, s.listWorkers)
}
