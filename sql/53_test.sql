-- test_destination(): asks the worker to try a destination out, and waits for the answer.

CREATE TABLE callsync.test_result (
	destination pg_catalog.text PRIMARY KEY REFERENCES callsync.destination (name) ON DELETE CASCADE,
	started_at pg_catalog.timestamptz NOT NULL,
	finished_at pg_catalog.timestamptz NOT NULL,
	rows pg_catalog.jsonb NOT NULL
);
COMMENT ON TABLE callsync.test_result IS 'The newest answer that a worker found for test_destination().';

CREATE FUNCTION callsync.test_destination(name pg_catalog.text, timeout pg_catalog.interval DEFAULT '60s',
	OUT area pg_catalog.text, OUT item pg_catalog.text, OUT ok pg_catalog.bool, OUT detail pg_catalog.text)
RETURNS SETOF record LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
#variable_conflict use_column
DECLARE
	class CONSTANT int := 1129512965; -- CALLSYNC_LOCK_TEST
	dest record;
	since timestamptz;
	until timestamptz;
	found_rows jsonb;
	pause float8 := 0.01;
BEGIN
	PERFORM callsync.need_destination($1);
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION 'test_destination() cannot run at isolation level %', current_setting('transaction_isolation')
			USING ERRCODE = 'active_sql_transaction', HINT = 'It waits for what a worker finds out; run it in READ COMMITTED.';
	END IF;
	SELECT d.id, d.connector, d.options, c.document, d.xmin::text::bigint = (pg_current_xact_id_if_assigned()::text::bigint & 4294967295) AS mine INTO dest
	FROM callsync.destination d JOIN callsync.connector c ON c.name = d.connector WHERE d.name = $1;
	area := 'worker';
	item := 'running';
	IF dest.mine THEN
		ok := false;
		detail := 'the destination was made or changed in this transaction, workers do not see it yet: COMMIT first';
		RETURN NEXT;
		RETURN;
	END IF;
	IF coalesce(cardinality(callsync.worker_pids()), 0) = 0 THEN
		ok := false;
		detail := 'no worker runs, and functions do no network themselves: SELECT callsync.start(), or see callsync.health';
		RETURN NEXT;
		RETURN;
	END IF;
	until := clock_timestamp() + timeout;
	-- holding the lock is the request: it needs no commit, and ends with us whatever happens
	WHILE NOT pg_try_advisory_lock(class, dest.id) LOOP
		EXIT WHEN clock_timestamp() >= until;
		PERFORM pg_sleep(0.05);
	END LOOP;
	BEGIN
		since := clock_timestamp();
		PERFORM callsync.wake(true);
		LOOP
			SELECT t.rows INTO found_rows FROM callsync.test_result t WHERE t.destination = $1 AND t.started_at >= since;
			EXIT WHEN found_rows IS NOT NULL OR clock_timestamp() >= until;
			PERFORM pg_sleep(pause);
			pause := least(pause * 1.5, 0.1);
		END LOOP;
		PERFORM pg_advisory_unlock(class, dest.id);
	EXCEPTION WHEN query_canceled OR OTHERS THEN
		PERFORM pg_advisory_unlock(class, dest.id);
		RAISE;
	END;
	IF found_rows IS NULL THEN
		ok := false;
		detail := format('no answer within %s: %s', timeout, CASE WHEN EXISTS (SELECT 1 FROM callsync.worker w WHERE w.is_copy) THEN 'see callsync.health, this database may be a copy that nobody has adopted'
			ELSE 'see callsync.worker_status and the server log' END);
		RETURN NEXT;
		RETURN;
	END IF;
	ok := true;
	detail := 'asked and answered by a worker; nothing was written';
	RETURN NEXT;
	RETURN QUERY SELECT r ->> 'area', r ->> 'item', (r -> 'ok')::bool, r ->> 'detail' FROM jsonb_array_elements(found_rows) r;
	-- write access, field by field, as the destination has just described them
	RETURN QUERY
	WITH maps AS (
		SELECT DISTINCT s.value ->> 'object' AS object, s.value ->> 'map' AS map
		FROM (SELECT * FROM jsonb_each(dest.document -> 'steps') UNION ALL SELECT * FROM jsonb_each(dest.options -> 'override' -> 'steps')) s
		WHERE s.value ->> 'map' IS NOT NULL AND s.value ->> 'object' IS NOT NULL),
	wanted AS (
		SELECT m.object, e.field, bool_and(e.how ~ 'where the field exists') AS optional, min(substring(e.how FROM 'the field with label "([^"]*)"')) AS label
		FROM callsync.map_entries($1) e JOIN maps m ON m.map = e.object WHERE e.field !~ '^\*' GROUP BY 1, 2)
	SELECT 'field', w.object || '.' || coalesce(w.label, w.field),
		CASE WHEN f.field IS NULL THEN w.optional ELSE NOT coalesce((f.definition -> 'readonly')::bool, false) AND v.field IS NULL END,
		CASE WHEN f.field IS NULL AND w.optional THEN 'not there; the map leaves it out'
			WHEN f.field IS NULL THEN 'the destination has no such field'
			WHEN (f.definition -> 'readonly')::bool THEN 'cannot be written'
			WHEN v.field IS NOT NULL THEN format('writes are stopped (%s), see callsync.schema_drift', v.change)
			ELSE concat_ws(', ', f.definition ->> 'type', 'at most ' || (f.definition ->> 'max'), CASE WHEN (f.definition -> 'required')::bool THEN 'required' END,
				jsonb_array_length(f.definition -> 'options') || ' options') END
	FROM wanted w JOIN callsync.schema_state s ON s.destination = $1 AND s.object = w.object AND s.described_at >= since AND s.error IS NULL
	LEFT JOIN LATERAL (SELECT f.field, f.definition FROM callsync.schema_field f WHERE f.destination = $1 AND f.object = w.object
		AND CASE WHEN w.label IS NULL THEN f.field = w.field ELSE f.field = w.field OR f.definition ->> 'label' = w.label END LIMIT 1) f ON true
	LEFT JOIN LATERAL (SELECT d.field, d.change FROM callsync.schema_drift d WHERE d.destination = $1 AND d.object = w.object AND d.field = f.field AND d.stopped LIMIT 1) v ON true
	ORDER BY 2;
	-- what a new record needs and nobody maps
	RETURN QUERY
	SELECT 'required', f.object || '.' || f.field, false, 'a new record needs it, and the map has no entry for it'
	FROM callsync.schema_field f JOIN callsync.schema_state s ON s.destination = f.destination AND s.object = f.object AND s.described_at >= since
	WHERE f.destination = $1 AND f.definition -> 'required' = 'true' AND f.definition -> 'readonly' IS NULL
		AND NOT EXISTS (SELECT 1 FROM callsync.map_entries($1) e WHERE e.field = f.field OR e.how LIKE '%the field with label "' || (f.definition ->> 'label') || '"%')
	ORDER BY 2;
END
$f$;
COMMENT ON FUNCTION callsync.test_destination(text, interval) IS
'Tries a destination out without writing anything there: area worker (does one run?), auth (does the destination take the credential?), describe (can each object be described?), limits (what is free of each), field (may each mapped field be written? ok NULL or false with the reason), required (a field that new records need and the map does not fill). A worker asks, the function waits for it (timeout, one minute); without a worker that is what it says. The destination may be paused. Do not call it in the transaction that makes the destination. Each request is in callsync.requests. Error 42704 where the destination does not exist.';
