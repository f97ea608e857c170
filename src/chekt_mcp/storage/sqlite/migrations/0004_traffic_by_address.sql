-- When was an app last called from a network: by address, where the primary key goes by hour.
CREATE INDEX traffic_by_address ON traffic (log, app, source_ip, hour);
