-- Privileges: destinations, and the views of calls.
GRANT EXECUTE ON FUNCTION callsync.bump_generation() TO callsync_worker;
GRANT SELECT ON callsync.call_sync, callsync.incomplete_calls, callsync.orphan_calls, callsync.audit_log, callsync.alerts, callsync.schema_drift,
	callsync.connectors, callsync.health TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.health_rows(), callsync.schedule_times(jsonb, timestamptz), callsync.map_entries(text), callsync.step_sources(jsonb, jsonb), callsync.touches(text, text), callsync.map_document(text), callsync.map_impact(text),
	callsync.connector_steps(jsonb, jsonb), callsync.check_connector(text), callsync.check_connector_document(jsonb),
	callsync.check_document(jsonb, jsonb, text) TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.create_destination(text, text, jsonb), callsync.alter_destination(text, jsonb), callsync.drop_destination(text, boolean),
	callsync.register_connector(jsonb), callsync.publish_map(text, jsonb, text), callsync.set_route(text, text, jsonb)
	TO callsync_admin;
