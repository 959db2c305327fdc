-- name: InsertUser :one
INSERT INTO users (id, email, password_hash, name, language, is_admin, is_verified)
VALUES (@id, @email, @password_hash, @name, @language, @is_admin, @is_verified)
RETURNING *;

-- name: InsertWaitingUser :execrows
-- An address that is taken is no error, and takes as long.
INSERT INTO users (id, email, password_hash, name, language, is_active, waits_for)
VALUES (@id, @email, @password_hash, @name, @language, @is_active, @waits_for)
ON CONFLICT (lower(email)) DO NOTHING;

-- name: DeleteWaitingUsers :execrows
DELETE FROM users WHERE waits_for = 'verification' AND created_at < now() - interval '7 days';

-- name: UserByEmail :one
SELECT * FROM users WHERE lower(email) = lower(@email);

-- name: User :one
SELECT * FROM users WHERE id = @id;

-- name: HasAdmin :one
SELECT EXISTS (SELECT 1 FROM users WHERE is_admin)::boolean AS has_admin;

-- name: UpgradePasswordHash :exec
-- Of the same password: one that was changed meanwhile stays.
UPDATE users SET password_hash = @new_hash, updated_at = now() WHERE id = @id AND password_hash = @old_hash;

-- name: SetPasswordHash :exec
UPDATE users SET password_hash = @password_hash, updated_at = now() WHERE id = @id;

-- name: InsertSession :execrows
-- Only while the password is the one that was checked. Who changes it, or shuts the
-- account, waits for the lock, and then ends this session with the others.
INSERT INTO sessions (id, user_id, refresh_hash, user_agent, expires_at)
SELECT @id, u.id, @refresh_hash, @user_agent, @expires_at FROM users u
WHERE u.id = @user_id AND u.password_hash = @password_hash AND u.is_active AND u.waits_for IS NULL
FOR SHARE;

-- name: LiveSession :one
-- The session behind an access token, with the account as it is now.
SELECT sqlc.embed(users) FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.id = @id AND sessions.revoked_at IS NULL AND sessions.expires_at > now() AND users.is_active;

-- name: SessionForRefresh :one
SELECT sessions.refresh_hash, sqlc.embed(users) FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.id = @id AND sessions.revoked_at IS NULL AND sessions.expires_at > now() AND users.is_active
FOR UPDATE OF sessions;

-- name: RotateSession :exec
UPDATE sessions SET refresh_hash = @refresh_hash, rotated_at = now(), expires_at = @expires_at WHERE id = @id;

-- name: RevokeSession :exec
UPDATE sessions SET revoked_at = now() WHERE id = @id AND revoked_at IS NULL;

-- name: DeleteExpiredSessions :execrows
DELETE FROM sessions WHERE expires_at < now() - interval '7 days';
