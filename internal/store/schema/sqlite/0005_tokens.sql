-- What shows whether a token is still needed. A token that is revoked is gone.

ALTER TABLE tokens ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;   -- to a minute or two; 0: not yet
