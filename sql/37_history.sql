-- How long history is kept. The worker takes a small step at a time; nothing here waits for
-- a lock, and nobody waits for long for one of ours.

-- How far a day has come. Not dumped: it is found again by looking.
CREATE TABLE callsync.history_day (
	day pg_catalog.date PRIMARY KEY,
	body_id pg_catalog.int8 NOT NULL DEFAULT 0,
	bodies_gone_at pg_catalog.timestamptz,
	look_at pg_catalog.timestamptz,
	row_id pg_catalog.int8 NOT NULL DEFAULT 0,
	thinned_at pg_catalog.timestamptz
);
COMMENT ON TABLE callsync.history_day IS
'Days of delivery, attempt and attempt_end that prune_history() works on. body_id: bodies of deliveries up to it are gone; bodies_gone_at: all of them are; look_at: something is still open, look again then. row_id, thinned_at: the same for a day that is past keep_history and cannot be dropped, because something in it is open.';

CREATE FUNCTION callsync.prune_history(keep_requests pg_catalog.interval, keep_history pg_catalog.interval,
	at pg_catalog.timestamptz DEFAULT pg_catalog.clock_timestamp(), max_rows pg_catalog.int4 DEFAULT 1000) RETURNS pg_catalog.text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $f$
DECLARE
	-- what is captured but not planned will be written to its day
	first_needed date := least((at AT TIME ZONE 'UTC')::date,
		(SELECT (o.captured_at AT TIME ZONE 'UTC')::date FROM callsync.outbox o ORDER BY o.id LIMIT 1));
	rows_before date := CASE WHEN keep_history IS NOT NULL THEN least(first_needed, ((at - keep_history) AT TIME ZONE 'UTC')::date) END;
	bodies_before date := ((at - keep_requests) AT TIME ZONE 'UTC')::date;
	busy date[];
	d date;
	tag text;
	h callsync.history_day;
	upto bigint;
	ids bigint[];
	n bigint;
	still_open boolean;
BEGIN
	IF keep_requests IS NULL AND keep_history IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT coalesce(array_agg(DISTINCT q.day), '{}') INTO busy FROM callsync.queue q;
	FOR d IN SELECT to_date(right(c.relname, 8), 'YYYYMMDD') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'callsync.delivery'::regclass AND c.relname ~ '^delivery_[0-9]{8}$' ORDER BY 1
	LOOP
		EXIT WHEN d >= greatest(coalesce(rows_before, '-infinity'), coalesce(bodies_before, '-infinity'));
		tag := to_char(d, 'YYYYMMDD');
		SELECT * INTO h FROM callsync.history_day x WHERE x.day = d;
		IF NOT FOUND THEN
			INSERT INTO callsync.history_day (day) VALUES (d) ON CONFLICT DO NOTHING;
			SELECT * INTO h FROM callsync.history_day x WHERE x.day = d;
		END IF;

		IF d < rows_before AND (h.thinned_at IS NULL OR h.thinned_at < at - interval '1 day') THEN
			EXECUTE format('SELECT EXISTS (SELECT 1 FROM callsync.%I v WHERE v.settled_at IS NULL)', 'delivery_' || tag) INTO still_open;
			still_open := still_open OR d = ANY (busy)
				OR EXISTS (SELECT 1 FROM callsync.dead_letter l WHERE l.redriven_at IS NULL AND l.day = d);
			IF NOT still_open THEN
				EXECUTE format('DROP TABLE IF EXISTS callsync.%I, callsync.%I, callsync.%I', 'delivery_' || tag, 'attempt_' || tag, 'attempt_end_' || tag);
				DELETE FROM callsync.history_day x WHERE x.day = d;
				RETURN format('day %s dropped', d);
			END IF;
			-- what somebody still has to act on stays, with its attempts; the rest of the day goes
			EXECUTE format('SELECT array_agg(x.id), max(x.id) FROM (SELECT v.id FROM callsync.%I v WHERE v.id > $1 ORDER BY v.id LIMIT $2) x', 'delivery_' || tag)
				INTO ids, upto USING h.row_id, max_rows;
			IF upto IS NULL THEN
				UPDATE callsync.history_day x SET row_id = 0, thinned_at = at WHERE x.day = d;
			ELSE
				EXECUTE format('DELETE FROM callsync.%I v WHERE v.id = ANY ($1) AND v.settled_at IS NOT NULL AND NOT EXISTS
					(SELECT 1 FROM callsync.dead_letter l WHERE l.delivery_id = v.id AND l.redriven_at IS NULL)', 'delivery_' || tag) USING ids;
				EXECUTE format('DELETE FROM callsync.%I a WHERE a.delivery_id = ANY ($1) AND NOT EXISTS (SELECT 1 FROM callsync.%I v WHERE v.id = a.delivery_id)',
					'attempt_' || tag, 'delivery_' || tag) USING ids;
				EXECUTE format('DELETE FROM callsync.%I a WHERE a.delivery_id = ANY ($1) AND NOT EXISTS (SELECT 1 FROM callsync.%I v WHERE v.id = a.delivery_id)',
					'attempt_end_' || tag, 'delivery_' || tag) USING ids;
				UPDATE callsync.history_day x SET row_id = upto WHERE x.day = d;
				RETURN format('rows of day %s removed', d);
			END IF;
		END IF;

		IF d < bodies_before AND h.bodies_gone_at IS NULL AND coalesce(h.look_at <= at, true) THEN
			EXECUTE format('SELECT max(x.delivery_id) FROM (SELECT a.delivery_id FROM callsync.%I a WHERE a.delivery_id > $1 ORDER BY a.delivery_id LIMIT $2) x', 'attempt_' || tag)
				INTO upto USING h.body_id, max_rows;
			IF upto IS NULL THEN
				-- later tries of what is open will bring new ones
				UPDATE callsync.history_day x SET body_id = 0,
					bodies_gone_at = CASE WHEN d <> ALL (busy) THEN at END, look_at = at + interval '1 day' WHERE x.day = d;
			ELSE
				EXECUTE format('UPDATE callsync.%I a SET body = NULL, headers = NULL WHERE a.delivery_id > $1 AND a.delivery_id <= $2 AND a.started_at < $3
					AND (a.body IS NOT NULL OR a.headers IS NOT NULL)', 'attempt_' || tag) USING h.body_id, upto, at - keep_requests;
				EXECUTE format('UPDATE callsync.%I a SET response = NULL, response_headers = NULL WHERE a.delivery_id > $1 AND a.delivery_id <= $2 AND a.finished_at < $3
					AND (a.response IS NOT NULL OR a.response_headers IS NOT NULL)', 'attempt_end_' || tag) USING h.body_id, upto, at - keep_requests;
				UPDATE callsync.history_day x SET body_id = upto WHERE x.day = d;
				RETURN format('bodies of day %s removed', d);
			END IF;
		END IF;
	END LOOP;

	-- exchanges that belong to no delivery
	DELETE FROM callsync.service_request s WHERE s.started_at < at - keep_history
		AND s.request_id IN (SELECT x.request_id FROM callsync.service_request x ORDER BY x.request_id LIMIT max_rows);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN CASE WHEN n > 0 THEN 'exchanges without a delivery removed' END;
EXCEPTION WHEN lock_not_available THEN
	RETURN 'busy';
END
$f$;
COMMENT ON FUNCTION callsync.prune_history(interval, interval, timestamptz, int) IS
'One small step of removing old history; the worker calls it with callsync.keep_requests and callsync.keep_history until there is nothing left to do (NULL). Request and response bodies and headers older than keep_requests are removed, attempts stay with their times and outcomes. Days older than keep_history are dropped as a whole; where something in a day is open (queued, held, in doubt, an open dead letter) that stays, with its attempts, and the rest of the day goes. Dead letters stay until somebody acts. Returns what was done; busy: a reader was in the way, try again. NULL for an interval: keep for ever.';
