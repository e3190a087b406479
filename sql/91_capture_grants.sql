-- Privileges: capture is written by C in the user's transaction, without any grant.
GRANT SELECT ON callsync.source, callsync.source_table, callsync.event TO callsync_worker;
GRANT SELECT, DELETE ON callsync.outbox TO callsync_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON callsync.call, callsync.person_key, callsync.validation_result, callsync.delivery,
	callsync.queue, callsync.attempt, callsync.attempt_end, callsync.service_request, callsync.dead_letter, callsync.sync_state,
	callsync.record_link, callsync.contact_link, callsync.destination_state, callsync.schema_drift_event TO callsync_worker;
GRANT SELECT ON callsync.connector, callsync.map_version, callsync.route TO callsync_worker;
GRANT SELECT, INSERT, DELETE, UPDATE ON callsync.schema_field TO callsync_worker;
GRANT USAGE ON SEQUENCE callsync.delivery_id, callsync.request_id, callsync.alert_id_seq, callsync.schema_drift_event_id_seq TO callsync_worker;
GRANT EXECUTE ON FUNCTION callsync.make_partitions(date, date), callsync.capture_config(text, jsonb, text, text[]),
	callsync.document_path(text), callsync.preview_row(text, record) TO callsync_worker;
GRANT SELECT ON callsync.source, callsync.source_table, callsync.event, callsync.event_unusable, callsync.call, callsync.validation_result,
	callsync.map_version, callsync.route, callsync.destination, callsync.connector TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.document_path(text), callsync.source_kinds(), callsync.source_options(text)
	TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.backfill(text, timestamptz, timestamptz, boolean), callsync.capture_row(text, oid, text, record),
	callsync.preview_row(text, record), callsync.capture_config(text, jsonb, text, text[]), callsync.write_audit(text, text, jsonb)
	TO callsync_operator, callsync_admin;
GRANT SELECT (source, call_id) ON callsync.outbox TO callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.create_source(text, text, jsonb), callsync.attach(text, regclass, jsonb, text), callsync.detach(regclass),
	callsync.drop_source(text, boolean), callsync.record_source_drop(text, boolean),
	callsync.record_attachment(regclass, text, jsonb, text, text[]), callsync.record_detachment(regclass), callsync.capture()
	TO callsync_admin;
