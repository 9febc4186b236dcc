-- Replays that are under way outlive a restart; a receiver has a time limit and a say about actions of its own.

-- "from-to,from-to": numbers that are to be delivered once more, in order. NULL: none.
ALTER TABLE receivers ADD COLUMN replays TEXT;
-- 0: as the server is set.
ALTER TABLE webhooks ADD COLUMN timeout_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN actions INTEGER NOT NULL DEFAULT 1;
