-- Access tokens of destinations with OAuth: when they were made and how long they live. The tokens
-- themselves are secrets (access_token, refresh_token).
CREATE SEQUENCE callsync.token_version;
CREATE TABLE callsync.token (
	destination pg_catalog.text PRIMARY KEY REFERENCES callsync.destination (name) ON DELETE CASCADE,
	version pg_catalog.int8 NOT NULL,
	generation pg_catalog.int4 NOT NULL,
	state pg_catalog.text NOT NULL CHECK (state IN ('valid', 'failing', 'reauth_required')),
	obtained_at pg_catalog.timestamptz,
	expires_at pg_catalog.timestamptz,
	renew_at pg_catalog.timestamptz,
	base_url pg_catalog.text,
	failures pg_catalog.int4 NOT NULL DEFAULT 0,
	next_try_at pg_catalog.timestamptz,
	error pg_catalog.text,
	started_at pg_catalog.timestamptz,
	started_by pg_catalog.text
) WITH (fillfactor = 50);
COMMENT ON TABLE callsync.token IS
'One row per destination with OAuth. version changes with each new access token. generation: of the destination, at the last try. started_at: a renewal was begun, committed before the request left; with nobody at it (no advisory lock) a crash came in between and the next worker takes it up. Not dumped: in another place the token is renewed first.';
