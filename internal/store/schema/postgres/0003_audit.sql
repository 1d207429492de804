-- The tables of ../sqlite/0003_audit.sql, where their columns are explained.

ALTER TABLE gists ADD COLUMN gone_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX attempts_absent ON attempts (ended_at) WHERE outcome = 'absent' AND checked_at = 0;

CREATE TABLE dropped (
  deal_id BIGINT PRIMARY KEY,
  gist_id TEXT COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL
);

CREATE TABLE audits (
  id             TEXT COLLATE "C" PRIMARY KEY,
  repair         BIGINT NOT NULL,
  recreate       TEXT COLLATE "C" NOT NULL,
  delete_surplus BIGINT NOT NULL,
  asked_at       BIGINT NOT NULL,
  ended_at       BIGINT NOT NULL DEFAULT 0,
  report         TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX audits_turn ON audits (ended_at, asked_at);
