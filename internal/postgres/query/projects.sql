-- name: InsertProject :one
INSERT INTO projects (id, user_id, type, name, description, config, local_only)
VALUES (@id, @user_id, @type, @name, @description, @config, @local_only)
RETURNING *;

-- name: Project :one
SELECT * FROM projects WHERE id = @id AND user_id = @user_id;

-- name: ProjectsOfUser :many
SELECT * FROM projects
WHERE user_id = @user_id AND (sqlc.narg('before')::uuid IS NULL OR id < sqlc.narg('before'))
ORDER BY id DESC LIMIT @max_rows;

-- name: UpdateProject :one
UPDATE projects SET
    type = coalesce(sqlc.narg('type'), type),
    name = coalesce(sqlc.narg('name'), name),
    description = coalesce(sqlc.narg('description'), description),
    config = coalesce(sqlc.narg('config'), config),
    local_only = coalesce(sqlc.narg('local_only'), local_only),
    updated_at = now()
WHERE id = @id AND user_id = @user_id
RETURNING *;

-- name: DeleteProject :execrows
DELETE FROM projects WHERE id = @id AND user_id = @user_id;

-- name: CancelJobsOfProject :many
UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
    state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'running' THEN finished_at ELSE clock_timestamp() END
WHERE project_id = @project_id AND user_id = @user_id AND state IN ('queued', 'dispatched', 'running')
RETURNING *;
