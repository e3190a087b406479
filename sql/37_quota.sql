-- Units of limits with long windows (a day), booked by workers before they are used: such a limit holds
-- across restarts, and for all workers together.
CREATE TABLE callsync.quota (
	destination pg_catalog.text NOT NULL REFERENCES callsync.destination (name) ON DELETE CASCADE,
	name pg_catalog.text NOT NULL,
	expires_at pg_catalog.timestamptz NOT NULL,
	used pg_catalog.int8 NOT NULL,
	PRIMARY KEY (destination, name, expires_at)
) WITH (fillfactor = 50);
COMMENT ON TABLE callsync.quota IS
'What is used of limits with windows of ten minutes and more. name: of the limit; used: units booked that count until expires_at (the reset of a daily quota; for a sliding window one row per slice of it)..';
