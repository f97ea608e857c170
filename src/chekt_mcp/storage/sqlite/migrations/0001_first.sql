-- Moments are integer microseconds since 1970 UTC. Readable with any SQLite from 3.24 on: no STRICT, no RETURNING,
-- because a distribution's Python brings whatever SQLite it brings.

CREATE TABLE dealers (
  name TEXT NOT NULL PRIMARY KEY,
  created_at INTEGER NOT NULL,
  wrapped_key BLOB NOT NULL
);

CREATE TABLE approvers (
  dealer TEXT NOT NULL PRIMARY KEY REFERENCES dealers,
  salt BLOB NOT NULL,
  scrypt BLOB NOT NULL,
  wrong_attempts INTEGER NOT NULL,
  locked_until INTEGER
);

CREATE TABLE server_secrets (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
);

-- scopes and covers: names separated by spaces, which neither may hold.
CREATE TABLE apps (
  dealer TEXT NOT NULL REFERENCES dealers,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  authority TEXT NOT NULL,
  scopes TEXT NOT NULL,
  confirm TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  covers TEXT NOT NULL,
  PRIMARY KEY (dealer, name)
);

CREATE TABLE keys (
  key_id TEXT NOT NULL PRIMARY KEY,
  dealer TEXT NOT NULL,
  app TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  valid_until INTEGER,
  revoked_at INTEGER,
  value_hash BLOB UNIQUE,
  sealed BLOB,
  FOREIGN KEY (dealer, app) REFERENCES apps
);
CREATE INDEX keys_by_app ON keys (dealer, app, kind, created_at);

CREATE TABLE allow_list_versions (
  dealer TEXT NOT NULL,
  app TEXT NOT NULL,
  version INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  text TEXT NOT NULL,
  effective_at INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (dealer, app, version),
  FOREIGN KEY (dealer, app) REFERENCES apps
);

-- challenges and outcome: JSON.
CREATE TABLE approvals (
  approval_id TEXT NOT NULL PRIMARY KEY,
  dealer TEXT NOT NULL REFERENCES dealers,
  app TEXT NOT NULL,
  tool TEXT NOT NULL,
  requester TEXT NOT NULL,
  confirm TEXT NOT NULL,
  digest TEXT NOT NULL,
  state_digest TEXT NOT NULL,
  words TEXT NOT NULL,
  challenges TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  decided_by TEXT,
  decided_how TEXT,
  decided_at INTEGER,
  attempts INTEGER NOT NULL,
  outcome TEXT
);
CREATE INDEX approvals_by_request ON approvals (dealer, requester, digest, created_at);
CREATE INDEX approvals_pending ON approvals (dealer, created_at) WHERE state = 'pending';

CREATE TABLE rotations (
  rotation_id TEXT NOT NULL PRIMARY KEY,
  dealer TEXT NOT NULL,
  app TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  old_key_id TEXT,
  new_key_id TEXT NOT NULL,
  sink TEXT NOT NULL,
  target TEXT NOT NULL,
  revoke_previous_now INTEGER NOT NULL,
  requested_by TEXT NOT NULL,
  approval_id TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  sealed BLOB,
  FOREIGN KEY (dealer, app) REFERENCES apps
);
CREATE INDEX rotations_unfinished ON rotations (started_at) WHERE state = 'delivering';

CREATE TABLE remembered_answers (
  dealer TEXT NOT NULL REFERENCES dealers,
  principal TEXT NOT NULL,
  tool TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  arguments_digest TEXT NOT NULL,
  answer TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (dealer, principal, tool, idempotency_key)
);

CREATE TABLE seen_deliveries (
  dealer TEXT NOT NULL,
  app TEXT NOT NULL,
  digest BLOB NOT NULL,
  event_id TEXT,
  times INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  digest_until INTEGER NOT NULL,
  event_until INTEGER NOT NULL,
  PRIMARY KEY (dealer, app, digest),
  FOREIGN KEY (dealer, app) REFERENCES apps
);
CREATE INDEX seen_deliveries_by_event ON seen_deliveries (dealer, app, event_id, first_at);
CREATE INDEX seen_deliveries_by_end ON seen_deliveries (dealer, app, max(digest_until, event_until));

CREATE TABLE import_files (
  import_id TEXT NOT NULL PRIMARY KEY,
  dealer TEXT NOT NULL REFERENCES dealers,
  file_name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  imported_by TEXT NOT NULL,
  imported_at INTEGER NOT NULL,
  added INTEGER NOT NULL,
  known INTEGER NOT NULL,
  rejected INTEGER NOT NULL
);
CREATE INDEX import_files_by_sha256 ON import_files (dealer, sha256, imported_at);

-- The audit log. One log per dealer, whether or not the dealer is known here (a refusal can name any).
-- size: the number of the newest entry; entries count up from 1 without gaps.
CREATE TABLE logs (
  log INTEGER PRIMARY KEY,
  dealer TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL
);

-- Repeated text and addresses, kept once; rows of the log hold their integers. A row is never changed.
CREATE TABLE names (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);

-- ip: 16 bytes, IPv4 as ::ffff:a.b.c.d, so that a network is one range; NULL for what is no address.
CREATE TABLE addresses (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE,
  ip BLOB
);
CREATE INDEX addresses_by_ip ON addresses (ip);

-- id = log * 2^40 + seq: a dealer's rows lie together in the order written, and every index carries one integer.
-- The other integers are ids in names (source_ip: in addresses); no foreign keys, because eight look-ups a row are
-- dear and nothing can remove a name. details: JSON, NULL where there are none.
CREATE TABLE entries (
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
  details TEXT
);
CREATE INDEX entries_by_app ON entries (log, app, ts);
CREATE INDEX entries_by_request ON entries (log, request_id, ts);
CREATE INDEX entries_by_key ON entries (log, key_id, ts, source_ip, source) WHERE key_id IS NOT NULL;
CREATE INDEX entries_by_address ON entries (log, source_ip, ts) WHERE source_ip IS NOT NULL;

-- How many entries each app has (0: none named).
CREATE TABLE entry_counts (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  PRIMARY KEY (log, app)
) WITHOUT ROWID;

-- api_call entries by app, hour (since 1970) and source address.
CREATE TABLE traffic (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  source_ip INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  last_ts INTEGER NOT NULL,
  PRIMARY KEY (log, app, hour, source_ip)
) WITHOUT ROWID;

-- Replacing a row counts as removing it (recursive_triggers is on); a trigger on INSERT would cost half an append more.
CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER names_are_never_changed BEFORE UPDATE ON names
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER names_are_never_removed BEFORE DELETE ON names
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER addresses_are_never_changed BEFORE UPDATE ON addresses
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER addresses_are_never_removed BEFORE DELETE ON addresses
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
