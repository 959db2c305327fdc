-- +goose Up
-- What is marked so never leaves for a cloud provider.
ALTER TABLE users ADD COLUMN local_only boolean NOT NULL DEFAULT false;
ALTER TABLE projects ADD COLUMN local_only boolean NOT NULL DEFAULT false;

-- The routing that an administrator set; without a row the environment's
-- defaults hold. There is one row at most.
CREATE TABLE llm_config (
    id         boolean PRIMARY KEY DEFAULT true CHECK (id),
    version    bigint      NOT NULL,
    config     jsonb       NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One row for each call, or each share of a batch. Projects and jobs may be gone
-- while their usage stays. Cost is in billionths of the configured currency.
CREATE TABLE llm_usage (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id           uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    project_id        uuid,
    job_id            uuid,
    purpose           text        NOT NULL,
    provider          text        NOT NULL,
    model             text        NOT NULL,
    prompt_tokens     bigint      NOT NULL CHECK (prompt_tokens >= 0),
    completion_tokens bigint      NOT NULL CHECK (completion_tokens >= 0),
    cost              bigint      NOT NULL CHECK (cost >= 0),
    estimated         boolean     NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX llm_usage_user ON llm_usage (user_id, created_at);
CREATE INDEX llm_usage_time ON llm_usage (created_at);
SELECT protect('llm_usage');

-- What a user used up in a calendar month (UTC), so that asking for the budget
-- does not add up every call.
CREATE TABLE llm_months (
    user_id uuid   NOT NULL REFERENCES users ON DELETE CASCADE,
    month   date   NOT NULL,
    tokens  bigint NOT NULL,
    cost    bigint NOT NULL,
    PRIMARY KEY (user_id, month)
);
SELECT protect('llm_months');

-- Limits of single users that replace the configured ones; NULL leaves one.
CREATE TABLE llm_limits (
    user_id             uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    monthly_tokens      bigint  CHECK (monthly_tokens >= 0),
    monthly_cost        bigint  CHECK (monthly_cost >= 0),
    requests_per_minute integer CHECK (requests_per_minute >= 0)
);
SELECT protect('llm_limits');

-- The minute in which a user's requests are being counted.
CREATE TABLE llm_rates (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    started_at timestamptz NOT NULL,
    requests   integer     NOT NULL
);
SELECT protect('llm_rates');

-- +goose Down
DROP TABLE llm_rates, llm_limits, llm_months, llm_usage, llm_config;
ALTER TABLE projects DROP COLUMN local_only;
ALTER TABLE users DROP COLUMN local_only;
