-- name: InsertAccount :one
INSERT INTO users (id, email, password_hash, name, language, is_admin, is_active, is_verified)
VALUES (@id, @email, @password_hash, @name, @language, @is_admin, @is_active, @is_verified)
RETURNING *;

-- name: UpdateAccount :one
UPDATE users SET
    email = coalesce(sqlc.narg('email'), email),
    name = coalesce(sqlc.narg('name'), name),
    language = coalesce(sqlc.narg('language'), language),
    chose_local = coalesce(sqlc.narg('chose_local'), chose_local),
    password_hash = coalesce(sqlc.narg('password_hash'), password_hash),
    is_admin = coalesce(sqlc.narg('is_admin'), is_admin),
    is_active = coalesce(sqlc.narg('is_active'), is_active),
    is_verified = coalesce(sqlc.narg('is_verified'), is_verified),
    updated_at = now()
WHERE id = @id
RETURNING *;

-- name: RevokeSessionsOfUser :exec
UPDATE sessions SET revoked_at = now() WHERE user_id = @user_id AND revoked_at IS NULL;

-- name: CancelJobsOfUser :many
-- Locks are taken in the order of ClaimJobs.
UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
    state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'running' THEN finished_at ELSE clock_timestamp() END
WHERE id IN (SELECT j.id FROM jobs j WHERE j.user_id = @user_id AND j.state IN ('queued', 'dispatched', 'running')
             ORDER BY j.id FOR UPDATE)
RETURNING id, user_id, stage, class, state, dispatched_at;

-- name: OutstandingJobsOfUser :many
SELECT * FROM jobs WHERE user_id = @user_id AND state IN ('dispatched', 'running');

-- name: PatientStatements :exec
SELECT set_config('statement_timeout', '0', true);

-- name: DeleteAccount :execrows
DELETE FROM users WHERE id = @id;
