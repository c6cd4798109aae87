-- +goose Up

-- Times are Unix milliseconds in UTC. A time that may be absent is NULL then;
-- one that is always there is never NULL. Text that is absent is empty.

CREATE TABLE spaces (
    id       TEXT    NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE,
    prefix   TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    created  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A table with rowids: its rows may be large, and then they are better at the
-- leaves of a tree than in its nodes.
CREATE TABLE credentials (
    serial     INTEGER NOT NULL PRIMARY KEY, -- for versions: shorter than an id, and ascending
    id         TEXT    NOT NULL UNIQUE,
    space      TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('apikey', 'session', 'link', 'code', 'totp', 'recovery')),
    subject    TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    binding    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL, -- a JSON array of strings
    attributes TEXT    NOT NULL, -- a JSON object of strings, by ascending names
    expires    INTEGER,          -- NULL: never
    state      TEXT    NOT NULL CHECK (state IN ('active', 'suspended', 'redeemed', 'replaced', 'revoked')),
    reason     TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    current    TEXT    NOT NULL, -- id of a version, created in the same change
    previous   TEXT    NOT NULL
) STRICT;

-- One for each list that a Query can ask for; states are filtered from it.
CREATE INDEX credentials_of_space   ON credentials (space, created, id);
CREATE INDEX credentials_of_kind    ON credentials (space, kind, created, id);
CREATE INDEX credentials_of_subject ON credentials (space, subject, created, id);

CREATE TABLE versions (
    id         TEXT    NOT NULL PRIMARY KEY,
    credential INTEGER NOT NULL REFERENCES credentials (serial),
    space      TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    prefix     TEXT    NOT NULL,
    digest     BLOB    NOT NULL,
    root_key   INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    ends       INTEGER, -- NULL: with its credential
    UNIQUE (credential, number)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: the number of an event that was deleted never comes back.
CREATE TABLE events (
    number     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL,
    space      TEXT    NOT NULL,
    time       INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    credential TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    root_key   INTEGER NOT NULL,
    mac        BLOB    NOT NULL
) STRICT;

CREATE INDEX events_of_space ON events (space); -- and number, as in each index of rows with a rowid

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
