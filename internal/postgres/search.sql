-- Hybrid search of one owner's chunks in one space, the active one where none is
-- named, in one statement. Keyword candidates are
-- scored by BM25, with document frequencies counted among the candidates. Each
-- term brings its own candidates, and so do all terms together, so that neither
-- a rare term nor a rare combination is lost behind common words. Both rankings
-- are fused by their reciprocal ranks. OFFSET 0 makes rows be fetched by their
-- keys: the policies of row-level security name the owner, and the planner would
-- rather read all that the owner has. fused is materialized because a key that is
-- computed would be one that might leak.
WITH space AS MATERIALIZED (
    SELECT coalesce(nullif(@space_id::bigint, 0), (SELECT id FROM embedding_spaces WHERE state = 'active')) AS id
), corpus AS MATERIALIZED (
    SELECT count(*) AS chunks FROM (
        SELECT e.chunk_id FROM embeddings e
        WHERE e.space_id = (SELECT id FROM space) AND e.user_id = @user_id
          AND (@project_ids::uuid[] IS NULL OR e.project_id = ANY (@project_ids::uuid[]))
          AND @document_ids::uuid[] IS NULL
        LIMIT @exact_below::integer) s
), terms AS MATERIALIZED (
    SELECT l.config, t.lexeme, lexeme_query(t.lexeme) AS query
    FROM (SELECT DISTINCT text_config(d.language) AS config
          FROM (SELECT DISTINCT language FROM documents
                WHERE user_id = @user_id AND (@document_ids::uuid[] IS NULL OR id = ANY (@document_ids::uuid[]))) d) l
    CROSS JOIN LATERAL (
        SELECT u.lexeme FROM unnest(tsvector_to_array(to_tsvector(l.config, @query::text))) AS u (lexeme)
        ORDER BY length(u.lexeme) DESC, u.lexeme LIMIT 32) t
), hits AS MATERIALIZED (
    SELECT h.id, count(*) OVER (PARTITION BY h.probe) AS frequency
    FROM probe_chunks((SELECT id FROM space), @user_id, @project_ids::uuid[], @document_ids::uuid[], ARRAY(
        SELECT query FROM terms UNION SELECT string_agg(query::text, ' & ')::tsquery FROM terms GROUP BY config
    ), @probe_cap::integer) AS h (probe, id)
), candidates AS MATERIALIZED (
    SELECT h.id, text_config(c.language) AS config, c.tsv, length(c.tsv) AS lexemes
    FROM (SELECT id FROM hits GROUP BY id ORDER BY sum(1::float8 / frequency) DESC, id LIMIT @candidate_cap::integer) h
    CROSS JOIN LATERAL (SELECT language, tsv FROM chunks WHERE chunks.id = h.id OFFSET 0) c
), occurrences AS MATERIALIZED (
    SELECT c.id, c.lexemes, t.lexeme, term_frequency(c.tsv, t.query) AS frequency
    FROM candidates c JOIN terms t ON t.config = c.config AND c.tsv @@ t.query
), rarity AS MATERIALIZED (
    SELECT lexeme, count(*) AS chunks FROM occurrences GROUP BY lexeme
), totals AS MATERIALIZED (
    SELECT greatest(count(*), (SELECT chunks FROM corpus))::float8 AS chunks,
           avg(lexemes)::float8 AS lexemes FROM candidates
), keyword AS (
    SELECT o.id, row_number() OVER (ORDER BY o.score DESC, o.id) AS rank FROM (
        SELECT o.id, sum(ln(1 + (t.chunks - r.chunks + 0.5) / (r.chunks + 0.5))
                     * o.frequency * 2.2 / (o.frequency + 1.2 * (0.25 + 0.75 * o.lexemes / t.lexemes))) AS score
        FROM occurrences o JOIN rarity r ON r.lexeme = o.lexeme CROSS JOIN totals t
        GROUP BY o.id) o
    ORDER BY rank LIMIT @depth::integer
), vector AS (
    SELECT n.id, n.distance, row_number() OVER (ORDER BY n.distance, n.id) AS rank
    FROM corpus, nearest_chunks((SELECT id FROM space), @user_id, @project_ids::uuid[], @document_ids::uuid[],
        @embedding::halfvec, @max_distance::float8, @depth::integer, NOT @exact::boolean AND corpus.chunks >= @exact_below::integer) AS n (id, distance)
), fused AS MATERIALIZED (
    SELECT coalesce(k.id, v.id) AS id, coalesce(k.rank, 0) AS keyword_rank, coalesce(v.rank, 0) AS vector_rank,
           coalesce(v.distance, 0) AS distance,
           coalesce(1::float8 / (60 + k.rank), 0) + coalesce(@vector_weight::float8 / (60 + v.rank), 0) AS score
    FROM keyword k FULL JOIN vector v ON v.id = k.id
)
SELECT f.id, c.document_id, d.filename, d.title, c.page_from, c.page_to, c.char_from, c.char_to, c.content,
       f.score, f.vector_rank, f.keyword_rank, f.distance
FROM fused f
CROSS JOIN LATERAL (SELECT * FROM chunks WHERE chunks.id = f.id OFFSET 0) c
CROSS JOIN LATERAL (SELECT filename, title FROM documents WHERE documents.id = c.document_id OFFSET 0) d
ORDER BY f.score DESC, f.id
LIMIT @passages::integer
