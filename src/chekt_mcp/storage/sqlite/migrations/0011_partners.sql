-- Partners whose services sign assertions with keys of their own. apps, scopes: names separated by spaces.
CREATE TABLE partners (
  dealer TEXT NOT NULL REFERENCES dealers,
  name TEXT NOT NULL,
  issuer TEXT NOT NULL UNIQUE,
  jwks TEXT NOT NULL,
  apps TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (dealer, name)
);

-- Assertions that are used up, until they could not be taken any more. digest: SHA-256 of the token's id (jti).
CREATE TABLE used_assertions (
  issuer TEXT NOT NULL,
  digest BLOB NOT NULL,
  keep_until INTEGER NOT NULL,
  PRIMARY KEY (issuer, digest)
) WITHOUT ROWID;
CREATE INDEX used_assertions_by_end ON used_assertions (keep_until);
