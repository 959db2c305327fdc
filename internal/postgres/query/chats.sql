-- name: LockProject :one
-- Whoever adds to the chat of a project holds its row.
SELECT id FROM projects WHERE id = @id AND user_id = @user_id FOR NO KEY UPDATE;

-- name: ChatEnd :one
SELECT coalesce(max(ordinal), 0)::bigint AS ordinal, coalesce(bool_or(state = 'pending'), false)::boolean AS pending
FROM chats WHERE project_id = @project_id AND user_id = @user_id;

-- name: InsertChat :one
INSERT INTO chats (id, user_id, project_id, ordinal, role, question_id, content, chat_metadata, state)
VALUES (@id, @user_id, @project_id, @ordinal, @role, @question_id, @content, @chat_metadata, @state)
RETURNING *;

-- name: Chat :one
SELECT * FROM chats WHERE id = @id AND project_id = @project_id AND user_id = @user_id;

-- name: ChatForWork :one
SELECT sqlc.embed(answer), question.content AS question
FROM chats answer JOIN chats question ON question.id = answer.question_id
WHERE answer.id = @id;

-- name: ChatsFrom :many
SELECT * FROM chats
WHERE project_id = @project_id AND user_id = @user_id AND ordinal > @after
ORDER BY ordinal LIMIT @max_rows;

-- name: ChatsBefore :many
SELECT * FROM chats
WHERE project_id = @project_id AND user_id = @user_id AND (@before::bigint = 0 OR ordinal < @before)
ORDER BY ordinal DESC LIMIT @max_rows;

-- name: ChatHistory :many
-- The questions before one that were answered, newest first.
SELECT question.content AS question, answer.content AS answer
FROM chats answer JOIN chats question ON question.id = answer.question_id
WHERE answer.project_id = @project_id AND answer.user_id = @user_id AND answer.state = 'ready' AND answer.ordinal < @before
ORDER BY answer.ordinal DESC LIMIT @max_rows;

-- name: SaveChat :exec
UPDATE chats SET state = 'ready', content = @content, chat_metadata = @chat_metadata,
    error_code = NULL, error_detail = NULL, error_hint = NULL
WHERE id = @id;

-- name: SavePartialChat :exec
-- The words of an attempt that was broken off, while it is still the job at work.
UPDATE chats SET content = @content
FROM jobs
WHERE chats.id = @id AND chats.state = 'pending' AND jobs.id = @job_id AND jobs.fence = @fence AND jobs.state = 'running';

-- name: JobOfResource :one
SELECT * FROM jobs WHERE resource_id = @resource_id AND user_id = @user_id ORDER BY id DESC LIMIT 1;

-- name: CancelChatsOfProject :many
UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
    state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'running' THEN finished_at ELSE clock_timestamp() END
WHERE project_id = @project_id::uuid AND user_id = @user_id AND kind = 'chat' AND state IN ('queued', 'dispatched', 'running')
RETURNING *;

-- name: DeleteChats :exec
DELETE FROM chats WHERE project_id = @project_id AND user_id = @user_id;

-- name: DeleteChat :exec
DELETE FROM chats WHERE id = @id AND user_id = @user_id;

-- name: AnswerOf :one
SELECT id FROM chats WHERE question_id = @question_id::uuid AND user_id = @user_id;

-- name: PageAt :one
-- The page that holds a character of the text, and the words from there on.
WITH wanted AS (
    SELECT @char_from::integer AS char_from, @length::integer AS length
), places AS (
    SELECT p.page, sum(char_length(p.text) + 2) OVER (ORDER BY p.page) - char_length(p.text) - 2 AS begins
    FROM document_pages p WHERE p.document_id = @document_id
)
SELECT (SELECT places.page FROM places WHERE places.begins <= w.char_from ORDER BY places.page DESC LIMIT 1)::integer AS page,
       substr(d.content, w.char_from + 1, w.length)::text AS words
FROM documents d CROSS JOIN wanted w WHERE d.id = @document_id AND d.user_id = @user_id;
