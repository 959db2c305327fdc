-- name: UsersAtAll :one
SELECT count(*) AS total, count(*) FILTER (WHERE is_admin) AS admins, count(*) FILTER (WHERE is_active) AS active FROM users;

-- name: Admins :one
SELECT count(*) AS admins FROM users WHERE is_admin;

-- name: NewUsersByDay :many
SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS users
FROM users WHERE created_at >= @since AND created_at < @until
GROUP BY 1 ORDER BY 1;

-- name: JobsAtAll :many
SELECT kind, state, count(*) AS jobs FROM jobs GROUP BY kind, state;

-- name: JobsInState :many
SELECT kind, count(*) AS jobs FROM jobs WHERE state = @state GROUP BY kind;

-- name: Bytes :one
SELECT pg_database_size(current_database())::bigint AS all_of_it,
       (pg_total_relation_size('document_parts') + pg_total_relation_size('photo_bytes'))::bigint AS originals;
