-- +goose Up
-- A text is cut as its embedding space demands, so a chunk belongs to one space,
-- and search keeps to the chunks of the active one.
ALTER TABLE chunks ADD COLUMN space_id bigint REFERENCES embedding_spaces ON DELETE CASCADE;
UPDATE chunks c SET space_id = coalesce(
    (SELECT e.space_id FROM embeddings e WHERE e.chunk_id = c.id LIMIT 1),
    (SELECT id FROM embedding_spaces WHERE state = 'active'));
ALTER TABLE chunks ALTER COLUMN space_id SET NOT NULL,
    DROP CONSTRAINT chunks_document_id_ordinal_key, ADD UNIQUE (document_id, space_id, ordinal);

-- One embedding of all documents, or of some, into another space. What it has
-- done is what is in the space; how it stands is how its job stands.
CREATE TABLE reembeddings (
    id          uuid PRIMARY KEY,
    space_id    bigint           NOT NULL REFERENCES embedding_spaces ON DELETE CASCADE,
    former_id   bigint           REFERENCES embedding_spaces ON DELETE SET NULL,
    of_user     uuid,
    of_project  uuid,
    of_document uuid,
    per_minute  integer          NOT NULL DEFAULT 0 CHECK (per_minute >= 0),
    state       text             NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finished', 'cancelled')),
    activated   boolean          NOT NULL DEFAULT false,
    recall      double precision,
    job_id      uuid             REFERENCES jobs ON DELETE SET NULL,
    created_at  timestamptz      NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE UNIQUE INDEX reembeddings_open ON reembeddings ((true)) WHERE state = 'open';

-- +goose StatementBegin
-- Keeps a space active until the end of the transaction; false when it is not.
-- Whoever stores chunks asks, so that none are added to a space that was left.
CREATE FUNCTION hold_active_space(space bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM embedding_spaces WHERE id = space AND state = 'active' FOR SHARE;
    RETURN FOUND;
END $$;

DROP FUNCTION probe_chunks;
-- The chunks of one owner in a space that each of the probes finds, at most
-- probe_cap each. The statement is put together here so that it is planned for
-- these very probes: the best plan depends on how much the owner has.
CREATE FUNCTION probe_chunks(space bigint, owner uuid, projects uuid[], documents uuid[], probes tsquery[], probe_cap integer)
RETURNS TABLE (probe tsquery, chunk_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM insist_on(owner);
    RETURN QUERY EXECUTE 'SELECT p.query, h.id FROM unnest($4) AS p (query) CROSS JOIN LATERAL (
        SELECT c.id FROM chunks c WHERE c.user_id = $1 AND c.space_id = $6 AND c.tsv @@ p.query'
        || CASE WHEN projects IS NULL THEN '' ELSE ' AND c.project_id = ANY ($2)' END
        || CASE WHEN documents IS NULL THEN '' ELSE ' AND c.document_id = ANY ($3)' END
        || ' LIMIT $5) h'
    USING owner, projects, documents, probes, probe_cap, space;
END $$;
-- +goose StatementEnd

-- +goose Down
-- Only the active space has chunks in the older schema.
DELETE FROM chunks WHERE space_id <> ALL (SELECT id FROM embedding_spaces WHERE state = 'active');
DROP FUNCTION probe_chunks, hold_active_space;
DROP TABLE reembeddings;
ALTER TABLE chunks DROP COLUMN space_id, ADD UNIQUE (document_id, ordinal);
-- +goose StatementBegin
CREATE FUNCTION probe_chunks(owner uuid, projects uuid[], documents uuid[], probes tsquery[], probe_cap integer)
RETURNS TABLE (probe tsquery, chunk_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM insist_on(owner);
    RETURN QUERY EXECUTE 'SELECT p.query, h.id FROM unnest($4) AS p (query) CROSS JOIN LATERAL (
        SELECT c.id FROM chunks c WHERE c.user_id = $1 AND c.tsv @@ p.query'
        || CASE WHEN projects IS NULL THEN '' ELSE ' AND c.project_id = ANY ($2)' END
        || CASE WHEN documents IS NULL THEN '' ELSE ' AND c.document_id = ANY ($3)' END
        || ' LIMIT $5) h'
    USING owner, projects, documents, probes, probe_cap;
END $$;
-- +goose StatementEnd
