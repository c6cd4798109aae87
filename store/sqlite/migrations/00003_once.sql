-- +goose Up

ALTER TABLE credentials ADD COLUMN next_step INTEGER NOT NULL DEFAULT 0;

ALTER TABLE versions ADD COLUMN sealed BLOB; -- NULL: not kept

-- Of a subject that was handed out thousands of links, few are live. It is in the
-- order of lists, which may be of any purpose. API keys and sessions, of which
-- nobody asks this, are not in it: it would make them dearer to issue.
CREATE INDEX credentials_live ON credentials (space, subject, kind, created, id, purpose)
    WHERE state IN ('active', 'suspended') AND kind IN ('link', 'code', 'totp', 'recovery');

-- Most credentials have no purpose, and are not in it.
CREATE INDEX credentials_of_purpose ON credentials (space, subject, kind, purpose, created, id)
    WHERE purpose <> '';

CREATE TABLE budgets (
    space       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    window      INTEGER, -- NULL: no guess was made
    guesses     INTEGER NOT NULL,
    consecutive INTEGER NOT NULL,
    last        INTEGER, -- NULL: no guess was made
    expires     INTEGER, -- NULL: never
    revision    INTEGER NOT NULL,
    PRIMARY KEY (space, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX budgets_by_end ON budgets (expires) WHERE expires IS NOT NULL;
