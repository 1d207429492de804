-- The tables of ../sqlite/0001_init.sql, which documents their columns, and the lease.
-- Columns that queries sort or compare have the collation "C", so that both databases
-- sort them alike.

CREATE TABLE settings (
  name  TEXT COLLATE "C" PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE counters (
  name  TEXT COLLATE "C" PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('gist_seq', 0), ('run_id', 0), ('push_seq', 0), ('scan_requests', 0), ('audit_log_id', 0);

CREATE TABLE users (
  id           BIGINT PRIMARY KEY,
  login        TEXT   NOT NULL,
  login_key    TEXT COLLATE "C" UNIQUE,
  state        TEXT   NOT NULL CHECK (state IN ('active', 'paused', 'removed', 'gone')),
  backfill     TEXT   NOT NULL CHECK (backfill <> ''),
  tracked_at   BIGINT NOT NULL,
  etag         TEXT   NOT NULL DEFAULT '',
  pages        BIGINT NOT NULL DEFAULT 0,
  last_scan_at BIGINT NOT NULL DEFAULT 0,
  full_scan_at BIGINT NOT NULL DEFAULT 0,
  next_scan_at BIGINT NOT NULL,
  failures     BIGINT NOT NULL DEFAULT 0,
  problem      TEXT   NOT NULL DEFAULT '',
  version      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX users_due ON users (next_scan_at) WHERE state IN ('active', 'gone');
CREATE INDEX users_login ON users (lower(login), id);
CREATE INDEX users_tracked ON users (tracked_at, id);
CREATE INDEX users_last_scan ON users (last_scan_at, id);
CREATE INDEX users_next_scan ON users (next_scan_at, id);

CREATE TABLE erased (
  login_hash TEXT   PRIMARY KEY,
  at         BIGINT NOT NULL
);

CREATE TABLE gists (
  id          TEXT COLLATE "C" PRIMARY KEY,
  user_id     BIGINT NOT NULL REFERENCES users (id),
  seq         BIGINT NOT NULL UNIQUE,
  description TEXT   NOT NULL,
  files       TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  noticed_at  BIGINT NOT NULL,
  noticed_by  TEXT   NOT NULL,
  gone_at     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX gists_user ON gists (user_id, seq);
CREATE INDEX gists_noticed ON gists (noticed_at);

CREATE TABLE deals (
  gist_id   TEXT COLLATE "C" PRIMARY KEY,
  state     TEXT   NOT NULL CHECK (state IN ('awaiting_approval', 'queued', 'sending', 'created', 'failed', 'skipped')),
  deal_id   BIGINT UNIQUE,
  attempts  BIGINT NOT NULL DEFAULT 0,
  owner     TEXT   NOT NULL DEFAULT '',
  sent_at   BIGINT NOT NULL DEFAULT 0,
  queued_at BIGINT NOT NULL DEFAULT 0,
  backfill  BIGINT NOT NULL DEFAULT 0,
  place     BIGINT NOT NULL DEFAULT 0,
  turn      BIGINT NOT NULL DEFAULT 0,
  problem   TEXT   NOT NULL DEFAULT '',
  catch_up  BIGINT NOT NULL DEFAULT 0,
  CHECK ((state = 'created') = (deal_id IS NOT NULL))
);
CREATE INDEX deals_turn ON deals (state, backfill, turn, gist_id);
CREATE INDEX deals_queued ON deals (queued_at) WHERE state = 'queued';
CREATE INDEX deals_state ON deals (state, gist_id);
CREATE INDEX deals_catch_up ON deals (catch_up) WHERE catch_up <> 0;
CREATE INDEX deals_waiting ON deals (gist_id) WHERE state = 'awaiting_approval' AND problem = 'waiting for the end of the scan';

CREATE TABLE attempts (
  gist_id    TEXT COLLATE "C" NOT NULL,
  n          BIGINT NOT NULL,
  owner      TEXT   NOT NULL,
  sent_at    BIGINT NOT NULL,
  remote_at  BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL DEFAULT 0,
  outcome    TEXT   NOT NULL DEFAULT '' CHECK (outcome IN ('', 'created', 'refused', 'not_sent', 'adopted', 'not_found')),
  deal_id    BIGINT,
  lookups    BIGINT NOT NULL DEFAULT 0,
  reason     TEXT   NOT NULL DEFAULT '',
  checked_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (gist_id, n)
);
CREATE INDEX attempts_remote ON attempts (remote_at);
CREATE INDEX attempts_ended ON attempts (ended_at);
CREATE INDEX attempts_deal ON attempts (deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX attempts_not_found ON attempts (ended_at) WHERE outcome = 'not_found' AND checked_at = 0;

CREATE TABLE duplicate_deals (
  deal_id    BIGINT PRIMARY KEY,
  gist_id    TEXT COLLATE "C" NOT NULL,
  noticed_at BIGINT NOT NULL
);
CREATE INDEX duplicate_deals_gist ON duplicate_deals (gist_id);

CREATE TABLE replaced_deals (
  deal_id BIGINT PRIMARY KEY,
  gist_id TEXT COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL
);

CREATE TABLE archived_deals (
  deal_id BIGINT PRIMARY KEY,
  gist_id TEXT COLLATE "C" NOT NULL
);

CREATE TABLE scan_requests (
  login_key    TEXT COLLATE "C" PRIMARY KEY,
  login        TEXT   NOT NULL,
  backfill     TEXT   NOT NULL,
  kind         BIGINT NOT NULL CHECK (kind IN (0, 1, 2, 3)),
  number       BIGINT NOT NULL DEFAULT 1,
  requested_at BIGINT NOT NULL,
  ended_at     BIGINT NOT NULL DEFAULT 0,
  outcome      TEXT   NOT NULL DEFAULT '',
  problem      TEXT   NOT NULL DEFAULT '',
  retry_after  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX scan_requests_turn ON scan_requests (ended_at, kind DESC, requested_at);

CREATE TABLE audits (
  id               TEXT COLLATE "C" PRIMARY KEY,
  repair           BIGINT NOT NULL,
  archived         BIGINT NOT NULL,
  recreate         TEXT COLLATE "C" NOT NULL,
  delete_duplicate BIGINT NOT NULL,
  requested_at     BIGINT NOT NULL,
  ended_at         BIGINT NOT NULL DEFAULT 0,
  report           TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX audits_turn ON audits (ended_at, requested_at);

CREATE TABLE runs (
  id         BIGINT PRIMARY KEY,
  kind       TEXT   NOT NULL CHECK (kind IN ('scan', 'sweep', 'push')),
  user_id    BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL,
  total      BIGINT NOT NULL,
  done       BIGINT NOT NULL,
  gists      BIGINT NOT NULL,
  deals      BIGINT NOT NULL,
  failed     BIGINT NOT NULL,
  requests   BIGINT NOT NULL,
  tokens     BIGINT NOT NULL,
  problem    TEXT   NOT NULL
);
CREATE INDEX runs_in_progress ON runs (id) WHERE ended_at = 0;
CREATE INDEX runs_user ON runs (user_id, id) WHERE user_id <> 0;

CREATE TABLE visits (
  visitor TEXT COLLATE "C" NOT NULL,
  user_id BIGINT NOT NULL REFERENCES users (id),
  seq     BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (visitor, user_id)
);

CREATE TABLE tokens (
  name         TEXT COLLATE "C" PRIMARY KEY,
  hash         TEXT COLLATE "C" NOT NULL UNIQUE,
  scope        TEXT   NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
  created_at   BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE sessions (
  hash       TEXT COLLATE "C" PRIMARY KEY,
  token_hash TEXT COLLATE "C" NOT NULL,
  expires_at BIGINT NOT NULL
);

-- The leader raises the counter every few seconds.
CREATE TABLE lease (
  name       TEXT COLLATE "C" PRIMARY KEY,
  owner      TEXT        NOT NULL,                -- '' while the lease is free
  counter    BIGINT      NOT NULL,
  renewed_at TIMESTAMPTZ NOT NULL DEFAULT now()   -- informs people; decisions use the counter
);
INSERT INTO lease (name, owner, counter) VALUES ('work', '', 0);

-- The triggers run once per statement, not per row: a thousand changes of one row in
-- one transaction would leave a thousand dead versions, which slow down each access.
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

-- Notify the processes that wait for requests or results.
CREATE FUNCTION scan_requests_notify() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NOTIFY scan_requests;
  RETURN NULL;
END $$;
CREATE TRIGGER scan_requests_notify AFTER INSERT OR UPDATE ON scan_requests FOR EACH STATEMENT EXECUTE FUNCTION scan_requests_notify();

-- The changes that people and programs made. Rows are only added, and deleted when they are
-- old; erasing a user empties the texts about it.
CREATE TABLE audit_log (
  id       BIGINT PRIMARY KEY,                    -- from a counter: the order of the commits
  at       BIGINT NOT NULL,
  actor    TEXT   NOT NULL,
  source   TEXT   NOT NULL,
  address  TEXT   NOT NULL,
  action   TEXT   NOT NULL,
  target   TEXT   NOT NULL,
  user_id  BIGINT NOT NULL,                       -- of the target, else 0
  old_value TEXT  NOT NULL,
  new_value TEXT  NOT NULL,
  reason   TEXT   NOT NULL,
  count    BIGINT NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at);
CREATE INDEX audit_log_target ON audit_log (lower(target));
CREATE INDEX audit_log_user ON audit_log (user_id) WHERE user_id <> 0;
