-- Files that campaigns send: kept as long as the campaign may need them, whatever the storage's own bounds say.

ALTER TABLE files ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN file_key TEXT;

-- A campaign that has ended, or has another file now, or is deleted lets its file go: the next sweep takes it away.
CREATE TRIGGER campaign_file_ended AFTER UPDATE OF state ON campaigns
WHEN new.state >= 4 AND old.state < 4 AND new.file_key IS NOT NULL
BEGIN
    UPDATE files SET held = 0, expires_ms = 1 WHERE storage_key = new.file_key AND state = 2;
END;
CREATE TRIGGER campaign_file_changed AFTER UPDATE OF file_key ON campaigns
WHEN old.file_key IS NOT NULL AND old.file_key IS NOT new.file_key
BEGIN
    UPDATE files SET held = 0, expires_ms = 1 WHERE storage_key = old.file_key AND state = 2;
END;
CREATE TRIGGER campaign_file_deleted AFTER DELETE ON campaigns
WHEN old.file_key IS NOT NULL
BEGIN
    UPDATE files SET held = 0, expires_ms = 1 WHERE storage_key = old.file_key AND state = 2;
END;

CREATE INDEX campaigns_ended ON campaigns (ended_ms) WHERE ended_ms > 0;
