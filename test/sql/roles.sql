-- What each role may and may not. The catalog says it for all objects (each query lists what breaks a
-- rule, so each is empty); then each role tries.
SET search_path = pg_catalog;
CREATE TEMP VIEW may_execute AS
SELECT p.oid::regprocedure AS function, p.proname, p.provolatile, p.prosecdef, r.role
FROM pg_proc p CROSS JOIN (VALUES ('callsync_reader'), ('callsync_operator'), ('callsync_admin'), ('callsync_worker')) r(role)
WHERE p.pronamespace = 'callsync'::regnamespace AND has_function_privilege(r.role, p.oid, 'EXECUTE');
CREATE TEMP VIEW may_touch AS
SELECT c.oid::regclass AS relation, c.relname, c.relkind, r.role, a.privilege
FROM pg_class c CROSS JOIN (VALUES ('callsync_reader'), ('callsync_operator'), ('callsync_admin'), ('callsync_worker')) r(role)
CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) a(privilege)
WHERE c.relnamespace = 'callsync'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
	AND (has_table_privilege(r.role, c.oid, a.privilege)
		OR a.privilege IN ('SELECT', 'INSERT', 'UPDATE') AND has_any_column_privilege(r.role, c.oid, a.privilege));

-- no role is part of another, none has an attribute; only the worker can log in (as a background worker: it has no password)
SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname ~ '^callsync_' ORDER BY 1;
SELECT rolname FROM pg_roles WHERE rolname ~ '^callsync_' AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls);
SELECT roleid::regrole, member::regrole FROM pg_auth_members WHERE (roleid::regrole::text ~ '^callsync_' OR member::regrole::text ~ '^callsync_')
	AND member::regrole::text !~ '^regress_';

-- PUBLIC: pure functions only
SELECT p.oid::regprocedure FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
WHERE pronamespace = 'callsync'::regnamespace AND a.grantee = 0 AND (prosecdef OR provolatile = 'v') ORDER BY 1::text;
-- nobody sees ciphertext or token rows but the worker
SELECT * FROM may_touch WHERE relname IN ('secret', 'token') AND role <> 'callsync_worker';
-- people write the copies of the CRM's data and the list of nicknames, nothing else in place
SELECT relation, role, string_agg(privilege, ' ' ORDER BY privilege) FROM may_touch
WHERE role <> 'callsync_worker' AND privilege <> 'SELECT' AND relname NOT IN ('contact', 'related_record', 'nickname') GROUP BY 1, 2 ORDER BY 1::text, 2;
SELECT relation, role, privilege FROM may_touch WHERE role = 'callsync_reader' AND privilege <> 'SELECT';
-- what arrived is append-only for everybody, the audit as well
SELECT relation, role, privilege FROM may_touch WHERE relname IN ('event', 'audit') AND privilege <> 'SELECT';
-- where calls go is no business of the worker
SELECT relation, privilege FROM may_touch WHERE role = 'callsync_worker' AND privilege <> 'SELECT'
	AND relname IN ('connector', 'map_version', 'route', 'source', 'source_table', 'source_kind', 'match_field', 'match_model');
SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'callsync.destination'::regclass AND a.attnum > 0
	AND has_column_privilege('callsync_worker', a.attrelid, a.attnum, 'UPDATE') ORDER BY 1;
-- configuration is an administrator's; what moves deliveries an operator's as well
SELECT function, role FROM may_execute
WHERE proname ~ '^(create|alter|drop|set|attach|detach|register|publish|adopt|reencrypt|record|rebuild)_?' AND role <> 'callsync_admin' ORDER BY 1::text, 2;
SELECT function, role FROM may_execute
WHERE proname ~ '^(start|stop|pause|resume|redrive|resync|replay|backfill|reconcile|forget|ingest|review)$' AND role NOT IN ('callsync_admin', 'callsync_operator') ORDER BY 1::text, 2;
-- administrators may all that operators may, these all that readers may
SELECT o.function FROM may_execute o WHERE o.role = 'callsync_operator' AND NOT EXISTS (SELECT FROM may_execute a WHERE a.role = 'callsync_admin' AND a.function = o.function);
SELECT r.function FROM may_execute r WHERE r.role = 'callsync_reader' AND NOT EXISTS (SELECT FROM may_execute o WHERE o.role = 'callsync_operator' AND o.function = r.function);
SELECT r.relation FROM may_touch r WHERE r.role = 'callsync_reader' AND NOT EXISTS (SELECT FROM may_touch o WHERE o.role = 'callsync_operator' AND (o.relation, o.privilege) = (r.relation, r.privilege));

-- ---- they try ----
CREATE ROLE regress_callsync_nobody;
CREATE ROLE regress_callsync_reader IN ROLE callsync_reader;
CREATE ROLE regress_callsync_operator IN ROLE callsync_operator;
CREATE ROLE regress_callsync_admin IN ROLE callsync_admin;
SELECT callsync.create_source('roles');
SELECT callsync.create_destination('roles', 'webhook', '{"base_url": "https://example.invalid", "paused": true}');
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE TEMP TABLE tried (n int GENERATED ALWAYS AS IDENTITY, what text);
INSERT INTO tried (what) VALUES
	('SELECT callsync.to_phone(''+14155552671'')'),
	('SELECT * FROM callsync.call_sync'),
	('SELECT * FROM callsync.destination_status'),
	('SELECT * FROM callsync.secret_status'),
	('SELECT value FROM callsync.secret'),
	('SELECT * FROM callsync.token'),
	('SELECT callsync.preview(''none'', ''roles'')'),
	('SELECT callsync.resync(''{none}'', ''roles'')'),
	('SELECT callsync.redrive(''roles'')'),
	('SELECT callsync.pause(''roles'')'),
	('SELECT callsync.ingest(''roles'', ''{}'')'),
	('SELECT callsync.set_secret(''roles'', ''api_key'', NULL)'),
	('SELECT callsync.set_secret_file(''roles'', ''api_key'', ''/etc/hostname'')'),
	('SELECT callsync.alter_destination(''roles'', ''{"base_url": "https://other.invalid"}'')'),
	('SELECT callsync.alter_destination(''roles'', ''{"allow_addresses": ["10.0.0.0/8"]}'')'),
	('SELECT callsync.alter_destination(''roles'', ''{"ca_file": "/etc/hostname"}'')'),
	('SELECT callsync.set_route(''roles'', ''sales'', ''["call"]'')'),
	('SELECT callsync.register_connector(''{}'')'),
	('SELECT callsync.adopt()'),
	('UPDATE callsync.destination SET options = ''{}'''),
	('UPDATE callsync.event SET body = NULL'),
	('DELETE FROM callsync.event'),
	('DELETE FROM callsync.audit'),
	('INSERT INTO callsync.outbox (source, call_id) VALUES (''roles'', ''x'')'),
	('INSERT INTO callsync.connector (name, version, document) VALUES (''x'', ''1'', ''{}'')'),
	('CREATE TABLE callsync.planted (x int)');
GRANT ALL ON tried TO PUBLIC;
\pset format unaligned
\pset fieldsep ' | '
SET ROLE regress_callsync_nobody;
SELECT n, what, pg_temp.try(what) FROM tried ORDER BY n;
SET ROLE regress_callsync_reader;
SELECT n, what, pg_temp.try(what) FROM tried ORDER BY n;
-- every view works for who may read it (functions in a view are called with the reader's rights)
SELECT relname, pg_temp.try(format('SELECT * FROM callsync.%I', relname)) FROM pg_class
WHERE relnamespace = 'callsync'::regnamespace AND relkind = 'v' AND has_table_privilege(oid, 'SELECT')
	AND pg_temp.try(format('SELECT * FROM callsync.%I', relname)) <> 'done';
SET ROLE regress_callsync_operator;
SELECT n, what, pg_temp.try(what) FROM tried ORDER BY n;
SET ROLE regress_callsync_admin;
SELECT n, what, pg_temp.try(what) FROM tried ORDER BY n;
SET ROLE callsync_worker;
SELECT n, what, pg_temp.try(what) FROM tried ORDER BY n;
-- from a mapped table it reads the mapped columns, and of no other table anything
RESET ROLE;
CREATE TABLE public.role_calls (id int PRIMARY KEY, phone text, private_note text);
CREATE TABLE public.role_other (id int);
SELECT callsync.attach('roles', 'public.role_calls', '{"call_id": "id", "caller.phone": "phone"}', 'reference');
SET ROLE callsync_worker;
SELECT pg_temp.try('SELECT id, phone FROM public.role_calls'), pg_temp.try('SELECT private_note FROM public.role_calls'), pg_temp.try('SELECT * FROM public.role_other');
-- an administrator attaches only what is his own
SET ROLE regress_callsync_admin;
SELECT pg_temp.try($$SELECT callsync.attach('roles', 'public.role_other', '{"call_id": "id"}')$$), pg_temp.try($$SELECT callsync.detach('public.role_calls')$$);
RESET ROLE;
-- who may read a file may name one
GRANT pg_read_server_files TO regress_callsync_admin;
SET ROLE regress_callsync_admin;
SELECT pg_temp.try($$SELECT callsync.alter_destination('roles', '{"ca_file": "/etc/hostname"}')$$);
RESET ROLE;
SELECT callsync.drop_destination('roles', true);
DROP TABLE public.role_calls, public.role_other;
DELETE FROM callsync.source WHERE name = 'roles';
DROP ROLE regress_callsync_nobody, regress_callsync_reader, regress_callsync_operator, regress_callsync_admin;
