-- Reconciliation with a destination: is what was delivered still there, and as it was sent?

CREATE TABLE callsync.reconcile_run (
	id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	destination pg_catalog.text NOT NULL,
	since pg_catalog.timestamptz NOT NULL,
	until pg_catalog.timestamptz NOT NULL,
	calls pg_catalog.int8 NOT NULL,
	requested_at pg_catalog.timestamptz NOT NULL,
	requested_by pg_catalog.name NOT NULL DEFAULT SESSION_USER
);
COMMENT ON TABLE callsync.reconcile_run IS 'Runs of reconcile(), with the number of calls that they asked about; counts are in the view reconciliations.';
SELECT pg_catalog.pg_extension_config_dump('callsync.reconcile_run', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.reconcile_run_id_seq', '');

CREATE TABLE callsync.reconcile_item (
	run_id pg_catalog.int8 NOT NULL REFERENCES callsync.reconcile_run (id),
	delivery_id pg_catalog.int8 NOT NULL,
	day pg_catalog.date NOT NULL,
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	step pg_catalog.text NOT NULL,
	object pg_catalog.text NOT NULL,
	record_id pg_catalog.text NOT NULL,
	PRIMARY KEY (run_id, delivery_id)
);
COMMENT ON TABLE callsync.reconcile_item IS 'What a run of reconcile() reads back: the newest delivery of each step, with the record that it had then.';
SELECT pg_catalog.pg_extension_config_dump('callsync.reconcile_item', '');

CREATE VIEW callsync.reconciliation_items AS
SELECT i.run_id, r.destination, i.source, i.call_id, i.step, i.object, i.record_id,
	CASE WHEN d.id IS NULL THEN 'unverified'
		WHEN d.settled_at IS NULL OR d.settled_at < r.requested_at THEN 'open'
		WHEN d.confirmation IS DISTINCT FROM 'read_back' THEN 'unverified'
		WHEN d.state = 'confirmed' THEN 'found'
		WHEN d.state = 'partial' THEN 'altered'
		WHEN d.state = 'failed' THEN 'missing'
		ELSE 'unverified' END AS outcome,
	d.id AS delivery_id, d.last_error, d.settled_at AS checked_at
FROM callsync.reconcile_item i JOIN callsync.reconcile_run r ON r.id = i.run_id
LEFT JOIN callsync.delivery d ON d.id = i.delivery_id AND d.day = i.day;
COMMENT ON VIEW callsync.reconciliation_items IS
'Each record that a run of reconcile() asked for. outcome: open (not read yet), found (there, as it was sent), altered (there, but not every field is as sent: see field_writes), missing (not there any more), unverified (the destination could not be read). To deliver what is missing again: SELECT callsync.resync(ARRAY(SELECT DISTINCT call_id FROM callsync.reconciliation_items WHERE run_id = ... AND outcome = ''missing''), destination).';

CREATE VIEW callsync.reconciliations AS
SELECT r.id, r.destination, r.since, r.until, r.requested_at, r.requested_by, r.calls, count(i.run_id) AS records,
	count(*) FILTER (WHERE i.outcome = 'open') AS open, count(*) FILTER (WHERE i.outcome = 'found') AS found,
	count(*) FILTER (WHERE i.outcome = 'altered') AS altered, count(*) FILTER (WHERE i.outcome = 'missing') AS missing,
	count(*) FILTER (WHERE i.outcome = 'unverified') AS unverified,
	count(DISTINCT ROW (i.source, i.call_id)) FILTER (WHERE i.outcome = 'missing') AS calls_missing
FROM callsync.reconcile_run r LEFT JOIN callsync.reconciliation_items i ON i.run_id = r.id
GROUP BY r.id;
COMMENT ON VIEW callsync.reconciliations IS
'One row per run of reconcile(): how many calls and records it asked about, and what became of the records (see reconciliation_items). calls_missing: calls that lack at least one record.';

CREATE FUNCTION callsync.reconcile(destination pg_catalog.text, since pg_catalog.timestamptz, until pg_catalog.timestamptz)
RETURNS pg_catalog.int8 LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	run bigint;
	n bigint;
	level text;
BEGIN
	PERFORM callsync.need_destination(destination);
	IF since IS NULL OR until IS NULL OR since >= until THEN
		RAISE EXCEPTION 'since must be before until' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Both are compared with the time when a call was captured (call_sync.captured_at); infinity is allowed.';
	END IF;
	SELECT s.confirmation INTO level FROM callsync.destination_status s WHERE s.destination = reconcile.destination;
	IF level IS DISTINCT FROM 'read_back' THEN
		RAISE EXCEPTION 'destination "%" cannot be read back', destination USING ERRCODE = 'object_not_in_prerequisite_state',
			DETAIL = format('Its confirmation level is %s.', coalesce(level, 'not known')),
			HINT = 'Reconciliation needs a connector that can read, and verify read_back.';
	END IF;
	INSERT INTO callsync.reconcile_run (destination, since, until, calls, requested_at)
	SELECT reconcile.destination, reconcile.since, reconcile.until, count(*), clock_timestamp() FROM callsync.sync_state s
	WHERE s.destination = reconcile.destination AND s.captured_at >= reconcile.since AND s.captured_at < reconcile.until
	RETURNING id INTO run;
	-- the newest delivery of each step that was found there once, and that nothing is under way for
	INSERT INTO callsync.reconcile_item (run_id, delivery_id, day, source, call_id, step, object, record_id)
	SELECT run, d.id, d.day, d.source, d.call_id, d.step, d.object, d.record_id
	FROM callsync.sync_state s CROSS JOIN LATERAL jsonb_each(s.steps) e
	-- looked up one by one: no statistics may turn this into reading all days
	CROSS JOIN LATERAL (SELECT v.* FROM callsync.delivery v
		WHERE v.id = (e.value ->> 'delivery')::bigint AND v.day = coalesce((e.value ->> 'day')::date, s.day) OFFSET 0) d
	WHERE s.destination = reconcile.destination AND s.captured_at >= reconcile.since AND s.captured_at < reconcile.until
		AND d.state IN ('confirmed', 'partial') AND d.confirmation = 'read_back' AND d.record_id IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM callsync.queue q WHERE q.delivery_id = d.id OFFSET 0);
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM callsync.outbox_append('reconcile', w.source, w.call_id, reconcile.destination, jsonb_build_object('deliveries', w.ids))
	FROM (SELECT i.source, i.call_id, jsonb_agg(i.delivery_id ORDER BY i.delivery_id) AS ids FROM callsync.reconcile_item i
		WHERE i.run_id = run GROUP BY i.source, i.call_id ORDER BY i.source, i.call_id) w;
	PERFORM callsync.write_audit('reconcile', destination, jsonb_build_object('run', run, 'since', since, 'until', until, 'records', n));
	RETURN run;
END
$f$;
COMMENT ON FUNCTION callsync.reconcile(text, timestamptz, timestamptz) IS
'Reads back the records of the calls captured in [since, until) that were once found at a destination, within its limits, and compares them field by field with what was sent; writes nothing there. Returns the number of the run for the views reconciliations and reconciliation_items; done when nothing is open any more (wait_until_idle()). What is missing shows in call_sync as failed/silent, in dead_letters and as an alert. Errors: 42704 unknown destination, 22023 empty interval, 55000 where the destination cannot be read back.';
