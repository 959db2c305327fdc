-- name: PauseStage :exec
-- Pausing again changes nothing: who paused first is kept.
INSERT INTO stage_pauses (stage, reason, paused_by, paused_by_email)
VALUES (@stage, @reason, @paused_by, @paused_by_email)
ON CONFLICT (stage) DO NOTHING;

-- name: ResumeStage :exec
DELETE FROM stage_pauses WHERE stage = @stage;

-- name: StagePauses :many
SELECT * FROM stage_pauses;

-- name: StagePaused :one
SELECT EXISTS (SELECT 1 FROM stage_pauses WHERE stage = @stage)::boolean AS paused;
