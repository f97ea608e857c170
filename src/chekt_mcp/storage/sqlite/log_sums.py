"""The statements that sum a stretch of the log up: from the entries straight into the tables, one for each of them.

Each is one step of SQLite, where counting in Python would make several objects of every entry. The values: `:log`, the
ids `:first` and `:last` of the stretch, and the numbers of the names `:denied`, `:error` and `:api_call`, NULL where
the log has none of it. The tables are described in the migrations.
"""

from __future__ import annotations

from datetime import timedelta

from chekt_mcp.domain.analysis.clock import TOLERATED
from chekt_mcp.storage.sqlite.log_cut import HOUR_OF, PLACE
from chekt_mcp.storage.sqlite.log_reader import HOUR

MINUTE = HOUR // 60
FURTHEST = TOLERATED // timedelta(microseconds=1)
STRETCH = "FROM entries WHERE id BETWEEN :first AND :last"
REFUSED = "(result IS :denied)"
FAILED = "((result IS :denied) + (result IS :error))"

# Our own entry that lies further back than is usual behind our own before it; an imported one tells of other clocks.
CLOCK_STEPS = (
    "INSERT INTO clock_steps (log, id, ts, before_ts) SELECT :log, later.id, later.ts, earlier.ts"  # noqa: S608 -- ours
    " FROM entries AS later CROSS JOIN entries AS earlier ON earlier.id = later.id - 1"
    f" WHERE later.id BETWEEN :first AND :last AND later.ts < earlier.ts - {FURTHEST}"
    " AND later.origin IS NULL AND earlier.origin IS NULL AND earlier.id >= :log << 40"
)
ACTIVITY = (
    "INSERT INTO log_activity (log, app, hour, kind, actor, scope, result, key_id, action, calls)"
    f" SELECT :log, coalesce(app, 0), {HOUR_OF}, kind, actor, coalesce(scope, 0), result, coalesce(key_id, 0), action,"
    f" count(*) {STRETCH} GROUP BY 2, 3, 4, 5, 6, 7, 8, 9"
    " ON CONFLICT (log, app, hour, kind, actor, scope, result, key_id, action)"
    " DO UPDATE SET calls = calls + excluded.calls"
)
SOURCES = (
    "INSERT INTO log_sources (log, app, hour, kind, actor, place, result, calls)"
    f" SELECT :log, coalesce(app, 0), {HOUR_OF}, kind, actor, {PLACE}, result, count(*)"
    f" {STRETCH} GROUP BY 2, 3, 4, 5, 6, 7"
    " ON CONFLICT (log, app, hour, kind, actor, place, result) DO UPDATE SET calls = calls + excluded.calls"
)
MINUTES = (
    "INSERT INTO log_minutes (log, app, kind, minute, calls, failed)"
    f" SELECT :log, coalesce(app, 0), kind, ts / {MINUTE} - (ts % {MINUTE} < 0), count(*), sum({FAILED})"
    f" {STRETCH} GROUP BY 2, 3, 4"
    " ON CONFLICT (log, app, kind, minute) DO UPDATE SET calls = calls + excluded.calls,"
    " failed = failed + excluded.failed"
)
WITHIN_HOUR = (
    "FROM log_minutes AS m WHERE m.log = :log AND m.app = new.app AND m.kind = new.kind"
    " AND m.minute BETWEEN new.hour * 60 AND new.hour * 60 + 59"
)
HOURS = (
    "INSERT INTO log_hours (log, app, hour, kind, calls, refused, failed, peak, peak_failed)"  # noqa: S608 -- ours
    " SELECT :log, app, hour, kind, calls, refused, failed,"
    f" (SELECT max(m.calls) {WITHIN_HOUR}), (SELECT max(m.failed) {WITHIN_HOUR})"
    f" FROM (SELECT coalesce(app, 0) AS app, {HOUR_OF} AS hour, kind, count(*) AS calls, sum({REFUSED}) AS refused,"
    f" sum({FAILED}) AS failed {STRETCH} GROUP BY 1, 2, 3) AS new WHERE true"
    " ON CONFLICT (log, app, hour, kind) DO UPDATE SET calls = calls + excluded.calls,"
    " refused = refused + excluded.refused, failed = failed + excluded.failed,"
    " peak = excluded.peak, peak_failed = excluded.peak_failed"
)
SEEN_ADDRESSES = (
    "INSERT INTO seen_addresses (log, app, actor, source_ip, first_hour)"
    f" SELECT :log, coalesce(app, 0), actor, source_ip, min({HOUR_OF}) {STRETCH} AND source_ip IS NOT NULL"
    " GROUP BY 2, 3, 4 ON CONFLICT (log, app, actor, source_ip) DO UPDATE SET first_hour = excluded.first_hour"
    " WHERE excluded.first_hour < first_hour"
)
SEEN_SCOPES = (
    "INSERT INTO seen_scopes (log, app, kind, scope, result, first_hour, last_hour)"
    f" SELECT :log, coalesce(app, 0), kind, scope, result, min({HOUR_OF}), max({HOUR_OF})"
    f" {STRETCH} AND scope IS NOT NULL GROUP BY 2, 3, 4, 5"
    " ON CONFLICT (log, app, kind, scope, result) DO UPDATE SET"
    " first_hour = min(first_hour, excluded.first_hour), last_hour = max(last_hour, excluded.last_hour)"
    " WHERE excluded.first_hour < first_hour OR excluded.last_hour > last_hour"
)
LAST_REQUESTS = (
    "INSERT INTO last_requests (log, app, source_ip, last_ts)"
    f" SELECT :log, app, source_ip, max(ts) {STRETCH} AND kind = :api_call AND app IS NOT NULL"
    " AND source_ip IS NOT NULL GROUP BY 2, 3"
    " ON CONFLICT (log, app, source_ip) DO UPDATE SET last_ts = max(last_ts, excluded.last_ts)"
)
KEY_USE = (
    "INSERT INTO key_use (log, key_id, hour, place, calls, first_ts, last_ts)"
    f" SELECT :log, key_id, {HOUR_OF}, {PLACE}, count(*), min(ts), max(ts) {STRETCH} AND key_id IS NOT NULL"
    " GROUP BY 2, 3, 4 ON CONFLICT (log, key_id, hour, place) DO UPDATE SET calls = calls + excluded.calls,"
    " first_ts = min(first_ts, excluded.first_ts), last_ts = max(last_ts, excluded.last_ts)"
)
STATEMENTS = (
    CLOCK_STEPS,
    ACTIVITY,
    SOURCES,
    MINUTES,
    HOURS,  # looks at the minutes
    SEEN_ADDRESSES,
    SEEN_SCOPES,
    LAST_REQUESTS,
    KEY_USE,
)
