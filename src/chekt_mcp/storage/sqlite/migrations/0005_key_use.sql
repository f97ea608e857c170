-- Entries by key, hour (since 1970) and source, so that who used a key in a month is told without reading a month.
-- place: an id in addresses times 2; without an address an id in names times 2 plus 1; without either 0.
CREATE TABLE key_use (
  log INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  place INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  first_ts INTEGER NOT NULL,
  last_ts INTEGER NOT NULL,
  PRIMARY KEY (log, key_id, hour, place)
) WITHOUT ROWID;

INSERT INTO key_use
SELECT log, key_id, ts / 3600000000 - (ts % 3600000000 < 0), coalesce(source_ip * 2, source * 2 + 1, 0),
  count(*), min(ts), max(ts)
FROM entries WHERE key_id IS NOT NULL GROUP BY 1, 2, 3, 4;
