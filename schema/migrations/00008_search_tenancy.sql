-- +goose Up
-- Row-level security keeps an index from serving an operator that might leak,
-- as those of full text and of vectors, before the policy was asked. So what
-- needs these indexes runs as the owner of the tables, for one user, and returns
-- no more than ids; what they stand for is read under the caller's own rights.
-- +goose StatementBegin
-- Whether the caller may ask for the rows of an owner: only its own, unless it
-- is the system.
CREATE FUNCTION insist_on(owner uuid) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (current_setting('role') = 'none' OR owner = acting_user()) IS NOT TRUE THEN
        RAISE EXCEPTION 'rows of another user' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- The chunks of one owner that each of the probes finds, at most probe_cap each.
-- The statement is put together here so that it is planned for these very
-- probes: the best plan depends on how much the owner has.
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

CREATE OR REPLACE FUNCTION nearest_chunks(
    space bigint, owner uuid, projects uuid[], documents uuid[],
    query halfvec, farthest double precision, wanted integer, approximate boolean
) RETURNS TABLE (chunk_id bigint, distance double precision)
LANGUAGE plpgsql ROWS 50 SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    distance_of text := '(embedding <=> $4) + 0'; -- an expression no index serves
    conditions  text := format('space_id = %s AND user_id = $1', space);
BEGIN
    PERFORM insist_on(owner);
    IF query IS NULL THEN
        RETURN;
    END IF;
    IF projects IS NOT NULL THEN
        conditions := conditions || ' AND project_id = ANY ($2)';
    END IF;
    IF documents IS NOT NULL THEN
        conditions := conditions || ' AND chunk_id IN (SELECT id FROM chunks WHERE document_id = ANY ($3))';
    ELSIF approximate THEN
        distance_of := format('embedding::halfvec(%1$s) <=> $4::halfvec(%1$s)', vector_dims(query));
        PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true),
                set_config('hnsw.ef_search', '1000', true);
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT n.chunk_id, n.distance FROM (
             SELECT chunk_id, %1$s AS distance FROM embeddings WHERE %2$s ORDER BY %1$s LIMIT $6
         ) n WHERE n.distance <= $5', distance_of, conditions)
    USING owner, projects, documents, query, farthest, wanted;
END $$;

-- The vectors that texts of one owner have already, whichever document they are
-- in. A worker learns no more from it than vectors of texts it holds itself.
CREATE FUNCTION cached_vectors(space bigint, owner uuid, hashes bytea[])
RETURNS TABLE (content_hash bytea, embedding halfvec)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM insist_on(owner);
    RETURN QUERY
        SELECT DISTINCT ON (c.content_hash) c.content_hash, e.embedding
        FROM chunks c JOIN embeddings e ON e.chunk_id = c.id AND e.space_id = space
        WHERE c.user_id = owner AND c.content_hash = ANY (hashes);
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION cached_vectors, probe_chunks;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION nearest_chunks(
    space bigint, owner uuid, projects uuid[], documents uuid[],
    query halfvec, farthest double precision, wanted integer, approximate boolean
) RETURNS TABLE (chunk_id bigint, distance double precision)
LANGUAGE plpgsql ROWS 50 AS $$
DECLARE
    distance_of text := '(embedding <=> $4) + 0';
    conditions  text := format('space_id = %s AND user_id = $1', space);
BEGIN
    IF query IS NULL THEN
        RETURN;
    END IF;
    IF projects IS NOT NULL THEN
        conditions := conditions || ' AND project_id = ANY ($2)';
    END IF;
    IF documents IS NOT NULL THEN
        conditions := conditions || ' AND chunk_id IN (SELECT id FROM chunks WHERE document_id = ANY ($3))';
    ELSIF approximate THEN
        distance_of := format('embedding::halfvec(%1$s) <=> $4::halfvec(%1$s)', vector_dims(query));
        PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true),
                set_config('hnsw.ef_search', '1000', true);
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT n.chunk_id, n.distance FROM (
             SELECT chunk_id, %1$s AS distance FROM embeddings WHERE %2$s ORDER BY %1$s LIMIT $6
         ) n WHERE n.distance <= $5', distance_of, conditions)
    USING owner, projects, documents, query, farthest, wanted;
END $$;
-- +goose StatementEnd
DROP FUNCTION insist_on;
