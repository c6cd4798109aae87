-- +goose Up

ALTER TABLE credentials ADD COLUMN idle  INTEGER NOT NULL DEFAULT 0; -- milliseconds; 0: it has no such end
ALTER TABLE credentials ADD COLUMN seen  INTEGER;                    -- NULL: nobody has said
ALTER TABLE credentials ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0; -- of its subject's revocations the last one, when created

-- One row for each time that the credentials of a subject were revoked. The one
-- with the number epoch + 1 revokes those that are not in a final state.
CREATE TABLE revocations (
    space   TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    number  INTEGER NOT NULL, -- 1, 2 and so on
    at      INTEGER NOT NULL,
    reason  TEXT    NOT NULL,
    PRIMARY KEY (space, kind, subject, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocations_by_time ON revocations (space, kind, subject, at);

-- As it was, and with the epoch: those that were revoked are passed over.
DROP INDEX credentials_live;
CREATE INDEX credentials_live ON credentials (space, subject, kind, epoch, created, id, purpose)
    WHERE state IN ('active', 'suspended') AND kind IN ('link', 'code', 'totp', 'recovery');
