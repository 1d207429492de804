-- What runs found and cost, who is erased, and the orders of lists.

CREATE TABLE runs (
  id       BIGINT PRIMARY KEY,                    -- from a counter: the order of beginning
  kind     TEXT   NOT NULL CHECK (kind IN ('scan', 'sweep', 'push')),
  user_id  BIGINT NOT NULL,                       -- of a scan, else 0
  begun_at BIGINT NOT NULL,
  noted_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,                       -- 0: goes on
  total    BIGINT NOT NULL,                       -- 0: not known
  done     BIGINT NOT NULL,
  gists    BIGINT NOT NULL,
  deals    BIGINT NOT NULL,
  failed   BIGINT NOT NULL,
  requests BIGINT NOT NULL,
  tokens   BIGINT NOT NULL,
  problem  TEXT   NOT NULL
);
CREATE INDEX runs_going ON runs (id) WHERE ended_at = 0;
CREATE INDEX runs_user ON runs (user_id, id) WHERE user_id <> 0;
INSERT INTO counters (name, value) VALUES ('run_id', 0);

-- Whom a person wanted forgotten. A keyed hash: the table tells no login.
CREATE TABLE erased (
  login_hash TEXT   PRIMARY KEY,
  at         BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX users_login ON users (lower(login), id);
CREATE INDEX users_tracked ON users (tracked_at, id);
CREATE INDEX users_last_scan ON users (last_scan_at, id);
CREATE INDEX users_next_scan ON users (next_scan_at, id);
