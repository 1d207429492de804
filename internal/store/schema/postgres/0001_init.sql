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
INSERT INTO counters (name, value) VALUES ('gist_seq', 0), ('run_id', 0), ('push_seq', 0), ('scan_requests', 0), ('audit_log_id', 0), ('event_id', 0), ('event_deleted', 0);

CREATE TABLE users (
  id           BIGINT PRIMARY KEY,
  login        TEXT   NOT NULL,
  login_key    TEXT COLLATE "C" UNIQUE,
  state        TEXT   NOT NULL CHECK (state IN ('active', 'paused', 'removed', 'gone')),
  backfill     TEXT   NOT NULL CHECK (backfill <> ''),
  tracked_at   BIGINT NOT NULL,
  node_id      TEXT   NOT NULL DEFAULT '',        -- names the user in GitHub's GraphQL API; '': not known
  hidden       BIGINT NOT NULL DEFAULT 0,         -- public gists that GitHub counts and does not list, by the last full scan
  probed_at    BIGINT NOT NULL DEFAULT 0,         -- the last change of a gist by the comparison before the last scan
  unlinked     BIGINT NOT NULL DEFAULT 0,
  etag         TEXT   NOT NULL DEFAULT '',
  pages        BIGINT NOT NULL DEFAULT 0,
  last_scan_at BIGINT NOT NULL DEFAULT 0,
  full_scan_at BIGINT NOT NULL DEFAULT 0,
  next_scan_at BIGINT NOT NULL,
  failures     BIGINT NOT NULL DEFAULT 0,
  problem      TEXT   NOT NULL DEFAULT '',
  version      BIGINT NOT NULL DEFAULT 0,
  tags         TEXT   NOT NULL DEFAULT '',
  changed_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX users_due ON users (next_scan_at, id) WHERE state IN ('active', 'gone');
CREATE INDEX users_compared ON users (next_scan_at, id) WHERE state = 'active' AND failures = 0 AND last_scan_at > 0;
CREATE INDEX users_login ON users (lower(login), id);
CREATE INDEX users_tracked ON users (tracked_at, id);
CREATE INDEX users_last_scan ON users (last_scan_at, id, state);  -- with the state, to count the users that were never scanned
CREATE INDEX users_next_scan ON users (next_scan_at, id);
CREATE INDEX users_others ON users (state, id) WHERE state <> 'active';

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
  updated_at  BIGINT NOT NULL DEFAULT 0,
  comments    BIGINT NOT NULL DEFAULT -1,
  fork        BIGINT NOT NULL DEFAULT -1,
  noticed_at  BIGINT NOT NULL,
  noticed_by  TEXT   NOT NULL,
  gone_at     BIGINT NOT NULL DEFAULT 0,
  changed_at  BIGINT NOT NULL DEFAULT 0,
  first_lines TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX gists_user ON gists (user_id, seq);
CREATE INDEX gists_created ON gists (user_id, created_at, seq);
CREATE INDEX gists_noticed ON gists (noticed_at, seq);
CREATE INDEX gists_new ON gists (seq) WHERE noticed_by <> 'first scan';
CREATE INDEX gists_unread ON gists (user_id) WHERE updated_at = 0;
CREATE INDEX gists_changed ON gists (changed_at, id);

CREATE TABLE deals (
  gist_id   TEXT COLLATE "C" PRIMARY KEY,
  state     TEXT   NOT NULL CHECK (state IN ('awaiting_approval', 'queued', 'sending', 'created', 'failed', 'skipped')),
  deal_id   BIGINT UNIQUE,
  attempts  BIGINT NOT NULL DEFAULT 0,
  owner     TEXT   NOT NULL DEFAULT '',
  sent_at   BIGINT NOT NULL DEFAULT 0,
  queued_at BIGINT NOT NULL DEFAULT 0,
  backfill  BIGINT NOT NULL DEFAULT 0,
  priority  BIGINT NOT NULL DEFAULT 1,            -- 0: high, 1: normal, 2: low; lower ones come first
  place     BIGINT NOT NULL DEFAULT 0,
  turn      BIGINT NOT NULL DEFAULT 0,
  problem   TEXT   NOT NULL DEFAULT '',
  catch_up  BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL DEFAULT 0,
  rule      TEXT   NOT NULL DEFAULT '',
  rules_version BIGINT NOT NULL DEFAULT 0,
  content   TEXT   NOT NULL DEFAULT '',
  by_rule   BIGINT NOT NULL DEFAULT 0,            -- 1: a rule skipped the deal, and no person has decided since
  CHECK ((state = 'created') = (deal_id IS NOT NULL))
);
CREATE INDEX deals_turn ON deals (state, backfill, priority, turn, gist_id);
CREATE INDEX deals_queued ON deals (queued_at) WHERE state = 'queued';
CREATE INDEX deals_state ON deals (state, gist_id);
CREATE INDEX deals_created ON deals (created_at, gist_id);
CREATE INDEX deals_updated ON deals (updated_at, gist_id);
CREATE INDEX deals_catch_up ON deals (state) WHERE catch_up <> 0;
CREATE INDEX deals_rule ON deals (rule, queued_at) WHERE rule <> '';
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

-- Deals that an attempt created or adopted which was deleted because of its age.
CREATE TABLE own_deals (
  deal_id BIGINT PRIMARY KEY
);

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

CREATE TABLE amendments (
  gist_id  TEXT COLLATE "C" PRIMARY KEY,
  edited   BIGINT NOT NULL DEFAULT 0,
  gone     BIGINT NOT NULL DEFAULT 0,
  next_at  BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  owner    TEXT   NOT NULL DEFAULT '',
  intended TEXT   NOT NULL DEFAULT '',
  noted    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX amendments_next ON amendments (next_at, gist_id);

CREATE TABLE scan_requests (
  login_key    TEXT COLLATE "C" PRIMARY KEY,
  login        TEXT   NOT NULL,
  backfill     TEXT   NOT NULL,
  tags         TEXT   NOT NULL DEFAULT '',        -- that the user gets, with spaces between
  kind         BIGINT NOT NULL CHECK (kind IN (0, 1, 2, 3)),
  number       BIGINT NOT NULL DEFAULT 1,
  requested_at BIGINT NOT NULL,
  ended_at     BIGINT NOT NULL DEFAULT 0,
  outcome      TEXT   NOT NULL DEFAULT '',
  problem      TEXT   NOT NULL DEFAULT '',
  retry_after  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX scan_requests_turn ON scan_requests (ended_at, kind DESC, requested_at);

-- Changes of many users or deals, for the leader. Ended ones are kept for 30 days.
CREATE TABLE operations (
  id          TEXT   PRIMARY KEY,
  kind        TEXT   NOT NULL CHECK (kind IN ('add_users', 'change_users', 'retry_deals', 'skip_deals', 'decide_deals')),
  change      TEXT   NOT NULL,                    -- of users: 'pause', 'resume', 'remove', 'approve' or 'scan'
  backfill    TEXT   NOT NULL,                    -- of added users
  states      TEXT   NOT NULL,                    -- of the deals that may be changed: a JSON array; '' means any
  note        TEXT   NOT NULL,                    -- of skipped deals
  caller      TEXT   NOT NULL,                    -- the actor of its changes in the audit log, with the next two
  source      TEXT   NOT NULL,
  address     TEXT   NOT NULL,
  total       BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  started_at  BIGINT NOT NULL DEFAULT 0,
  canceled_at BIGINT NOT NULL DEFAULT 0,
  ended_at    BIGINT NOT NULL DEFAULT 0,          -- 0: pending or in progress
  counts      TEXT   NOT NULL DEFAULT '[]'        -- of its results, as JSON
);
CREATE INDEX operations_turn ON operations (ended_at, created_at, id);

-- The users or deals of an operation. A change and its result are one transaction.
CREATE TABLE operation_items (
  operation_id TEXT   NOT NULL REFERENCES operations (id),
  n            BIGINT NOT NULL,
  input        TEXT   NOT NULL,                   -- as it was given; '' once the person was erased
  key          TEXT   NOT NULL,                   -- a login in lower case, 'id:' and a user's number, or a gist id
  tags         TEXT   NOT NULL DEFAULT '',        -- that an added user gets, with spaces between
  request      BIGINT NOT NULL DEFAULT 0,         -- scan_requests.number; 0: not requested
  result       TEXT   NOT NULL DEFAULT '',        -- '': pending
  reason       TEXT   NOT NULL DEFAULT '',
  problem      BIGINT NOT NULL DEFAULT 0,         -- 1: it could not be done
  PRIMARY KEY (operation_id, n)
);
CREATE INDEX operation_items_problems ON operation_items (operation_id, problem DESC, n);
CREATE INDEX operation_items_pending ON operation_items (operation_id, request, n) WHERE result = '';
CREATE INDEX operation_items_requested ON operation_items (key, request) WHERE result = '' AND request > 0;

-- Answers to requests with an Idempotency-Key, for 24 hours.
CREATE TABLE idempotency_keys (
  caller   TEXT   NOT NULL,
  key      TEXT   NOT NULL,
  request  TEXT   NOT NULL,                       -- SHA-256 of method, path and body, in hexadecimal
  claim    TEXT   NOT NULL,                       -- names the attempt that may write the answer
  at       BIGINT NOT NULL,
  status   BIGINT NOT NULL DEFAULT 0,             -- 0: in progress
  location TEXT   NOT NULL DEFAULT '',
  answer   TEXT   NOT NULL DEFAULT '',            -- '' if it held a secret
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_at ON idempotency_keys (at);

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
  name            TEXT COLLATE "C" PRIMARY KEY,
  hash            TEXT COLLATE "C" NOT NULL UNIQUE,
  scope           TEXT   NOT NULL CHECK (scope IN ('feed', 'read', 'write', 'admin')),
  created_at      BIGINT NOT NULL,
  expires_at      BIGINT NOT NULL DEFAULT 0,
  rate            BIGINT NOT NULL DEFAULT 0,
  last_used_at    BIGINT NOT NULL DEFAULT 0,
  last_used_from  TEXT   NOT NULL DEFAULT '',
  old_hash        TEXT COLLATE "C" UNIQUE,
  old_valid_until BIGINT NOT NULL DEFAULT 0,
  old_used_at     BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE people (
  issuer       TEXT COLLATE "C" NOT NULL,
  subject      TEXT COLLATE "C" NOT NULL,
  name         TEXT COLLATE "C" NOT NULL UNIQUE,
  signed_in_at BIGINT NOT NULL,
  PRIMARY KEY (issuer, subject)
);

CREATE TABLE sessions (
  hash       TEXT COLLATE "C" PRIMARY KEY,
  token_hash TEXT COLLATE "C" NOT NULL DEFAULT '',
  person     TEXT COLLATE "C" NOT NULL DEFAULT '',
  scope      TEXT   NOT NULL DEFAULT '',
  expires_at BIGINT NOT NULL,
  CHECK ((token_hash = '') = (person <> ''))
);

-- The leader raises the counter every few seconds.
CREATE TABLE lease (
  name       TEXT COLLATE "C" PRIMARY KEY,
  owner      TEXT        NOT NULL,                -- '' while the lease is free
  counter    BIGINT      NOT NULL,
  renewed_at TIMESTAMPTZ NOT NULL DEFAULT now()   -- informs people; decisions use the counter
);
INSERT INTO lease (name, owner, counter) VALUES ('work', '', 0);

CREATE TABLE webhooks (
  id               TEXT COLLATE "C" PRIMARY KEY,
  name             TEXT COLLATE "C" NOT NULL UNIQUE,
  kind             TEXT   NOT NULL,
  url              TEXT   NOT NULL,
  headers          TEXT   NOT NULL,
  types            TEXT   NOT NULL,
  user_id          BIGINT NOT NULL,
  secret           TEXT   NOT NULL,
  old_secret       TEXT   NOT NULL DEFAULT '',
  old_secret_until BIGINT NOT NULL DEFAULT 0,
  state            TEXT   NOT NULL CHECK (state IN ('enabled', 'disabled', 'failed')),
  reason           TEXT   NOT NULL DEFAULT '',
  created_at       BIGINT NOT NULL,
  cursor           BIGINT NOT NULL,
  delivered_at     BIGINT NOT NULL DEFAULT 0,
  failures         BIGINT NOT NULL DEFAULT 0,
  failing_since    BIGINT NOT NULL DEFAULT 0,
  digest           TEXT   NOT NULL DEFAULT '',
  quiet            TEXT   NOT NULL DEFAULT '',
  zone             TEXT   NOT NULL DEFAULT '',
  told             TEXT   NOT NULL DEFAULT '{}',
  next_at          BIGINT NOT NULL DEFAULT 0,
  changes          BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE deliveries (
  webhook_id TEXT COLLATE "C" NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  event_id   BIGINT NOT NULL,
  type       TEXT   NOT NULL,
  turn       TEXT   NOT NULL,
  state      TEXT   NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts   BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  tried_at   BIGINT NOT NULL DEFAULT 0,
  next_at    BIGINT NOT NULL DEFAULT 0,
  status     BIGINT NOT NULL DEFAULT 0,
  problem    TEXT   NOT NULL DEFAULT '',
  took       BIGINT NOT NULL DEFAULT 0,
  deferred   TEXT   NOT NULL DEFAULT '',
  PRIMARY KEY (webhook_id, event_id)
);
CREATE INDEX deliveries_pending ON deliveries (webhook_id, event_id) WHERE state = 'pending';
CREATE INDEX deliveries_event ON deliveries (event_id);

CREATE TABLE counts (
  kind  TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  part  BIGINT NOT NULL DEFAULT pg_backend_pid() % 16,
  n     BIGINT NOT NULL,
  PRIMARY KEY (kind, state, part)
);

CREATE TABLE deal_counts (
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  state   TEXT COLLATE "C" NOT NULL,
  n       BIGINT NOT NULL,
  PRIMARY KEY (user_id, state)
);

CREATE TABLE days (
  day   BIGINT NOT NULL,
  part  BIGINT NOT NULL DEFAULT pg_backend_pid() % 16,
  gists BIGINT NOT NULL,
  deals BIGINT NOT NULL,
  backfill BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (day, part)
);

-- The deals created on each day, by the time since the publication of their gists: bucket is
-- the index of a bound. Only gists that were published while their users were tracked count.
CREATE TABLE delays (
  day    BIGINT NOT NULL,
  bucket BIGINT NOT NULL,
  n      BIGINT NOT NULL,
  PRIMARY KEY (day, bucket)
);

-- The triggers run once per statement, not per row: a thousand changes of one row in
-- one transaction would leave a thousand dead versions, which slow down each access.
CREATE FUNCTION users_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.version := NEW.version + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER users_version BEFORE UPDATE OF login ON users
  FOR EACH ROW EXECUTE FUNCTION users_version();

-- Counts the rows of a table by state.
CREATE FUNCTION count_states() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO counts (kind, state, n) SELECT TG_TABLE_NAME, state, count(*) FROM after GROUP BY state ORDER BY state
      ON CONFLICT (kind, state, part) DO UPDATE SET n = counts.n + excluded.n;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO counts (kind, state, n) SELECT TG_TABLE_NAME, state, -count(*) FROM before GROUP BY state ORDER BY state
      ON CONFLICT (kind, state, part) DO UPDATE SET n = counts.n + excluded.n;
  ELSE
    INSERT INTO counts (kind, state, n) SELECT TG_TABLE_NAME, state, sum(n)
      FROM (SELECT state, 1 AS n FROM after UNION ALL SELECT state, -1 FROM before) AS changes GROUP BY state HAVING sum(n) <> 0 ORDER BY state
      ON CONFLICT (kind, state, part) DO UPDATE SET n = counts.n + excluded.n;
  END IF;
  RETURN NULL;
END $$;

-- Counts the deals of users. A statement here sees what was committed before it. So the
-- first ones wait for the transactions that change the same users, or rows that this one
-- does not see, and the last one counts what they left. Subqueries look up the few rows by
-- their keys; a join could read the whole table.
CREATE FUNCTION count_deals() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    IF EXISTS (SELECT FROM after WHERE (SELECT user_id FROM gists WHERE id = gist_id) IS NULL) THEN
      LOCK TABLE gists IN SHARE MODE;  -- Another transaction may be inserting such a gist.
    END IF;
    PERFORM FROM users WHERE id = ANY (ARRAY(SELECT (SELECT user_id FROM gists WHERE id = gist_id) FROM after)) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO deal_counts SELECT user_id, state, count(*)
      FROM (SELECT (SELECT user_id FROM gists WHERE id = gist_id) AS user_id, state FROM after) AS changes
      WHERE user_id IS NOT NULL GROUP BY user_id, state ORDER BY user_id, state
      ON CONFLICT (user_id, state) DO UPDATE SET n = deal_counts.n + excluded.n;
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM FROM users WHERE id = ANY (ARRAY(SELECT (SELECT user_id FROM gists WHERE id = gist_id) FROM before)) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO deal_counts SELECT user_id, state, -count(*)
      FROM (SELECT (SELECT user_id FROM gists WHERE id = gist_id) AS user_id, state FROM before) AS changes
      WHERE user_id IS NOT NULL GROUP BY user_id, state ORDER BY user_id, state
      ON CONFLICT (user_id, state) DO UPDATE SET n = deal_counts.n + excluded.n;
  ELSE
    UPDATE users SET version = version + 1 WHERE id = ANY (ARRAY(SELECT (SELECT user_id FROM gists WHERE id = gist_id) FROM after));
    INSERT INTO deal_counts SELECT user_id, state, sum(n)
      FROM (SELECT (SELECT user_id FROM gists WHERE id = gist_id) AS user_id, state, n
        FROM (SELECT gist_id, state, 1 AS n FROM after UNION ALL SELECT gist_id, state, -1 FROM before) AS states) AS changes
      WHERE user_id IS NOT NULL GROUP BY user_id, state HAVING sum(n) <> 0 ORDER BY user_id, state
      ON CONFLICT (user_id, state) DO UPDATE SET n = deal_counts.n + excluded.n;
  END IF;
  RETURN NULL;
END $$;

-- Counts gists by day, and the deals that were there before their gists.
CREATE FUNCTION count_gists() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE users SET version = version + 1 WHERE id = ANY (ARRAY(SELECT user_id FROM after));
    -- FOR SHARE waits for changes by transactions that do not see these gists.
    INSERT INTO deal_counts SELECT user_id, state, count(*)
      FROM (SELECT user_id, (SELECT state FROM deals WHERE gist_id = id FOR SHARE) AS state FROM after) AS changes
      WHERE state IS NOT NULL GROUP BY user_id, state ORDER BY user_id, state
      ON CONFLICT (user_id, state) DO UPDATE SET n = deal_counts.n + excluded.n;
    INSERT INTO days (day, gists, deals, backfill)
      SELECT noticed_at / 86400000 AS day, count(*), 0, count(*) FILTER (WHERE noticed_by = 'first scan') FROM after GROUP BY 1 ORDER BY 1
      ON CONFLICT (day, part) DO UPDATE SET gists = days.gists + excluded.gists, backfill = days.backfill + excluded.backfill;
  ELSIF TG_OP = 'DELETE' THEN
    UPDATE users SET version = version + 1 WHERE id = ANY (ARRAY(SELECT user_id FROM before));
    INSERT INTO deal_counts SELECT user_id, state, -count(*)
      FROM (SELECT user_id, (SELECT state FROM deals WHERE gist_id = id) AS state FROM before) AS changes
      WHERE state IS NOT NULL GROUP BY user_id, state ORDER BY user_id, state
      ON CONFLICT (user_id, state) DO UPDATE SET n = deal_counts.n + excluded.n;
    INSERT INTO days (day, gists, deals, backfill)
      SELECT noticed_at / 86400000 AS day, -count(*), 0, -count(*) FILTER (WHERE noticed_by = 'first scan') FROM before GROUP BY 1 ORDER BY 1
      ON CONFLICT (day, part) DO UPDATE SET gists = days.gists + excluded.gists, backfill = days.backfill + excluded.backfill;
  ELSE
    UPDATE users SET version = version + 1 WHERE id = ANY (ARRAY(SELECT user_id FROM after));
  END IF;
  RETURN NULL;
END $$;

-- Counts created and adopted deals by day.
CREATE FUNCTION count_attempts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO days (day, gists, deals) SELECT ended_at / 86400000, 0, count(*) FROM after WHERE outcome IN ('created', 'adopted') GROUP BY 1 ORDER BY 1
      ON CONFLICT (day, part) DO UPDATE SET deals = days.deals + excluded.deals;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO days (day, gists, deals) SELECT ended_at / 86400000, 0, -count(*) FROM before WHERE outcome IN ('created', 'adopted') GROUP BY 1 ORDER BY 1
      ON CONFLICT (day, part) DO UPDATE SET deals = days.deals + excluded.deals;
  ELSE
    INSERT INTO days (day, gists, deals) SELECT ended_at / 86400000, 0, sum(n)
      FROM (SELECT ended_at, outcome, 1 AS n FROM after UNION ALL SELECT ended_at, outcome, -1 FROM before) AS changes
      WHERE outcome IN ('created', 'adopted') GROUP BY 1 HAVING sum(n) <> 0 ORDER BY 1
      ON CONFLICT (day, part) DO UPDATE SET deals = days.deals + excluded.deals;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION count_duplicates() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO counts (kind, state, n) SELECT TG_TABLE_NAME, '', count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END FROM changed HAVING count(*) > 0
    ON CONFLICT (kind, state, part) DO UPDATE SET n = counts.n + excluded.n;
  RETURN NULL;
END $$;

CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'these columns of % keep their values, which are counted', TG_TABLE_NAME;
END $$;

CREATE TRIGGER users_insert AFTER INSERT ON users REFERENCING NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_states();
CREATE TRIGGER users_update AFTER UPDATE ON users REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_states();
CREATE TRIGGER users_delete AFTER DELETE ON users REFERENCING OLD TABLE AS before
  FOR EACH STATEMENT EXECUTE FUNCTION count_states();
CREATE TRIGGER deals_insert AFTER INSERT ON deals REFERENCING NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_deals();
CREATE TRIGGER deals_update AFTER UPDATE ON deals REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_deals();
CREATE TRIGGER deals_delete AFTER DELETE ON deals REFERENCING OLD TABLE AS before
  FOR EACH STATEMENT EXECUTE FUNCTION count_deals();
CREATE TRIGGER deals_insert_total AFTER INSERT ON deals REFERENCING NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_states();
CREATE TRIGGER deals_update_total AFTER UPDATE ON deals REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_states();
CREATE TRIGGER deals_delete_total AFTER DELETE ON deals REFERENCING OLD TABLE AS before
  FOR EACH STATEMENT EXECUTE FUNCTION count_states();
CREATE TRIGGER gists_insert AFTER INSERT ON gists REFERENCING NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_gists();
CREATE TRIGGER gists_update AFTER UPDATE ON gists REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_gists();
CREATE TRIGGER gists_delete AFTER DELETE ON gists REFERENCING OLD TABLE AS before
  FOR EACH STATEMENT EXECUTE FUNCTION count_gists();
CREATE TRIGGER attempts_insert AFTER INSERT ON attempts REFERENCING NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_attempts();
CREATE TRIGGER attempts_update AFTER UPDATE ON attempts REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION count_attempts();
CREATE TRIGGER attempts_delete AFTER DELETE ON attempts REFERENCING OLD TABLE AS before
  FOR EACH STATEMENT EXECUTE FUNCTION count_attempts();
CREATE TRIGGER duplicate_deals_insert AFTER INSERT ON duplicate_deals REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_duplicates();
CREATE TRIGGER duplicate_deals_delete AFTER DELETE ON duplicate_deals REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_duplicates();
CREATE TRIGGER gists_constant BEFORE UPDATE OF id, user_id, noticed_at, noticed_by ON gists
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER deals_constant BEFORE UPDATE OF gist_id ON deals
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

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

-- The gists of all users that were last seen in GitHub's list of new public gists, so that
-- each is looked at once.
CREATE TABLE feed_gists (
  id  TEXT COLLATE "C" PRIMARY KEY,
  seq BIGINT NOT NULL                             -- the order in which they were seen
);
CREATE INDEX feed_gists_seq ON feed_gists (seq);

-- Events are numbered at the end of their transaction, so that no id becomes visible after
-- a greater one, and the lock on the counter is the last one that a transaction takes.
-- Until then an id is negative, and no other transaction sees it.
CREATE TABLE events (
  id       BIGINT GENERATED BY DEFAULT AS IDENTITY (INCREMENT BY -1) PRIMARY KEY,
  at       BIGINT NOT NULL,
  type     TEXT COLLATE "C" NOT NULL,
  user_id  BIGINT NOT NULL DEFAULT 0,
  login    TEXT   NOT NULL DEFAULT '',
  gist_id  TEXT COLLATE "C" NOT NULL DEFAULT '',
  deal_id  BIGINT NOT NULL DEFAULT 0,
  backfill BIGINT NOT NULL DEFAULT 0,
  data     TEXT   NOT NULL DEFAULT '{}'
);
CREATE INDEX events_user ON events (user_id, id) WHERE user_id <> 0;

-- The first event of a transaction numbers all of its events. Ranges have a lower bound, so
-- that a plan for any bounds uses the index.
CREATE FUNCTION number_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  n    BIGINT;
  last BIGINT;
BEGIN
  IF NOT EXISTS (SELECT FROM events WHERE id = NEW.id) THEN
    RETURN NULL;
  END IF;
  SELECT count(*) INTO n FROM events WHERE id BETWEEN -9223372036854775807 AND NEW.id;
  UPDATE counters SET value = greatest(value, NEW.at - 1) + n WHERE name = 'event_id' RETURNING value INTO last;
  UPDATE events SET id = last - n + pending.position
    FROM (SELECT id, row_number() OVER (ORDER BY id DESC) AS position FROM events WHERE id BETWEEN -9223372036854775807 AND NEW.id) pending WHERE events.id = pending.id;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER events_number AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.id < 0) EXECUTE FUNCTION number_events();

CREATE FUNCTION gist_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, backfill, data)
    SELECT noticed_at, 'gist.noticed', user_id, (SELECT login FROM users WHERE id = user_id), id, (noticed_by = 'first scan')::int,
      json_build_object('description', description)::text
    FROM after ORDER BY seq;
  RETURN NULL;
END $$;
CREATE TRIGGER gists_event AFTER INSERT ON gists REFERENCING NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION gist_events();

-- Facts that were not known before are no edit, nor is a new raw URL after a rename.
CREATE FUNCTION gist_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
    SELECT after.changed_at, kind, after.user_id, (SELECT login FROM users WHERE id = after.user_id), after.id,
      coalesce((SELECT deal_id FROM deals WHERE gist_id = after.id), 0), (after.noticed_by = 'first scan')::int, json_build_object('description', after.description)::text
    FROM after JOIN before ON before.id = after.id CROSS JOIN LATERAL (VALUES
      ('gist.edited', before.updated_at > 0 AND (after.description <> before.description OR after.files <> before.files AND after.updated_at > before.updated_at)),
      ('gist.deleted', before.gone_at = 0 AND after.gone_at <> 0),
      ('gist.restored', before.gone_at <> 0 AND after.gone_at = 0)) changes (kind, holds)
    WHERE holds ORDER BY after.seq;
  INSERT INTO amendments (gist_id, edited, gone)
    SELECT after.id, CASE WHEN edit THEN after.changed_at ELSE 0 END, CASE WHEN deleted THEN after.changed_at ELSE 0 END
    FROM after JOIN before ON before.id = after.id CROSS JOIN LATERAL (SELECT
      before.updated_at > 0 AND (after.description <> before.description OR after.files <> before.files AND after.updated_at > before.updated_at) AS edit,
      before.gone_at = 0 AND after.gone_at <> 0 AS deleted) changes
    WHERE (edit OR deleted) AND EXISTS (SELECT FROM deals WHERE gist_id = after.id AND rule NOT IN ('', 'everything else') AND state <> 'skipped')
    ORDER BY after.id
    ON CONFLICT (gist_id) DO UPDATE SET next_at = 0,
      edited = CASE excluded.edited WHEN 0 THEN amendments.edited ELSE greatest(excluded.edited, amendments.edited + 1, amendments.gone + 1) END,
      gone = CASE excluded.gone WHEN 0 THEN amendments.gone ELSE greatest(excluded.gone, amendments.edited + 1, amendments.gone + 1) END;
  UPDATE amendments SET gone = 0 FROM after JOIN before ON before.id = after.id
    WHERE amendments.gist_id = after.id AND amendments.gone > 0 AND before.gone_at <> 0 AND after.gone_at = 0;
  RETURN NULL;
END $$;
CREATE TRIGGER gists_update_event AFTER UPDATE ON gists REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION gist_changes();

-- The subqueries of the lateral joins look up the few rows by their keys.
CREATE FUNCTION deal_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
      SELECT updated_at, 'deal.' || state, coalesce(g.user_id, 0), coalesce(g.login, ''), gist_id, coalesce(deal_id, 0),
        coalesce((g.noticed_by = 'first scan')::int, 0), json_build_object('description', coalesce(g.description, ''), 'reason', problem,
        'adopted', state = 'created' AND NOT EXISTS (SELECT FROM attempts a WHERE a.deal_id = after.deal_id AND a.outcome = 'created'))::text
      FROM after LEFT JOIN LATERAL (SELECT user_id, description, noticed_by, seq, (SELECT login FROM users WHERE id = user_id) AS login
        FROM gists WHERE id = gist_id LIMIT 1) g ON true
      WHERE state <> 'sending' AND NOT (state = 'awaiting_approval' AND problem = 'waiting for the end of the scan')
      ORDER BY g.seq, gist_id;
  ELSE
    INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
      SELECT after.updated_at, CASE WHEN after.state = 'created' AND before.state = 'created' THEN 'deal.relinked'
          WHEN after.state = 'queued' AND before.state = 'sending' THEN 'deal.postponed'
          WHEN after.state = 'queued' AND before.state <> 'awaiting_approval' THEN 'deal.retried' ELSE 'deal.' || after.state END,
        coalesce(g.user_id, 0), coalesce(g.login, ''), gist_id, coalesce(after.deal_id, 0),
        coalesce((g.noticed_by = 'first scan')::int, 0), json_build_object('description', coalesce(g.description, ''), 'reason', after.problem,
        'adopted', after.state = 'created' AND NOT EXISTS (SELECT FROM attempts a WHERE a.deal_id = after.deal_id AND a.outcome = 'created'))::text
      FROM after JOIN before USING (gist_id) LEFT JOIN LATERAL (SELECT user_id, description, noticed_by, seq, (SELECT login FROM users WHERE id = user_id) AS login
        FROM gists WHERE id = gist_id LIMIT 1) g ON true
      WHERE after.state <> 'sending' AND NOT (after.state = 'awaiting_approval' AND after.problem = 'waiting for the end of the scan')
        AND (after.state <> before.state OR after.deal_id IS DISTINCT FROM before.deal_id
          OR before.state = 'awaiting_approval' AND before.problem = 'waiting for the end of the scan')
      ORDER BY g.seq, gist_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER deals_insert_event AFTER INSERT ON deals REFERENCING NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION deal_events();
CREATE TRIGGER deals_update_event AFTER UPDATE ON deals REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION deal_events();

CREATE FUNCTION user_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO events (at, type, user_id, login) VALUES (NEW.tracked_at, 'user.added', NEW.id, NEW.login);
    RETURN NULL;
  END IF;
  IF NEW.state <> OLD.state THEN
    INSERT INTO events (at, type, user_id, login, data) VALUES (NEW.changed_at, 'user.' || CASE
        WHEN NEW.state <> 'active' THEN NEW.state WHEN OLD.state = 'paused' THEN 'resumed' WHEN OLD.state = 'gone' THEN 'back' ELSE 'added' END,
      NEW.id, NEW.login, json_build_object('reason', CASE NEW.state WHEN 'gone' THEN NEW.problem ELSE '' END)::text);
  END IF;
  IF NEW.login <> OLD.login THEN
    INSERT INTO events (at, type, user_id, login, data) VALUES (NEW.changed_at, 'user.renamed', NEW.id, NEW.login, json_build_object('old_login', OLD.login)::text);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER users_insert_event AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION user_events();
CREATE TRIGGER users_update_event AFTER UPDATE ON users FOR EACH ROW
  WHEN (NEW.state <> OLD.state OR NEW.login <> OLD.login) EXECUTE FUNCTION user_events();

CREATE FUNCTION duplicate_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
    SELECT noticed_at, 'duplicate.found', coalesce(g.user_id, 0), coalesce(g.login, ''), gist_id, deal_id,
      coalesce((g.noticed_by = 'first scan')::int, 0), json_build_object('description', coalesce(g.description, ''))::text
    FROM changed LEFT JOIN LATERAL (SELECT user_id, description, noticed_by, (SELECT login FROM users WHERE id = user_id) AS login
      FROM gists WHERE id = gist_id LIMIT 1) g ON true
    ORDER BY deal_id;
  RETURN NULL;
END $$;
CREATE TRIGGER duplicate_deals_event AFTER INSERT ON duplicate_deals REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION duplicate_events();
