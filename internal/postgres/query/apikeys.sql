-- name: InsertAPIKey :one
-- A user has so many keys at most.
INSERT INTO api_keys (id, user_id, name, prefix, secret_hash, scopes, expires_at)
SELECT @id, @user_id, @name, @prefix, @secret_hash, @scopes::text[], sqlc.narg('expires_at')::timestamptz
WHERE (SELECT count(*) FROM api_keys k WHERE k.user_id = @user_id) < @most::bigint
RETURNING *;

-- name: APIKeysOfUser :many
SELECT * FROM api_keys
WHERE user_id = @user_id AND (sqlc.narg('before')::uuid IS NULL OR id < sqlc.narg('before'))
ORDER BY id DESC LIMIT @max_rows;

-- name: DeleteAPIKey :execrows
DELETE FROM api_keys WHERE id = @id AND user_id = @user_id;

-- name: DeleteAPIKeysOfUser :execrows
DELETE FROM api_keys WHERE user_id = @user_id;

-- name: LiveAPIKey :one
-- The key behind a secret, with the account as it is now.
SELECT sqlc.embed(api_keys), sqlc.embed(users) FROM api_keys JOIN users ON users.id = api_keys.user_id
WHERE api_keys.secret_hash = @secret_hash AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())
  AND users.is_active AND users.waits_for IS NULL;

-- name: TouchAPIKey :exec
UPDATE api_keys SET last_used_at = now()
WHERE id = @id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');
