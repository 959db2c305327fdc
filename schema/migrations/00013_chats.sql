-- +goose Up
-- The turns of a project's chat: a question of the user, and the answer that a
-- job writes. The ordinal counts within the project; whoever adds a turn holds
-- the project's row.
CREATE TABLE chats (
    id            uuid PRIMARY KEY,
    user_id       uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    project_id    uuid        NOT NULL,
    ordinal       bigint      NOT NULL,
    role          text        NOT NULL CHECK (role IN ('user', 'assistant')),
    question_id   uuid        REFERENCES chats ON DELETE CASCADE,
    content       text        NOT NULL DEFAULT '',
    chat_metadata jsonb       NOT NULL DEFAULT '{}',
    state         text        NOT NULL DEFAULT 'ready' CHECK (state IN ('pending', 'ready', 'failed')),
    error_code    text,
    error_detail  text,
    error_hint    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    UNIQUE (project_id, ordinal),
    CHECK ((role = 'assistant') = (question_id IS NOT NULL)),
    FOREIGN KEY (project_id, user_id) REFERENCES projects (id, user_id) ON DELETE CASCADE
);
CREATE INDEX chats_question ON chats (question_id);
CREATE INDEX chats_pending ON chats (project_id) WHERE state = 'pending';
CREATE INDEX chats_citations ON chats USING gin ((chat_metadata -> 'citations') jsonb_path_ops);
SELECT protect('chats');
INSERT INTO job_resources (kind, made) VALUES ('chat', 'chats');
CREATE TRIGGER chats_touch BEFORE UPDATE OF state ON chats FOR EACH ROW EXECUTE FUNCTION matches_touch();

-- Citations of a deleted document keep their place and lose their words.
-- +goose StatementBegin
CREATE FUNCTION chats_forget_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE chats SET chat_metadata = jsonb_set(chat_metadata, '{citations}', (
        SELECT jsonb_agg(CASE WHEN e.c ->> 'document_id' = OLD.id::text
                              THEN e.c || '{"quote": "", "verified": false, "deleted": true}' ELSE e.c END ORDER BY e.n)
        FROM jsonb_array_elements(chat_metadata -> 'citations') WITH ORDINALITY AS e (c, n)))
    WHERE user_id = OLD.user_id
      AND chat_metadata -> 'citations' @> jsonb_build_array(jsonb_build_object('document_id', OLD.id));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER chats_forget_document AFTER DELETE ON documents FOR EACH ROW EXECUTE FUNCTION chats_forget_document();

-- +goose Down
DROP TRIGGER chats_forget_document ON documents;
DROP FUNCTION chats_forget_document;
DELETE FROM job_resources WHERE kind = 'chat';
DROP TABLE chats;
