-- name: InsertStory :one
INSERT INTO stories (id, user_id, project_id, title, subject, born_on, language)
VALUES (@id, @user_id, @project_id, @title, @subject, @born_on, @language)
RETURNING *;

-- name: Story :one
SELECT sqlc.embed(s), (SELECT count(*) FROM memories m WHERE m.story_id = s.id AND m.user_id = s.user_id) AS memories
FROM stories s WHERE s.id = @id AND s.user_id = @user_id;

-- name: StoriesOfUser :many
SELECT sqlc.embed(s), (SELECT count(*) FROM memories m WHERE m.story_id = s.id AND m.user_id = s.user_id) AS memories
FROM stories s
WHERE s.user_id = @user_id
  AND (sqlc.narg('project_id')::uuid IS NULL OR s.project_id = sqlc.narg('project_id'))
  AND (sqlc.narg('before')::uuid IS NULL OR s.id < sqlc.narg('before'))
ORDER BY s.id DESC LIMIT @max_rows;

-- name: UpdateStory :execrows
UPDATE stories SET
    title = coalesce(sqlc.narg('title'), title),
    subject = coalesce(sqlc.narg('subject'), subject),
    born_on = CASE WHEN @forget_birth::boolean THEN NULL ELSE coalesce(sqlc.narg('born_on'), born_on) END,
    language = coalesce(sqlc.narg('language'), language),
    updated_at = now()
WHERE id = @id AND user_id = @user_id;

-- name: DeleteStory :execrows
DELETE FROM stories WHERE id = @id AND user_id = @user_id;

-- name: CancelJobsOfStory :many
-- Of one memory, where one is named.
UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
    state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'running' THEN finished_at ELSE clock_timestamp() END
WHERE jobs.user_id = @user_id AND jobs.kind = 'story' AND state IN ('queued', 'dispatched', 'running')
  AND resource_id IN (SELECT t.id FROM story_turns t
      WHERE t.story_id = @story_id AND t.user_id = @user_id
        AND (sqlc.narg('memory_id')::uuid IS NULL OR t.memory_id = sqlc.narg('memory_id')))
RETURNING *;

-- name: InsertMemory :one
INSERT INTO memories (id, user_id, story_id, title, precision, earliest, latest, label, question_id)
VALUES (@id, @user_id, @story_id, @title, @precision, @earliest, @latest, @label, @question_id)
RETURNING id;

-- name: CountMemories :one
SELECT count(*) FROM memories WHERE story_id = @story_id AND user_id = @user_id;

-- name: AnswerableQuestion :one
SELECT id FROM story_turns
WHERE id = @id AND story_id = @story_id AND user_id = @user_id AND kind = 'question' AND state = 'ready';

-- name: AddVersion :one
INSERT INTO memory_versions (memory_id, number, user_id, kind, text, language, style, provider, model)
SELECT m.id, coalesce((SELECT max(v.number) FROM memory_versions v WHERE v.memory_id = m.id), 0) + 1,
    m.user_id, @kind, @text, @language, @style, @provider, @model
FROM memories m WHERE m.id = @memory_id AND m.user_id = @user_id
RETURNING number;

-- name: LockMemory :one
SELECT id, current_version FROM memories WHERE id = @id AND story_id = @story_id AND user_id = @user_id FOR UPDATE;

-- name: UpdateMemory :exec
UPDATE memories SET
    title = coalesce(sqlc.narg('title'), title),
    current_version = coalesce(sqlc.narg('current_version'), current_version),
    precision = CASE WHEN @dated::boolean THEN @precision ELSE precision END,
    earliest = CASE WHEN @dated::boolean THEN sqlc.narg('earliest') ELSE earliest END,
    latest = CASE WHEN @dated::boolean THEN sqlc.narg('latest') ELSE latest END,
    label = CASE WHEN @dated::boolean THEN @label ELSE label END,
    updated_at = now()
WHERE id = @id AND user_id = @user_id;

-- name: HasVersion :one
SELECT EXISTS (SELECT 1 FROM memory_versions WHERE memory_id = @memory_id AND number = @number AND user_id = @user_id) AS found;

-- name: IndexMemories :exec
-- What search looks at: title and words of the date (A), names (B), the text (D).
-- Names and titles are kept unstemmed as well, so that beginnings of them are found,
-- and as much of the text as surely fits into a tsvector.
UPDATE memories SET tsv =
    setweight(to_tsvector(text_config(i.language), i.title), 'A') || setweight(to_tsvector('pg_catalog.simple', i.title || ' ' || i.label), 'A') ||
    setweight(to_tsvector('pg_catalog.simple', i.names), 'B') || setweight(to_tsvector(text_config(i.language), i.names), 'B') ||
    setweight(to_tsvector(text_config(i.language), i.text), 'D') || setweight(to_tsvector('pg_catalog.simple', left(i.text, 30000)), 'D')
FROM (SELECT m.id, m.title, m.label, s.language, v.text,
          coalesce((SELECT string_agg(n.name || ' ' || n.relation, ' . ') FROM memory_names mn
              JOIN story_names n ON n.id = mn.name_id WHERE mn.memory_id = m.id), '') AS names
      FROM memories m
      JOIN stories s ON s.id = m.story_id
      JOIN memory_versions v ON v.memory_id = m.id AND v.number = m.current_version
      WHERE m.story_id = @story_id AND m.user_id = @user_id
        AND (sqlc.narg('memory_id')::uuid IS NULL OR m.id = sqlc.narg('memory_id'))) AS i
WHERE memories.id = i.id;

-- name: Memory :one
SELECT m.id, m.user_id, m.story_id, m.title, m.precision, m.earliest, m.latest, m.label, m.current_version, m.question_id,
    m.created_at, m.updated_at, v.text
FROM memories m JOIN memory_versions v ON v.memory_id = m.id AND v.number = m.current_version
WHERE m.id = @id AND m.story_id = @story_id AND m.user_id = @user_id;

-- name: MemoriesOfStory :many
SELECT m.id, m.user_id, m.story_id, m.title, m.precision, m.earliest, m.latest, m.label, m.current_version, m.question_id,
    m.created_at, m.updated_at, v.text
FROM memories m JOIN memory_versions v ON v.memory_id = m.id AND v.number = m.current_version
WHERE m.story_id = @story_id AND m.user_id = @user_id
  AND (sqlc.narg('before')::uuid IS NULL OR m.id < sqlc.narg('before'))
ORDER BY m.id DESC LIMIT @max_rows;

-- name: VersionsOfMemory :many
SELECT * FROM memory_versions WHERE memory_id = @memory_id AND user_id = @user_id ORDER BY number;

-- name: OriginalsAndRefined :many
-- The first version of each memory and its newest refined one.
SELECT DISTINCT ON (v.memory_id, v.kind) v.* FROM memory_versions v
WHERE v.memory_id = ANY(@memory_ids::uuid[]) AND v.user_id = @user_id AND v.kind IN ('original', 'refined')
ORDER BY v.memory_id, v.kind, v.number DESC;

-- name: NamesOfMemories :many
SELECT mn.memory_id, n.id, n.kind, n.name, n.relation FROM memory_names mn JOIN story_names n ON n.id = mn.name_id
WHERE mn.memory_id = ANY(@memory_ids::uuid[]) AND mn.user_id = @user_id
ORDER BY mn.memory_id, n.kind, lower(n.name), n.id;

-- name: PhotosOfMemories :many
SELECT * FROM photos WHERE memory_id = ANY(@memory_ids::uuid[]) AND user_id = @user_id ORDER BY memory_id, id;

-- name: DeleteMemory :execrows
DELETE FROM memories WHERE id = @id AND story_id = @story_id AND user_id = @user_id;

-- name: FindName :one
-- A person named without a relation is whoever bears the name.
SELECT * FROM story_names
WHERE story_id = @story_id AND user_id = @user_id AND kind = @kind AND lower(name) = lower(@name)
  AND (@relation::text = '' OR lower(relation) = lower(@relation::text) OR relation = '')
ORDER BY lower(relation) = lower(@relation::text) DESC, id LIMIT 1;

-- name: InsertName :one
INSERT INTO story_names (id, user_id, story_id, kind, name, relation)
VALUES (@id, @user_id, @story_id, @kind, @name, @relation)
ON CONFLICT (story_id, kind, lower(name), lower(relation)) DO UPDATE SET name = story_names.name
RETURNING *;

-- name: LinkName :exec
INSERT INTO memory_names (memory_id, name_id, user_id) VALUES (@memory_id, @name_id, @user_id) ON CONFLICT DO NOTHING;

-- name: UnlinkNames :exec
DELETE FROM memory_names USING story_names n
WHERE memory_names.memory_id = @memory_id AND memory_names.user_id = @user_id AND n.id = memory_names.name_id
  AND n.kind = ANY(@kinds::text[]);

-- name: NamesOfStory :many
SELECT n.id, n.story_id, n.kind, n.name, n.relation,
    (SELECT count(*) FROM memory_names mn WHERE mn.name_id = n.id) AS memories
FROM story_names n
WHERE n.story_id = @story_id AND n.user_id = @user_id
  AND (sqlc.narg('kind')::text IS NULL OR n.kind = sqlc.narg('kind'))
  AND (sqlc.narg('before')::uuid IS NULL OR n.id < sqlc.narg('before'))
ORDER BY n.id DESC LIMIT @max_rows;

-- name: Name :one
SELECT n.id, n.story_id, n.kind, n.name, n.relation,
    (SELECT count(*) FROM memory_names mn WHERE mn.name_id = n.id) AS memories
FROM story_names n WHERE n.id = @id AND n.story_id = @story_id AND n.user_id = @user_id;

-- name: RenameName :execrows
UPDATE story_names SET name = coalesce(sqlc.narg('name'), name), relation = coalesce(sqlc.narg('relation'), relation)
WHERE id = @id AND story_id = @story_id AND user_id = @user_id;

-- name: MoveLinks :exec
INSERT INTO memory_names (memory_id, name_id, user_id)
SELECT mn.memory_id, @into_id::uuid, mn.user_id FROM memory_names mn WHERE mn.name_id = @from_id AND mn.user_id = @user_id
ON CONFLICT DO NOTHING;

-- name: DeleteName :execrows
DELETE FROM story_names WHERE id = @id AND story_id = @story_id AND user_id = @user_id;

-- name: CountPhotos :one
SELECT count(*) FROM photos WHERE memory_id = @memory_id AND user_id = @user_id;

-- name: InsertPhoto :one
INSERT INTO photos (id, user_id, memory_id, caption, width, height, sha256, taken_at)
VALUES (@id, @user_id, @memory_id, @caption, @width, @height, @sha256, @taken_at)
RETURNING *;

-- name: InsertPhotoBytes :exec
INSERT INTO photo_bytes (photo_id, size, user_id, bytes) VALUES (@photo_id, @size, @user_id, @bytes);

-- name: Photo :one
SELECT p.* FROM photos p JOIN memories m ON m.id = p.memory_id
WHERE p.id = @id AND m.story_id = @story_id AND p.user_id = @user_id;

-- name: PhotoBytes :one
SELECT b.bytes FROM photo_bytes b WHERE b.photo_id = @photo_id AND b.size = @size AND b.user_id = @user_id;

-- name: UpdatePhoto :execrows
UPDATE photos SET caption = @caption FROM memories m
WHERE photos.id = @id AND m.id = photos.memory_id AND m.story_id = @story_id AND photos.user_id = @user_id;

-- name: DeletePhoto :execrows
DELETE FROM photos USING memories m
WHERE photos.id = @id AND m.id = photos.memory_id AND m.story_id = @story_id AND photos.user_id = @user_id;

-- name: SearchMemories :many
-- Words as the story's language inflects them, words as they stand, and
-- beginnings of titles and names.
SELECT m.id, ts_rank(m.tsv, q.query)::float8 AS score,
    ts_headline(text_config(s.language), v.text, q.query, 'StartSel="", StopSel="", MaxFragments=1, MaxWords=40, MinWords=15')::text AS snippet
FROM memories m
JOIN stories s ON s.id = m.story_id
JOIN memory_versions v ON v.memory_id = m.id AND v.number = m.current_version
JOIN LATERAL (SELECT websearch_to_tsquery(text_config(s.language), @query::text) || websearch_to_tsquery('pg_catalog.simple', @query::text)
    || to_tsquery('pg_catalog.simple', @beginnings::text) AS query) q ON true
WHERE m.story_id = @story_id AND m.user_id = @user_id AND m.tsv @@ q.query
ORDER BY score DESC, m.id DESC LIMIT @max_rows;

-- name: MemoriesByID :many
SELECT m.id, m.user_id, m.story_id, m.title, m.precision, m.earliest, m.latest, m.label, m.current_version, m.question_id,
    m.created_at, m.updated_at, v.text
FROM memories m JOIN memory_versions v ON v.memory_id = m.id AND v.number = m.current_version
WHERE m.id = ANY(@ids::uuid[]) AND m.user_id = @user_id;

-- name: InsertTurn :one
INSERT INTO story_turns (id, user_id, story_id, memory_id, kind, provider, model, language, style, suggest)
VALUES (@id, @user_id, @story_id, @memory_id, @kind, @provider, @model, @language, @style, @suggest)
RETURNING *;

-- name: Turn :one
SELECT * FROM story_turns WHERE id = @id AND story_id = @story_id AND user_id = @user_id AND kind = @kind;

-- name: TurnForWork :one
SELECT * FROM story_turns WHERE id = @id;

-- name: FinishTurn :exec
UPDATE story_turns SET state = 'ready', model = @model, language = @language, result = @result,
    error_code = NULL, error_detail = NULL, error_hint = NULL
WHERE id = @id;

-- name: QuestionsOfStory :many
SELECT t.id, t.user_id, t.story_id, t.state, t.provider, t.model, t.result, t.error_code, t.error_detail, t.error_hint, t.created_at,
    coalesce((SELECT m.id FROM memories m WHERE m.question_id = t.id AND m.user_id = t.user_id ORDER BY m.id LIMIT 1),
        '00000000-0000-0000-0000-000000000000')::uuid AS answered_by
FROM story_turns t
WHERE t.story_id = @story_id AND t.user_id = @user_id AND t.kind = 'question'
  AND (sqlc.narg('id')::uuid IS NULL OR t.id = sqlc.narg('id'))
  AND (sqlc.narg('before')::uuid IS NULL OR t.id < sqlc.narg('before'))
ORDER BY t.id DESC LIMIT @max_rows;
