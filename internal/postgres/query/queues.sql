-- name: DeadLetters :many
SELECT stage, count(*) AS jobs FROM jobs WHERE state = 'failed' AND discarded_at IS NULL GROUP BY stage;

-- name: StageRates :many
-- Successful attempts of each stage that ended within the last seconds.
SELECT stage, count(*) AS attempts FROM job_attempts
WHERE outcome = 'succeeded' AND stage = ANY(@stages::text[])
  AND finished_at > now() - make_interval(secs => @within_seconds::double precision)
GROUP BY stage;

-- name: Backlogs :many
-- One row for each user in each lane; the index jobs_due holds all that is read.
SELECT stage, class, user_id,
       count(*) FILTER (WHERE run_at <= now()) AS ready,
       count(*) FILTER (WHERE run_at > now()) AS delayed,
       greatest(extract(epoch FROM now() - min(run_at)), 0)::double precision AS oldest_seconds
FROM jobs WHERE state = 'queued'
GROUP BY stage, class, user_id;

-- name: Outstanding :many
SELECT stage, class, user_id,
       count(*) FILTER (WHERE state = 'dispatched') AS dispatched,
       count(*) FILTER (WHERE state = 'running') AS running,
       greatest(extract(epoch FROM now() - min(run_at) FILTER (WHERE state = 'dispatched')), 0)::double precision AS oldest_seconds
FROM jobs WHERE state IN ('dispatched', 'running')
GROUP BY stage, class, user_id;

-- name: Emails :many
SELECT id, email FROM users WHERE id = ANY(@ids::uuid[]);

-- name: Workers :many
SELECT id, stages, slots, running, version, started_at, seen_at,
       (seen_at > clock_timestamp() - interval '30 seconds')::boolean AS alive
FROM workers ORDER BY id;

-- name: Attempts :many
SELECT attempt, stage, worker, outcome, error_code, seconds, finished_at FROM job_attempts
WHERE job_id = @job_id ORDER BY fence LIMIT @max_rows;
