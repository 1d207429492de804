-- The tables of ../sqlite/0002_hands.sql, where their columns are explained.

ALTER TABLE deals DROP CONSTRAINT deals_state_check;
ALTER TABLE deals ADD CONSTRAINT deals_state_check CHECK (state IN ('held', 'found', 'sending', 'made', 'failed', 'skipped'));
DROP INDEX deals_found;
DROP INDEX deals_sending;
DROP INDEX deals_failed;
CREATE INDEX deals_turn ON deals (state, queued_at, gist_id);
CREATE INDEX deals_state ON deals (state, gist_id);

ALTER TABLE gists ADD COLUMN noticed_by TEXT NOT NULL DEFAULT '';

CREATE INDEX surplus_gist ON surplus (gist_id);

CREATE TABLE asks (
  login_key   TEXT COLLATE "C" PRIMARY KEY,
  login       TEXT   NOT NULL,
  first_scan  TEXT   NOT NULL CHECK (first_scan IN ('', 'all', 'new')),
  want        BIGINT NOT NULL CHECK (want IN (0, 1, 2)),
  n           BIGINT NOT NULL DEFAULT 1,
  asked_at    BIGINT NOT NULL,
  ended_at    BIGINT NOT NULL DEFAULT 0,
  outcome     TEXT   NOT NULL DEFAULT '',
  problem     TEXT   NOT NULL DEFAULT '',
  retry_after BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX asks_turn ON asks (ended_at, want DESC, asked_at);

-- Processes that wait for an ask or an answer listen.
CREATE FUNCTION asks_told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NOTIFY asks;
  RETURN NULL;
END $$;
CREATE TRIGGER asks_told AFTER INSERT OR UPDATE ON asks FOR EACH STATEMENT EXECUTE FUNCTION asks_told();
