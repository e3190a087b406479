-- Privileges: webhooks come in through ingest(), which needs no other right. Grant it to the role
-- of the front door: GRANT EXECUTE ON FUNCTION callsync.ingest(text, bytea, jsonb, text) TO web;
GRANT SELECT ON callsync.source_kind TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.check_source(text) TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.ingest(text, bytea, jsonb, text), callsync.read_webhook(text, bytea, jsonb),
	callsync.replay(text, timestamptz, timestamptz) TO callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.check_preset(text, jsonb, jsonb), callsync.register_source_kind(jsonb) TO callsync_admin;
