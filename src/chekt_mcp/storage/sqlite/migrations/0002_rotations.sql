-- ended_at: when a rotation was completed, given up, or became undecidable. Its sealed copy outlives a completion by an
-- hour at most, so that a person can be shown a key that was lost before its first use.
ALTER TABLE rotations ADD COLUMN ended_at INTEGER;
CREATE INDEX rotations_undecided ON rotations (started_at) WHERE state = 'delivery_unknown';
CREATE INDEX rotations_by_app ON rotations (dealer, app, kind, started_at);
CREATE INDEX rotations_sealed ON rotations (ended_at) WHERE sealed IS NOT NULL AND state = 'completed';

-- grace_end_noted: 1 once the log says that the time of grace is over. The clock ends it, whatever stands here.
ALTER TABLE keys ADD COLUMN grace_end_noted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX keys_in_grace ON keys (valid_until) WHERE state = 'previous' AND grace_end_noted = 0;

-- unattended: names of apps that change this one without being asked for, separated by spaces. Test apps only.
ALTER TABLE apps ADD COLUMN unattended TEXT NOT NULL DEFAULT '';

-- Sources of calls that a person says are gone for good.
CREATE TABLE gone_sources (
  dealer TEXT NOT NULL,
  app TEXT NOT NULL,
  source TEXT NOT NULL,
  named_by TEXT NOT NULL,
  named_at INTEGER NOT NULL,
  PRIMARY KEY (dealer, app, source),
  FOREIGN KEY (dealer, app) REFERENCES apps
);
