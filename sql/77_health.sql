-- health: is it working? One row per metric, from small tables and counters only, so that
-- it answers at once however long the history is.

CREATE FUNCTION callsync.health_rows(OUT metric pg_catalog.text, OUT value pg_catalog.float8, OUT unit pg_catalog.text,
	OUT threshold pg_catalog.text, OUT ok pg_catalog.bool, OUT detail pg_catalog.text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	running int := coalesce(cardinality(callsync.worker_pids()), 0);
	totals record;
	oldest timestamptz;
	n bigint;
	names text;
BEGIN
	metric := 'workers'; value := running; unit := 'processes'; threshold := '>= 1'; ok := running >= 1;
	detail := CASE WHEN running >= 1 THEN NULL
		WHEN coalesce(current_setting('callsync.databases', true), '') = '' THEN 'no worker runs: SELECT callsync.start(), or name this database in callsync.databases with callsync in shared_preload_libraries'
		ELSE 'no worker runs: SELECT callsync.start(), and look at the server log' END;
	RETURN NEXT;

	-- counted to a bound: a backlog of millions must not make the answer slow
	SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.outbox LIMIT 10001) x;
	metric := 'captured_waiting'; value := n; unit := 'rows'; threshold := '<= 10000'; ok := n <= 10000;
	detail := CASE WHEN n > 10000 THEN 'more than 10000 captured changes are not planned' END;
	RETURN NEXT;

	SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.queue LIMIT 10001) x;
	metric := 'queue_depth'; value := n; unit := 'deliveries'; threshold := '<= 10000'; ok := n <= 10000;
	detail := CASE WHEN n > 10000 THEN 'more than 10000 deliveries are not settled' END;
	RETURN NEXT;

	SELECT least((SELECT o.captured_at FROM callsync.outbox o ORDER BY o.id LIMIT 1), CASE
		WHEN NOT EXISTS (SELECT 1 FROM callsync.destination d WHERE d.options ->> 'mode' IN ('batch', 'hybrid')) THEN
			(SELECT d.created_at FROM callsync.queue q JOIN callsync.delivery d ON d.id = q.delivery_id AND d.day = q.day ORDER BY q.delivery_id LIMIT 1)
		-- what waits for its batch is not late before the batch is; a look at the first ones keeps this flat
		ELSE (SELECT min(x.since) FROM callsync.destination t, LATERAL (
			SELECT CASE WHEN d.attempts > 0 OR t.options ->> 'mode' IS NULL OR t.options ->> 'mode' = 'realtime' THEN d.created_at
				WHEN q.due_at <= clock_timestamp() THEN q.due_at END AS since
			FROM callsync.queue q JOIN callsync.delivery d ON d.id = q.delivery_id AND d.day = q.day
			WHERE q.destination = t.name ORDER BY q.priority, q.delivery_id LIMIT 100) x) END) INTO oldest;
	metric := 'data_lag'; value := coalesce(extract(epoch FROM clock_timestamp() - oldest), 0); unit := 's'; threshold := '<= 60'; ok := value <= 60;
	detail := CASE WHEN value > 60 THEN format('the oldest change that is not settled is of %s', oldest) END;
	RETURN NEXT;

	SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.dead_letter l WHERE l.redriven_at IS NULL LIMIT 10001) x;
	metric := 'dead_letters'; value := n; unit := 'deliveries'; threshold := '= 0'; ok := n = 0;
	detail := CASE WHEN n > 0 THEN 'see callsync.dead_letters; after mending the cause: callsync.redrive()' END;
	RETURN NEXT;

	SELECT coalesce(sum(s.sent), 0) AS sent, coalesce(sum(s.confirmed), 0) AS confirmed, coalesce(sum(s.failed), 0) AS failed INTO totals
	FROM callsync.destination_state s;
	metric := 'write_success_rate'; unit := 'ratio'; threshold := '>= 0.99';
	value := CASE WHEN totals.confirmed + totals.failed = 0 THEN NULL ELSE totals.confirmed::float8 / (totals.confirmed + totals.failed) END;
	ok := coalesce(value >= 0.99, true);
	detail := format('%s deliveries settled well, %s failed', totals.confirmed, totals.failed);
	RETURN NEXT;

	SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.event_unusable u WHERE u.noticed_at > clock_timestamp() - interval '1 day' LIMIT 10001) x;
	metric := 'unusable_events'; value := n; unit := 'events in a day'; threshold := '= 0'; ok := n = 0;
	detail := CASE WHEN n > 0 THEN 'rejected or quarantined: SELECT * FROM callsync.event WHERE id IN (SELECT event_id FROM callsync.event_unusable)' END;
	RETURN NEXT;

	SELECT count(*), string_agg(d.name || coalesce(' (' || d.paused_reason || ')', ''), ', ' ORDER BY d.name) INTO n, names FROM callsync.destination d WHERE d.paused;
	metric := 'paused_destinations'; value := n; unit := 'destinations'; threshold := '= 0'; ok := n = 0; detail := names;
	RETURN NEXT;

	SELECT count(*), string_agg(s.destination || ': ' || coalesce(s.last_error, s.breaker), '; ' ORDER BY s.destination) INTO n, names
	FROM callsync.destination_state s WHERE s.breaker <> 'closed';
	metric := 'open_breakers'; value := n; unit := 'destinations'; threshold := '= 0'; ok := n = 0; detail := names;
	RETURN NEXT;

	SELECT count(*), string_agg(format('%s: column "%s" for %s', (SELECT c.relname FROM pg_class c WHERE c.oid = x.call_table), x.column_name, x.path), '; ') INTO n, names
	FROM (SELECT t.call_table::oid AS call_table, e.key AS path, e.value AS column_name
		FROM callsync.source_table t, jsonb_each_text(t.columns) e
		WHERE NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.call_table AND a.attname = e.value AND NOT a.attisdropped)) x;
	metric := 'missing_columns'; value := n; unit := 'columns'; threshold := '= 0'; ok := n = 0;
	detail := CASE WHEN n > 0 THEN names || '; renamed or dropped: detach() the table and attach() it with the new name' END;
	RETURN NEXT;

	SELECT count(*), string_agg(DISTINCT a.kind, ', ') INTO n, names FROM callsync.alert a WHERE a.cleared_at IS NULL;
	metric := 'open_alerts'; value := n; unit := 'alerts'; threshold := '= 0'; ok := n = 0; detail := names;
	RETURN NEXT;
END
$f$;
COMMENT ON FUNCTION callsync.health_rows() IS 'The rows of the view health.';

CREATE VIEW callsync.health AS SELECT h.metric, h.value, h.unit, h.threshold, h.ok, h.detail FROM callsync.health_rows() h
UNION ALL SELECT q.metric, q.value, q.unit, q.threshold, q.ok, q.detail FROM callsync.quality_rows() q;
COMMENT ON VIEW callsync.health IS
'Is it working? One row per metric with its value, unit, threshold, whether it is met, and what to do where not: workers, captured_waiting, queue_depth (both counted up to 10001), data_lag (s), dead_letters, write_success_rate (since the destination was made), unusable_events (last day), paused_destinations, open_breakers, missing_columns (of attached tables), open_alerts. Answers from small tables only. Of quality, from the newest three hundred rows of each kind: match_accuracy, duplicate_rate, update_success, completion_time (s), workflow_failure_rate, lead_attribution.';
