-- Stretches: 512 entries of a log with numbers in a row, from when to when they are, and a sketch (a Bloom filter,
-- see sketch.py) of the values and texts in them, so that a search without an index passes over those where nothing
-- can fit. Written with the entry that completes the stretch; `log_stretches` draws those of older logs.
CREATE TABLE log_stretches (
  log INTEGER NOT NULL,
  stretch INTEGER NOT NULL,
  first_ts INTEGER NOT NULL,
  last_ts INTEGER NOT NULL,
  sketch BLOB NOT NULL,
  PRIMARY KEY (log, stretch)
);
CREATE INDEX log_stretches_by_end ON log_stretches (log, last_ts, first_ts);
