-- Privileges: metrics, checks and reports are for everybody who may look.
GRANT EXECUTE ON FUNCTION callsync.quality_rows(), callsync.metric_rows(), callsync.metrics_text(), callsync.self_check(), callsync.html_table(text, jsonb, text[]),
	callsync.report_html(timestamptz, timestamptz) TO callsync_reader, callsync_operator, callsync_admin;
GRANT SELECT ON callsync.metrics TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.connector_evidence(), callsync.confirmation_level(jsonb, jsonb) TO callsync_reader, callsync_operator, callsync_admin;
GRANT SELECT ON callsync.connector_depth TO callsync_reader, callsync_operator, callsync_admin;
