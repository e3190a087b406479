-- workers: their own state, the copy guard
GRANT SELECT, INSERT, UPDATE ON callsync.worker, callsync.installation TO callsync_worker;
GRANT SELECT, INSERT, UPDATE ON callsync.alert TO callsync_worker;
-- never where to: base_url and allow_addresses are an administrator's
GRANT SELECT, UPDATE (paused, paused_reason, paused_at, generation) ON callsync.destination TO callsync_worker;
GRANT SELECT ON callsync.worker_status TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.worker_pids(), callsync.wait_until_running(interval)
	TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.start(), callsync.stop(interval)
	TO callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.adopt() TO callsync_admin;

-- secrets: a worker reads them and keeps rotated tokens; nobody else sees the table
GRANT SELECT, INSERT, UPDATE, DELETE ON callsync.secret TO callsync_worker;
GRANT SELECT ON callsync.secret_status TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.set_secret(text, text, text), callsync.set_secret_file(text, text, text),
	callsync.reencrypt_secrets() TO callsync_admin;

-- tokens
GRANT SELECT, INSERT, UPDATE, DELETE ON callsync.token TO callsync_worker;
GRANT SELECT, INSERT, UPDATE ON callsync.service_request, callsync.destination_state TO callsync_worker;
GRANT USAGE ON SEQUENCE callsync.token_version, callsync.request_id TO callsync_worker;
GRANT SELECT ON callsync.connector, callsync.map_version, callsync.route, callsync.schema_field TO callsync_worker;
