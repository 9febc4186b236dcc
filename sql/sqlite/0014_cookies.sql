-- A cookie is good for as long as the key that it was given for.

ALTER TABLE api_keys ADD COLUMN given_for INTEGER REFERENCES api_keys (number) ON DELETE CASCADE;
CREATE INDEX api_keys_given_for ON api_keys (given_for) WHERE given_for IS NOT NULL;
