-- Privileges: what destinations say of their fields, and tests of destinations.
GRANT SELECT, INSERT, UPDATE ON callsync.schema_state, callsync.test_result TO callsync_worker;
GRANT EXECUTE ON FUNCTION callsync.keep_schema(text, text, jsonb, text[]) TO callsync_worker;
GRANT SELECT ON callsync.schema_state, callsync.schema_field TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.resolve_drift(bigint) TO callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.test_destination(text, interval) TO callsync_operator, callsync_admin;
