-- What receivers answered that the account shall do, one row per answer: an event that is delivered again is answered with the same row.
-- plan and outcomes are sealed. state: 0 under way, 1 done, 2 some of it failed, 3 refused, 4 out of time.
CREATE TABLE action_runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    receiver TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    lane INTEGER NOT NULL,
    state INTEGER NOT NULL,
    error TEXT,
    plan BLOB,
    outcomes BLOB,
    accepted_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX action_runs_event ON action_runs (session, event_id, receiver);
CREATE INDEX action_runs_state ON action_runs (state, number);
CREATE INDEX action_runs_accepted ON action_runs (accepted_ms);
