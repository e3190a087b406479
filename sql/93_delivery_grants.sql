-- Privileges: running, deliveries and their views.
GRANT EXECUTE ON FUNCTION callsync.wake(boolean) TO callsync_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON callsync.quota TO callsync_worker;
GRANT SELECT ON callsync.deliveries, callsync.attempts, callsync.requests, callsync.field_writes, callsync.dead_letters, callsync.error_groups,
	callsync.destination_status, callsync.progress, callsync.reconciliations, callsync.reconciliation_items TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.readable(bytea), callsync.wait_until_idle(interval), callsync.preview(text, text, text)
	TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.resync(text[], text), callsync.redrive(text, jsonb, boolean), callsync.reconcile(text, timestamptz, timestamptz), callsync.pause(text), callsync.resume(text), callsync.send_now(text, jsonb), callsync.clear_alert(bigint)
	TO callsync_operator, callsync_admin;
