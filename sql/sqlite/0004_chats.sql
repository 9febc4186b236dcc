-- Chats, people and messages.

-- One row per identity of a session, be it a chat, a person, or both. jid is what is shown: the phone number where it is known, else
-- the LID; lid is the identity of a person. session < 0: given up, its messages are being removed. last is the newest message.
CREATE TABLE chats (
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    jid TEXT NOT NULL,
    lid TEXT,
    kind INTEGER NOT NULL,
    name TEXT,
    first_name TEXT,
    push_name TEXT,
    verified_name TEXT,
    subject TEXT,
    name_key TEXT NOT NULL,
    is_contact INTEGER NOT NULL DEFAULT 0,
    last INTEGER NOT NULL DEFAULT 0,
    last_ms INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    media INTEGER NOT NULL DEFAULT 0,
    unread INTEGER NOT NULL DEFAULT 0,
    read_ms INTEGER NOT NULL DEFAULT 0,
    marked_unread INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    pinned_ms INTEGER NOT NULL DEFAULT 0,
    mute_ms INTEGER NOT NULL DEFAULT 0,
    locked INTEGER NOT NULL DEFAULT 0,
    expiration_s INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX chats_jid ON chats (session, jid);
CREATE UNIQUE INDEX chats_lid ON chats (session, lid) WHERE lid IS NOT NULL;
CREATE INDEX chats_last ON chats (session, last_ms) WHERE messages > 0;
CREATE INDEX chats_name ON chats (session, name_key);
CREATE INDEX chats_given_up ON chats (number) WHERE session < 0;

-- content and original are sealed; body is not: it is what full-text search reads. author is NULL where it follows from chat and from_me.
CREATE TABLE messages (
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    chat INTEGER NOT NULL REFERENCES chats (number) ON DELETE CASCADE,
    id TEXT NOT NULL,
    from_me INTEGER NOT NULL,
    author TEXT,
    type TEXT NOT NULL,
    media INTEGER NOT NULL,
    status INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    edited_ms INTEGER NOT NULL DEFAULT 0,
    deleted_ms INTEGER NOT NULL DEFAULT 0,
    starred_ms INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL,
    content BLOB,
    original BLOB
);
CREATE UNIQUE INDEX messages_id ON messages (chat, id, from_me);
CREATE INDEX messages_time ON messages (chat, time_ms);

-- Reactions, edits, votes, pins, receipts of a message: enum store_addon_kind; author says whose, or which.
CREATE TABLE message_addons (
    message INTEGER NOT NULL REFERENCES messages (number) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    author TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (message, kind, author)
) WITHOUT ROWID;

-- Labels and which chats and messages have them; message_id '': the chat.
CREATE TABLE labels (
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT,
    color INTEGER NOT NULL DEFAULT 0,
    updated_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX labels_id ON labels (session, id);
CREATE TABLE label_members (
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    label TEXT NOT NULL,
    chat INTEGER NOT NULL REFERENCES chats (number) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    PRIMARY KEY (session, label, chat, message_id)
) WITHOUT ROWID;
CREATE INDEX label_members_chat ON label_members (chat);

-- Full-text index over messages up to search_state.indexed; the store adds the later ones in batches. scope is "s" and the session.
CREATE VIRTUAL TABLE message_search USING fts5 (scope, body, content='', columnsize=0, tokenize="unicode61 remove_diacritics 2");
CREATE TABLE search_state (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    indexed INTEGER NOT NULL
);
INSERT INTO search_state (number, indexed) VALUES (1, 0);

CREATE TRIGGER messages_search_gone AFTER DELETE ON messages
WHEN old.body <> '' AND old.number <= (SELECT indexed FROM search_state)
BEGIN
    INSERT INTO message_search (message_search, rowid, scope, body) VALUES ('delete', old.number, 's' || old.session, old.body);
END;
-- The old words go before the new ones come.
CREATE TRIGGER messages_search_changed AFTER UPDATE OF body ON messages
WHEN old.number <= (SELECT indexed FROM search_state)
BEGIN
    INSERT INTO message_search (message_search, rowid, scope, body)
    SELECT 'delete', old.number, 's' || old.session, old.body WHERE old.body <> '';
    INSERT INTO message_search (rowid, scope, body) SELECT new.number, 's' || new.session, new.body WHERE new.body <> '';
END;
