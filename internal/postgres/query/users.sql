-- name: InsertAccount :one
INSERT INTO users (id, email, password_hash, name, language, is_admin, is_active, is_verified)
VALUES (@id, @email, @password_hash, @name, @language, @is_admin, @is_active, @is_verified)
RETURNING *;

-- name: UpdateAccount :one
UPDATE users SET
    email = coalesce(sqlc.narg('email'), email),
    name = coalesce(sqlc.narg('name'), name),
    language = coalesce(sqlc.narg('language'), language),
    password_hash = coalesce(sqlc.narg('password_hash'), password_hash),
    is_admin = coalesce(sqlc.narg('is_admin'), is_admin),
    is_active = coalesce(sqlc.narg('is_active'), is_active),
    is_verified = coalesce(sqlc.narg('is_verified'), is_verified),
    updated_at = now()
WHERE id = @id
RETURNING *;

-- name: RevokeSessionsOfUser :exec
UPDATE sessions SET revoked_at = now() WHERE user_id = @user_id AND revoked_at IS NULL;

-- name: OutstandingJobsOfUser :many
SELECT * FROM jobs WHERE user_id = @user_id AND state IN ('dispatched', 'running');

-- name: PatientStatements :exec
SELECT set_config('statement_timeout', '0', true);

-- name: DeleteAccount :execrows
DELETE FROM users WHERE id = @id;
