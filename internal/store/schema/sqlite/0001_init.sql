-- Times are Unix milliseconds, UTC. Keys are natural ones. Never edited once merged.

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('gist_seq', 0);

CREATE TABLE users (
  id            BIGINT PRIMARY KEY,               -- GitHub's number
  login         TEXT   NOT NULL,                  -- a label, in GitHub's spelling
  login_key     TEXT   UNIQUE,                    -- lower case; NULL once somebody else owns the login
  state         TEXT   NOT NULL CHECK (state IN ('active', 'paused', 'removed', 'gone')),
  first_scan    TEXT   NOT NULL CHECK (first_scan IN ('all', 'new')),
  tracked_at    BIGINT NOT NULL,
  etag          TEXT   NOT NULL DEFAULT '',
  pages         BIGINT NOT NULL DEFAULT 0,
  last_scan_at  BIGINT NOT NULL DEFAULT 0,        -- 0: the first scan has not ended yet
  whole_scan_at BIGINT NOT NULL DEFAULT 0,
  next_scan_at  BIGINT NOT NULL,
  failures      BIGINT NOT NULL DEFAULT 0,
  problem       TEXT   NOT NULL DEFAULT '',
  version       BIGINT NOT NULL DEFAULT 0         -- raised by each change of what readers see of the user
);
CREATE INDEX users_due ON users (next_scan_at) WHERE state IN ('active', 'gone');

CREATE TABLE gists (
  id          TEXT   PRIMARY KEY,
  user_id     BIGINT NOT NULL REFERENCES users (id),
  seq         BIGINT NOT NULL UNIQUE,             -- order of noticing
  description TEXT   NOT NULL,
  files       TEXT   NOT NULL,                    -- JSON array of {name, raw_url}
  created_at  BIGINT NOT NULL,
  noticed_at  BIGINT NOT NULL
);
CREATE INDEX gists_user ON gists (user_id, seq);

-- No reference to gists: a deal can be found in Pipedrive before its gist is read.
CREATE TABLE deals (
  gist_id         TEXT   PRIMARY KEY,
  state           TEXT   NOT NULL CHECK (state IN ('found', 'sending', 'made', 'failed', 'skipped')),
  deal_id         BIGINT UNIQUE,
  attempts        BIGINT NOT NULL DEFAULT 0,      -- the fencing number
  owner           TEXT   NOT NULL DEFAULT '',
  sent_at         BIGINT NOT NULL DEFAULT 0,
  queued_at       BIGINT NOT NULL DEFAULT 0,      -- the order in which deals that are found get their turn
  problem         TEXT   NOT NULL DEFAULT '',
  CHECK ((state = 'made') = (deal_id IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX deals_found ON deals (queued_at, gist_id) WHERE state = 'found';
CREATE INDEX deals_sending ON deals (gist_id) WHERE state = 'sending';
CREATE INDEX deals_failed ON deals (gist_id) WHERE state = 'failed';

-- Triggers, because then no statement can forget it. A deal that is inserted
-- comes with its gist, or is of a gist that nobody sees yet.
CREATE TRIGGER users_version AFTER UPDATE OF login ON users BEGIN
  UPDATE users SET version = version + 1 WHERE id = NEW.id;
END;
CREATE TRIGGER gists_version_insert AFTER INSERT ON gists BEGIN
  UPDATE users SET version = version + 1 WHERE id = NEW.user_id;
END;
CREATE TRIGGER gists_version_update AFTER UPDATE ON gists BEGIN
  UPDATE users SET version = version + 1 WHERE id = NEW.user_id;
END;
CREATE TRIGGER deals_version AFTER UPDATE ON deals BEGIN
  UPDATE users SET version = version + 1 WHERE id = (SELECT user_id FROM gists WHERE id = NEW.gist_id);
END;

-- Append-only: the story of each deal. outcome is '' while nobody knows it.
CREATE TABLE attempts (
  gist_id   TEXT   NOT NULL,
  n         BIGINT NOT NULL,
  owner     TEXT   NOT NULL,
  sent_at   BIGINT NOT NULL,
  remote_at BIGINT NOT NULL,                      -- sent_at on Pipedrive's clock
  ended_at  BIGINT NOT NULL DEFAULT 0,
  outcome   TEXT   NOT NULL DEFAULT '' CHECK (outcome IN ('', 'made', 'refused', 'not sent', 'adopted', 'absent')),
  deal_id   BIGINT,
  looks     BIGINT NOT NULL DEFAULT 0,
  reason    TEXT   NOT NULL DEFAULT '',
  PRIMARY KEY (gist_id, n)
) WITHOUT ROWID;
CREATE INDEX attempts_remote ON attempts (remote_at);
CREATE INDEX attempts_deal ON attempts (deal_id) WHERE deal_id IS NOT NULL;

-- Deals in Pipedrive beyond the one that a gist should have. Reported, never deleted.
CREATE TABLE surplus (
  deal_id    BIGINT PRIMARY KEY,
  gist_id    TEXT   NOT NULL,
  noticed_at BIGINT NOT NULL
);

CREATE TABLE visits (
  visitor TEXT   NOT NULL,
  user_id BIGINT NOT NULL REFERENCES users (id),
  seq     BIGINT NOT NULL,                        -- the highest one shown
  at      BIGINT NOT NULL,
  PRIMARY KEY (visitor, user_id)
) WITHOUT ROWID;

CREATE TABLE tokens (
  name       TEXT   PRIMARY KEY,
  hash       TEXT   NOT NULL UNIQUE,              -- SHA-256 of the token, in hexadecimal
  scope      TEXT   NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
  created_at BIGINT NOT NULL
) WITHOUT ROWID;
