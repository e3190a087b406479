-- Credentials of sources and destinations, encrypted before they reach the table.

CREATE TABLE callsync.secret (
	owner pg_catalog.text NOT NULL,
	key pg_catalog.text NOT NULL,
	value pg_catalog.bytea NOT NULL,
	key_id pg_catalog.text NOT NULL,
	set_by pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	set_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (owner, key)
);
COMMENT ON TABLE callsync.secret IS
'Secrets, encrypted (OpenPGP, AES-256) under the key key_id of callsync.key_file. Dumped as they are: useless without the key file, which is not part of any dump.';
SELECT pg_catalog.pg_extension_config_dump('callsync.secret', '');

CREATE FUNCTION callsync.set_secret(owner pg_catalog.text, key pg_catalog.text, value pg_catalog.text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_set_secret';
COMMENT ON FUNCTION callsync.set_secret(text, text, text) IS
'Stores a credential of a source or destination, encrypted under the first key of callsync.key_file. NULL removes it. Pass the value as a bind parameter; where the log settings write statements or parameters all the same, a warning says so: prefer set_secret_file(). Keys: signing_secret, signing_secret_next (both are accepted while you rotate), bearer_token, api_key, username, password, client_id, client_secret, refresh_token, private_key, url_secret, access_token.';

CREATE FUNCTION callsync.set_secret_file(owner pg_catalog.text, key pg_catalog.text, path pg_catalog.text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_set_secret_file';
COMMENT ON FUNCTION callsync.set_secret_file(text, text, text) IS
'As set_secret(), with the value read from a file on the server (one line end at its end is not part of it): it passes through no statement, log or view. Needs the privileges of pg_read_server_files. Give the file mode 0600 and remove it afterwards.';

CREATE FUNCTION callsync.reencrypt_secrets() RETURNS pg_catalog.int8
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_reencrypt_secrets';
COMMENT ON FUNCTION callsync.reencrypt_secrets() IS
'Changes the key: put the new key as first line into the file of callsync.key_file (the old ones stay below), call this, then remove the old lines. Returns the number of secrets that were encrypted anew.';

CREATE VIEW callsync.secret_status AS
SELECT s.owner, s.key, s.key_id, s.set_by, s.set_at FROM callsync.secret s;
COMMENT ON VIEW callsync.secret_status IS 'Which secrets are set, by whom and when, and under which key they are encrypted. Never their values.';
