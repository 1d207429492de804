-- What a person's commands need. SQLite cannot alter a CHECK, so deals is made anew.

CREATE TABLE deals_new (
  gist_id         TEXT   PRIMARY KEY,
  state           TEXT   NOT NULL CHECK (state IN ('held', 'found', 'sending', 'made', 'failed', 'skipped')),
  deal_id         BIGINT UNIQUE,
  attempts        BIGINT NOT NULL DEFAULT 0,      -- the fencing number
  owner           TEXT   NOT NULL DEFAULT '',
  sent_at         BIGINT NOT NULL DEFAULT 0,
  queued_at       BIGINT NOT NULL DEFAULT 0,      -- the order in which deals that are found get their turn
  problem         TEXT   NOT NULL DEFAULT '',
  CHECK ((state = 'made') = (deal_id IS NOT NULL))
) WITHOUT ROWID;
INSERT INTO deals_new (gist_id, state, deal_id, attempts, owner, sent_at, queued_at, problem)
  SELECT gist_id, state, deal_id, attempts, owner, sent_at, queued_at, problem FROM deals;
DROP TABLE deals;
ALTER TABLE deals_new RENAME TO deals;
CREATE INDEX deals_turn ON deals (state, queued_at, gist_id);     -- for the next to be claimed
CREATE INDEX deals_state ON deals (state, gist_id);               -- for lists
CREATE TRIGGER deals_version AFTER UPDATE ON deals BEGIN
  UPDATE users SET version = version + 1 WHERE id = (SELECT user_id FROM gists WHERE id = NEW.gist_id);
END;

ALTER TABLE gists ADD COLUMN noticed_by TEXT NOT NULL DEFAULT '';  -- 'first scan' or 'scan'; '' before this column

CREATE INDEX surplus_gist ON surplus (gist_id);

-- What people and programs ask of the process that works. Answers are kept for
-- a while, for those who wait for them.
CREATE TABLE asks (
  login_key   TEXT   PRIMARY KEY,                 -- lower case
  login       TEXT   NOT NULL,                    -- as it was asked for
  first_scan  TEXT   NOT NULL CHECK (first_scan IN ('', 'all', 'new')),  -- '': as configured
  want        BIGINT NOT NULL CHECK (want IN (0, 1, 2)),  -- 0: tracked; somebody waits for 1: the first scan, 2: a scan
  n           BIGINT NOT NULL DEFAULT 1,          -- raised by each ask that is not the same as one that waits
  asked_at    BIGINT NOT NULL,
  ended_at    BIGINT NOT NULL DEFAULT 0,          -- 0: waits
  outcome     TEXT   NOT NULL DEFAULT '',         -- 'added', 'known', or the kind of error
  problem     TEXT   NOT NULL DEFAULT '',         -- the error, or why it still waits
  retry_after BIGINT NOT NULL DEFAULT 0           -- of the error, in milliseconds
) WITHOUT ROWID;
CREATE INDEX asks_turn ON asks (ended_at, want DESC, asked_at);
