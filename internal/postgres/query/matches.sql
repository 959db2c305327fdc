-- name: InsertMatch :one
INSERT INTO matches (id, user_id, project_id, batch_id, employer_doc_ids, applicant_doc_ids, combine,
    llm_type, model, language, masked, fresh, stability)
VALUES (@id, @user_id, @project_id, @batch_id, @employer_doc_ids, @applicant_doc_ids, @combine,
    @llm_type, @model, @language, @masked, @fresh, @stability)
RETURNING *;

-- name: Match :one
SELECT * FROM matches WHERE id = @id AND user_id = @user_id;

-- name: MatchForWork :one
SELECT * FROM matches WHERE id = @id;

-- name: MatchesOfUser :many
SELECT * FROM matches
WHERE user_id = @user_id
  AND (sqlc.narg('project_id')::uuid IS NULL OR project_id = sqlc.narg('project_id'))
  AND (sqlc.narg('before')::uuid IS NULL OR id < sqlc.narg('before'))
ORDER BY id DESC LIMIT @max_rows;

-- name: CandidatesOfMatch :many
SELECT * FROM match_candidates WHERE match_id = @match_id ORDER BY rank;

-- name: CandidateByKey :one
-- The newest, of one match alone where that is wanted.
SELECT result FROM match_candidates
WHERE user_id = @user_id AND cache_key = @cache_key AND cache_key <> ''
  AND (sqlc.narg('match_id')::uuid IS NULL OR match_id = sqlc.narg('match_id'))
ORDER BY match_id DESC LIMIT 1;

-- name: KeepCandidate :exec
-- What a match under way has already judged; ranks are not yet final.
INSERT INTO match_candidates (match_id, rank, user_id, document_ids, score, cache_key, result)
VALUES (@match_id, @rank, @user_id, @document_ids, @score, @cache_key, @result)
ON CONFLICT (match_id, rank) DO UPDATE SET document_ids = EXCLUDED.document_ids, score = EXCLUDED.score,
    cache_key = EXCLUDED.cache_key, result = EXCLUDED.result;

-- name: DeleteCandidates :exec
DELETE FROM match_candidates WHERE match_id = @match_id;

-- name: InsertCandidate :exec
INSERT INTO match_candidates (match_id, rank, user_id, document_ids, score, cache_key, result)
VALUES (@match_id, @rank, @user_id, @document_ids, @score, @cache_key, @result);

-- name: FinishMatch :exec
UPDATE matches SET state = 'ready', llm_type = @llm_type, model = @model, language = @language, match_score = @match_score, result = @result,
    finished_at = now(), error_code = NULL, error_detail = NULL, error_hint = NULL
WHERE id = @id;

-- name: DeleteMatch :execrows
DELETE FROM matches WHERE id = @id AND user_id = @user_id;

-- name: DeleteMatchesOfDocument :many
-- What quotes a deleted document goes with it: matches against it as a posting,
-- and matches whose only candidate it was.
DELETE FROM matches m
WHERE m.user_id = @user_id AND (@document_id::uuid = ANY(m.employer_doc_ids)
   OR @document_id::uuid = ANY(m.applicant_doc_ids) AND (m.combine OR cardinality(m.applicant_doc_ids) = 1))
RETURNING m.id;

-- name: DeleteCandidatesOfDocument :exec
DELETE FROM match_candidates WHERE user_id = @user_id AND document_ids @> ARRAY[@document_id::uuid];

-- name: RemoveApplicant :exec
UPDATE matches SET applicant_doc_ids = array_remove(applicant_doc_ids, @document_id::uuid)
WHERE user_id = @user_id AND applicant_doc_ids @> ARRAY[@document_id::uuid];
