-- name: PauseStage :exec
-- Pausing again changes nothing: who paused first is kept.
INSERT INTO stage_pauses (stage, reason, paused_by) VALUES (@stage, @reason, @paused_by)
ON CONFLICT (stage) DO NOTHING;

-- name: ResumeStage :exec
DELETE FROM stage_pauses WHERE stage = @stage;

-- name: StagePauses :many
SELECT stage, reason, paused_by, paused_at, coalesce(users.email, '')::text AS email
FROM stage_pauses LEFT JOIN users ON users.id = paused_by;

-- name: StagePaused :one
SELECT EXISTS (SELECT 1 FROM stage_pauses WHERE stage = @stage)::boolean AS paused;
