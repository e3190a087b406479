-- Worker processes: start, stop, state; the copy guard.

CREATE TABLE callsync.worker (
	worker pg_catalog.int4 PRIMARY KEY,
	pid pg_catalog.int4 NOT NULL,
	state pg_catalog.text NOT NULL CHECK (state IN ('running', 'ending', 'stopped')),
	started_at pg_catalog.timestamptz NOT NULL,
	updated_at pg_catalog.timestamptz NOT NULL,
	version pg_catalog.text NOT NULL,
	is_copy pg_catalog.bool NOT NULL,
	in_flight pg_catalog.int8 NOT NULL,
	unsettled pg_catalog.int8 NOT NULL,
	waiting pg_catalog.int8 NOT NULL,
	total_claimed pg_catalog.int8 NOT NULL,
	total_sent pg_catalog.int8 NOT NULL,
	total_settled pg_catalog.int8 NOT NULL,
	registered_at pg_catalog.timestamptz NOT NULL,
	holes pg_catalog.int8 NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
COMMENT ON TABLE callsync.worker IS
'What each delivery worker last said about itself, at most once a second. Read it through worker_status. Not dumped: it describes processes.';

CREATE TABLE callsync.installation (
	one pg_catalog.bool PRIMARY KEY DEFAULT true CHECK (one),
	system_identifier pg_catalog.int8 NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	key_id pg_catalog.text,
	instance pg_catalog.text NOT NULL,
	recorded_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE callsync.installation IS
'Where this database belongs: written with the first source or destination, compared at each worker start. Where cluster, database, key or callsync.instance differ, this is a copy and nothing is sent before adopt(). Dumped, so that a restored dump is recognised.';
SELECT pg_catalog.pg_extension_config_dump('callsync.installation', '');

CREATE FUNCTION callsync.start() RETURNS pg_catalog.bool
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_start';
COMMENT ON FUNCTION callsync.start() IS
'Starts the delivery workers (callsync.workers of them) of this database and waits until they run. True: started; false: they ran already. Works with and without shared_preload_libraries; takes effect at once, also in a transaction that is rolled back. Without preloading, workers that were started so outlive crashes, but not a restart of the server.';

CREATE FUNCTION callsync.stop(grace pg_catalog.interval DEFAULT '10 seconds') RETURNS pg_catalog.bool
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_stop';
COMMENT ON FUNCTION callsync.stop(interval) IS
'Ends the delivery workers of this database. They take up nothing new and get "grace" to finish and settle what is in flight; what is not finished then is looked up at the next start, never sent blindly again. True: all have ended. Calls are captured meanwhile. Holds until start() or a restart of the server.';

CREATE FUNCTION callsync.wait_until_running(timeout pg_catalog.interval) RETURNS pg_catalog.bool
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_wait_until_running';
COMMENT ON FUNCTION callsync.wait_until_running(interval) IS
'Waits until all delivery workers of this database have done their first round, at most "timeout". True: at least one runs.';

CREATE FUNCTION callsync.worker_pids() RETURNS pg_catalog.int4[]
LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_worker_pids';
COMMENT ON FUNCTION callsync.worker_pids() IS 'Process ids of the delivery workers of this database that exist now.';

CREATE VIEW callsync.worker_status AS
SELECT w.worker, w.pid,
	CASE WHEN w.pid OPERATOR(pg_catalog.=) ANY (p.pids) THEN w.state
		WHEN w.state OPERATOR(pg_catalog.=) 'stopped' THEN 'stopped'
		ELSE 'dead' END AS state,
	w.started_at, w.updated_at, w.version, w.is_copy,
	w.in_flight, w.unsettled, w.waiting,
	w.total_claimed, w.total_sent, w.total_settled, w.holes
FROM callsync.worker w, (SELECT callsync.worker_pids() AS pids) p;
COMMENT ON VIEW callsync.worker_status IS
'One row per delivery worker that ever ran here. state: running, ending (finishes what is in flight), stopped (ended as told), dead (the process is gone without a word: crash or immediate shutdown; it is normally started again). is_copy: nothing is sent, see adopt(). The totals count from started_at. holes: ranges of captured changes that a transaction which is still open may fill; many of them mean that one has been open for long.';

CREATE FUNCTION callsync.record_installation() RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_record_installation';
COMMENT ON FUNCTION callsync.record_installation() IS 'Stores the identity of this installation where there is none yet. create_destination() calls it.';

CREATE FUNCTION callsync.adopt() RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_adopt';
COMMENT ON FUNCTION callsync.adopt() IS
'Declares that this database is no copy (any more) but the one that sends: stores cluster, database, key and callsync.instance anew and lets the destinations go on that were paused as a copy. Make sure that the original is stopped for good: both would deliver the same calls, and tokens that rotate on use would be lost.';

CREATE FUNCTION callsync.nudge_launcher() RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_nudge_launcher';
COMMENT ON FUNCTION callsync.nudge_launcher() IS 'Used by the install script: when this transaction commits, the launcher looks for new work at once.';

-- Workers connect as callsync_worker, also where CONNECT was taken from PUBLIC.
DO $connect$
BEGIN
	EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO callsync_worker', pg_catalog.current_database());
END
$connect$;

SELECT callsync.nudge_launcher();
