-- The extension is there, in its own schema, at the version of the control file.
SET search_path = callsync, public;
SELECT extname, n.nspname, extrelocatable FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE extname = 'callsync';
-- no role of ours has more rights than it needs
SELECT rolname, rolsuper, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname LIKE 'callsync\_%' ORDER BY 1;
