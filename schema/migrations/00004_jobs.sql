-- +goose Up
CREATE TABLE jobs (
    id                  uuid PRIMARY KEY,
    user_id             uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    project_id          uuid,
    kind                text        NOT NULL,
    stage               text        NOT NULL,
    class               text        NOT NULL CHECK (class IN ('interactive', 'standard', 'bulk')),
    state               text        NOT NULL DEFAULT 'queued'
                        CHECK (state IN ('queued', 'dispatched', 'running', 'succeeded', 'failed', 'cancelled')),
    run_at              timestamptz NOT NULL DEFAULT now(),
    attempt             integer     NOT NULL DEFAULT 0,
    max_attempts        integer     NOT NULL DEFAULT 5,
    lost                integer     NOT NULL DEFAULT 0,
    fence               bigint      NOT NULL DEFAULT 0,
    lease_until         timestamptz,
    worker              text,
    cancel_requested_at timestamptz,
    progress_done       integer     NOT NULL DEFAULT 0,
    progress_total      integer     NOT NULL DEFAULT 0,
    progress_unit       text        NOT NULL DEFAULT '',
    resource_id         uuid        NOT NULL,
    args                jsonb       NOT NULL DEFAULT '{}',
    trace               text        NOT NULL DEFAULT '',
    idempotency_key     text,
    request_hash        bytea,
    error_code          text,
    error_detail        text,
    error_hint          text,
    event_seq           bigint      NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT now(),
    dispatched_at       timestamptz,
    attempt_started_at  timestamptz,
    started_at          timestamptz,
    finished_at         timestamptz,
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX jobs_idempotency ON jobs (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_user ON jobs (user_id, id DESC);
CREATE INDEX jobs_resource ON jobs (resource_id);
CREATE INDEX jobs_due ON jobs (stage, class, user_id, run_at, id) WHERE state = 'queued';
CREATE INDEX jobs_outstanding ON jobs (stage, class, user_id) WHERE state IN ('dispatched', 'running');
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';

-- The history of a job, gapless from 1; written only by the triggers below, so
-- that no statement can change a job without saying so.
CREATE TABLE job_events (
    job_id     uuid        NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq        bigint      NOT NULL,
    type       text        NOT NULL,
    data       jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, seq)
);

CREATE TABLE job_attempts (
    job_id      uuid             NOT NULL REFERENCES jobs ON DELETE CASCADE,
    fence       bigint           NOT NULL,
    attempt     integer          NOT NULL,
    stage       text             NOT NULL,
    worker      text             NOT NULL,
    outcome     text             NOT NULL,
    error_code  text,
    seconds     double precision NOT NULL,
    finished_at timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, fence)
);
CREATE INDEX job_attempts_stage ON job_attempts (stage, finished_at DESC) INCLUDE (seconds) WHERE outcome = 'succeeded';

-- +goose StatementBegin
CREATE FUNCTION jobs_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('succeeded', 'cancelled') AND NEW.state <> OLD.state
       OR OLD.state = 'failed' AND NEW.state NOT IN ('failed', 'queued') THEN
        RAISE EXCEPTION 'job % is %, a terminal state', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> 'running' THEN
        NEW.lease_until := NULL;
        NEW.worker := NULL;
    END IF;
    IF (NEW.state, NEW.stage, NEW.progress_done, NEW.progress_total, NEW.cancel_requested_at)
       IS DISTINCT FROM (OLD.state, OLD.stage, OLD.progress_done, OLD.progress_total, OLD.cancel_requested_at) THEN
        NEW.event_seq := OLD.event_seq + 1;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION jobs_record() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved boolean := TG_OP = 'INSERT';
    was_running boolean := false;
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
        IF NEW.kind = 'ingest' THEN
            UPDATE documents SET state = 'failed', updated_at = now(),
                error_code = coalesce(NEW.error_code, NEW.state),
                error_detail = coalesce(NEW.error_detail, 'The job was cancelled.'), error_hint = NEW.error_hint
            WHERE id = NEW.resource_id AND state = 'pending';
        ELSIF NEW.kind = 'match' THEN
            UPDATE matches SET state = 'failed', finished_at = now(),
                error_code = coalesce(NEW.error_code, NEW.state),
                error_detail = coalesce(NEW.error_detail, 'The job was cancelled.'), error_hint = NEW.error_hint
            WHERE id = NEW.resource_id AND state = 'pending';
        END IF;
    ELSIF moved AND TG_OP = 'UPDATE' AND OLD.state = 'failed' AND NEW.state = 'queued' THEN
        UPDATE documents SET state = 'pending', error_code = NULL, error_detail = NULL, error_hint = NULL
        WHERE NEW.kind = 'ingest' AND id = NEW.resource_id AND state = 'failed';
        UPDATE matches SET state = 'pending', error_code = NULL, error_detail = NULL, error_hint = NULL, finished_at = NULL
        WHERE NEW.kind = 'match' AND id = NEW.resource_id AND state = 'failed';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION jobs_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.event_seq := 1;
    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER jobs_begin BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_begin();
CREATE TRIGGER jobs_transition BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_transition();
CREATE TRIGGER jobs_record AFTER INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_record();

CREATE TABLE workers (
    id         text PRIMARY KEY,
    stages     text[]      NOT NULL,
    slots      integer     NOT NULL,
    running    integer     NOT NULL DEFAULT 0,
    version    text        NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE workers, job_attempts, job_events, jobs;
DROP FUNCTION jobs_begin, jobs_record, jobs_transition;
