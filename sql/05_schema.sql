-- Whatever name below is not qualified is one of PostgreSQL's own: an object planted in a schema
-- cannot take its place. (CREATE EXTENSION puts the path back at the script's end.)
SET LOCAL search_path = pg_catalog, pg_temp;

-- Checks before anything is made: a schema that somebody else owns could hold
-- planted objects, and the text functions count on UTF-8.
DO $check$
BEGIN
	IF (SELECT n.nspowner FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'callsync')
	   OPERATOR(pg_catalog.<>) (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
	   AND NOT (SELECT r.rolsuper FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
	            WHERE n.nspname OPERATOR(pg_catalog.=) 'callsync')
	THEN
		RAISE EXCEPTION 'schema "callsync" belongs to a role that is no superuser'
			USING ERRCODE = 'insufficient_privilege',
			      DETAIL = 'Objects planted in it beforehand could be called by callsync with more rights than their owner has.',
			      HINT = 'Drop the schema, or ALTER SCHEMA callsync OWNER TO a superuser after looking at what it holds.';
	END IF;
	IF EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
	           WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
	           AND d.refobjid OPERATOR(pg_catalog.=) 'callsync'::pg_catalog.regnamespace
	           AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass
	           -- CASCADE puts pgcrypto here where the search_path of the session begins with this schema
	           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.classid OPERATOR(pg_catalog.=) d.classid
	                           AND e.objid OPERATOR(pg_catalog.=) d.objid AND e.deptype OPERATOR(pg_catalog.=) 'e'))
	THEN
		RAISE EXCEPTION 'schema "callsync" is not empty'
			USING ERRCODE = 'object_not_in_prerequisite_state',
			      DETAIL = 'An object that is there before could be taken for one of callsync''s own.',
			      HINT = 'Look at what it holds (\dn+ callsync, \dx+ callsync), and drop or move it.';
	END IF;
	IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
		RAISE EXCEPTION 'callsync needs a database with encoding UTF8'
			USING ERRCODE = 'feature_not_supported',
			      DETAIL = pg_catalog.format('This database has encoding %s.', pg_catalog.current_setting('server_encoding')),
			      HINT = 'CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
	END IF;
END
$check$;

-- Roles are global: made where absent, checked to be unprivileged, left behind by DROP EXTENSION.
DO $roles$
DECLARE
	wanted pg_catalog.text;
	existing pg_catalog.pg_roles;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['callsync_worker', 'callsync_reader', 'callsync_operator', 'callsync_admin'] LOOP
		SELECT * INTO existing FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) wanted;
		IF NOT FOUND THEN
			-- a NOLOGIN role cannot run a background worker on 15 and 16
			EXECUTE pg_catalog.format('CREATE ROLE %I %s', wanted,
				CASE WHEN wanted OPERATOR(pg_catalog.=) 'callsync_worker' THEN 'LOGIN' ELSE 'NOLOGIN' END);
		ELSIF existing.rolsuper OR existing.rolcreaterole OR existing.rolcreatedb OR existing.rolreplication OR existing.rolbypassrls THEN
			RAISE EXCEPTION 'role "%" has privileges that callsync must not run with', wanted
				USING ERRCODE = 'insufficient_privilege',
				      HINT = pg_catalog.format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS;', wanted);
		END IF;
	END LOOP;
END
$roles$;

GRANT USAGE ON SCHEMA callsync TO callsync_worker, callsync_reader, callsync_operator, callsync_admin;
