-- name: Throttle :one
-- Seconds until the key is wholly free; none when it is.
SELECT extract(epoch FROM free_at - now())::float8 AS seconds FROM throttles WHERE key = @key AND free_at > now();

-- name: ChargeThrottle :one
-- The generic cell rate algorithm: each attempt moves the moment at which the key
-- is wholly free again, at most to the latest.
INSERT INTO throttles AS t (key, free_at) VALUES (@key, now() + make_interval(secs => @every_seconds::float8))
ON CONFLICT (key) DO UPDATE SET free_at = least(
    greatest(t.free_at, now()) + make_interval(secs => @every_seconds::float8),
    now() + make_interval(secs => @latest_seconds::float8))
RETURNING extract(epoch FROM free_at - now())::float8 AS seconds;

-- name: TakeThrottle :execrows
INSERT INTO throttles AS t (key, free_at) VALUES (@key, now() + make_interval(secs => @every_seconds::float8))
ON CONFLICT (key) DO UPDATE SET free_at = greatest(t.free_at, now()) + make_interval(secs => @every_seconds::float8)
WHERE greatest(t.free_at, now()) + make_interval(secs => @every_seconds::float8) <= now() + make_interval(secs => @most_seconds::float8);

-- name: ForgetThrottle :exec
DELETE FROM throttles WHERE key = @key;

-- name: DeleteFreeThrottles :execrows
DELETE FROM throttles WHERE free_at < now();
