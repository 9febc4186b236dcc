-- Which of a person's names a message went by: 0 not known, 1 phone number, 2 LID (enum store_addressing). With it a message says all that
-- was kept of it in a second place.
ALTER TABLE messages ADD COLUMN addressing INTEGER NOT NULL DEFAULT 0;
-- As of when names and flags of a chat are told: what a history says later of an earlier moment does not count.
ALTER TABLE chats ADD COLUMN flags_ms INTEGER NOT NULL DEFAULT 0;
