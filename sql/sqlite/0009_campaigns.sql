-- Campaigns: one content to many recipients.

-- session_id outlives the session. spec (JSON: content, pace, window, ...) and built (the message around a file that was uploaded) are sealed.
CREATE TABLE campaigns (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    registry TEXT NOT NULL REFERENCES users (registry) ON UPDATE CASCADE ON DELETE CASCADE,
    session INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    name TEXT NOT NULL,
    state INTEGER NOT NULL,
    reason TEXT,
    start_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL DEFAULT 0,
    ended_ms INTEGER NOT NULL DEFAULT 0,
    built_ms INTEGER NOT NULL DEFAULT 0,
    spec BLOB NOT NULL,
    built BLOB
);
CREATE INDEX campaigns_registry ON campaigns (registry, number);
CREATE INDEX campaigns_session ON campaigns (session);
CREATE INDEX campaigns_active ON campaigns (number) WHERE state = 2;

-- state: 0 has not had its turn, else as in the outbox. message_id follows from campaign and jid, and is chosen before anything is sent.
-- variables (JSON) are sealed.
CREATE TABLE campaign_recipients (
    number INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaigns (number) ON DELETE CASCADE,
    session INTEGER NOT NULL,
    jid TEXT NOT NULL,
    message_id TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    queued_ms INTEGER NOT NULL DEFAULT 0,
    updated_ms INTEGER NOT NULL DEFAULT 0,
    server_ms INTEGER NOT NULL DEFAULT 0,
    code INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    variables BLOB
);
CREATE UNIQUE INDEX campaign_recipients_jid ON campaign_recipients (campaign, jid);
CREATE UNIQUE INDEX campaign_recipients_message ON campaign_recipients (session, message_id);
CREATE INDEX campaign_recipients_all ON campaign_recipients (campaign);
CREATE INDEX campaign_recipients_state ON campaign_recipients (campaign, state);

-- A recipient and its row of the outbox move together, in one transaction, whoever moves it: so none is sent to twice, and none is left out.
CREATE TRIGGER campaign_message_queued AFTER INSERT ON outbox
BEGIN
    UPDATE campaign_recipients SET state = new.state, queued_ms = new.created_ms, updated_ms = new.updated_ms
    WHERE session = new.session AND message_id = new.message_id;
END;
CREATE TRIGGER campaign_message_moved AFTER UPDATE OF state ON outbox
WHEN new.state <> old.state
BEGIN
    UPDATE campaign_recipients SET state = new.state, updated_ms = new.updated_ms, server_ms = new.server_ms, code = new.code, error = new.error
    WHERE session = new.session AND message_id = new.message_id;
END;
CREATE TRIGGER campaign_session_gone AFTER DELETE ON sessions
BEGIN
    UPDATE campaigns SET state = 5, reason = 'The session was deleted', ended_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000,
        updated_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000
    WHERE session = old.number AND state < 4;
END;
