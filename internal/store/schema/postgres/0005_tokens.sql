-- The tables of ../sqlite/0005_tokens.sql, where their columns are explained.

ALTER TABLE tokens ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;
