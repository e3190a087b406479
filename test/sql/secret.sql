SET search_path = callsync, public;
-- set_secret and its refusals; with a key file: test/t/022_secrets.pl
INSERT INTO source (name, kind) VALUES ('secret source', 'generic');
SELECT set_secret('secret source', 'signing_secret', 'abc');
SELECT set_secret('secret source', 'signing_secert', 'abc');
SELECT set_secret('nobody', 'signing_secret', 'abc');
SELECT set_secret('secret source', 'signing_secret', '');
SELECT set_secret('secret source', 'signing_secret', repeat('x', 65537));
SELECT set_secret(NULL, 'signing_secret', 'abc');
SELECT set_secret_file('secret source', 'signing_secret', '/nonexistent/file');
SELECT set_secret_file('secret source', 'signing_secret', '/');
SELECT reencrypt_secrets();
-- NULL removes, also what is not there
SELECT set_secret('secret source', 'signing_secret', NULL);
SELECT action, object, detail FROM audit WHERE object = 'secret source' ORDER BY id;
-- the settings that would write it are named
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL log_min_duration_statement = 0;
SELECT set_secret('secret source', 'signing_secret', 'abc');
ROLLBACK;
BEGIN;
SET LOCAL log_statement = 'all';
SELECT set_secret('secret source', 'signing_secret', 'abc');
ROLLBACK;
-- what pg_stat_activity shows afterwards
DO $$
BEGIN
	PERFORM callsync.set_secret('secret source', 'signing_secret', NULL);
	RAISE NOTICE '%', (SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid());
END
$$;
-- who may
CREATE ROLE regress_callsync_admin IN ROLE callsync_admin;
CREATE ROLE regress_callsync_nobody;
SET ROLE regress_callsync_admin;
SELECT callsync.set_secret('secret source', 'signing_secret', NULL);
SELECT callsync.set_secret_file('secret source', 'signing_secret', '/etc/passwd');
SELECT value FROM callsync.secret;
SELECT owner, key FROM callsync.secret_status;
SET ROLE regress_callsync_nobody;
SELECT callsync.set_secret('secret source', 'signing_secret', NULL);
SELECT callsync.start();
SELECT callsync.adopt();
RESET ROLE;
-- the caller's user and search_path are back, also after an error
SELECT current_user = session_user AS same_user, current_setting('search_path') AS search_path;
DELETE FROM source WHERE name = 'secret source';
DROP ROLE regress_callsync_admin, regress_callsync_nobody;
