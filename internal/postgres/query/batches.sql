-- name: InsertBatch :one
INSERT INTO match_batches (id, user_id, project_id) VALUES (@id, @user_id, @project_id) RETURNING *;

-- name: Batch :one
SELECT * FROM match_batches WHERE id = @id AND user_id = @user_id;

-- name: BatchesOfUser :many
SELECT sqlc.embed(b), counts.pending::bigint AS pending, counts.ready::bigint AS ready, counts.failed::bigint AS failed
FROM match_batches b
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.state = 'pending') AS pending,
           count(*) FILTER (WHERE m.state = 'ready') AS ready,
           count(*) FILTER (WHERE m.state = 'failed') AS failed
    FROM matches m WHERE m.batch_id = b.id
) counts
WHERE b.user_id = @user_id
  AND (sqlc.narg('project_id')::uuid IS NULL OR b.project_id = sqlc.narg('project_id'))
  AND (sqlc.narg('before')::uuid IS NULL OR b.id < sqlc.narg('before'))
ORDER BY b.id DESC LIMIT @max_rows;

-- name: MatchesOfBatch :many
-- In the order handed in: ids of later matches are greater.
SELECT sqlc.embed(m), sqlc.embed(j) FROM matches m
JOIN jobs j ON j.resource_id = m.id AND j.kind = 'match'
WHERE m.batch_id = @batch_id AND m.user_id = @user_id
ORDER BY m.id;

-- name: CellsOfBatch :many
SELECT c.match_id, c.rank, c.document_ids, c.score,
       jsonb_path_query_array(c.result, '$.verdicts[*].requirement_id') AS requirements,
       jsonb_path_query_array(c.result, '$.verdicts[*].level') AS levels
FROM match_candidates c JOIN matches m ON m.id = c.match_id
WHERE m.batch_id = @batch_id AND m.user_id = @user_id AND m.state = 'ready'
ORDER BY c.match_id, c.rank;

-- name: CancelJobsOfBatch :many
UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
    state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'running' THEN finished_at ELSE clock_timestamp() END
WHERE jobs.user_id = @user_id AND jobs.kind = 'match' AND jobs.state IN ('queued', 'dispatched', 'running')
  AND resource_id IN (SELECT m.id FROM matches m WHERE m.batch_id = @batch_id AND m.user_id = @user_id)
RETURNING *;

-- name: DeleteBatch :execrows
DELETE FROM match_batches WHERE id = @id AND user_id = @user_id;

-- name: DocumentNames :many
SELECT id, coalesce(nullif(filename, ''), nullif(title, ''), nullif(url, ''), 'document')::text AS name
FROM documents WHERE user_id = @user_id AND id = ANY(@ids::uuid[]);
