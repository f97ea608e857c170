-- A delivery is claimed under all that its signature covers: one row for the digest of timestamp and body (kind
-- 'digest') and one for the event's id (kind 'event'), each remembered until its own end. state: leased, completed.
CREATE TABLE delivery_claims (
  dealer TEXT NOT NULL,
  app TEXT NOT NULL,
  kind TEXT NOT NULL,
  mark BLOB NOT NULL,
  claim_id TEXT NOT NULL,
  state TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  keep_until INTEGER NOT NULL,
  PRIMARY KEY (dealer, app, kind, mark),
  FOREIGN KEY (dealer, app) REFERENCES apps
);
CREATE INDEX delivery_claims_by_end ON delivery_claims (keep_until);

-- Accepted events until they have been handed on. sealed: the delivery, encrypted; no body stands here in clear.
-- due_at: when a row may be taken next; taking it counts an attempt and moves due_at to the end of the lease.
CREATE TABLE queued_events (
  queue_id TEXT NOT NULL PRIMARY KEY,
  dealer TEXT NOT NULL,
  app TEXT NOT NULL,
  event_id TEXT,
  request_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  attempts INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  FOREIGN KEY (dealer, app) REFERENCES apps
);
CREATE INDEX queued_events_due ON queued_events (dealer, app, dead, due_at);
