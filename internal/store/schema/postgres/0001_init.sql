-- The tables of ../sqlite/0001_init.sql, where their columns are explained, and
-- the lease. Texts that are ordered or compared in order have the collation "C",
-- so that each database orders them like SQLite.

CREATE TABLE settings (
  name  TEXT COLLATE "C" PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE counters (
  name  TEXT COLLATE "C" PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('gist_seq', 0);

-- Who works. A holder that lives raises the counter every few seconds.
CREATE TABLE lease (
  name       TEXT COLLATE "C" PRIMARY KEY,
  owner      TEXT        NOT NULL,                -- '' while nobody holds it
  counter    BIGINT      NOT NULL,
  renewed_at TIMESTAMPTZ NOT NULL DEFAULT now()   -- only shown: who works decides by the counter
);
INSERT INTO lease (name, owner, counter) VALUES ('work', '', 0);

CREATE TABLE users (
  id            BIGINT PRIMARY KEY,
  login         TEXT   NOT NULL,
  login_key     TEXT COLLATE "C" UNIQUE,
  state         TEXT   NOT NULL CHECK (state IN ('active', 'paused', 'removed', 'gone')),
  first_scan    TEXT   NOT NULL CHECK (first_scan IN ('all', 'new')),
  tracked_at    BIGINT NOT NULL,
  etag          TEXT   NOT NULL DEFAULT '',
  pages         BIGINT NOT NULL DEFAULT 0,
  last_scan_at  BIGINT NOT NULL DEFAULT 0,
  whole_scan_at BIGINT NOT NULL DEFAULT 0,
  next_scan_at  BIGINT NOT NULL,
  failures      BIGINT NOT NULL DEFAULT 0,
  problem       TEXT   NOT NULL DEFAULT '',
  version       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX users_due ON users (next_scan_at) WHERE state IN ('active', 'gone');

CREATE TABLE gists (
  id          TEXT COLLATE "C" PRIMARY KEY,
  user_id     BIGINT NOT NULL REFERENCES users (id),
  seq         BIGINT NOT NULL UNIQUE,
  description TEXT   NOT NULL,
  files       TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  noticed_at  BIGINT NOT NULL
);
CREATE INDEX gists_user ON gists (user_id, seq);

CREATE TABLE deals (
  gist_id         TEXT COLLATE "C" PRIMARY KEY,
  state           TEXT   NOT NULL CHECK (state IN ('found', 'sending', 'made', 'failed', 'skipped')),
  deal_id         BIGINT UNIQUE,
  attempts        BIGINT NOT NULL DEFAULT 0,
  owner           TEXT   NOT NULL DEFAULT '',
  sent_at         BIGINT NOT NULL DEFAULT 0,
  queued_at       BIGINT NOT NULL DEFAULT 0,
  problem         TEXT   NOT NULL DEFAULT '',
  CHECK ((state = 'made') = (deal_id IS NOT NULL))
);
CREATE INDEX deals_found ON deals (queued_at, gist_id) WHERE state = 'found';
CREATE INDEX deals_sending ON deals (gist_id) WHERE state = 'sending';
CREATE INDEX deals_failed ON deals (gist_id) WHERE state = 'failed';

-- Once for each statement, not for each row: a thousand changes of one row in
-- one transaction would leave a thousand versions of it to walk along.
CREATE FUNCTION users_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.version := NEW.version + 1;
  RETURN NEW;
END $$;
CREATE FUNCTION gists_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  UPDATE users SET version = version + 1 WHERE id IN (SELECT user_id FROM changed);
  RETURN NULL;
END $$;
CREATE FUNCTION deals_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  UPDATE users SET version = version + 1
    WHERE id IN (SELECT g.user_id FROM gists g JOIN changed c ON c.gist_id = g.id);
  RETURN NULL;
END $$;
CREATE TRIGGER users_version BEFORE UPDATE OF login ON users
  FOR EACH ROW EXECUTE FUNCTION users_version();
CREATE TRIGGER gists_version_insert AFTER INSERT ON gists REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION gists_version();
CREATE TRIGGER gists_version_update AFTER UPDATE ON gists REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION gists_version();
CREATE TRIGGER deals_version AFTER UPDATE ON deals REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION deals_version();

CREATE TABLE attempts (
  gist_id   TEXT COLLATE "C" NOT NULL,
  n         BIGINT NOT NULL,
  owner     TEXT   NOT NULL,
  sent_at   BIGINT NOT NULL,
  remote_at BIGINT NOT NULL,
  ended_at  BIGINT NOT NULL DEFAULT 0,
  outcome   TEXT   NOT NULL DEFAULT '' CHECK (outcome IN ('', 'made', 'refused', 'not sent', 'adopted', 'absent')),
  deal_id   BIGINT,
  looks     BIGINT NOT NULL DEFAULT 0,
  reason    TEXT   NOT NULL DEFAULT '',
  PRIMARY KEY (gist_id, n)
);
CREATE INDEX attempts_remote ON attempts (remote_at);
CREATE INDEX attempts_deal ON attempts (deal_id) WHERE deal_id IS NOT NULL;

CREATE TABLE surplus (
  deal_id    BIGINT PRIMARY KEY,
  gist_id    TEXT COLLATE "C" NOT NULL,
  noticed_at BIGINT NOT NULL
);

CREATE TABLE visits (
  visitor TEXT COLLATE "C" NOT NULL,
  user_id BIGINT NOT NULL REFERENCES users (id),
  seq     BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (visitor, user_id)
);

CREATE TABLE tokens (
  name       TEXT COLLATE "C" PRIMARY KEY,
  hash       TEXT COLLATE "C" NOT NULL UNIQUE,
  scope      TEXT   NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
  created_at BIGINT NOT NULL
);
