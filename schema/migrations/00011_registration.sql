-- +goose Up
-- waits_for says what an account still needs before anybody may log in: its
-- address verified, or an administrator's approval. pending_email is an address
-- that replaces the present one once it is verified.
ALTER TABLE users
    ADD COLUMN waits_for     text CHECK (waits_for IN ('verification', 'approval')),
    ADD COLUMN pending_email text CHECK (length(pending_email) BETWEEN 3 AND 320);
CREATE INDEX users_waiting ON users (created_at) WHERE waits_for = 'verification';

-- Links that were mailed. One row is one link; it works once. What the link
-- holds is derived from the id and the signing key, so no row here opens anything.
-- The link of a registration carries that registration's password: whoever
-- follows it gets what they asked for, however often others tried the address.
CREATE TABLE user_tokens (
    id          uuid PRIMARY KEY,
    user_id     uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    purpose     text        NOT NULL CHECK (purpose IN ('verify', 'reset')),
    email       text        NOT NULL, -- the address it was sent to, which it proves
    secret_hash bytea       NOT NULL,
    password_hash text,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_tokens_user ON user_tokens (user_id, purpose);
CREATE INDEX user_tokens_expiry ON user_tokens (expires_at);
SELECT protect('user_tokens');

-- Mail to be sent, worked off by the API processes. A row holds no text and no
-- link: both are made when it is sent, and the row goes with it. A mail to an
-- address that somebody typed has no user_id; whose it is turns out on sending,
-- so that asking takes the same time for every address.
CREATE TABLE mails (
    id         uuid PRIMARY KEY,
    kind       text        NOT NULL,
    user_id    uuid        REFERENCES users ON DELETE CASCADE,
    recipient  text        NOT NULL DEFAULT '',
    about      text        NOT NULL DEFAULT '',
    attempt    integer     NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mails_due ON mails (due_at);
CREATE INDEX mails_user ON mails (user_id);

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    name         text        NOT NULL,
    prefix       text        NOT NULL,
    secret_hash  bytea       NOT NULL UNIQUE,
    scopes       text[]      NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_keys_user ON api_keys (user_id, id DESC);
SELECT protect('api_keys');

-- When each key will be free again, counted for all processes together. Keys are
-- hashes of who tried what. Losing the table in a crash forgives everybody.
CREATE UNLOGGED TABLE throttles (
    key     bytea PRIMARY KEY,
    free_at timestamptz NOT NULL
);
CREATE INDEX throttles_free ON throttles (free_at);

-- Whoever activates or verifies an account that waited for it lets it in. An
-- approved one is told.
-- +goose StatementBegin
CREATE FUNCTION users_admit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.waits_for = 'verification' AND NEW.is_verified THEN
        NEW.waits_for := NULL;
    ELSIF OLD.waits_for = 'approval' AND NEW.is_active AND NOT OLD.is_active THEN
        NEW.waits_for := NULL;
        INSERT INTO mails (id, kind, user_id) VALUES (gen_random_uuid(), 'approved', NEW.id);
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- What an account did stays in the audit log, under its id alone.
-- +goose StatementBegin
CREATE FUNCTION users_forget() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE audit_log SET actor_email = '' WHERE actor_id = OLD.id AND actor_email <> '';
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER users_forget AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION users_forget();
CREATE TRIGGER users_admit BEFORE UPDATE OF is_active, is_verified ON users FOR EACH ROW EXECUTE FUNCTION users_admit();

-- +goose Down
DROP TRIGGER users_forget ON users;
DROP TRIGGER users_admit ON users;
DROP FUNCTION users_forget, users_admit;
DROP TABLE throttles, api_keys, mails, user_tokens;
ALTER TABLE users DROP COLUMN pending_email, DROP COLUMN waits_for;
