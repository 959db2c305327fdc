-- name: ActiveSpace :one
SELECT sqlc.embed(s), EXISTS (SELECT 1 FROM embeddings e WHERE e.space_id = s.id)::boolean AS used
FROM embedding_spaces s WHERE state = 'active';

-- name: InsertSpace :one
INSERT INTO embedding_spaces (provider, model, dims, chunk_tokens, overlap_tokens, state)
VALUES (@provider, @model, @dims, @chunk_tokens, @overlap_tokens, @state)
ON CONFLICT (provider, model, dims, chunk_tokens, overlap_tokens) DO UPDATE SET state = EXCLUDED.state
RETURNING *;

-- name: RetireSpaces :exec
UPDATE embedding_spaces SET state = 'retired' WHERE state = 'active';

-- name: HoldActiveSpace :one
SELECT hold_active_space(@space_id);

-- name: DeleteChunks :exec
DELETE FROM chunks WHERE document_id = @document_id;

-- name: InsertChunks :many
INSERT INTO chunks (space_id, document_id, user_id, project_id, ordinal, page_from, page_to, char_from, char_to, content, content_hash, language, tsv)
SELECT @space_id, @document_id, @user_id, @project_id, c.ordinal, c.page_from, c.page_to, c.char_from, c.char_to, c.content, c.content_hash, c.language,
       to_tsvector(text_config(c.language), c.content)
FROM (SELECT unnest(@ordinals::integer[]) AS ordinal, unnest(@pages_from::integer[]) AS page_from, unnest(@pages_to::integer[]) AS page_to,
             unnest(@chars_from::integer[]) AS char_from, unnest(@chars_to::integer[]) AS char_to, unnest(@contents::text[]) AS content,
             unnest(@content_hashes::bytea[]) AS content_hash, unnest(@languages::text[]) AS language) AS c
ORDER BY c.ordinal
RETURNING id, ordinal;

-- name: InsertEmbeddings :exec
INSERT INTO embeddings (chunk_id, space_id, user_id, project_id, document_id, embedding)
SELECT e.chunk_id, @space_id, @user_id, @project_id, @document_id, e.embedding
FROM (SELECT unnest(@chunk_ids::bigint[]) AS chunk_id, unnest(@embeddings::halfvec[]) AS embedding) AS e;
