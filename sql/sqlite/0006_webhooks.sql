-- Receivers of webhooks beyond a session's own URL, what each has got of the journal, and its last deliveries.

-- session NULL: of every session. secret, next_secret and headers are sealed.
CREATE TABLE webhooks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    session INTEGER REFERENCES sessions (number) ON DELETE CASCADE,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    bits INTEGER NOT NULL,
    scope TEXT NOT NULL,
    parallel INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    rotates_ms INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    secret BLOB NOT NULL,
    next_secret BLOB,
    headers BLOB
);
CREATE UNIQUE INDEX webhooks_id ON webhooks (id);
CREATE INDEX webhooks_session ON webhooks (session);

-- done_sequence - start_sequence = delivered + dead + skipped + missed, always.
ALTER TABLE receivers ADD COLUMN start_sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receivers ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receivers ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receivers ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receivers ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receivers ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
UPDATE receivers SET start_sequence = done_sequence;

-- A ring for each receiver: slot = number of the attempt modulo its length. sent and answer are sealed.
CREATE TABLE deliveries (
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    receiver TEXT NOT NULL,
    slot INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    try INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    error TEXT,
    size INTEGER NOT NULL,
    sent BLOB,
    answer BLOB,
    PRIMARY KEY (session, receiver, slot)
) WITHOUT ROWID;
