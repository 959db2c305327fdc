-- +goose Up
-- Calls of days long past are added up: one row then stands for all calls of a
-- user's day with the same project, purpose, provider and model.
ALTER TABLE llm_usage
    ADD COLUMN calls bigint  NOT NULL DEFAULT 1 CHECK (calls > 0),
    ADD COLUMN daily boolean NOT NULL DEFAULT false;
CREATE INDEX llm_usage_single ON llm_usage (created_at) WHERE NOT daily;

-- +goose Down
DROP INDEX llm_usage_single;
ALTER TABLE llm_usage DROP COLUMN daily, DROP COLUMN calls;
