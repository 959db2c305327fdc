-- name: Spaces :many
SELECT sqlc.embed(s), u.documents::bigint AS documents, u.chunks::bigint AS chunks
FROM embedding_spaces s
CROSS JOIN LATERAL (SELECT count(DISTINCT e.document_id) AS documents, count(*) AS chunks FROM embeddings e WHERE e.space_id = s.id) u
ORDER BY s.id DESC;

-- name: Space :one
SELECT * FROM embedding_spaces WHERE id = @id;

-- name: SpaceLike :one
SELECT id FROM embedding_spaces
WHERE provider = @provider AND model = @model AND dims = @dims AND chunk_tokens = @chunk_tokens AND overlap_tokens = @overlap_tokens;

-- name: BuildSpace :one
-- The space to build: a new one, or one that was begun or left before. The
-- active one stays active.
INSERT INTO embedding_spaces (provider, model, dims, chunk_tokens, overlap_tokens, state)
VALUES (@provider, @model, @dims, @chunk_tokens, @overlap_tokens, 'building')
ON CONFLICT (provider, model, dims, chunk_tokens, overlap_tokens)
DO UPDATE SET state = CASE WHEN embedding_spaces.state = 'active' THEN 'active' ELSE 'building' END
RETURNING id, state;

-- name: LockActiveSpace :one
-- Waits for those who store chunks in it, and lets nobody begin.
SELECT id FROM embedding_spaces WHERE state = 'active' FOR UPDATE;

-- name: SetSpaceState :exec
UPDATE embedding_spaces SET state = @state WHERE id = @id;

-- name: DeleteSpace :execrows
DELETE FROM embedding_spaces s WHERE s.id = @id AND s.state <> 'active'
  AND NOT EXISTS (SELECT 1 FROM reembeddings r WHERE r.space_id = s.id AND r.state = 'open');

-- name: PlanReembedding :one
-- What of the active space the wanted one still lacks.
SELECT count(DISTINCT c.document_id)::bigint AS documents, count(*)::bigint AS chunks,
       coalesce(sum(length(c.content)), 0)::bigint AS characters
FROM chunks c JOIN embedding_spaces a ON a.id = c.space_id AND a.state = 'active'
WHERE (sqlc.narg('user_id')::uuid IS NULL OR c.user_id = sqlc.narg('user_id'))
  AND (sqlc.narg('project_id')::uuid IS NULL OR c.project_id = sqlc.narg('project_id'))
  AND (sqlc.narg('document_id')::uuid IS NULL OR c.document_id = sqlc.narg('document_id'))
  AND NOT EXISTS (SELECT 1 FROM chunks t WHERE t.document_id = c.document_id AND t.space_id = @space_id);

-- name: UncoveredDocuments :many
-- Usable documents that are in the active space and not in the wanted one.
SELECT d.id, d.user_id, d.project_id FROM documents d
WHERE d.state IN ('ready', 'partial') AND d.id > @after
  AND (sqlc.narg('user_id')::uuid IS NULL OR d.user_id = sqlc.narg('user_id'))
  AND (sqlc.narg('project_id')::uuid IS NULL OR d.project_id = sqlc.narg('project_id'))
  AND (sqlc.narg('document_id')::uuid IS NULL OR d.id = sqlc.narg('document_id'))
  AND EXISTS (SELECT 1 FROM chunks c JOIN embedding_spaces a ON a.id = c.space_id AND a.state = 'active' WHERE c.document_id = d.id)
  AND NOT EXISTS (SELECT 1 FROM chunks t WHERE t.document_id = d.id AND t.space_id = @space_id)
ORDER BY d.id LIMIT @max_rows;

-- name: DocumentsInSpace :one
SELECT count(DISTINCT document_id)::bigint FROM embeddings WHERE space_id = @space_id
  AND (sqlc.narg('user_id')::uuid IS NULL OR user_id = sqlc.narg('user_id'))
  AND (sqlc.narg('project_id')::uuid IS NULL OR project_id = sqlc.narg('project_id'))
  AND (sqlc.narg('document_id')::uuid IS NULL OR document_id = sqlc.narg('document_id'));

-- name: HoldUsableDocument :one
-- Keeps a document from being deleted or read anew until its chunks are stored.
SELECT user_id, project_id FROM documents WHERE id = @id AND state IN ('ready', 'partial') FOR UPDATE;

-- name: ForgiveAttempts :exec
-- What went wrong before the last document was done is no reason to give up.
UPDATE jobs SET attempt = 1, lost = 0 WHERE id = @id AND (attempt > 1 OR lost > 0);

-- name: DeleteChunksOfSpace :exec
DELETE FROM chunks WHERE document_id = @document_id AND space_id = @space_id;

-- name: SampleChunks :many
-- A hash is as good as chance.
SELECT c.id, c.user_id, c.project_id, c.content, c.content_hash FROM chunks c
WHERE c.space_id = @space_id ORDER BY c.content_hash LIMIT @max_rows;

-- name: NearestHashes :many
-- As search would find them: by the index for owners that have many.
SELECT c.content_hash
FROM nearest_chunks(@space_id, @user_id, NULL, NULL, @embedding::halfvec, 2, @wanted::integer,
    NOT @exact::boolean AND (SELECT count(*) FROM (SELECT 1 FROM embeddings e WHERE e.space_id = @space_id AND e.user_id = @user_id
                                                   LIMIT @exact_below::integer) many) >= @exact_below::integer) n
JOIN chunks c ON c.id = n.chunk_id;

-- name: InsertReembedding :exec
INSERT INTO reembeddings (id, space_id, former_id, of_user, of_project, of_document, per_minute)
VALUES (@id, @space_id, (SELECT s.id FROM embedding_spaces s WHERE s.state = 'active'), @of_user, @of_project, @of_document, @per_minute);

-- name: SetReembeddingJob :exec
UPDATE reembeddings SET job_id = @job_id WHERE id = @id;

-- name: Reembedding :one
SELECT sqlc.embed(r), sqlc.embed(s), coalesce(j.state, '')::text AS job_state, (j.cancel_requested_at IS NOT NULL)::boolean AS stopping, j.user_id AS job_user,
       j.progress_done, j.progress_total, j.error_code, j.error_detail, j.error_hint
FROM reembeddings r JOIN embedding_spaces s ON s.id = r.space_id LEFT JOIN jobs j ON j.id = r.job_id
WHERE r.id = @id;

-- name: Reembeddings :many
SELECT sqlc.embed(r), sqlc.embed(s), coalesce(j.state, '')::text AS job_state, (j.cancel_requested_at IS NOT NULL)::boolean AS stopping, j.user_id AS job_user,
       j.progress_done, j.progress_total, j.error_code, j.error_detail, j.error_hint
FROM reembeddings r JOIN embedding_spaces s ON s.id = r.space_id LEFT JOIN jobs j ON j.id = r.job_id
WHERE sqlc.narg('before')::uuid IS NULL OR r.id < sqlc.narg('before')
ORDER BY r.id DESC LIMIT @max_rows;

-- name: LockReembedding :one
SELECT r.state, coalesce(j.state, '')::text AS job_state, j.user_id AS job_user
FROM reembeddings r LEFT JOIN jobs j ON j.id = r.job_id
WHERE r.id = @id FOR UPDATE OF r;

-- name: EndReembedding :exec
UPDATE reembeddings SET state = @state, activated = @activated, recall = sqlc.narg('recall'), finished_at = clock_timestamp() WHERE id = @id;
