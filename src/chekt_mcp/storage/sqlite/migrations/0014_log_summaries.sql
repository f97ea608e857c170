-- What analyze_audit_log reads in place of the entries; appends keep it (log_upkeep.py). app, scope and key_id are 0
-- where there is none. hour and minute count from 1970; place is as in key_use.

-- Up to which entry the summaries go.
CREATE TABLE log_summed (
  log INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL
);

-- Entries by hour and by everything that they may have in common but where they came from.
CREATE TABLE log_activity (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  actor INTEGER NOT NULL,
  scope INTEGER NOT NULL,
  result INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  action INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  PRIMARY KEY (log, app, hour, kind, actor, scope, result, key_id, action)
) WITHOUT ROWID;

-- Entries by hour and where they came from.
CREATE TABLE log_sources (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  actor INTEGER NOT NULL,
  place INTEGER NOT NULL,
  result INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  PRIMARY KEY (log, app, hour, kind, actor, place, result)
) WITHOUT ROWID;

-- Entries by minute, and how many of them failed or were refused.
CREATE TABLE log_minutes (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  PRIMARY KEY (log, app, kind, minute)
) WITHOUT ROWID;

-- Entries by hour, and the counts of its busiest minutes. Refusals count as failed, too.
CREATE TABLE log_hours (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  peak INTEGER NOT NULL,
  peak_failed INTEGER NOT NULL,
  PRIMARY KEY (log, app, hour, kind)
) WITHOUT ROWID;

-- When an actor came from an address for the first time. Outlives the entries that are pruned.
CREATE TABLE seen_addresses (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  actor INTEGER NOT NULL,
  source_ip INTEGER NOT NULL,
  first_hour INTEGER NOT NULL,
  PRIMARY KEY (log, app, actor, source_ip)
) WITHOUT ROWID;
CREATE INDEX seen_addresses_by_first ON seen_addresses (log, app, first_hour);

-- When an app named a scope for the first and the last time.
CREATE TABLE seen_scopes (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  scope INTEGER NOT NULL,
  result INTEGER NOT NULL,
  first_hour INTEGER NOT NULL,
  last_hour INTEGER NOT NULL,
  PRIMARY KEY (log, app, kind, scope, result)
) WITHOUT ROWID;

-- Entries of our own (not imported) that were written after one of our own of a moment at least five minutes later.
CREATE TABLE clock_steps (
  id INTEGER PRIMARY KEY,
  log INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  before_ts INTEGER NOT NULL
);
CREATE INDEX clock_steps_by_time ON clock_steps (log, ts);

-- Since when an app has held a scope, without a break.
CREATE TABLE scope_grants (
  dealer TEXT NOT NULL,
  app TEXT NOT NULL,
  scope TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY (dealer, app, scope),
  FOREIGN KEY (dealer, app) REFERENCES apps
);

INSERT INTO log_summed SELECT log, size FROM logs;

INSERT INTO log_activity
SELECT log, coalesce(app, 0), ts / 3600000000 - (ts % 3600000000 < 0), kind, actor, coalesce(scope, 0), result,
  coalesce(key_id, 0), action, count(*)
FROM entries GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;

INSERT INTO log_sources
SELECT log, coalesce(app, 0), ts / 3600000000 - (ts % 3600000000 < 0), kind, actor,
  coalesce(source_ip * 2, source * 2 + 1, 0), result, count(*)
FROM entries GROUP BY 1, 2, 3, 4, 5, 6, 7;

INSERT INTO log_minutes
SELECT log, coalesce(app, 0), kind, ts / 60000000 - (ts % 60000000 < 0), count(*),
  sum(result IN (SELECT id FROM names WHERE text IN ('denied', 'error')))
FROM entries GROUP BY 1, 2, 3, 4;

INSERT INTO log_hours
SELECT log, app, minute / 60 - (minute % 60 < 0), kind, sum(calls), 0, sum(failed), max(calls), max(failed)
FROM log_minutes GROUP BY 1, 2, 3, 4;

UPDATE log_hours SET refused = (
  SELECT coalesce(sum(calls), 0) FROM log_activity AS a
  WHERE a.log = log_hours.log AND a.app = log_hours.app AND a.hour = log_hours.hour AND a.kind = log_hours.kind
    AND a.result = (SELECT id FROM names WHERE text = 'denied')
);

INSERT INTO seen_addresses
SELECT log, app, actor, place / 2, min(hour) FROM log_sources
WHERE place > 0 AND place % 2 = 0 GROUP BY 1, 2, 3, 4;

INSERT INTO seen_scopes
SELECT log, app, kind, scope, result, min(hour), max(hour) FROM log_activity WHERE scope > 0 GROUP BY 1, 2, 3, 4, 5;

INSERT INTO clock_steps
SELECT later.id, later.log, later.ts, earlier.ts FROM entries AS later
JOIN entries AS earlier ON earlier.id = later.id - 1
WHERE later.origin IS NULL AND earlier.origin IS NULL AND later.ts < earlier.ts - 300000000;

-- Nobody wrote down when a scope was granted; the newest change of the app's scopes is the latest it can have been.
INSERT INTO scope_grants
WITH RECURSIVE held (dealer, app, scope, rest, since) AS (
  SELECT apps.dealer, apps.name, '', apps.scopes || ' ', coalesce((
    SELECT max(entries.ts) FROM entries JOIN logs ON logs.log = entries.log
    WHERE logs.dealer = apps.dealer AND entries.app = (SELECT id FROM names WHERE text = apps.name)
      AND entries.action = (SELECT id FROM names WHERE text = 'app.scopes')
  ), apps.created_at) FROM apps
  UNION ALL
  SELECT dealer, app, substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1), since
  FROM held WHERE rest <> ''
)
SELECT DISTINCT dealer, app, scope, max(since, 0) FROM held WHERE scope <> '';
