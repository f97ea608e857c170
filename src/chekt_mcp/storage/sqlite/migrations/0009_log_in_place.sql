-- The rows are over; what guards and finds them goes with the table of old, and is made for the new one.
DROP TABLE entries;
ALTER TABLE entries_with_leaves RENAME TO entries;

CREATE INDEX entries_by_app ON entries (log, app, ts);
CREATE INDEX entries_by_request ON entries (log, request_key);
CREATE INDEX entries_by_key ON entries (log, key_id, ts, source_ip, source) WHERE key_id IS NOT NULL;
CREATE INDEX entries_by_address ON entries (log, source_ip, ts) WHERE source_ip IS NOT NULL;

-- Replacing a row counts as removing it (recursive_triggers is on); a trigger on INSERT would cost half an append more.
CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;

-- The one way out: an entry goes after the range it is in was recorded as pruned, while no legal hold stands.
CREATE TRIGGER entries_are_removed_by_pruning_only BEFORE DELETE ON entries
WHEN EXISTS (SELECT 1 FROM legal_holds WHERE log = OLD.log) OR coalesce(
  (SELECT last < (OLD.id & 1099511627775) FROM pruned
   WHERE log = OLD.log AND first <= (OLD.id & 1099511627775) ORDER BY first DESC LIMIT 1), 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;

CREATE TRIGGER pruning_is_told_of_and_stopped_by_a_legal_hold BEFORE INSERT ON pruned
WHEN EXISTS (SELECT 1 FROM legal_holds WHERE log = NEW.log)
  OR NOT EXISTS (SELECT 1 FROM entries WHERE id = (NEW.log << 40) + NEW.prune_seq)
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER pruned_is_never_changed BEFORE UPDATE ON pruned
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER pruned_is_never_removed BEFORE DELETE ON pruned
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER pruned_leaves_are_never_changed BEFORE UPDATE ON pruned_leaves
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER pruned_leaves_are_never_removed BEFORE DELETE ON pruned_leaves
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER tiles_are_never_changed BEFORE UPDATE ON log_tiles
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER tiles_are_never_removed BEFORE DELETE ON log_tiles
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER checkpoints_are_never_changed BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER checkpoints_are_never_removed BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER anchors_are_never_changed BEFORE UPDATE ON anchors
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER anchors_are_never_removed BEFORE DELETE ON anchors
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
