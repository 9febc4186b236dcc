-- When a device had a message and when its user read it, and which message a vote came with.

-- at_ms is the moment of the state; these stay when a later state comes. 0: not known.
ALTER TABLE outbox_devices ADD COLUMN delivered_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox_devices ADD COLUMN read_ms INTEGER NOT NULL DEFAULT 0;
UPDATE outbox_devices SET delivered_ms = CASE WHEN state = 4 THEN at_ms ELSE 0 END, read_ms = CASE WHEN state = 5 THEN at_ms ELSE 0 END;
-- Id of the message that added it; NULL: not known.
ALTER TABLE message_addons ADD COLUMN source TEXT;
