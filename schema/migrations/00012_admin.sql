-- +goose Up
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX users_email_search ON users USING gin (lower(email) gin_trgm_ops);
CREATE INDEX users_created ON users (created_at);
CREATE INDEX users_admins ON users (id) WHERE is_admin;

-- +goose StatementBegin
-- An installation without an administrator could not be administered again. The
-- lock makes two who leave at once take turns.
CREATE FUNCTION users_keep_admin() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.is_admin AND NEW.is_active THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('users_keep_admin'));
    IF NOT EXISTS (SELECT 1 FROM users WHERE is_admin AND is_active AND id <> OLD.id) THEN
        RAISE EXCEPTION 'user % is the last administrator', OLD.id USING ERRCODE = 'GB001';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER users_keep_admin BEFORE UPDATE OF is_admin, is_active OR DELETE ON users
    FOR EACH ROW WHEN (OLD.is_admin AND OLD.is_active) EXECUTE FUNCTION users_keep_admin();

-- A row holds a stage back. The dispatcher sends it no jobs and nobody claims
-- one; attempts that run go on.
CREATE TABLE stage_pauses (
    stage     text PRIMARY KEY,
    reason    text        NOT NULL DEFAULT '',
    paused_by uuid REFERENCES users ON DELETE SET NULL,
    paused_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON stage_pauses TO general_backend_user;

-- A failed job is a dead letter until it is retried or given up.
ALTER TABLE jobs ADD COLUMN discarded_at timestamptz;
ALTER TABLE jobs ADD CONSTRAINT jobs_discarded CHECK (discarded_at IS NULL OR state = 'failed');
CREATE INDEX jobs_failed ON jobs (id) WHERE state = 'failed';
CREATE INDEX jobs_dead ON jobs (stage) WHERE state = 'failed' AND discarded_at IS NULL;

-- Lets the planner tell how many jobs of a kind are in a state.
CREATE STATISTICS jobs_kind_state (mcv) ON kind, state FROM jobs;

CREATE INDEX audit_log_target ON audit_log (target, id DESC);

-- +goose Down
DROP INDEX audit_log_target;
DROP STATISTICS jobs_kind_state;
DROP INDEX jobs_dead, jobs_failed;
ALTER TABLE jobs DROP COLUMN discarded_at;
DROP TABLE stage_pauses;
DROP TRIGGER users_keep_admin ON users;
DROP FUNCTION users_keep_admin;
DROP INDEX users_admins, users_created, users_email_search;
