package sqlite

// A subject's revocations are numbered from 1, for each kind. A credential keeps as
// its epoch how many there were when it was created: the next one revokes it,
// unless its state is final already.
const (
	sqlRevokeSubject = `
		INSERT INTO revocations (space, kind, subject, number, at, reason)
		VALUES (?1, ?2, ?3, 1 + (SELECT ifnull(max(number), 0) FROM revocations
			WHERE space = ?1 AND kind = ?2 AND subject = ?3), ?4, ?5)`

	sqlRequireUnrevoked = `
		SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM revocations
			WHERE space = ?1 AND kind = ?2 AND subject = ?3 AND at >= ?4 AND (?5 IS NULL OR at <= ?5))`

	// sqlNotRevoked is a part of conditions on a row of credentials.
	sqlNotRevoked = `
			AND NOT EXISTS (SELECT 1 FROM revocations AS r
				WHERE r.space = credentials.space AND r.kind = credentials.kind
					AND r.subject = credentials.subject AND r.number = credentials.epoch + 1)`

	// sqlIsRevoked joins a credential to the revocation that made it revoked.
	sqlIsRevoked = `r.space = c.space AND r.kind = c.kind AND r.subject = c.subject AND r.number = c.epoch + 1
				AND c.state IN ('active', 'suspended')`

	// Of one subject and kind, what is not revoked so has the present epoch: with the
	// parameters of RequireLive, and with those of lists.
	sqlEpochOfLive = `(SELECT ifnull(max(number), 0) FROM revocations WHERE space = ?1 AND kind = ?3 AND subject = ?2)`
	sqlEpochOfList = `(SELECT ifnull(max(number), 0) FROM revocations WHERE space = ?1 AND kind = ?16 AND subject = ?15)`
)
