-- +goose Up
CREATE TABLE matches (
    id                uuid PRIMARY KEY,
    user_id           uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    project_id        uuid,
    employer_doc_ids  uuid[]      NOT NULL,
    applicant_doc_ids uuid[]      NOT NULL,
    combine           boolean     NOT NULL DEFAULT false,
    llm_type          text        NOT NULL,
    model             text        NOT NULL DEFAULT '',
    language          text        NOT NULL DEFAULT '',
    state             text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'failed')),
    match_score       integer     CHECK (match_score BETWEEN 0 AND 100),
    result            jsonb       NOT NULL DEFAULT '{}',
    error_code        text,
    error_detail      text,
    error_hint        text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    finished_at       timestamptz,
    FOREIGN KEY (project_id, user_id) REFERENCES projects (id, user_id) ON DELETE CASCADE
);
CREATE INDEX matches_user ON matches (user_id, id DESC);
CREATE INDEX matches_project ON matches (project_id, user_id);
CREATE INDEX matches_documents ON matches USING gin (employer_doc_ids, applicant_doc_ids);

-- One applicant's result. Rows double as the cache: the same content, model,
-- prompt and language has the same cache_key and is not judged again.
CREATE TABLE match_candidates (
    match_id     uuid    NOT NULL REFERENCES matches ON DELETE CASCADE,
    rank         integer NOT NULL,
    user_id      uuid    NOT NULL,
    document_ids uuid[]  NOT NULL,
    score        integer NOT NULL CHECK (score BETWEEN 0 AND 100),
    cache_key    text    NOT NULL,
    result       jsonb   NOT NULL,
    PRIMARY KEY (match_id, rank)
);
CREATE INDEX match_candidates_cache ON match_candidates (user_id, cache_key);
CREATE INDEX match_candidates_documents ON match_candidates USING gin (document_ids);

-- +goose Down
DROP TABLE match_candidates, matches;
