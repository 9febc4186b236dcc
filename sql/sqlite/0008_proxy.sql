-- The proxy of the pool that a session went through last (sealed): the same account shows the same address after a restart.
ALTER TABLE sessions ADD COLUMN last_proxy BLOB;
