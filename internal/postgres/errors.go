package postgres

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"generalbackend/internal/domain"
)

var errNotFound = domain.Errorf(domain.CodeNotFound, "There is no such thing, or it is not yours.")

// translate turns what pgx says into the product's vocabulary. Errors that are
// the product's already pass through.
func translate(err error) error {
	var known *domain.Error
	var pg *pgconn.PgError
	var network net.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, pgx.ErrNoRows):
		return errNotFound
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &pg):
		return translateCode(pg)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network), isConnectError(err):
		return unavailable(err)
	}
	return domain.AsError(err)
}

// translateCode maps SQLSTATE classes; see appendix A of the PostgreSQL manual.
func translateCode(pg *pgconn.PgError) error {
	switch {
	case pg.Code == "23503": // a row pointed to went away or never was ours
		return errNotFound.WithCause(pg)
	case pg.Code == "23505":
		return domain.Errorf(domain.CodeConflict, "It exists already.").WithCause(pg)
	case pg.Code == "GB001": // raised by the trigger users_keep_admin
		return domain.Errorf(domain.CodeLastAdmin, "This is the last administrator. Make somebody else one first.").WithCause(pg)
	case strings.HasPrefix(pg.Code, "08"), strings.HasPrefix(pg.Code, "57P"), strings.HasPrefix(pg.Code, "53"),
		pg.Code == "40001", pg.Code == "40P01":
		return unavailable(pg)
	}
	return domain.AsError(pg)
}

func unavailable(err error) error {
	return domain.Errorf(domain.CodeUnavailable, "The database does not answer at the moment. Try again in a few seconds.").WithCause(err)
}

func isConnectError(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "unexpected EOF") ||
		strings.Contains(err.Error(), "conn closed")
}

// isUnique reports a violation of the named unique index.
func isUnique(err error, index string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == index
}

// hideDSN keeps a connection string, which holds a password, out of errors.
func hideDSN(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("not a valid connection string")
	}
	return err
}
