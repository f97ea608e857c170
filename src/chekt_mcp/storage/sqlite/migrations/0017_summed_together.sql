-- All that is summed up goes up to one and the same entry, log_summed: an append changes no summary but where it
-- completes a stretch. key_use went up to the last entry always; what the summaries of 0014 lack is added here.
CREATE TEMP TABLE unsummed AS
SELECT entries.log, entries.id, ts, coalesce(app, 0) AS app, ts / 3600000000 - (ts % 3600000000 < 0) AS hour,
  ts / 60000000 - (ts % 60000000 < 0) AS minute, kind, actor, coalesce(scope, 0) AS scope, result,
  result IS (SELECT id FROM names WHERE text = 'denied') AS refused,
  result IN (SELECT id FROM names WHERE text IN ('denied', 'error')) AS failed,
  coalesce(key_id, 0) AS key_id, action, source_ip, coalesce(source_ip * 2, source * 2 + 1, 0) AS place, origin
FROM logs LEFT JOIN log_summed ON log_summed.log = logs.log
CROSS JOIN entries ON entries.id > (logs.log << 40) + coalesce(seq, 0) AND entries.id < (logs.log + 1) << 40;

INSERT INTO log_activity
SELECT log, app, hour, kind, actor, scope, result, key_id, action, count(*) FROM unsummed
WHERE true GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ON CONFLICT (log, app, hour, kind, actor, scope, result, key_id, action) DO UPDATE SET calls = calls + excluded.calls;

INSERT INTO log_sources
SELECT log, app, hour, kind, actor, place, result, count(*) FROM unsummed WHERE true GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (log, app, hour, kind, actor, place, result) DO UPDATE SET calls = calls + excluded.calls;

INSERT INTO log_minutes
SELECT log, app, kind, minute, count(*), sum(failed) FROM unsummed WHERE true GROUP BY 1, 2, 3, 4
ON CONFLICT (log, app, kind, minute) DO UPDATE SET calls = calls + excluded.calls, failed = failed + excluded.failed;

INSERT INTO log_hours
SELECT log, app, hour, kind, calls, refused, failed,
  (SELECT max(m.calls) FROM log_minutes AS m WHERE m.log = new.log AND m.app = new.app AND m.kind = new.kind
    AND minute BETWEEN hour * 60 AND hour * 60 + 59),
  (SELECT max(m.failed) FROM log_minutes AS m WHERE m.log = new.log AND m.app = new.app AND m.kind = new.kind
    AND minute BETWEEN hour * 60 AND hour * 60 + 59)
FROM (SELECT log, app, hour, kind, count(*) AS calls, sum(refused) AS refused, sum(failed) AS failed FROM unsummed
  GROUP BY 1, 2, 3, 4) AS new
WHERE true
ON CONFLICT (log, app, hour, kind) DO UPDATE SET calls = calls + excluded.calls,
  refused = refused + excluded.refused, failed = failed + excluded.failed, peak = excluded.peak,
  peak_failed = excluded.peak_failed;

INSERT INTO seen_addresses
SELECT log, app, actor, source_ip, min(hour) FROM unsummed WHERE source_ip IS NOT NULL GROUP BY 1, 2, 3, 4
ON CONFLICT (log, app, actor, source_ip) DO UPDATE SET first_hour = min(first_hour, excluded.first_hour);

INSERT INTO seen_scopes
SELECT log, app, kind, scope, result, min(hour), max(hour) FROM unsummed WHERE scope > 0 GROUP BY 1, 2, 3, 4, 5
ON CONFLICT (log, app, kind, scope, result) DO UPDATE SET
  first_hour = min(first_hour, excluded.first_hour), last_hour = max(last_hour, excluded.last_hour);

INSERT INTO clock_steps (log, id, ts, before_ts)
SELECT later.log, later.id, later.ts, earlier.ts FROM unsummed AS later
JOIN entries AS earlier ON earlier.id = later.id - 1
WHERE later.origin IS NULL AND earlier.origin IS NULL AND later.ts < earlier.ts - 300000000;

INSERT INTO log_summed SELECT log, size FROM logs WHERE true ON CONFLICT (log) DO UPDATE SET seq = excluded.seq;
DROP TABLE unsummed;

-- When an app was last called from an address. How often, and in which hours, log_sources tells: traffic said it twice.
CREATE TABLE last_requests (
  log INTEGER NOT NULL,
  app INTEGER NOT NULL,
  source_ip INTEGER NOT NULL,
  last_ts INTEGER NOT NULL,
  PRIMARY KEY (log, app, source_ip)
) WITHOUT ROWID;
INSERT INTO last_requests SELECT log, app, source_ip, max(last_ts) FROM traffic GROUP BY 1, 2, 3;
DROP TABLE traffic;
