package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"generalbackend/internal/api"
	"generalbackend/internal/auth"
	"generalbackend/internal/config"
	"generalbackend/internal/extraction"
	"generalbackend/internal/jobs"
	"generalbackend/internal/mail"
	"generalbackend/internal/postgres"
	"generalbackend/internal/telemetry"
)

// requestPatience is how long requests may take to end when the process stops;
// event streams end at once.
const requestPatience = 10 * time.Second

// Edge is the HTTP side of a process.
type Edge struct {
	rt       *Runtime
	engine   *jobs.Engine
	outbox   *mail.Outbox
	store    *postgres.Store
	handler  http.Handler
	stopping chan struct{}
}

// NewEdge makes the edge and, at the first start, the administrator.
func (rt *Runtime) NewEdge(ctx context.Context, s *Stores, models *Models, embedder *Embedder) (*Edge, error) {
	c := rt.Config
	accounts, err := auth.New(s.Postgres.System(), auth.Options{
		Secret:    []byte(c.Accounts.SecretKey.Reveal()),
		AccessTTL: c.Accounts.AccessTokenTTL(), RefreshTTL: c.Accounts.RefreshTokenTTL(),
		Registration: auth.Mode(c.Accounts.Registration), PublicURL: c.HTTP.PublicURL,
		Mail: c.Mail.Host != "" || c.Environment != config.Production,
	})
	if err != nil {
		return nil, err
	}
	if err := rt.ensureAdmin(ctx, s, accounts); err != nil {
		return nil, err
	}
	engine, err := jobs.NewEngine(s.Postgres, s.Queue, rt.Log)
	if err != nil {
		return nil, err
	}
	rt.Metrics.MustRegister(jobs.NewDepths(s.Postgres))
	e := &Edge{rt: rt, engine: engine, store: s.Postgres.System(), stopping: make(chan struct{})}
	e.outbox = mail.NewOutbox(s.Postgres.System(), accounts, rt.sender(), mail.Timing{}, rt.Log)
	e.handler = api.New(api.Options{
		Store: s.Postgres, Batches: s.Postgres, Engine: engine, Accounts: accounts, Throttles: s.Postgres.System(), Mailed: e.outbox.Wake, Searcher: NewSearch(s.Postgres, embedder, rt.Log), Providers: models, Detect: extraction.Detect,
		Admin: s.Postgres, NewAccounts: accounts, LLM: models, Spaces: embedder, Usage: s.Postgres,
		Own:     s.Postgres.System(),
		Stories: s.Postgres,
		Chats:   s.Postgres, Tokens: s.Queue,
		Secret: []byte(c.Accounts.SecretKey.Reveal()), AllowedOrigins: c.HTTP.AllowedOrigins, TrustedProxies: c.HTTP.TrustedProxies,
		MaxUploadBytes: c.HTTP.MaxUploadBytes(), AllowPrivate: c.Extraction.URLAllowPrivate,
		Version: telemetry.Version(), Log: rt.Log, Metrics: rt.Metrics, Stopping: e.stopping,
	})
	return e, nil
}

// ensureAdmin makes the configured administrator when there is none at all.
func (rt *Runtime) ensureAdmin(ctx context.Context, s *Stores, accounts *auth.Auth) error {
	c := rt.Config.Accounts
	if c.AdminEmail == "" || c.AdminPassword == "" {
		return nil
	}
	admin, err := accounts.NewUser(ctx, auth.NewAccount{Email: c.AdminEmail, Password: c.AdminPassword.Reveal()})
	if err != nil {
		return fmt.Errorf("make the administrator of ADMIN_EMAIL: %w", err)
	}
	made, err := s.Postgres.System().EnsureAdmin(ctx, admin)
	if made {
		rt.Log.Info("made the first administrator")
	}
	return err
}

// Serve is the part that answers on PORT. It hands the real address to ready,
// which may be nil.
func (e *Edge) Serve(ready func(net.Addr)) Part {
	return Part{Name: "http", Run: func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() { close(e.stopping) })()
		announce := func(addr net.Addr) {
			e.rt.Log.Info("answering requests", "address", addr.String())
			if ready != nil {
				ready(addr)
			}
		}
		return Serve(e.rt.Log, e.rt.Config.HTTP.ListenAddress(), requestPatience, e.handler, announce)(ctx)
	}}
}

// Mail is the part that sends what the edge has to say by mail.
func (e *Edge) Mail() Part { return Part{Name: "mail", Run: e.outbox.Run} }

// sender is the configured mail server. Without one, development logs the links.
func (rt *Runtime) sender() mail.Sender {
	c := rt.Config.Mail
	switch {
	case c.Host != "":
		return mail.Server{
			Host: c.Host, Port: c.SMTPPort, Username: c.Username, Password: c.Password.Reveal(), From: c.From, Security: mail.Security(c.Security),
		}
	case rt.Config.Environment != config.Production:
		return mail.Log{Log: rt.Log}
	}
	return mail.Nowhere{}
}

// upkeepEvery is how often what has run out is removed.
const upkeepEvery = 10 * time.Minute

// Upkeep is the part that removes what has run out: sessions, links, accounts
// nobody verified, and single calls of language models that are long past.
// Several processes may do it at once.
func (e *Edge) Upkeep() Part {
	return Part{Name: "upkeep", Run: func(ctx context.Context) error {
		tick := time.NewTicker(upkeepEvery)
		defer tick.Stop()
		for {
			if err := e.store.SweepAccounts(ctx); err != nil && ctx.Err() == nil {
				e.rt.Log.Warn("old sessions and links were not removed", "error", err)
			}
			if err := e.addUpUsage(ctx); err != nil && ctx.Err() == nil {
				e.rt.Log.Warn("old usage of language models was not added up", "error", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	}}
}

func (e *Edge) addUpUsage(ctx context.Context) error {
	days := e.rt.Config.Models.LLMUsageDays
	if days == 0 {
		return nil
	}
	return e.store.AddUpLLMUsage(ctx, time.Now().AddDate(0, 0, -days))
}

// Close ends listening for hints.
func (e *Edge) Close() { e.engine.Close() }
