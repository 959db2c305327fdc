-- +goose Up
-- Statements for a user run as general_backend_user and those of a worker as
-- general_backend_worker; the processes make both roles before they migrate.
-- Row-level security shows these roles what belongs to the user of app.user_id,
-- and a worker of that what its job is about. The owner of the tables, who is
-- the system, sees everything.
GRANT USAGE ON SCHEMA public TO general_backend_user, general_backend_worker;

-- +goose StatementBegin
CREATE FUNCTION acting_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.user_id', true), '')::uuid
$$;

CREATE FUNCTION acting_job() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.job_id', true), '')::uuid
$$;

CREATE FUNCTION job_resource() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.job_resource', true), '')::uuid
$$;

CREATE FUNCTION job_project() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.job_project', true), '')::uuid
$$;

-- The documents a job is about; NULL where it is about a whole project.
CREATE FUNCTION job_documents() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.job_documents', true), '')::uuid[]
$$;

-- What a job is about, as a worker's connection is told before it works. It is
-- for the system alone, since a worker could ask about other jobs.
CREATE FUNCTION job_scope(job uuid) RETURNS TABLE (project uuid, resource uuid, documents uuid[])
LANGUAGE sql STABLE AS $$
    SELECT j.project_id, j.resource_id, CASE j.kind
        WHEN 'ingest' THEN ARRAY[j.resource_id]
        WHEN 'match' THEN coalesce((SELECT m.employer_doc_ids || m.applicant_doc_ids FROM matches m WHERE m.id = j.resource_id), '{}')
        END
    FROM jobs j WHERE j.id = job
$$;
REVOKE EXECUTE ON FUNCTION job_scope FROM PUBLIC;

-- protect closes a table whose rows carry user_id to everybody but their owner
-- and, unless told otherwise, the owner's workers.
CREATE FUNCTION protect(tab regclass, worked boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    mine text := 'user_id = (SELECT acting_user())';
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY owned ON %s TO general_backend_user USING (%s) WITH CHECK (%2$s)', tab, mine);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO general_backend_user', tab);
    IF worked THEN
        EXECUTE format('CREATE POLICY worked ON %s TO general_backend_worker USING (%s) WITH CHECK (%2$s)', tab, mine);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO general_backend_worker', tab);
    END IF;
END $$;

-- narrow shows workers, of a protected table, only the rows that fulfil a
-- condition, and allows them only the given privileges.
CREATE FUNCTION narrow(tab regclass, condition text, privileges text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER POLICY worked ON %s USING (user_id = (SELECT acting_user()) AND (%s)) '
                   'WITH CHECK (user_id = (SELECT acting_user()) AND (%2$s))', tab, condition);
    EXECUTE format('REVOKE ALL ON %s FROM general_backend_worker', tab);
    EXECUTE format('GRANT %s ON %s TO general_backend_worker', privileges, tab);
END $$;
-- +goose StatementEnd

-- What hangs on a row says itself whose it is, so that no policy has to look
-- elsewhere; the foreign keys see to it that it is the same user.
ALTER TABLE documents ADD UNIQUE (id, user_id);
ALTER TABLE document_parts ADD COLUMN user_id uuid;
ALTER TABLE document_pages ADD COLUMN user_id uuid;
ALTER TABLE job_events ADD COLUMN user_id uuid;
ALTER TABLE job_attempts ADD COLUMN user_id uuid;
UPDATE document_parts p SET user_id = d.user_id FROM documents d WHERE d.id = p.document_id;
UPDATE document_pages p SET user_id = d.user_id FROM documents d WHERE d.id = p.document_id;
UPDATE job_events e SET user_id = j.user_id FROM jobs j WHERE j.id = e.job_id;
UPDATE job_attempts a SET user_id = j.user_id FROM jobs j WHERE j.id = a.job_id;
ALTER TABLE document_parts ALTER COLUMN user_id SET NOT NULL, DROP CONSTRAINT document_parts_document_id_fkey,
    ADD FOREIGN KEY (document_id, user_id) REFERENCES documents (id, user_id) ON DELETE CASCADE;
ALTER TABLE document_pages ALTER COLUMN user_id SET NOT NULL, DROP CONSTRAINT document_pages_document_id_fkey,
    ADD FOREIGN KEY (document_id, user_id) REFERENCES documents (id, user_id) ON DELETE CASCADE;
ALTER TABLE chunks DROP CONSTRAINT chunks_document_id_fkey,
    ADD FOREIGN KEY (document_id, user_id) REFERENCES documents (id, user_id) ON DELETE CASCADE;
ALTER TABLE job_events ALTER COLUMN user_id SET NOT NULL;
ALTER TABLE job_attempts ALTER COLUMN user_id SET NOT NULL;

SELECT protect('projects');
SELECT protect('documents');
SELECT protect('document_parts');
SELECT protect('document_pages');
SELECT protect('chunks');
SELECT protect('embeddings');
SELECT protect('matches');
SELECT protect('match_candidates');
SELECT protect('jobs');
SELECT protect('job_events', false);
SELECT protect('job_attempts', false);
SELECT protect('sessions', false);

-- Users read what workers and triggers write.
REVOKE INSERT, UPDATE, DELETE ON document_pages, chunks, embeddings, job_events, job_attempts FROM general_backend_user;
REVOKE UPDATE ON document_parts FROM general_backend_user;
REVOKE INSERT, UPDATE ON match_candidates FROM general_backend_user;
REVOKE DELETE ON jobs FROM general_backend_user;

-- Whoever checks who somebody is does it as the system.
REVOKE ALL ON sessions FROM general_backend_user;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY owned ON users TO general_backend_user USING (id = (SELECT acting_user()));
GRANT SELECT (id, email, is_admin, is_active, is_verified, name, language, created_at, updated_at) ON users TO general_backend_user;
GRANT UPDATE (name, language, updated_at) ON users TO general_backend_user;

-- What belongs to nobody in particular and everybody needs to know.
GRANT SELECT ON embedding_spaces TO general_backend_user, general_backend_worker;

-- Workers see what the job is about. Of a user's vectors and of the results of
-- earlier matches they see all, because these are caches for all of the jobs.
SELECT narrow('projects', 'id = (SELECT job_project())', 'SELECT');
SELECT narrow('documents', 'id = ANY ((SELECT job_documents())::uuid[])
    OR (SELECT job_documents()) IS NULL AND project_id = (SELECT job_project())', 'SELECT, UPDATE');
SELECT narrow('document_parts', 'document_id = ANY ((SELECT job_documents())::uuid[])', 'SELECT, INSERT, DELETE');
SELECT narrow('document_pages', 'document_id = ANY ((SELECT job_documents())::uuid[])
    OR (SELECT job_documents()) IS NULL AND document_id IN (SELECT id FROM documents)', 'SELECT, INSERT, DELETE');
SELECT narrow('chunks', 'document_id = ANY ((SELECT job_documents())::uuid[])
    OR (SELECT job_documents()) IS NULL AND project_id = (SELECT job_project())', 'SELECT, INSERT, DELETE');
SELECT narrow('embeddings', 'true', 'SELECT, INSERT');
SELECT narrow('matches', 'id = (SELECT job_resource())', 'SELECT, UPDATE');
SELECT narrow('match_candidates', 'true', 'SELECT, INSERT, UPDATE, DELETE');
SELECT narrow('jobs', 'id = (SELECT acting_job())', 'SELECT, UPDATE');

-- The table that holds what a kind of job makes, in rows with a state (pending,
-- ready, failed) and an error. The row's failure follows the job's.
CREATE TABLE job_resources (
    kind  text PRIMARY KEY,
    made  regclass NOT NULL
);
INSERT INTO job_resources (kind, made) VALUES ('ingest', 'documents'), ('match', 'matches');

-- +goose StatementBegin
-- It writes what no user may, so it runs as the owner.
CREATE OR REPLACE FUNCTION jobs_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

    INSERT INTO job_events (job_id, user_id, seq, type, data) VALUES (NEW.id, NEW.user_id, NEW.event_seq,
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
        INSERT INTO job_attempts (job_id, user_id, fence, attempt, stage, worker, outcome, error_code, seconds)
        VALUES (NEW.id, NEW.user_id, OLD.fence, OLD.attempt, OLD.stage, coalesce(OLD.worker, ''),
            CASE WHEN NEW.stage <> OLD.stage THEN 'succeeded' WHEN NEW.state = 'queued' THEN 'retried' ELSE NEW.state END,
            NEW.error_code, extract(epoch FROM clock_timestamp() - OLD.attempt_started_at));
    END IF;

    IF moved AND NEW.state IN ('failed', 'cancelled') THEN
        SELECT r.made INTO made FROM job_resources r WHERE r.kind = NEW.kind;
        IF FOUND THEN
            EXECUTE format('UPDATE %s SET state = ''failed'', error_code = $2, error_detail = $3, error_hint = $4 '
                           'WHERE id = $1 AND user_id = $5 AND state = ''pending''', made)
            USING NEW.resource_id, coalesce(NEW.error_code, NEW.state),
                  coalesce(NEW.error_detail, 'The job was cancelled.'), NEW.error_hint, NEW.user_id;
        END IF;
    ELSIF moved AND TG_OP = 'UPDATE' AND OLD.state = 'failed' AND NEW.state = 'queued' THEN
        SELECT r.made INTO made FROM job_resources r WHERE r.kind = NEW.kind;
        IF FOUND THEN
            EXECUTE format('UPDATE %s SET state = ''pending'', error_code = NULL, error_detail = NULL, error_hint = NULL '
                           'WHERE id = $1 AND user_id = $2 AND state = ''failed''', made)
            USING NEW.resource_id, NEW.user_id;
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
DROP POLICY owned ON users;
ALTER TABLE users DISABLE ROW LEVEL SECURITY;
-- +goose StatementBegin
DO $$
DECLARE
    policy record;
BEGIN
    FOR policy IN SELECT polname, polrelid::regclass AS tab FROM pg_policy LOOP
        EXECUTE format('DROP POLICY %I ON %s', policy.polname, policy.tab);
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', policy.tab);
    END LOOP;
END $$;
-- +goose StatementEnd
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM general_backend_user, general_backend_worker;
REVOKE USAGE ON SCHEMA public FROM general_backend_user, general_backend_worker;
ALTER TABLE chunks DROP CONSTRAINT chunks_document_id_user_id_fkey,
    ADD FOREIGN KEY (document_id) REFERENCES documents ON DELETE CASCADE;
ALTER TABLE document_pages DROP COLUMN user_id, ADD FOREIGN KEY (document_id) REFERENCES documents ON DELETE CASCADE;
ALTER TABLE document_parts DROP COLUMN user_id, ADD FOREIGN KEY (document_id) REFERENCES documents ON DELETE CASCADE;
ALTER TABLE job_attempts DROP COLUMN user_id;
ALTER TABLE job_events DROP COLUMN user_id;
ALTER TABLE documents DROP CONSTRAINT documents_id_user_id_key;
DROP FUNCTION narrow, protect, job_scope, job_documents, job_project, job_resource, acting_job, acting_user;
