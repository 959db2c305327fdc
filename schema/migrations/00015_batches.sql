-- +goose Up
-- A batch compares the same applicants with several postings. Its state is that
-- of its matches.
CREATE TABLE match_batches (
    id         uuid PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    project_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (project_id, user_id) REFERENCES projects (id, user_id) ON DELETE CASCADE
);
CREATE INDEX match_batches_user ON match_batches (user_id, id DESC);
CREATE INDEX match_batches_project ON match_batches (project_id, user_id);
SELECT protect('match_batches');

ALTER TABLE matches
    ADD COLUMN batch_id  uuid REFERENCES match_batches ON DELETE CASCADE,
    ADD COLUMN masked    boolean NOT NULL DEFAULT false,
    ADD COLUMN fresh     boolean NOT NULL DEFAULT false,
    ADD COLUMN stability integer NOT NULL DEFAULT 0 CHECK (stability = 0 OR stability BETWEEN 2 AND 10);
CREATE INDEX matches_batch ON matches (batch_id, id);

-- +goose Down
ALTER TABLE matches DROP COLUMN batch_id, DROP COLUMN masked, DROP COLUMN fresh, DROP COLUMN stability;
DROP TABLE match_batches;
