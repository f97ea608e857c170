-- Approvers who are signed in to the approval pages. digest: SHA-256 of the token that their browser holds.
CREATE TABLE approver_sessions (
  digest BLOB NOT NULL PRIMARY KEY,
  dealer TEXT NOT NULL REFERENCES dealers,
  principal TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL
);
CREATE INDEX approver_sessions_by_end ON approver_sessions (ends_at);
