-- standard or enterprise: how long the platform promises to keep the log, and so how long it is kept here.
ALTER TABLE dealers ADD COLUMN plan TEXT NOT NULL DEFAULT 'standard';
