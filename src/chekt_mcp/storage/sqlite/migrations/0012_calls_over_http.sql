-- How often an app's callers may call over HTTP, as CHeKT's tiers have it: free, pro or enterprise.
ALTER TABLE apps ADD COLUMN rate TEXT NOT NULL DEFAULT 'pro';
-- Whether the key of an app adopted from CHeKT, which was issued for other things, opens this server too.
ALTER TABLE apps ADD COLUMN own_key_over_http INTEGER NOT NULL DEFAULT 0;
