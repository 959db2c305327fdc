-- +goose Up
-- +goose StatementBegin
-- The chunks nearest to a query among those of one owner: exact, or by the
-- space's approximate index. The statement is put together here because the
-- index names the space and its dimensions, which no parameter can.
CREATE FUNCTION nearest_chunks(
    space bigint, owner uuid, projects uuid[], documents uuid[],
    query halfvec, farthest double precision, wanted integer, approximate boolean
) RETURNS TABLE (chunk_id bigint, distance double precision)
LANGUAGE plpgsql ROWS 50 AS $$
DECLARE
    distance_of text := '(embedding <=> $4) + 0'; -- an expression no index serves
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

-- How often a term occurs in a text. ts_rank with equal weights is the sum of
-- 1/i² over the occurrences i, divided by its limit; the rest to the limit is
-- nearly 1/(n + 1/2), which gives n back exactly when rounded.
CREATE FUNCTION term_frequency(tsv tsvector, term tsquery) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT round(1 / (1.64493406685 - 1.64493406685 * least(ts_rank('{1,1,1,1}', tsv, term), 0.999)::float8) - 0.5)
$$;

-- The query that finds one lexeme, whatever characters it holds.
CREATE FUNCTION lexeme_query(lexeme text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION nearest_chunks, term_frequency, lexeme_query;
