-- Which runs of 2^18 entries may have a request id: of each complete run the prints (two bytes of the hash, request_key.py)
-- of its ids, in 4,096 parts by the hash's first bits, so that the same part of all runs lies together. A part that has
-- none has an empty row. Written with the entry that completes the run; `request_prints` prints those of older logs.
CREATE TABLE request_prints (
  log INTEGER NOT NULL,
  part INTEGER NOT NULL,
  run INTEGER NOT NULL,
  prints BLOB NOT NULL,
  PRIMARY KEY (log, part, run)
) WITHOUT ROWID;
