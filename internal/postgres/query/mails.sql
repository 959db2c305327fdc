-- name: InsertMail :exec
INSERT INTO mails (id, kind, user_id, recipient, about) VALUES (@id, @kind, @user_id, @recipient, @about);

-- name: InsertMailToAdmins :exec
INSERT INTO mails (id, kind, user_id, about)
SELECT gen_random_uuid(), @kind::text, id, @about::text FROM users WHERE is_admin AND is_active;

-- name: ClaimMail :one
-- The mail that is due longest. It is due again after a while, so that one whose
-- sender died is sent by another.
UPDATE mails SET attempt = attempt + 1, due_at = now() + make_interval(secs => @hold_seconds::float8)
WHERE id = (SELECT m.id FROM mails m WHERE m.due_at <= now() ORDER BY m.due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *;

-- name: PostponeMail :exec
UPDATE mails SET due_at = now() + make_interval(secs => @wait_seconds::float8) WHERE id = @id;

-- name: DeleteMail :exec
DELETE FROM mails WHERE id = @id;
