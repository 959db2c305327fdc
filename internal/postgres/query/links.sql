-- name: UpsertLink :exec
-- Sending a mail again renews its link, unless it was used.
INSERT INTO user_tokens (id, user_id, purpose, email, secret_hash, password_hash, expires_at)
VALUES (@id, @user_id, @purpose, @email, @secret_hash, @password_hash, @expires_at)
ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at WHERE user_tokens.used_at IS NULL;

-- name: Link :one
SELECT sqlc.embed(users), user_tokens.email AS sent_to FROM user_tokens JOIN users ON users.id = user_tokens.user_id
WHERE user_tokens.id = @id AND user_tokens.purpose = @purpose AND user_tokens.secret_hash = @secret_hash
  AND user_tokens.used_at IS NULL AND user_tokens.expires_at > now();

-- name: UseLink :one
UPDATE user_tokens SET used_at = now()
WHERE id = @id AND purpose = @purpose AND secret_hash = @secret_hash AND used_at IS NULL AND expires_at > now()
RETURNING user_id, email, password_hash;

-- name: LockUser :one
SELECT * FROM users WHERE id = @id FOR UPDATE;

-- name: VerifyUser :one
-- Proves the present address, or lets the pending one take its place.
UPDATE users SET email = @email, is_verified = true, updated_at = now(),
    password_hash = coalesce(sqlc.narg('password_hash'), password_hash),
    pending_email = CASE WHEN lower(pending_email) = lower(@email) THEN NULL ELSE pending_email END
WHERE id = @id
RETURNING *;

-- name: DropLinks :exec
DELETE FROM user_tokens WHERE user_id = @user_id AND purpose = @purpose;

-- name: DeleteExpiredLinks :execrows
DELETE FROM user_tokens WHERE expires_at < now() - interval '1 day';

-- name: SetEmail :one
-- Another spelling of the same address stays proven.
UPDATE users SET email = @email, is_verified = is_verified AND lower(email) = lower(@email), pending_email = NULL, updated_at = now()
WHERE id = @id RETURNING *;

-- name: SetPendingEmail :one
UPDATE users SET pending_email = @pending_email, updated_at = now() WHERE id = @id RETURNING *;

-- name: RevokeOtherSessions :execrows
-- All but one; the nil id keeps none.
UPDATE sessions SET revoked_at = now() WHERE user_id = @user_id AND id <> @but AND revoked_at IS NULL;
