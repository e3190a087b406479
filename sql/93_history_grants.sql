-- Privileges: history. The worker removes what is too old; people set how long it is kept.
GRANT SELECT, DELETE ON callsync.history_day TO callsync_worker;
GRANT SELECT ON callsync.history_day TO callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.prune_history(interval, interval, timestamptz, int) TO callsync_worker, callsync_admin;
