-- name: InsertDocument :exec
INSERT INTO documents (id, user_id, project_id, type, filename, url, title, doc_metadata)
VALUES (@id, @user_id, @project_id, @type, @filename, @url, @title, @doc_metadata);

-- name: InsertPart :execrows
INSERT INTO document_parts (document_id, user_id, ordinal, bytes)
SELECT d.id, d.user_id, @ordinal, @bytes FROM documents d WHERE d.id = @document_id;

-- name: DeleteParts :exec
DELETE FROM document_parts WHERE document_id = @document_id;

-- name: Part :one
SELECT bytes FROM document_parts WHERE document_id = @document_id AND ordinal = @ordinal;

-- name: AcceptDocument :one
-- The upload is whole: from here on the document exists for its owner.
UPDATE documents SET state = 'pending', type = @type, sha256 = @sha256, size = @size,
    project_id = coalesce(sqlc.narg('project_id'), project_id), updated_at = now()
WHERE id = @id AND state = 'uploading'
RETURNING *;

-- name: Document :one
SELECT * FROM documents WHERE id = @id AND user_id = @user_id AND state <> 'uploading';

-- name: DocumentForWork :one
SELECT * FROM documents WHERE id = @id;

-- name: DocumentsOfUser :many
-- Without the text, which may be large.
SELECT id, user_id, project_id, type, filename, url, title, doc_metadata, sha256, size, language, page_count,
       unreadable_pages, state, error_code, error_detail, error_hint, created_at, updated_at
FROM documents
WHERE user_id = @user_id AND state <> 'uploading'
  AND (sqlc.narg('project_id')::uuid IS NULL OR project_id = sqlc.narg('project_id'))
  AND (sqlc.narg('state')::text IS NULL OR state = sqlc.narg('state'))
  AND (sqlc.narg('before')::uuid IS NULL OR id < sqlc.narg('before'))
ORDER BY id DESC LIMIT @max_rows;

-- name: DocumentStates :many
SELECT id, state FROM documents WHERE user_id = @user_id AND id = ANY(@ids::uuid[]) AND state <> 'uploading';

-- name: DeleteDocument :execrows
DELETE FROM documents WHERE id = @id AND user_id = @user_id;

-- name: DropUpload :exec
-- Only what nobody was told is accepted: the answer to the commit that accepted
-- it may be what got lost.
DELETE FROM documents WHERE id = @id AND user_id = @user_id AND state = 'uploading';

-- name: DeleteAbandonedUploads :execrows
DELETE FROM documents WHERE state = 'uploading' AND created_at < now() - make_interval(secs => @older_than_seconds::double precision);

-- name: Pages :many
SELECT page, text, quality FROM document_pages WHERE document_id = @document_id ORDER BY page;

-- name: PagesFrom :many
SELECT p.page, p.text, p.quality FROM document_pages p JOIN documents d ON d.id = p.document_id
WHERE p.document_id = @document_id AND d.user_id = @user_id AND p.page > @after
ORDER BY p.page LIMIT @max_rows;

-- name: DeletePages :exec
DELETE FROM document_pages WHERE document_id = @document_id;

-- name: InsertPages :exec
INSERT INTO document_pages (document_id, user_id, page, text, quality)
SELECT @document_id, @user_id, p.page, p.text, p.quality::jsonb
FROM (SELECT unnest(@pages::integer[]) AS page, unnest(@texts::text[]) AS text, unnest(@qualities::text[]) AS quality) AS p;

-- name: SaveExtractedDocument :exec
UPDATE documents SET type = @type, title = CASE WHEN @title::text = '' THEN title ELSE @title END,
    content = @content, doc_metadata = doc_metadata || @doc_metadata, language = @language, page_count = @page_count,
    unreadable_pages = @unreadable_pages, extracted_state = @extracted_state,
    sha256 = coalesce(@sha256, sha256), size = CASE WHEN @size::bigint = 0 THEN size ELSE @size END, updated_at = now()
WHERE id = @id;

-- name: FinishDocument :exec
UPDATE documents SET state = extracted_state, error_code = NULL, error_detail = NULL, error_hint = NULL, updated_at = now()
WHERE id = @id;
