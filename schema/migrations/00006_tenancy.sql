-- +goose Up
-- Statements on behalf of a user run as this role, which sees that user's rows
-- only. Roles belong to the whole cluster, so another database's migration may
-- be making it at this moment.
-- +goose StatementBegin
DO $$
BEGIN
    CREATE ROLE general_backend_user NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION acting_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.user_id', true), '')::uuid
$$;

-- protect closes a table whose rows carry user_id to everybody but their owner.
CREATE FUNCTION protect(tab regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY owned ON %s TO general_backend_user '
                   'USING (user_id = (SELECT acting_user())) WITH CHECK (user_id = (SELECT acting_user()))', tab);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO general_backend_user', tab);
END $$;
-- +goose StatementEnd

-- The table that holds what a kind of job makes, in rows with a state (pending,
-- ready, failed) and an error. The row's failure follows the job's.
CREATE TABLE job_resources (
    kind  text PRIMARY KEY,
    made  regclass NOT NULL
);
INSERT INTO job_resources (kind, made) VALUES ('ingest', 'documents'), ('match', 'matches');

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION jobs_record() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved boolean := TG_OP = 'INSERT';
    was_running boolean := false;
    made regclass;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.event_seq = OLD.event_seq THEN
            RETURN NULL;
        END IF;
        moved := NEW.state <> OLD.state OR NEW.stage <> OLD.stage;
        was_running := moved AND OLD.state = 'running';
    END IF;

    INSERT INTO job_events (job_id, seq, type, data) VALUES (NEW.id, NEW.event_seq,
        CASE WHEN moved THEN 'state'
             WHEN NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at THEN 'cancel_requested'
             ELSE 'progress' END,
        CASE WHEN moved THEN jsonb_strip_nulls(jsonb_build_object(
                 'state', NEW.state, 'stage', NEW.stage, 'attempt', NEW.attempt, 'run_at', NEW.run_at,
                 'error', CASE WHEN NEW.error_code IS NOT NULL THEN
                     jsonb_build_object('code', NEW.error_code, 'detail', NEW.error_detail, 'hint', NEW.error_hint) END))
             WHEN NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at THEN '{}'
             ELSE jsonb_build_object('done', NEW.progress_done, 'total', NEW.progress_total, 'unit', NEW.progress_unit) END);

    IF was_running THEN
        INSERT INTO job_attempts (job_id, fence, attempt, stage, worker, outcome, error_code, seconds)
        VALUES (NEW.id, OLD.fence, OLD.attempt, OLD.stage, coalesce(OLD.worker, ''),
            CASE WHEN NEW.stage <> OLD.stage THEN 'succeeded' WHEN NEW.state = 'queued' THEN 'retried' ELSE NEW.state END,
            NEW.error_code, extract(epoch FROM clock_timestamp() - OLD.attempt_started_at));
    END IF;

    IF moved AND NEW.state IN ('failed', 'cancelled') THEN
        SELECT r.made INTO made FROM job_resources r WHERE r.kind = NEW.kind;
        IF FOUND THEN
            EXECUTE format('UPDATE %s SET state = ''failed'', error_code = $2, error_detail = $3, error_hint = $4 '
                           'WHERE id = $1 AND state = ''pending''', made)
            USING NEW.resource_id, coalesce(NEW.error_code, NEW.state),
                  coalesce(NEW.error_detail, 'The job was cancelled.'), NEW.error_hint;
        END IF;
    ELSIF moved AND TG_OP = 'UPDATE' AND OLD.state = 'failed' AND NEW.state = 'queued' THEN
        SELECT r.made INTO made FROM job_resources r WHERE r.kind = NEW.kind;
        IF FOUND THEN
            EXECUTE format('UPDATE %s SET state = ''pending'', error_code = NULL, error_detail = NULL, error_hint = NULL '
                           'WHERE id = $1 AND state = ''failed''', made)
            USING NEW.resource_id;
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Times that the state implies.
CREATE FUNCTION documents_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE FUNCTION matches_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.finished_at := CASE WHEN NEW.state = 'pending' THEN NULL ELSE coalesce(NEW.finished_at, now()) END;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER documents_touch BEFORE UPDATE OF state ON documents FOR EACH ROW EXECUTE FUNCTION documents_touch();
CREATE TRIGGER matches_touch BEFORE UPDATE OF state ON matches FOR EACH ROW EXECUTE FUNCTION matches_touch();

-- +goose Down
DROP TRIGGER matches_touch ON matches;
DROP TRIGGER documents_touch ON documents;
DROP FUNCTION matches_touch, documents_touch;
DROP TABLE job_resources;
DROP FUNCTION protect, acting_user;
