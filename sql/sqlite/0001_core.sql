-- Accounts, keys, sessions and settings.

CREATE TABLE users (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    registry TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    admin INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    last_login_ms INTEGER NOT NULL DEFAULT 0
);

-- digest = HMAC-SHA256(pepper, SHA-256(key)); the key itself is nowhere.
CREATE TABLE api_keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    user_number INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    label TEXT,
    created_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL
);
CREATE INDEX api_keys_user ON api_keys (user_number);

-- webhook_secret and proxy are sealed.
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    registry TEXT NOT NULL REFERENCES users (registry) ON UPDATE CASCADE ON DELETE CASCADE,
    label TEXT NOT NULL,
    auto_start INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    since_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    webhook_url TEXT,
    webhook_secret BLOB,
    me_jid TEXT,
    me_lid TEXT,
    push_name TEXT,
    device TEXT,
    business_name TEXT,
    proxy BLOB,
    created_ms INTEGER NOT NULL,
    connected_ms INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    restored INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX sessions_registry ON sessions (registry, number);

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
