-- +goose Up

ALTER TABLE credentials ADD COLUMN not_before  INTEGER;                       -- NULL: from the start
ALTER TABLE credentials ADD COLUMN cidrs       TEXT    NOT NULL DEFAULT '[]'; -- a JSON array of strings
ALTER TABLE credentials ADD COLUMN uses        INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN used        INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN limit_rate  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN limit_per   INTEGER NOT NULL DEFAULT 0;    -- milliseconds
ALTER TABLE credentials ADD COLUMN limit_burst INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN updated     INTEGER;                       -- NULL: never

ALTER TABLE versions ADD COLUMN first_used INTEGER; -- NULL: never
ALTER TABLE versions ADD COLUMN last_used  INTEGER; -- NULL: never

-- From where versions were used: a few rows for each.
CREATE TABLE uses (
    version TEXT    NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    address TEXT    NOT NULL,
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (version, address)
) STRICT, WITHOUT ROWID;

ALTER TABLE events ADD COLUMN seq  INTEGER; -- NULL: not sealed
ALTER TABLE events ADD COLUMN link BLOB;    -- NULL: not sealed

CREATE INDEX events_of_credential ON events (credential);
CREATE INDEX events_unsealed      ON events (seq) WHERE seq IS NULL; -- all of one seq, so by number

CREATE TABLE heads (
    space TEXT    NOT NULL PRIMARY KEY,
    seq   INTEGER NOT NULL CHECK (seq > 0),
    link  BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- One row, always.
CREATE TABLE mark (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    time INTEGER -- NULL: there is none
) STRICT;

INSERT INTO mark (id, time) VALUES (1, NULL);

CREATE TABLE replays (
    space   TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    request BLOB    NOT NULL,
    sealed  BLOB    NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (space, name)
) STRICT;

CREATE INDEX replays_by_end ON replays (expires);
