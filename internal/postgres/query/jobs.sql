-- name: InsertJob :one
INSERT INTO jobs (id, user_id, project_id, kind, stage, class, max_attempts, resource_id, args, trace, idempotency_key, request_hash)
VALUES (@id, @user_id, @project_id, @kind, @stage, @class, @max_attempts, @resource_id, @args, @trace, @idempotency_key, @request_hash)
RETURNING *;

-- name: JobByIdempotencyKey :one
SELECT * FROM jobs WHERE user_id = @user_id AND idempotency_key = @idempotency_key::text;

-- name: Job :one
SELECT * FROM jobs WHERE id = @id AND user_id = @user_id;

-- name: JobsByID :many
SELECT * FROM jobs WHERE user_id = @user_id AND id = ANY(@ids::uuid[]) ORDER BY id;

-- name: JobsOfUser :many
SELECT * FROM jobs
WHERE user_id = @user_id
  AND (sqlc.narg('before')::uuid IS NULL OR id < sqlc.narg('before'))
  AND (sqlc.narg('state')::text IS NULL OR state = sqlc.narg('state'))
  AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind'))
ORDER BY id DESC LIMIT @max_rows;

-- name: ActiveJobsOfUser :many
SELECT * FROM jobs
WHERE user_id = @user_id AND state IN ('queued', 'dispatched', 'running')
ORDER BY id DESC LIMIT @max_rows;

-- name: JobEvents :many
SELECT * FROM job_events WHERE job_id = @job_id AND seq > @after ORDER BY seq LIMIT @max_rows;

-- name: DueLanes :many
SELECT lane.stage::text AS stage, lane.class::text AS class
FROM (SELECT unnest(@stages::text[]) AS stage, unnest(@classes::text[]) AS class) AS lane
WHERE NOT EXISTS (SELECT 1 FROM stage_pauses p WHERE p.stage = lane.stage)
  AND EXISTS (SELECT 1 FROM jobs j
              WHERE j.state = 'queued' AND j.stage = lane.stage AND j.class = lane.class AND j.run_at <= now());

-- name: MarkDispatched :exec
-- A worker may have claimed a job already: only queued ones move. Locks are
-- taken in the order of ClaimJobs, which may be at the same rows.
UPDATE jobs SET state = 'dispatched', dispatched_at = clock_timestamp()
WHERE id IN (SELECT j.id FROM jobs j WHERE j.id = ANY(@ids::uuid[]) AND j.state = 'queued' ORDER BY j.id FOR UPDATE);

-- name: StaleDispatched :many
SELECT id, user_id, stage, class, trace FROM jobs
WHERE state = 'dispatched' AND dispatched_at < clock_timestamp() - make_interval(secs => @older_than_seconds::double precision)
ORDER BY dispatched_at LIMIT @max_rows;

-- name: TouchDispatched :exec
UPDATE jobs SET dispatched_at = clock_timestamp() WHERE id = ANY(@ids::uuid[]) AND state = 'dispatched';

-- name: ClaimJobs :many
-- Waits for MarkDispatched rather than skipping what it holds: the message is
-- often here before the mark is committed.
UPDATE jobs SET state = 'running', attempt = attempt + 1, fence = fence + 1, worker = @worker::text,
    lease_until = clock_timestamp() + make_interval(secs => @lease_seconds::double precision),
    attempt_started_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp()),
    progress_done = 0, progress_total = 0
WHERE id IN (SELECT j.id FROM jobs j
             WHERE j.id = ANY(@ids::uuid[]) AND j.stage = @stage AND j.state IN ('queued', 'dispatched') AND j.run_at <= clock_timestamp()
               AND NOT EXISTS (SELECT 1 FROM stage_pauses p WHERE p.stage = @stage)
             ORDER BY j.id FOR UPDATE)
RETURNING *;

-- name: UnclaimedStates :many
-- What became of jobs that could not be claimed; a job that is gone is absent.
SELECT id, state, stage, (run_at > clock_timestamp())::boolean AS later FROM jobs WHERE id = ANY(@ids::uuid[]);

-- name: RenewLeases :many
-- Returns the leases that still hold; the others are lost.
UPDATE jobs SET lease_until = clock_timestamp() + make_interval(secs => @lease_seconds::double precision)
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@fences::bigint[]) AS fence) AS held
WHERE jobs.id = held.id AND jobs.fence = held.fence AND jobs.state = 'running'
RETURNING jobs.id, jobs.fence, (jobs.cancel_requested_at IS NOT NULL)::boolean AS cancelled;

-- name: SetProgress :exec
UPDATE jobs SET progress_done = @done, progress_total = @total, progress_unit = @unit
WHERE id = @id AND fence = @fence AND state = 'running';

-- name: HoldLease :one
-- The guard of every effect: locks the job and proves that the attempt owns it.
SELECT id, user_id, project_id, resource_id FROM jobs
WHERE id = @id AND fence = @fence AND state = 'running' AND cancel_requested_at IS NULL
FOR UPDATE;

-- name: AdvanceJob :exec
UPDATE jobs SET stage = @stage, state = 'queued', run_at = now(), attempt = 0, lost = 0,
    error_code = NULL, error_detail = NULL, error_hint = NULL
WHERE id = @id;

-- name: FinishJob :exec
UPDATE jobs SET state = 'succeeded', finished_at = clock_timestamp(),
    progress_done = progress_total, error_code = NULL, error_detail = NULL, error_hint = NULL
WHERE id = @id;

-- name: RetryAttempt :execrows
-- Ends an attempt that may be tried again. A free attempt costs the job nothing.
UPDATE jobs SET state = 'queued', attempt = attempt - CASE WHEN @free::boolean THEN 1 ELSE 0 END,
    run_at = clock_timestamp() + make_interval(secs => @delay_seconds::double precision),
    error_code = sqlc.narg('code'), error_detail = sqlc.narg('detail'), error_hint = sqlc.narg('hint')
WHERE id = @id AND fence = @fence AND state = 'running' AND cancel_requested_at IS NULL;

-- name: FailJob :execrows
UPDATE jobs SET state = 'failed', finished_at = clock_timestamp(),
    error_code = @code::text, error_detail = @detail::text, error_hint = sqlc.narg('hint')
WHERE id = @id AND fence = @fence AND state = 'running' AND cancel_requested_at IS NULL;

-- name: CancelAttempt :execrows
UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp()
WHERE id = @id AND fence = @fence AND state = 'running' AND cancel_requested_at IS NOT NULL;

-- name: RequestCancel :one
-- A job that does not run is terminal at once; a running one is asked to stop.
UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
    state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'running' THEN finished_at ELSE clock_timestamp() END
WHERE id = @id AND user_id = @user_id AND state IN ('queued', 'dispatched', 'running')
RETURNING *;

-- name: CancelJobsOfResource :many
UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
    state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'running' THEN finished_at ELSE clock_timestamp() END
WHERE resource_id = @resource_id AND user_id = @user_id AND state IN ('queued', 'dispatched', 'running')
RETURNING *;

-- name: RetryFailedJob :one
UPDATE jobs SET state = 'queued', run_at = now(), attempt = 0, lost = 0, finished_at = NULL, discarded_at = NULL,
    cancel_requested_at = NULL, error_code = NULL, error_detail = NULL, error_hint = NULL
WHERE id = @id AND user_id = @user_id AND state = 'failed'
RETURNING *;

-- name: ReapExpired :many
-- Attempts whose worker fell silent. Asked to stop: cancelled. Lost too often:
-- failed. Else queued again.
UPDATE jobs SET lost = lost + 1,
    state = CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
                 WHEN lost + 1 >= @max_lost::integer THEN 'failed'
                 ELSE 'queued' END,
    run_at = clock_timestamp(),
    finished_at = CASE WHEN cancel_requested_at IS NOT NULL OR lost + 1 >= @max_lost THEN clock_timestamp() END,
    error_code = CASE WHEN cancel_requested_at IS NULL THEN 'worker_lost' END,
    error_detail = CASE WHEN cancel_requested_at IS NULL THEN 'The worker died while it did this job.' END,
    error_hint = CASE WHEN cancel_requested_at IS NULL AND lost + 1 >= @max_lost
                      THEN 'The document may be what kills it. Retry once the cause is known.' END
WHERE id IN (SELECT j.id FROM jobs j WHERE j.state = 'running' AND j.lease_until < clock_timestamp()
             ORDER BY j.id LIMIT 1000 FOR UPDATE SKIP LOCKED)
RETURNING id, user_id, state;

-- name: QueuePosition :one
-- How many jobs of the same stage and class would run before this one, if users
-- took turns: the own earlier jobs, and as many of each other user.
SELECT (SELECT count(*) FROM jobs o
        WHERE o.stage = j.stage AND o.class = j.class AND o.state IN ('queued', 'dispatched')
          AND o.user_id = j.user_id AND (o.run_at, o.id) < (j.run_at, j.id))::bigint AS own,
       (SELECT coalesce(sum(least(n, 1 + (SELECT count(*) FROM jobs m
                WHERE m.stage = j.stage AND m.class = j.class AND m.state IN ('queued', 'dispatched')
                  AND m.user_id = j.user_id AND (m.run_at, m.id) < (j.run_at, j.id)))), 0)
        FROM (SELECT count(*) AS n FROM jobs o
              WHERE o.stage = j.stage AND o.class = j.class AND o.state IN ('queued', 'dispatched') AND o.user_id <> j.user_id
              GROUP BY o.user_id) others)::bigint AS others
FROM jobs j WHERE j.id = @id;

-- name: StageSeconds :many
-- Mean seconds of the last hundred successful attempts of each stage.
SELECT s.stage::text AS stage, coalesce(avg(a.seconds), 0)::double precision AS seconds
FROM unnest(@stages::text[]) AS s (stage)
LEFT JOIN LATERAL (
    SELECT seconds FROM job_attempts
    WHERE job_attempts.stage = s.stage AND outcome = 'succeeded'
    ORDER BY finished_at DESC LIMIT 100
) a ON true
GROUP BY s.stage;

-- name: QueueDepths :many
SELECT stage, class, state, count(*) AS jobs,
       coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision AS oldest_seconds
FROM jobs WHERE state IN ('queued', 'dispatched', 'running')
GROUP BY stage, class, state;

-- name: BeatWorker :one
-- Returns whether a stage of the worker is paused.
INSERT INTO workers (id, stages, slots, running, version) VALUES (@id, @stages, @slots, @running, @version)
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), running = EXCLUDED.running, slots = EXCLUDED.slots
RETURNING EXISTS (SELECT 1 FROM stage_pauses p WHERE p.stage = ANY(workers.stages))::boolean AS paused;

-- name: RemoveWorker :exec
DELETE FROM workers WHERE id = @id;

-- name: RemoveSilentWorkers :exec
DELETE FROM workers WHERE seen_at < clock_timestamp() - interval '10 minutes';

-- name: StageSlots :many
SELECT s.stage::text AS stage, sum(w.slots)::bigint AS slots
FROM workers w, unnest(w.stages) AS s (stage)
WHERE w.seen_at > clock_timestamp() - interval '30 seconds'
GROUP BY s.stage;
