-- Every entry becomes a leaf of its log's tree (RFC 6962). The table is written anew, because SQLite would leave rows
-- that grow in place scattered over half-filled pages; `log_upgrade` fills it, for SQL knows no hashes.
-- request_key: 2^40 times the number of the run of 2^18 entries, plus 40 bits of the SHA-256 of request_id. A lookup
-- asks once for each run, and an append touches the pages of one run instead of any page of a huge index.
-- salt: 16 random bytes; leaf: SHA-256 of the entry and its salt (domain/audit_leaf).
CREATE TABLE entries_with_leaves (
  id INTEGER PRIMARY KEY,
  log INTEGER NOT NULL,
  ts INTEGER NOT NULL CHECK (typeof(ts) = 'integer' AND ts BETWEEN -62135596800000000 AND 253402300799999999),
  app INTEGER,
  actor INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  action INTEGER NOT NULL,
  scope INTEGER,
  result INTEGER NOT NULL,
  request_id TEXT NOT NULL CHECK (typeof(request_id) = 'text'),
  source INTEGER,
  source_ip INTEGER,
  key_id INTEGER,
  origin INTEGER,
  details TEXT,
  request_key INTEGER NOT NULL,
  salt BLOB NOT NULL,
  leaf BLOB NOT NULL
);

-- peaks: the roots of the complete subtrees that make up the tree of `size` leaves, widest first, 32 bytes each.
ALTER TABLE logs ADD COLUMN peaks BLOB NOT NULL DEFAULT x'';

-- Complete tiles of 256 hashes (c2sp.org/tlog-tiles): of leaves at level 0, of the roots of such tiles at level 1, and
-- so on. root: of the tile itself. Written when the last hash is there, and never changed.
CREATE TABLE log_tiles (
  log INTEGER NOT NULL,
  level INTEGER NOT NULL,
  number INTEGER NOT NULL,
  root BLOB NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY (log, level, number)
);

-- Entries that were removed by age, as ranges of their numbers; prune_seq: the entry that tells of it.
CREATE TABLE pruned (
  log INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL CHECK (last >= first),
  prune_seq INTEGER NOT NULL,
  PRIMARY KEY (log, first)
) WITHOUT ROWID;

-- Leaves of removed entries whose tile was not complete then. id: as in entries.
CREATE TABLE pruned_leaves (
  id INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL
);

CREATE TABLE legal_holds (
  log INTEGER PRIMARY KEY,
  reason TEXT NOT NULL,
  placed_by TEXT NOT NULL,
  placed_at INTEGER NOT NULL
);

CREATE TABLE checkpoints (
  log INTEGER NOT NULL,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (log, size)
);

CREATE TABLE anchors (
  log INTEGER NOT NULL,
  anchor TEXT NOT NULL,
  size INTEGER NOT NULL,
  anchored_at INTEGER NOT NULL,
  receipt TEXT NOT NULL,
  PRIMARY KEY (log, anchor, size)
);
