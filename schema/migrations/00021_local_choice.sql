-- +goose Up
-- local_only is an administrator's order; what users choose for themselves is
-- apart, so that neither lifts the other.
ALTER TABLE users ADD COLUMN chose_local boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE users DROP COLUMN chose_local;
