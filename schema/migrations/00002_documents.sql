-- +goose Up
CREATE TABLE documents (
    id               uuid PRIMARY KEY,
    user_id          uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    project_id       uuid,
    type             text        NOT NULL,
    filename         text        NOT NULL DEFAULT '',
    url              text        NOT NULL DEFAULT '',
    title            text        NOT NULL DEFAULT '',
    content          text        NOT NULL DEFAULT '',
    doc_metadata     jsonb       NOT NULL DEFAULT '{}',
    sha256           bytea,
    size             bigint      NOT NULL DEFAULT 0,
    language         text        NOT NULL DEFAULT '',
    page_count       integer     NOT NULL DEFAULT 0,
    unreadable_pages integer[]   NOT NULL DEFAULT '{}',
    -- what the document becomes once its chunks are embedded
    extracted_state  text        CHECK (extracted_state IN ('ready', 'partial')),
    state            text        NOT NULL DEFAULT 'uploading'
                     CHECK (state IN ('uploading', 'pending', 'ready', 'partial', 'failed')),
    error_code       text,
    error_detail     text,
    error_hint       text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (project_id, user_id) REFERENCES projects (id, user_id) ON DELETE CASCADE
);
CREATE INDEX documents_user ON documents (user_id, id DESC);
CREATE INDEX documents_project ON documents (project_id, user_id);
CREATE INDEX documents_language ON documents (user_id, language);
CREATE INDEX documents_uploading ON documents (created_at) WHERE state = 'uploading';

-- Original bytes in parts of 1 MiB, so that neither side holds a whole file.
CREATE TABLE document_parts (
    document_id uuid    NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal     integer NOT NULL,
    bytes       bytea   NOT NULL,
    PRIMARY KEY (document_id, ordinal)
);
ALTER TABLE document_parts ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE document_pages (
    document_id uuid    NOT NULL REFERENCES documents ON DELETE CASCADE,
    page        integer NOT NULL CHECK (page > 0),
    text        text    NOT NULL,
    quality     jsonb   NOT NULL,
    PRIMARY KEY (document_id, page)
);

CREATE TABLE embedding_spaces (
    id             bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    provider       text        NOT NULL,
    model          text        NOT NULL,
    dims           integer     NOT NULL CHECK (dims BETWEEN 1 AND 4000),
    chunk_tokens   integer     NOT NULL,
    overlap_tokens integer     NOT NULL,
    state          text        NOT NULL CHECK (state IN ('building', 'active', 'retired')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, model, dims, chunk_tokens, overlap_tokens)
);
CREATE UNIQUE INDEX embedding_spaces_active ON embedding_spaces ((true)) WHERE state = 'active';

-- +goose StatementBegin
CREATE FUNCTION text_config(language text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE language
        WHEN 'de' THEN 'pg_catalog.german'
        WHEN 'en' THEN 'pg_catalog.english'
        WHEN 'es' THEN 'pg_catalog.spanish'
        WHEN 'fr' THEN 'pg_catalog.french'
        WHEN 'it' THEN 'pg_catalog.italian'
        WHEN 'nl' THEN 'pg_catalog.dutch'
        WHEN 'pt' THEN 'pg_catalog.portuguese'
        WHEN 'ca' THEN 'pg_catalog.catalan'
        ELSE 'pg_catalog.simple' END::regconfig
$$;
-- +goose StatementEnd

CREATE TABLE chunks (
    id           bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    document_id  uuid    NOT NULL REFERENCES documents ON DELETE CASCADE,
    user_id      uuid    NOT NULL,
    project_id   uuid,
    ordinal      integer NOT NULL,
    page_from    integer NOT NULL,
    page_to      integer NOT NULL,
    char_from    integer NOT NULL,
    char_to      integer NOT NULL,
    content      text    NOT NULL,
    content_hash bytea   NOT NULL,
    language     text    NOT NULL DEFAULT '',
    tsv          tsvector NOT NULL,
    UNIQUE (document_id, ordinal)
) WITH (toast_tuple_target = 8160); -- ranking reads tsv of many rows: keep it in them
CREATE INDEX chunks_search ON chunks USING gin (user_id, tsv);
-- The hash first: an index led by user_id would tempt the planner away from
-- chunks_search.
CREATE INDEX chunks_hash ON chunks (content_hash, user_id);

-- Apart from the text, because an exact scan over narrow rows is both perfect
-- and fast up to some ten thousand chunks of a user.
CREATE TABLE embeddings (
    chunk_id    bigint  NOT NULL REFERENCES chunks ON DELETE CASCADE,
    space_id    bigint  NOT NULL REFERENCES embedding_spaces ON DELETE CASCADE,
    user_id     uuid    NOT NULL,
    project_id  uuid,
    document_id uuid    NOT NULL,
    embedding   halfvec NOT NULL,
    PRIMARY KEY (chunk_id, space_id)
);
CREATE INDEX embeddings_user ON embeddings (user_id, space_id, project_id);
CREATE INDEX embeddings_space ON embeddings (space_id);

-- +goose Down
DROP TABLE embeddings, chunks;
DROP FUNCTION text_config;
DROP TABLE embedding_spaces, document_pages, document_parts, documents;
