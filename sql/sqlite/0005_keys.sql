-- What an API key may do, and who did what.

ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;

-- scopes: bits of common/scope.h. sessions, networks: blank-separated, NULL: all. expires_ms 0: never. A row with replaced_by holds
-- the text that a rotated key had before: everything else about it stands in that key's row.
ALTER TABLE api_keys ADD COLUMN scopes INTEGER NOT NULL DEFAULT 15;
ALTER TABLE api_keys ADD COLUMN sessions TEXT;
ALTER TABLE api_keys ADD COLUMN networks TEXT;
ALTER TABLE api_keys ADD COLUMN expires_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN created_by TEXT;
ALTER TABLE api_keys ADD COLUMN replaced_by INTEGER REFERENCES api_keys (number) ON DELETE CASCADE;
CREATE INDEX api_keys_replaced ON api_keys (replaced_by) WHERE replaced_by IS NOT NULL;

-- Administrative acts; rows are only added, and removed when they are too old. user_number and key_number may be of what is gone.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    user_number INTEGER NOT NULL,
    username TEXT NOT NULL,
    key_number INTEGER NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT,
    status INTEGER NOT NULL,
    detail TEXT
);
CREATE INDEX audit_at ON audit (at_ms);
