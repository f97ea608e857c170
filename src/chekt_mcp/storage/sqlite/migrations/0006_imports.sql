-- How far an import is, so that one that was interrupted goes on behind its last durable batch.
-- reading: digest of mapping and time zone. rows: those done with. state: under_way, finished, set_aside.
-- What stands here already is finished, and was read as it is.
ALTER TABLE import_files ADD COLUMN reading TEXT NOT NULL DEFAULT '';
ALTER TABLE import_files ADD COLUMN rows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import_files ADD COLUMN redacted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import_files ADD COLUMN postponed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import_files ADD COLUMN first_at INTEGER;
ALTER TABLE import_files ADD COLUMN last_at INTEGER;
ALTER TABLE import_files ADD COLUMN state TEXT NOT NULL DEFAULT 'finished';
UPDATE import_files SET rows = added + known + rejected;
