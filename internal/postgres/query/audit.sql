-- name: InsertAuditEntry :exec
INSERT INTO audit_log (id, actor_id, actor_email, action, target, details, request_id)
VALUES (@id, @actor_id, @actor_email, @action, @target, @details, @request_id);
