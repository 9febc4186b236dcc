-- What the storage holds. object is the name of the file below its root, or of the S3 object; info is sealed.
CREATE TABLE files (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    storage_key TEXT NOT NULL,
    driver TEXT NOT NULL,
    object TEXT NOT NULL,
    state INTEGER NOT NULL,
    is_public INTEGER NOT NULL,
    key_id INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL,
    sha256 BLOB,
    mime TEXT,
    session TEXT,
    upload TEXT,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL DEFAULT 0,
    info BLOB
);
-- A key has one stored file; a new one may be arriving while the old one is still there.
CREATE UNIQUE INDEX files_stored_key ON files (storage_key) WHERE state = 2;
CREATE INDEX files_unsettled ON files (state, number) WHERE state <> 2;
CREATE INDEX files_expires ON files (expires_ms) WHERE expires_ms > 0;
CREATE INDEX files_created ON files (created_ms);
CREATE INDEX files_key_id ON files (key_id, number);
