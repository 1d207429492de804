-- The backfill policy may be a date, and its name and values follow the glossary.

ALTER TABLE users ADD COLUMN backfill TEXT NOT NULL DEFAULT 'all';
UPDATE users SET backfill = CASE first_scan WHEN 'new' THEN 'none' ELSE first_scan END;
ALTER TABLE users DROP COLUMN first_scan;

ALTER TABLE asks ADD COLUMN backfill TEXT NOT NULL DEFAULT '';
UPDATE asks SET backfill = CASE first_scan WHEN 'new' THEN 'none' ELSE first_scan END;
ALTER TABLE asks DROP COLUMN first_scan;

UPDATE settings SET name = 'backfill', value = CASE value WHEN 'new' THEN 'none' ELSE value END WHERE name = 'first_scan';
UPDATE settings SET name = 'approval_threshold' WHERE name = 'first_scan_max';
