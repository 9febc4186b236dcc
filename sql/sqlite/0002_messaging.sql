-- Protocol records, outbox, event journal and its receivers.
-- Busy tables have an integer row key and separate unique indexes: measured faster than text keys.

-- value is sealed.
CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    expires_ms INTEGER,
    value BLOB NOT NULL
);
CREATE UNIQUE INDEX records_name ON records (session, kind, name);
CREATE INDEX records_expires ON records (expires_ms) WHERE expires_ms IS NOT NULL;

-- info, message and stanza are sealed; stanza is there between encryption and the server's ack.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    server_ms INTEGER NOT NULL DEFAULT 0,
    code INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    info BLOB,
    message BLOB,
    stanza BLOB
);
CREATE UNIQUE INDEX outbox_message ON outbox (session, message_id);
CREATE INDEX outbox_pending ON outbox (session, number) WHERE state < 3;

CREATE TABLE outbox_devices (
    outbox INTEGER NOT NULL REFERENCES outbox (number) ON DELETE CASCADE,
    device TEXT NOT NULL,
    state INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (outbox, device)
) WITHOUT ROWID;

-- sequence numbers a session's events without gaps; payload is sealed, size is its length.
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    chat TEXT,
    time_ms INTEGER NOT NULL,
    size INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE UNIQUE INDEX events_sequence ON events (session, sequence);
CREATE UNIQUE INDEX events_id ON events (session, event_id);

-- Everything up to done_sequence is done with.
CREATE TABLE receivers (
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    name TEXT NOT NULL,
    done_sequence INTEGER NOT NULL,
    state TEXT NOT NULL,
    last_status INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    failed_since_ms INTEGER NOT NULL DEFAULT 0,
    next_ms INTEGER NOT NULL DEFAULT 0,
    delivered_ms INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    overflow INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session, name)
) WITHOUT ROWID;

CREATE TABLE dead_letters (
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    receiver TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    reason TEXT,
    status INTEGER NOT NULL DEFAULT 0,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (session, receiver, sequence)
) WITHOUT ROWID;

-- answer is sealed.
CREATE TABLE idempotency (
    number INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    outbox INTEGER NOT NULL DEFAULT 0,
    status INTEGER NOT NULL DEFAULT 0,
    answer BLOB,
    created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX idempotency_name ON idempotency (scope, name);
CREATE INDEX idempotency_created ON idempotency (created_ms);
