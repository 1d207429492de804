-- Times are Unix milliseconds, UTC; 0 means never. Merged migrations are never edited.

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('gist_seq', 0), ('run_id', 0), ('push_seq', 0), ('scan_requests', 0), ('audit_log_id', 0), ('event_id', 0), ('event_deleted', 0);

CREATE TABLE users (
  id           BIGINT PRIMARY KEY,                -- GitHub's numeric id
  login        TEXT   NOT NULL,                   -- a label, in GitHub's spelling
  login_key    TEXT   UNIQUE,                     -- lower case; NULL once another user owns the login
  state        TEXT   NOT NULL CHECK (state IN ('active', 'paused', 'removed', 'gone')),
  backfill     TEXT   NOT NULL CHECK (backfill <> ''),  -- 'all', 'none', or a date such as '2026-01-31'
  tracked_at   BIGINT NOT NULL,
  node_id      TEXT   NOT NULL DEFAULT '',        -- names the user in GitHub's GraphQL API; '': not known
  hidden       BIGINT NOT NULL DEFAULT 0,         -- public gists that GitHub counts and does not list, by the last full scan
  probed_at    BIGINT NOT NULL DEFAULT 0,         -- the last change of a gist by the comparison before the last scan
  unlinked     BIGINT NOT NULL DEFAULT 0,         -- 1: the raw URLs of files are not known, because the first scan was a query for many users
  etag         TEXT   NOT NULL DEFAULT '',
  pages        BIGINT NOT NULL DEFAULT 0,
  last_scan_at BIGINT NOT NULL DEFAULT 0,         -- 0: the first scan has not succeeded yet
  full_scan_at BIGINT NOT NULL DEFAULT 0,         -- when a scan last read every page, or confirmed the login of a user without gists
  next_scan_at BIGINT NOT NULL,
  failures     BIGINT NOT NULL DEFAULT 0,
  problem      TEXT   NOT NULL DEFAULT '',
  version      BIGINT NOT NULL DEFAULT 0,         -- raised by each change that a reader of the user can see
  tags         TEXT   NOT NULL DEFAULT '',        -- sorted, with a space around each
  changed_at   BIGINT NOT NULL DEFAULT 0          -- when its login or state was last set
);
CREATE INDEX users_due ON users (next_scan_at, id) WHERE state IN ('active', 'gone');
CREATE INDEX users_compared ON users (next_scan_at, id) WHERE state = 'active' AND failures = 0 AND last_scan_at > 0;
CREATE INDEX users_login ON users (lower(login), id);
CREATE INDEX users_tracked ON users (tracked_at, id);
CREATE INDEX users_last_scan ON users (last_scan_at, id, state);  -- with the state, to count the users that were never scanned
CREATE INDEX users_next_scan ON users (next_scan_at, id);
CREATE INDEX users_others ON users (state, id) WHERE state <> 'active';

-- Keyed hashes of the logins and ids of erased users. They do not reveal the logins.
CREATE TABLE erased (
  login_hash TEXT   PRIMARY KEY,
  at         BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE gists (
  id          TEXT   PRIMARY KEY,
  user_id     BIGINT NOT NULL REFERENCES users (id),
  seq         BIGINT NOT NULL UNIQUE,             -- the order in which gists were noticed
  description TEXT   NOT NULL,
  files       TEXT   NOT NULL,                    -- JSON array of {name, raw_url, type, language, size}
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL DEFAULT 0,          -- on GitHub; 0: the facts of the gist are not known, and a scan must read them
  comments    BIGINT NOT NULL DEFAULT -1,         -- -1: not known
  fork        BIGINT NOT NULL DEFAULT -1,         -- 1: it is a fork; -1: not known
  noticed_at  BIGINT NOT NULL,
  noticed_by  TEXT   NOT NULL,                    -- 'first scan', 'scan' or 'feed'
  gone_at     BIGINT NOT NULL DEFAULT 0,          -- when GitHub stopped listing it; 0: it is listed
  changed_at  BIGINT NOT NULL DEFAULT 0,          -- when the row last changed
  first_lines TEXT   NOT NULL DEFAULT ''          -- of files, as of updated_at: a JSON object by name; '': not known
);
CREATE INDEX gists_user ON gists (user_id, seq);
CREATE INDEX gists_created ON gists (user_id, created_at, seq);  -- for the activity of users
CREATE INDEX gists_noticed ON gists (noticed_at, seq);
CREATE INDEX gists_new ON gists (seq) WHERE noticed_by <> 'first scan';  -- for the view of new gists
CREATE INDEX gists_unread ON gists (user_id) WHERE updated_at = 0;
CREATE INDEX gists_changed ON gists (changed_at, id);

-- No reference to gists: a deal can turn up in Pipedrive before its gist is read.
CREATE TABLE deals (
  gist_id   TEXT   PRIMARY KEY,
  state     TEXT   NOT NULL CHECK (state IN ('awaiting_approval', 'queued', 'sending', 'created', 'failed', 'skipped')),
  deal_id   BIGINT UNIQUE,                        -- Pipedrive's id
  attempts  BIGINT NOT NULL DEFAULT 0,            -- the fencing number
  owner     TEXT   NOT NULL DEFAULT '',           -- the process that made the last claim
  sent_at   BIGINT NOT NULL DEFAULT 0,
  queued_at BIGINT NOT NULL DEFAULT 0,
  backfill  BIGINT NOT NULL DEFAULT 0,            -- 1: of a first scan; these come after all others
  priority  BIGINT NOT NULL DEFAULT 1,            -- 0: high, 1: normal, 2: low; lower ones come first
  place     BIGINT NOT NULL DEFAULT 0,            -- from the head of the queue when the deal is queued
  turn      BIGINT NOT NULL DEFAULT 0,            -- the order in which queued deals are claimed
  problem   TEXT   NOT NULL DEFAULT '',
  catch_up  BIGINT NOT NULL DEFAULT 0,            -- 1: a catch-up must begin before the deal is claimed; 2: it has begun
  created_at BIGINT NOT NULL DEFAULT 0,           -- when the row was inserted
  updated_at BIGINT NOT NULL DEFAULT 0,           -- when its state, deal id, problem or attempts last changed
  rule      TEXT   NOT NULL DEFAULT '',           -- that decided about the deal; '': there were no rules
  rules_version BIGINT NOT NULL DEFAULT 0,
  content   TEXT   NOT NULL DEFAULT '',           -- that each attempt sends, as JSON; '': the content without rules
  by_rule   BIGINT NOT NULL DEFAULT 0,            -- 1: a rule skipped the deal, and no person has decided since
  CHECK ((state = 'created') = (deal_id IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX deals_turn ON deals (state, backfill, priority, turn, gist_id);  -- for the next claim
CREATE INDEX deals_queued ON deals (queued_at) WHERE state = 'queued';
CREATE INDEX deals_state ON deals (state, gist_id);               -- for lists
CREATE INDEX deals_created ON deals (created_at, gist_id);
CREATE INDEX deals_updated ON deals (updated_at, gist_id);
CREATE INDEX deals_catch_up ON deals (state) WHERE catch_up <> 0;
CREATE INDEX deals_rule ON deals (rule, queued_at) WHERE rule <> '';  -- for the limits of rules
CREATE INDEX deals_waiting ON deals (gist_id) WHERE state = 'awaiting_approval' AND problem = 'waiting for the end of the scan';

-- The history of each deal. Rows are only added and completed, and deleted when they are
-- old and the deal is created.
CREATE TABLE attempts (
  gist_id    TEXT   NOT NULL,
  n          BIGINT NOT NULL,
  owner      TEXT   NOT NULL,
  sent_at    BIGINT NOT NULL,
  remote_at  BIGINT NOT NULL,                     -- sent_at on Pipedrive's clock
  ended_at   BIGINT NOT NULL DEFAULT 0,
  outcome    TEXT   NOT NULL DEFAULT '' CHECK (outcome IN ('', 'created', 'refused', 'not_sent', 'adopted', 'not_found')),  -- '': in doubt
  deal_id    BIGINT,
  lookups    BIGINT NOT NULL DEFAULT 0,           -- complete lookups that the outcome took
  reason     TEXT   NOT NULL DEFAULT '',
  checked_at BIGINT NOT NULL DEFAULT 0,           -- when the deals were listed again after 'not_found'
  PRIMARY KEY (gist_id, n)
) WITHOUT ROWID;
CREATE INDEX attempts_remote ON attempts (remote_at);
CREATE INDEX attempts_ended ON attempts (ended_at);
CREATE INDEX attempts_deal ON attempts (deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX attempts_not_found ON attempts (ended_at) WHERE outcome = 'not_found' AND checked_at = 0;

-- Deals that an attempt created or adopted which was deleted because of its age.
CREATE TABLE own_deals (
  deal_id BIGINT PRIMARY KEY
) WITHOUT ROWID;

-- Second living deals of a gist in Pipedrive: reported, and deleted only on request.
CREATE TABLE duplicate_deals (
  deal_id    BIGINT PRIMARY KEY,
  gist_id    TEXT   NOT NULL,
  noticed_at BIGINT NOT NULL
);
CREATE INDEX duplicate_deals_gist ON duplicate_deals (gist_id);

-- Deals that an operator replaced with a new one.
CREATE TABLE replaced_deals (
  deal_id BIGINT PRIMARY KEY,
  gist_id TEXT   NOT NULL,
  at      BIGINT NOT NULL
);

-- Living archived deals of gists, as of the last catch-up: their list costs twice as much.
CREATE TABLE archived_deals (
  deal_id BIGINT PRIMARY KEY,
  gist_id TEXT   NOT NULL
);

-- Gists that were edited or deleted since the rules decided about their deals, which may have to
-- follow. A row is deleted once the deal has followed.
CREATE TABLE amendments (
  gist_id  TEXT   PRIMARY KEY,
  edited   BIGINT NOT NULL DEFAULT 0,             -- names the last edit: its time, or later than the change before; 0: none
  gone     BIGINT NOT NULL DEFAULT 0,             -- the same for the deletion
  next_at  BIGINT NOT NULL DEFAULT 0,             -- no attempt before
  attempts BIGINT NOT NULL DEFAULT 0,             -- the fencing number
  owner    TEXT   NOT NULL DEFAULT '',            -- the process that made the last attempt
  intended TEXT   NOT NULL DEFAULT '',            -- the values that an attempt was about to write, as JSON; '': none
  noted    BIGINT NOT NULL DEFAULT 0              -- the change of which a note may have been written
) WITHOUT ROWID;
CREATE INDEX amendments_next ON amendments (next_at, gist_id);

-- Requests to track or scan a user, for the leader. Results are kept for an hour,
-- for the clients that wait for them.
CREATE TABLE scan_requests (
  login_key    TEXT   PRIMARY KEY,                -- lower case
  login        TEXT   NOT NULL,                   -- as requested
  backfill     TEXT   NOT NULL,                   -- '': as configured
  tags         TEXT   NOT NULL DEFAULT '',        -- that the user gets, with spaces between
  kind         BIGINT NOT NULL CHECK (kind IN (0, 1, 2, 3)),  -- 0: track; a client waits for 1: the same, 2: the first scan, 3: a scan
  number       BIGINT NOT NULL DEFAULT 1,         -- raised by each request that differs from the pending one
  requested_at BIGINT NOT NULL,
  ended_at     BIGINT NOT NULL DEFAULT 0,         -- 0: pending
  outcome      TEXT   NOT NULL DEFAULT '',        -- 'added', 'known', or the kind of error
  problem      TEXT   NOT NULL DEFAULT '',        -- the error, or why it is still pending
  retry_after  BIGINT NOT NULL DEFAULT 0          -- of the error, in milliseconds
) WITHOUT ROWID;
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
) WITHOUT ROWID;
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
) WITHOUT ROWID;
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
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_at ON idempotency_keys (at);

CREATE TABLE audits (
  id               TEXT   PRIMARY KEY,
  repair           BIGINT NOT NULL,
  archived         BIGINT NOT NULL,
  recreate         TEXT   NOT NULL,
  delete_duplicate BIGINT NOT NULL,
  requested_at     BIGINT NOT NULL,
  ended_at         BIGINT NOT NULL DEFAULT 0,     -- 0: pending or in progress
  report           TEXT   NOT NULL DEFAULT ''     -- JSON
) WITHOUT ROWID;
CREATE INDEX audits_turn ON audits (ended_at, requested_at);

CREATE TABLE runs (
  id         BIGINT PRIMARY KEY,                  -- from a counter: the order in which runs were recorded
  kind       TEXT   NOT NULL CHECK (kind IN ('scan', 'sweep', 'push')),
  user_id    BIGINT NOT NULL,                     -- of a scan, else 0
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL,                     -- 0: in progress
  total      BIGINT NOT NULL,                     -- 0: not known
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
  visitor TEXT   NOT NULL,
  user_id BIGINT NOT NULL REFERENCES users (id),
  seq     BIGINT NOT NULL,                        -- the highest gists.seq shown
  at      BIGINT NOT NULL,
  PRIMARY KEY (visitor, user_id)
) WITHOUT ROWID;

-- A revoked token has no row.
CREATE TABLE tokens (
  name            TEXT   PRIMARY KEY,
  hash            TEXT   NOT NULL UNIQUE,         -- SHA-256 of the token, in hexadecimal
  scope           TEXT   NOT NULL CHECK (scope IN ('feed', 'read', 'write', 'admin')),
  created_at      BIGINT NOT NULL,
  expires_at      BIGINT NOT NULL DEFAULT 0,
  rate            BIGINT NOT NULL DEFAULT 0,      -- requests a second; 0: no limit of its own
  last_used_at    BIGINT NOT NULL DEFAULT 0,      -- accurate to a minute or two
  last_used_from  TEXT   NOT NULL DEFAULT '',     -- the address of a client
  old_hash        TEXT   UNIQUE,                  -- of the value before the last rotation
  old_valid_until BIGINT NOT NULL DEFAULT 0,
  old_used_at     BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- People who signed in at an OpenID Connect provider.
CREATE TABLE people (
  issuer       TEXT   NOT NULL,
  subject      TEXT   NOT NULL,                   -- the provider's key of the person
  name         TEXT   NOT NULL UNIQUE,            -- as of the first sign-in; no token has such a name
  signed_in_at BIGINT NOT NULL,
  PRIMARY KEY (issuer, subject)
) WITHOUT ROWID;

-- A log-in of a browser, by a token or of a person. It ends with its row, its token, or
-- at expires_at.
CREATE TABLE sessions (
  hash       TEXT   PRIMARY KEY,                  -- SHA-256 of the id in the cookie, in hexadecimal
  token_hash TEXT   NOT NULL DEFAULT '',
  person     TEXT   NOT NULL DEFAULT '',          -- people.name
  scope      TEXT   NOT NULL DEFAULT '',          -- of the person at the sign-in
  expires_at BIGINT NOT NULL,
  CHECK ((token_hash = '') = (person <> ''))
) WITHOUT ROWID;

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

-- Addresses that get messages about events, and their secrets.
CREATE TABLE webhooks (
  id               TEXT   PRIMARY KEY,            -- random: a webhook with the name of a deleted one is another
  name             TEXT   NOT NULL UNIQUE,
  kind             TEXT   NOT NULL,
  url              TEXT   NOT NULL,
  headers          TEXT   NOT NULL,               -- JSON object
  types            TEXT   NOT NULL,               -- of its events, as a JSON array; '[]': all
  user_id          BIGINT NOT NULL,               -- of its events; 0: all, -1: none, since the user was erased
  secret           TEXT   NOT NULL,
  old_secret       TEXT   NOT NULL DEFAULT '',
  old_secret_until BIGINT NOT NULL DEFAULT 0,
  state            TEXT   NOT NULL CHECK (state IN ('enabled', 'disabled', 'failed')),
  reason           TEXT   NOT NULL DEFAULT '',
  created_at       BIGINT NOT NULL,
  cursor           BIGINT NOT NULL,               -- the last event that it got, or that its filter left out
  delivered_at     BIGINT NOT NULL DEFAULT 0,
  failures         BIGINT NOT NULL DEFAULT 0,     -- in a row
  failing_since    BIGINT NOT NULL DEFAULT 0,
  digest           TEXT   NOT NULL DEFAULT '',    -- for people: 'minute', 'hourly' or 'daily'
  quiet            TEXT   NOT NULL DEFAULT '',
  zone             TEXT   NOT NULL DEFAULT '',
  told             TEXT   NOT NULL DEFAULT '{}',  -- JSON object: what people were told of lately, with the time
  next_at          BIGINT NOT NULL DEFAULT 0,
  changes          BIGINT NOT NULL DEFAULT 0      -- by people, and erasures: an attempt from before the last one decides nothing
) WITHOUT ROWID;

-- The last messages to each webhook, and those that wait for another attempt.
CREATE TABLE deliveries (
  webhook_id TEXT   NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  event_id   BIGINT NOT NULL,                     -- below 0: a test
  type       TEXT   NOT NULL,
  turn       TEXT   NOT NULL,                     -- messages with the same one are delivered one after another
  state      TEXT   NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts   BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  tried_at   BIGINT NOT NULL DEFAULT 0,
  next_at    BIGINT NOT NULL DEFAULT 0,
  status     BIGINT NOT NULL DEFAULT 0,           -- of the last answer
  problem    TEXT   NOT NULL DEFAULT '',
  took       BIGINT NOT NULL DEFAULT 0,           -- milliseconds
  deferred   TEXT   NOT NULL DEFAULT '',          -- JSON object: the e-mail that some addresses get later
  PRIMARY KEY (webhook_id, event_id)
) WITHOUT ROWID;
CREATE INDEX deliveries_pending ON deliveries (webhook_id, event_id) WHERE state = 'pending';
CREATE INDEX deliveries_event ON deliveries (event_id);

-- Numbers that lists and the overview show, so that they read no rows to count them.
-- On PostgreSQL each transaction counts in the part of its connection, so that two of them
-- rarely wait for each other; the number is the sum of the parts.
CREATE TABLE counts (
  kind  TEXT   NOT NULL,                          -- a table: 'users', 'deals' or 'duplicate_deals'
  state TEXT   NOT NULL,
  part  BIGINT NOT NULL DEFAULT 0,
  n     BIGINT NOT NULL,
  PRIMARY KEY (kind, state, part)
) WITHOUT ROWID;

-- The deals of each user's gists.
CREATE TABLE deal_counts (
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  state   TEXT   NOT NULL,
  n       BIGINT NOT NULL,
  PRIMARY KEY (user_id, state)
) WITHOUT ROWID;

-- The gists noticed and the deals created or adopted on each day, in days since 1970.
CREATE TABLE days (
  day   BIGINT NOT NULL,
  part  BIGINT NOT NULL DEFAULT 0,
  gists BIGINT NOT NULL,
  deals BIGINT NOT NULL,
  backfill BIGINT NOT NULL DEFAULT 0,             -- the gists that existed before their user was tracked
  PRIMARY KEY (day, part)
) WITHOUT ROWID;

-- The deals created on each day, by the time since the publication of their gists: bucket is
-- the index of a bound. Only gists that were published while their users were tracked count.
CREATE TABLE delays (
  day    BIGINT NOT NULL,
  bucket BIGINT NOT NULL,
  n      BIGINT NOT NULL,
  PRIMARY KEY (day, bucket)
) WITHOUT ROWID;

-- Triggers, so that no statement can omit a change of a version or a count. Inserts of
-- deals change no version: a deal is inserted together with its gist, or its gist is not
-- visible yet.
CREATE TRIGGER users_version AFTER UPDATE OF login ON users BEGIN
  UPDATE users SET version = version + 1 WHERE id = NEW.id;
END;
CREATE TRIGGER users_insert AFTER INSERT ON users BEGIN
  INSERT INTO counts (kind, state, n) VALUES ('users', NEW.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER users_update AFTER UPDATE OF state ON users WHEN NEW.state <> OLD.state BEGIN
  INSERT INTO counts (kind, state, n) VALUES ('users', OLD.state, -1), ('users', NEW.state, 1) ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER users_delete AFTER DELETE ON users BEGIN
  UPDATE counts SET n = n - 1 WHERE kind = 'users' AND state = OLD.state;
END;

CREATE TRIGGER gists_insert AFTER INSERT ON gists BEGIN
  UPDATE users SET version = version + 1 WHERE id = NEW.user_id;
  INSERT INTO deal_counts SELECT NEW.user_id, state, 1 FROM deals WHERE gist_id = NEW.id ON CONFLICT DO UPDATE SET n = n + 1;
  INSERT INTO days (day, gists, deals, backfill) VALUES (NEW.noticed_at / 86400000, 1, 0, NEW.noticed_by = 'first scan')
    ON CONFLICT DO UPDATE SET gists = gists + 1, backfill = backfill + excluded.backfill;
END;
CREATE TRIGGER gists_update AFTER UPDATE ON gists BEGIN
  UPDATE users SET version = version + 1 WHERE id = NEW.user_id;
END;
CREATE TRIGGER gists_delete AFTER DELETE ON gists BEGIN
  UPDATE deal_counts SET n = n - 1 WHERE user_id = OLD.user_id AND state = (SELECT state FROM deals WHERE gist_id = OLD.id);
  UPDATE days SET gists = gists - 1, backfill = backfill - (OLD.noticed_by = 'first scan') WHERE day = OLD.noticed_at / 86400000;
END;
CREATE TRIGGER gists_constant BEFORE UPDATE OF id, user_id, noticed_at, noticed_by ON gists BEGIN
  SELECT RAISE(ABORT, 'a gist keeps its user and its day, which are counted');
END;

CREATE TRIGGER deals_insert AFTER INSERT ON deals BEGIN
  INSERT INTO counts (kind, state, n) VALUES ('deals', NEW.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
  INSERT INTO deal_counts SELECT user_id, NEW.state, 1 FROM gists WHERE id = NEW.gist_id ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER deals_version AFTER UPDATE OF state, deal_id, problem ON deals BEGIN
  UPDATE users SET version = version + 1 WHERE id = (SELECT user_id FROM gists WHERE id = NEW.gist_id);
END;
CREATE TRIGGER deals_update AFTER UPDATE OF state ON deals WHEN NEW.state <> OLD.state BEGIN
  INSERT INTO counts (kind, state, n) VALUES ('deals', OLD.state, -1), ('deals', NEW.state, 1) ON CONFLICT DO UPDATE SET n = n + excluded.n;
  UPDATE deal_counts SET n = n - 1 WHERE state = OLD.state AND user_id = (SELECT user_id FROM gists WHERE id = NEW.gist_id);
  INSERT INTO deal_counts SELECT user_id, NEW.state, 1 FROM gists WHERE id = NEW.gist_id ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER deals_delete AFTER DELETE ON deals BEGIN
  UPDATE counts SET n = n - 1 WHERE kind = 'deals' AND state = OLD.state;
  UPDATE deal_counts SET n = n - 1 WHERE state = OLD.state AND user_id = (SELECT user_id FROM gists WHERE id = OLD.gist_id);
END;
CREATE TRIGGER deals_constant BEFORE UPDATE OF gist_id ON deals BEGIN
  SELECT RAISE(ABORT, 'a deal keeps its gist, whose user is counted');
END;

CREATE TRIGGER attempts_insert AFTER INSERT ON attempts WHEN NEW.outcome IN ('created', 'adopted') BEGIN
  INSERT INTO days (day, gists, deals) VALUES (NEW.ended_at / 86400000, 0, 1) ON CONFLICT DO UPDATE SET deals = deals + 1;
END;
CREATE TRIGGER attempts_update AFTER UPDATE OF outcome, ended_at ON attempts BEGIN
  UPDATE days SET deals = deals - 1 WHERE OLD.outcome IN ('created', 'adopted') AND day = OLD.ended_at / 86400000;
  INSERT INTO days (day, gists, deals) SELECT NEW.ended_at / 86400000, 0, 1 WHERE NEW.outcome IN ('created', 'adopted')
    ON CONFLICT DO UPDATE SET deals = deals + 1;
END;
CREATE TRIGGER attempts_delete AFTER DELETE ON attempts WHEN OLD.outcome IN ('created', 'adopted') BEGIN
  UPDATE days SET deals = deals - 1 WHERE day = OLD.ended_at / 86400000;
END;

CREATE TRIGGER duplicate_deals_insert AFTER INSERT ON duplicate_deals BEGIN
  INSERT INTO counts (kind, state, n) VALUES ('duplicate_deals', '', 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER duplicate_deals_delete AFTER DELETE ON duplicate_deals BEGIN
  UPDATE counts SET n = n - 1 WHERE kind = 'duplicate_deals';
END;

-- The gists of all users that were last seen in GitHub's list of new public gists, so that
-- each is looked at once.
CREATE TABLE feed_gists (
  id  TEXT    PRIMARY KEY,
  seq BIGINT NOT NULL                             -- the order in which they were seen
) WITHOUT ROWID;
CREATE INDEX feed_gists_seq ON feed_gists (seq);

-- What happened, for clients and programs; the rows above stay the truth. Triggers insert
-- the events about gists, deals and users, so that no statement can omit one. Rows are only
-- added, and deleted when they are old; erasing a user empties the texts about it.
CREATE TABLE events (
  id       BIGINT NOT NULL DEFAULT -1 PRIMARY KEY,  -- the order of the commits; -1 until events_number, at once
  at       BIGINT NOT NULL,
  type     TEXT   NOT NULL,
  user_id  BIGINT NOT NULL DEFAULT 0,             -- 0: of no user, or of a gist that was never read
  login    TEXT   NOT NULL DEFAULT '',            -- as of then
  gist_id  TEXT   NOT NULL DEFAULT '',
  deal_id  BIGINT NOT NULL DEFAULT 0,
  backfill BIGINT NOT NULL DEFAULT 0,             -- 1: of a gist that a first scan found
  data     TEXT   NOT NULL DEFAULT '{}'           -- JSON: further facts, by their names in gistdeal.Event
) WITHOUT ROWID;
CREATE INDEX events_user ON events (user_id, id) WHERE user_id <> 0;

-- An id is above all earlier ones, and at least the time in milliseconds: so a database
-- that was restored from a backup, or replaced, repeats no id.
CREATE TRIGGER events_number AFTER INSERT ON events WHEN NEW.id < 0 BEGIN
  UPDATE counters SET value = max(value + 1, NEW.at) WHERE name = 'event_id';
  UPDATE events SET id = (SELECT value FROM counters WHERE name = 'event_id') WHERE id = NEW.id;
END;

CREATE TRIGGER gists_event AFTER INSERT ON gists BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, backfill, data)
    SELECT NEW.noticed_at, 'gist.noticed', id, login, NEW.id, NEW.noticed_by = 'first scan', json_object('description', NEW.description)
    FROM users WHERE id = NEW.user_id;
END;
-- Facts that were not known before are no edit, nor is a new raw URL after a rename.
CREATE TRIGGER gists_edit_event AFTER UPDATE OF description, files ON gists
WHEN OLD.updated_at > 0 AND (NEW.description <> OLD.description OR NEW.files <> OLD.files AND NEW.updated_at > OLD.updated_at) BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
    SELECT NEW.changed_at, 'gist.edited', u.id, u.login, NEW.id, coalesce(d.deal_id, 0), NEW.noticed_by = 'first scan', json_object('description', NEW.description)
    FROM users u LEFT JOIN deals d ON d.gist_id = NEW.id WHERE u.id = NEW.user_id;
END;
CREATE TRIGGER gists_gone_event AFTER UPDATE OF gone_at ON gists WHEN (NEW.gone_at = 0) <> (OLD.gone_at = 0) BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
    SELECT NEW.changed_at, iif(NEW.gone_at = 0, 'gist.restored', 'gist.deleted'), u.id, u.login, NEW.id, coalesce(d.deal_id, 0), NEW.noticed_by = 'first scan',
      json_object('description', NEW.description)
    FROM users u LEFT JOIN deals d ON d.gist_id = NEW.id WHERE u.id = NEW.user_id;
END;

CREATE TRIGGER gists_edit_amendment AFTER UPDATE OF description, files ON gists
WHEN OLD.updated_at > 0 AND (NEW.description <> OLD.description OR NEW.files <> OLD.files AND NEW.updated_at > OLD.updated_at) BEGIN
  INSERT INTO amendments (gist_id, edited) SELECT gist_id, NEW.changed_at FROM deals WHERE gist_id = NEW.id AND rule NOT IN ('', 'everything else') AND state <> 'skipped'
    ON CONFLICT DO UPDATE SET edited = max(excluded.edited, edited + 1, gone + 1), next_at = 0;
END;
CREATE TRIGGER gists_gone_amendment AFTER UPDATE OF gone_at ON gists WHEN OLD.gone_at = 0 AND NEW.gone_at <> 0 BEGIN
  INSERT INTO amendments (gist_id, gone) SELECT gist_id, NEW.changed_at FROM deals WHERE gist_id = NEW.id AND rule NOT IN ('', 'everything else') AND state <> 'skipped'
    ON CONFLICT DO UPDATE SET gone = max(excluded.gone, edited + 1, gone + 1), next_at = 0;
END;
CREATE TRIGGER gists_back_amendment AFTER UPDATE OF gone_at ON gists WHEN OLD.gone_at <> 0 AND NEW.gone_at = 0 BEGIN
  UPDATE amendments SET gone = 0 WHERE gist_id = NEW.id;
END;

-- Deals that wait for the end of their scan are not awaiting approval yet.
CREATE TRIGGER deals_insert_event AFTER INSERT ON deals
WHEN NEW.state <> 'sending' AND NOT (NEW.state = 'awaiting_approval' AND NEW.problem = 'waiting for the end of the scan') BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
    SELECT NEW.updated_at, 'deal.' || NEW.state, coalesce(u.id, 0), coalesce(u.login, ''), NEW.gist_id, coalesce(NEW.deal_id, 0),
      coalesce(g.noticed_by = 'first scan', 0), json_object('description', coalesce(g.description, ''), 'reason', NEW.problem,
      'adopted', json(iif(NEW.state = 'created' AND NOT EXISTS (SELECT 1 FROM attempts WHERE deal_id = NEW.deal_id AND outcome = 'created'), 'true', 'false')))
    FROM (SELECT 1) LEFT JOIN gists g ON g.id = NEW.gist_id LEFT JOIN users u ON u.id = g.user_id;
END;
CREATE TRIGGER deals_update_event AFTER UPDATE OF state, deal_id, problem ON deals
WHEN NEW.state <> 'sending' AND NOT (NEW.state = 'awaiting_approval' AND NEW.problem = 'waiting for the end of the scan') AND
  (NEW.state <> OLD.state OR NEW.deal_id IS DISTINCT FROM OLD.deal_id OR
  OLD.state = 'awaiting_approval' AND OLD.problem = 'waiting for the end of the scan') BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
    SELECT NEW.updated_at, CASE WHEN NEW.state = 'created' AND OLD.state = 'created' THEN 'deal.relinked'
        WHEN NEW.state = 'queued' AND OLD.state = 'sending' THEN 'deal.postponed'
        WHEN NEW.state = 'queued' AND OLD.state <> 'awaiting_approval' THEN 'deal.retried' ELSE 'deal.' || NEW.state END,
      coalesce(u.id, 0), coalesce(u.login, ''), NEW.gist_id, coalesce(NEW.deal_id, 0),
      coalesce(g.noticed_by = 'first scan', 0), json_object('description', coalesce(g.description, ''), 'reason', NEW.problem,
      'adopted', json(iif(NEW.state = 'created' AND NOT EXISTS (SELECT 1 FROM attempts WHERE deal_id = NEW.deal_id AND outcome = 'created'), 'true', 'false')))
    FROM (SELECT 1) LEFT JOIN gists g ON g.id = NEW.gist_id LEFT JOIN users u ON u.id = g.user_id;
END;

CREATE TRIGGER users_insert_event AFTER INSERT ON users BEGIN
  INSERT INTO events (at, type, user_id, login) VALUES (NEW.tracked_at, 'user.added', NEW.id, NEW.login);
END;
CREATE TRIGGER users_state_event AFTER UPDATE OF state ON users WHEN NEW.state <> OLD.state BEGIN
  INSERT INTO events (at, type, user_id, login, data) VALUES (NEW.changed_at, 'user.' || CASE
      WHEN NEW.state <> 'active' THEN NEW.state WHEN OLD.state = 'paused' THEN 'resumed' WHEN OLD.state = 'gone' THEN 'back' ELSE 'added' END,
    NEW.id, NEW.login, json_object('reason', iif(NEW.state = 'gone', NEW.problem, '')));
END;
CREATE TRIGGER users_login_event AFTER UPDATE OF login ON users WHEN NEW.login <> OLD.login BEGIN
  INSERT INTO events (at, type, user_id, login, data) VALUES (NEW.changed_at, 'user.renamed', NEW.id, NEW.login, json_object('old_login', OLD.login));
END;

CREATE TRIGGER duplicate_deals_event AFTER INSERT ON duplicate_deals BEGIN
  INSERT INTO events (at, type, user_id, login, gist_id, deal_id, backfill, data)
    SELECT NEW.noticed_at, 'duplicate.found', coalesce(u.id, 0), coalesce(u.login, ''), NEW.gist_id, NEW.deal_id,
      coalesce(g.noticed_by = 'first scan', 0), json_object('description', coalesce(g.description, ''))
    FROM (SELECT 1) LEFT JOIN gists g ON g.id = NEW.gist_id LEFT JOIN users u ON u.id = g.user_id;
END;
