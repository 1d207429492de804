-- What an audit compares, and what is asked of one.

ALTER TABLE gists ADD COLUMN gone_at BIGINT NOT NULL DEFAULT 0;         -- since when GitHub no longer lists it; 0: it does
ALTER TABLE attempts ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;   -- when an absent one was looked at again
CREATE INDEX attempts_absent ON attempts (ended_at) WHERE outcome = 'absent' AND checked_at = 0;

-- Deals that were a gist's one until a person wanted another one made instead.
CREATE TABLE dropped (
  deal_id BIGINT PRIMARY KEY,
  gist_id TEXT   NOT NULL,
  at      BIGINT NOT NULL
);

CREATE TABLE audits (
  id             TEXT   PRIMARY KEY,
  repair         BIGINT NOT NULL,
  recreate       TEXT   NOT NULL,
  delete_surplus BIGINT NOT NULL,
  asked_at       BIGINT NOT NULL,
  ended_at       BIGINT NOT NULL DEFAULT 0,       -- 0: waits or goes on
  report         TEXT   NOT NULL DEFAULT ''       -- JSON
) WITHOUT ROWID;
CREATE INDEX audits_turn ON audits (ended_at, asked_at);
