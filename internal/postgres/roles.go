package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// ensureRoles makes the roles that statements for users and workers run as, and
// lets the login act as them. Roles belong to the whole cluster, so processes of
// other databases may be at it too, and a restored database may lack them. Where
// the login may not do this, the error says what somebody else must run.
func ensureRoles(ctx context.Context, db *sql.DB) error {
	for _, role := range []string{userRole, workerRole} {
		exists, usable, err := roleState(ctx, db, role)
		if err == nil && !exists {
			_, err = db.ExecContext(ctx, "CREATE ROLE "+role+" NOLOGIN")
			if made := sqlState(err); made == "42710" || made == "23505" { // by another process
				err = nil
			}
			if err == nil {
				_, usable, err = roleState(ctx, db, role)
			}
		}
		if err == nil && !usable {
			_, err = db.ExecContext(ctx, "GRANT "+role+" TO CURRENT_USER")
			if made := sqlState(err); made == "23505" || made == "XX000" {
				_, usable, err = roleState(ctx, db, role)
				if err == nil && !usable {
					err = errors.New("the grant did not take effect")
				}
			}
		}
		if sqlState(err) == "42501" {
			return lackingRoles(ctx, db, err)
		}
		if err != nil {
			return fmt.Errorf("prepare role %s: %w", role, err)
		}
	}
	return nil
}

// roleState reports whether a role exists and whether the login may act as it.
// Before version 16 every member of a role could.
func roleState(ctx context.Context, db *sql.DB, role string) (exists, usable bool, err error) {
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
		coalesce((SELECT pg_has_role(oid, CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)
		          FROM pg_roles WHERE rolname = $1), false)`, role).Scan(&exists, &usable)
	return exists, usable, err
}

func lackingRoles(ctx context.Context, db *sql.DB, cause error) error {
	login := "the user of DATABASE_URL"
	if err := db.QueryRowContext(ctx, "SELECT quote_ident(current_user)").Scan(&login); err != nil {
		return err
	}
	return fmt.Errorf("%s may not make the roles that keep users apart. Let an administrator of the server run once:"+
		" CREATE ROLE %s NOLOGIN; CREATE ROLE %s NOLOGIN; GRANT %[2]s, %[3]s TO %[1]s; (%[4]w)", login, userRole, workerRole, cause)
}

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
