-- +goose Up
CREATE TABLE stories (
    id         uuid PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    project_id uuid,
    title      text        NOT NULL CHECK (length(title) BETWEEN 1 AND 255),
    subject    text        NOT NULL DEFAULT '',
    born_on    date,
    language   text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, user_id),
    FOREIGN KEY (project_id, user_id) REFERENCES projects (id, user_id) ON DELETE CASCADE
);
CREATE INDEX stories_user ON stories (user_id, id DESC);
CREATE INDEX stories_project ON stories (project_id, user_id);

-- When a memory happened is known more or less well: some day between earliest
-- and latest. Both are null when it is not known at all.
CREATE TABLE memories (
    id              uuid PRIMARY KEY,
    user_id         uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    story_id        uuid        NOT NULL,
    title           text        NOT NULL CHECK (length(title) BETWEEN 1 AND 255),
    precision       text        NOT NULL
                    CHECK (precision IN ('day', 'month', 'year', 'decade', 'range', 'circa', 'unknown')),
    earliest        date,
    latest          date,
    label           text        NOT NULL DEFAULT '',
    current_version integer     NOT NULL DEFAULT 1,
    question_id     uuid,
    tsv             tsvector    NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, user_id),
    FOREIGN KEY (story_id, user_id) REFERENCES stories (id, user_id) ON DELETE CASCADE,
    CHECK ((precision = 'unknown') = (earliest IS NULL)),
    CHECK ((earliest IS NULL) = (latest IS NULL)),
    CHECK (earliest <= latest)
);
CREATE INDEX memories_story ON memories (story_id, user_id, id DESC);
CREATE INDEX memories_question ON memories (question_id);

-- A memory's text as it was told and every later form of it. None is changed.
CREATE TABLE memory_versions (
    memory_id  uuid        NOT NULL,
    number     integer     NOT NULL CHECK (number > 0),
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    kind       text        NOT NULL CHECK (kind IN ('original', 'refined', 'edited')),
    text       text        NOT NULL,
    language   text        NOT NULL DEFAULT '',
    style      text        NOT NULL DEFAULT '',
    provider   text        NOT NULL DEFAULT '',
    model      text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (memory_id, number),
    FOREIGN KEY (memory_id, user_id) REFERENCES memories (id, user_id) ON DELETE CASCADE
);

-- The people, places and tags of a story.
CREATE TABLE story_names (
    id         uuid PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    story_id   uuid        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('person', 'place', 'tag')),
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    relation   text        NOT NULL DEFAULT '' CHECK (relation = '' OR kind = 'person'),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, user_id),
    FOREIGN KEY (story_id, user_id) REFERENCES stories (id, user_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX story_names_name ON story_names (story_id, kind, lower(name), lower(relation));

CREATE TABLE memory_names (
    memory_id uuid NOT NULL,
    name_id   uuid NOT NULL,
    user_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (memory_id, name_id),
    FOREIGN KEY (memory_id, user_id) REFERENCES memories (id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (name_id, user_id) REFERENCES story_names (id, user_id) ON DELETE CASCADE
);
CREATE INDEX memory_names_name ON memory_names (name_id);

CREATE TABLE photos (
    id         uuid PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    memory_id  uuid        NOT NULL,
    caption    text        NOT NULL DEFAULT '',
    width      integer     NOT NULL,
    height     integer     NOT NULL,
    sha256     bytea       NOT NULL,
    taken_at   timestamp,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, user_id),
    FOREIGN KEY (memory_id, user_id) REFERENCES memories (id, user_id) ON DELETE CASCADE
);
CREATE INDEX photos_memory ON photos (memory_id, id);

-- Re-encoded pictures, some hundred KiB each.
CREATE TABLE photo_bytes (
    photo_id uuid  NOT NULL,
    size     text  NOT NULL CHECK (size IN ('full', 'thumbnail')),
    user_id  uuid  NOT NULL REFERENCES users ON DELETE CASCADE,
    bytes    bytea NOT NULL,
    PRIMARY KEY (photo_id, size),
    FOREIGN KEY (photo_id, user_id) REFERENCES photos (id, user_id) ON DELETE CASCADE
);
ALTER TABLE photo_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- What jobs make for stories: the next question, or a refined text.
CREATE TABLE story_turns (
    id           uuid PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    story_id     uuid        NOT NULL,
    memory_id    uuid,
    kind         text        NOT NULL CHECK (kind IN ('question', 'refinement')),
    state        text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'failed')),
    provider     text        NOT NULL,
    model        text        NOT NULL DEFAULT '',
    language     text        NOT NULL DEFAULT '',
    style        text        NOT NULL DEFAULT '',
    suggest      boolean     NOT NULL DEFAULT false,
    result       jsonb       NOT NULL DEFAULT '{}',
    error_code   text,
    error_detail text,
    error_hint   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, user_id),
    FOREIGN KEY (story_id, user_id) REFERENCES stories (id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (memory_id, user_id) REFERENCES memories (id, user_id) ON DELETE CASCADE,
    CHECK ((kind = 'refinement') = (memory_id IS NOT NULL))
);
CREATE INDEX story_turns_story ON story_turns (story_id, kind, id DESC);
CREATE INDEX story_turns_memory ON story_turns (memory_id);
INSERT INTO job_resources (kind, made) VALUES ('story', 'story_turns');

ALTER TABLE memories ADD FOREIGN KEY (question_id) REFERENCES story_turns (id) ON DELETE SET NULL;

SELECT protect('stories');
SELECT protect('memories');
SELECT protect('memory_versions');
SELECT protect('story_names');
SELECT protect('memory_names');
SELECT protect('photos');
SELECT protect('photo_bytes');
SELECT protect('story_turns');

-- +goose Down
DELETE FROM job_resources WHERE kind = 'story';
ALTER TABLE memories DROP CONSTRAINT memories_question_id_fkey;
DROP TABLE story_turns, photo_bytes, photos, memory_names, story_names, memory_versions, memories, stories;
