-- name: LLMConfig :one
SELECT version, config FROM llm_config;

-- name: InsertLLMConfig :execrows
INSERT INTO llm_config (version, config) VALUES (1, @config) ON CONFLICT DO NOTHING;

-- name: UpdateLLMConfig :execrows
UPDATE llm_config SET version = version + 1, config = @config, updated_at = now() WHERE version = @version;

-- name: InsertLLMUsage :exec
INSERT INTO llm_usage (user_id, project_id, job_id, purpose, provider, model, prompt_tokens, completion_tokens, cost, estimated)
VALUES (@user_id, @project_id, @job_id, @purpose, @provider, @model, @prompt_tokens, @completion_tokens, @cost, @estimated);

-- name: AddToLLMMonth :exec
INSERT INTO llm_months (user_id, month, tokens, cost)
VALUES (@user_id, date_trunc('month', now() AT TIME ZONE 'UTC')::date, @tokens, @cost)
ON CONFLICT (user_id, month) DO UPDATE SET tokens = llm_months.tokens + excluded.tokens, cost = llm_months.cost + excluded.cost;

-- name: LLMPolicy :one
SELECT u.local_only AS ordered_local, (u.local_only OR u.chose_local)::boolean AS user_local_only, coalesce(p.local_only, false)::boolean AS project_local_only,
    l.monthly_tokens, l.monthly_cost, l.requests_per_minute,
    coalesce(m.tokens, 0)::bigint AS used_tokens, coalesce(m.cost, 0)::bigint AS used_cost
FROM users u
LEFT JOIN projects p ON p.id = sqlc.narg('project_id')::uuid AND p.user_id = u.id
LEFT JOIN llm_limits l ON l.user_id = u.id
LEFT JOIN llm_months m ON m.user_id = u.id AND m.month = date_trunc('month', now() AT TIME ZONE 'UTC')::date
WHERE u.id = @user_id;

-- name: CountLLMRequest :execrows
INSERT INTO llm_rates AS r (user_id, started_at, requests) VALUES (@user_id, now(), 1)
ON CONFLICT (user_id) DO UPDATE SET
    started_at = CASE WHEN r.started_at <= now() - interval '1 minute' THEN now() ELSE r.started_at END,
    requests = CASE WHEN r.started_at <= now() - interval '1 minute' THEN 1 ELSE r.requests + 1 END
WHERE r.started_at <= now() - interval '1 minute' OR r.requests < @max_requests::integer;

-- name: LLMRateLeft :one
SELECT extract(epoch FROM started_at + interval '1 minute' - now())::double precision AS seconds
FROM llm_rates WHERE user_id = @user_id;

-- name: PutLLMLimits :exec
INSERT INTO llm_limits (user_id, monthly_tokens, monthly_cost, requests_per_minute)
VALUES (@user_id, @monthly_tokens, @monthly_cost, @requests_per_minute)
ON CONFLICT (user_id) DO UPDATE SET monthly_tokens = excluded.monthly_tokens,
    monthly_cost = excluded.monthly_cost, requests_per_minute = excluded.requests_per_minute;

-- name: LLMUsageByDay :many
SELECT (created_at AT TIME ZONE 'UTC')::date AS day, provider, model, sum(calls)::bigint AS calls,
    sum(prompt_tokens)::bigint AS prompt_tokens, sum(completion_tokens)::bigint AS completion_tokens, sum(cost)::bigint AS cost
FROM llm_usage
WHERE created_at >= @since AND created_at < @until AND (sqlc.narg('user_id')::uuid IS NULL OR user_id = sqlc.narg('user_id'))
GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3;

-- name: OldestLLMCall :one
SELECT created_at FROM llm_usage WHERE NOT daily AND created_at < @until ORDER BY created_at LIMIT 1;

-- name: LockLLMSums :exec
SELECT pg_advisory_xact_lock(hashtext('add up llm_usage'));

-- name: AddUpLLMUsage :exec
WITH old AS (
    DELETE FROM llm_usage u WHERE NOT u.daily AND u.created_at >= @since AND u.created_at < @until
    RETURNING u.user_id, u.project_id, u.purpose, u.provider, u.model, u.prompt_tokens, u.completion_tokens, u.cost, u.estimated, u.calls, u.created_at
)
INSERT INTO llm_usage (user_id, project_id, purpose, provider, model, prompt_tokens, completion_tokens, cost, estimated, calls, daily, created_at)
SELECT o.user_id, o.project_id, o.purpose, o.provider, o.model,
    sum(o.prompt_tokens), sum(o.completion_tokens), sum(o.cost), bool_or(o.estimated), sum(o.calls), true, min(o.created_at)
FROM old o GROUP BY o.user_id, o.project_id, o.purpose, o.provider, o.model;

-- name: SetUserLocalOnly :execrows
UPDATE users SET local_only = @local_only, updated_at = now() WHERE id = @id;
