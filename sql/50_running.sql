-- Asking for work: send again, stop, go on, wait. These functions only leave a note for
-- the workers (an outbox row, a flag), so that each row of the queue has one writer.

CREATE FUNCTION callsync.outbox_append(origin pg_catalog.text, source pg_catalog.text, call_id pg_catalog.text,
	destination pg_catalog.text DEFAULT NULL, detail pg_catalog.jsonb DEFAULT NULL) RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_outbox_append_fn';
COMMENT ON FUNCTION callsync.outbox_append(text, text, text, text, jsonb) IS 'Leaves a note for the worker that plans the call; used by resync(), redrive() and others.';

CREATE FUNCTION callsync.wake(at_once pg_catalog.bool DEFAULT false) RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_wake';
COMMENT ON FUNCTION callsync.wake(boolean) IS 'Wakes the workers of this database when the transaction commits, or at once.';

CREATE FUNCTION callsync.need_destination(name pg_catalog.text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	IF name IS NULL OR NOT EXISTS (SELECT 1 FROM callsync.destination d WHERE d.name = need_destination.name) THEN
		RAISE EXCEPTION 'destination "%" does not exist', name USING ERRCODE = 'undefined_object',
			HINT = coalesce((SELECT format('Destinations are: %s.', string_agg(d.name, ', ' ORDER BY d.name)) FROM callsync.destination d),
				'There is none yet: callsync.create_destination().');
	END IF;
END
$f$;
COMMENT ON FUNCTION callsync.need_destination(text) IS 'Error 42704 where the destination does not exist.';

CREATE FUNCTION callsync.resync(call_ids pg_catalog.text[], destination pg_catalog.text DEFAULT NULL) RETURNS pg_catalog.int4
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	n int;
BEGIN
	IF call_ids IS NULL THEN
		RAISE EXCEPTION 'call_ids must not be null' USING ERRCODE = 'null_value_not_allowed',
			HINT = 'Give an array, for instance ARRAY[''c-1''] or ARRAY(SELECT call_id FROM callsync.call_sync WHERE status = ''partial'').';
	END IF;
	IF destination IS NOT NULL THEN
		PERFORM callsync.need_destination(destination);
	END IF;
	-- materialised first: the rows appended must not depend on the order of a join
	SELECT count(callsync.outbox_append('resync', w.source, w.call_id, resync.destination)) INTO n
	FROM (SELECT c.source, c.call_id FROM callsync.source s CROSS JOIN (SELECT DISTINCT x FROM unnest(call_ids) x) k
		JOIN callsync.call c ON c.source = s.name AND c.call_id = k.x ORDER BY 1, 2) w;
	-- where it fails again, people hear of it again
	UPDATE callsync.alert a SET cleared_at = clock_timestamp()
	FROM callsync.source s, unnest(call_ids) k WHERE a.kind = 'unplannable_call' AND a.subject = s.name || '/' || k AND a.cleared_at IS NULL;
	PERFORM callsync.write_audit('resync', coalesce(destination, '*'),
		jsonb_build_object('calls', n, 'call_ids', to_jsonb(call_ids[1:100])));
	RETURN n;
END
$f$;
COMMENT ON FUNCTION callsync.resync(text[], text) IS
'Plans calls anew and sends every step of them (again) to one destination or to all, also what was delivered before: records that exist are updated, under the same keys. Returns how many calls were found; ids that are no call are ignored. For a time range: resync(ARRAY(SELECT call_id FROM callsync.call_sync WHERE captured_at >= ... AND captured_at < ...)). Recorded in audit_log.';

CREATE FUNCTION callsync.redrive(destination pg_catalog.text, filter pg_catalog.jsonb DEFAULT '{}', dry_run pg_catalog.bool DEFAULT true,
	OUT matched pg_catalog.int8, OUT redriven pg_catalog.int8)
RETURNS record LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	valid CONSTANT text[] := ARRAY['error_class', 'http_status', 'step', 'object', 'operation', 'source', 'call_id', 'call_ids', 'ids', 'message', 'since', 'until'];
	key text;
	found_ids bigint[];
BEGIN
	PERFORM callsync.need_destination(destination);
	IF jsonb_typeof(filter) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'filter must be a JSON object' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'For instance {"error_class": "permanent", "step": "call"}; {} matches all.';
	END IF;
	FOR key IN SELECT k FROM jsonb_object_keys(filter) k LOOP
		IF key <> ALL (valid) THEN
			RAISE EXCEPTION 'unknown filter "%"', key USING ERRCODE = 'invalid_parameter_value',
				HINT = format('Filters are: %s.', array_to_string(valid, ', '));
		END IF;
	END LOOP;
	FOREACH key IN ARRAY ARRAY['call_ids', 'ids'] LOOP
		IF filter ? key AND jsonb_typeof(filter -> key) <> 'array' THEN
			RAISE EXCEPTION 'filter "%" must be an array', key USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END LOOP;

	SELECT count(*), array_agg(l.delivery_id) INTO matched, found_ids FROM callsync.dead_letter l
	WHERE l.destination = redrive.destination AND l.redriven_at IS NULL
		AND (NOT filter ? 'error_class' OR l.error_class = filter ->> 'error_class')
		AND (NOT filter ? 'http_status' OR l.http_status = (filter ->> 'http_status')::int)
		AND (NOT filter ? 'step' OR l.step = filter ->> 'step')
		AND (NOT filter ? 'object' OR l.object = filter ->> 'object')
		AND (NOT filter ? 'operation' OR l.operation = filter ->> 'operation')
		AND (NOT filter ? 'source' OR l.source = filter ->> 'source')
		AND (NOT filter ? 'call_id' OR l.call_id = filter ->> 'call_id')
		AND (NOT filter ? 'call_ids' OR l.call_id IN (SELECT jsonb_array_elements_text(filter -> 'call_ids')))
		AND (NOT filter ? 'ids' OR l.delivery_id IN (SELECT x::bigint FROM jsonb_array_elements_text(filter -> 'ids') x))
		AND (NOT filter ? 'message' OR l.last_error LIKE filter ->> 'message')
		AND (NOT filter ? 'since' OR l.dead_at >= (filter ->> 'since')::timestamptz)
		AND (NOT filter ? 'until' OR l.dead_at < (filter ->> 'until')::timestamptz);
	redriven := 0;
	IF dry_run OR matched = 0 THEN
		RETURN;
	END IF;
	redriven := matched;
	-- with what could not be sent because they were not
	PERFORM callsync.outbox_append('redrive', w.source, w.call_id, redrive.destination, jsonb_build_object('deliveries', w.ids))
	FROM (SELECT r.source, r.call_id, jsonb_agg(r.id ORDER BY r.id) AS ids
		FROM (SELECT l.source, l.call_id, l.delivery_id AS id FROM callsync.dead_letter l WHERE l.delivery_id = ANY (found_ids)
			UNION
			SELECT d.source, d.call_id, d.id
			FROM (SELECT DISTINCT l.source, l.call_id FROM callsync.dead_letter l WHERE l.delivery_id = ANY (found_ids)) c
			JOIN callsync.delivery d ON d.source = c.source AND d.call_id = c.call_id
			WHERE d.destination = redrive.destination AND d.state = 'failed') r
		GROUP BY r.source, r.call_id ORDER BY r.source, r.call_id) w;
	UPDATE callsync.dead_letter l SET redriven_at = clock_timestamp() WHERE l.delivery_id = ANY (found_ids);
	PERFORM callsync.write_audit('redrive', destination, jsonb_build_object('filter', filter, 'redriven', redriven));
END
$f$;
COMMENT ON FUNCTION callsync.redrive(text, jsonb, boolean) IS
'Takes dead letters of a destination out of their resting place and sends them again, under the same keys; mapped anew where the map has changed since. filter: {"error_class", "http_status", "step", "object", "operation", "source", "call_id", "call_ids": [..], "ids": [delivery ids], "message": LIKE pattern, "since", "until"}, {} for all. With dry_run (the default) it only counts. Recorded in audit_log.';

-- The alert about dead letters of a step is over with the last of them; the next one is a new alert. One that is locked is being raised
-- at this moment, so it is not over; waiting for it could deadlock with the worker.
CREATE FUNCTION callsync.dead_letters_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	ids bigint[];
BEGIN
	ids := ARRAY(SELECT a.id FROM callsync.alert a WHERE a.kind = 'dead_letter' AND a.cleared_at IS NULL ORDER BY a.id FOR UPDATE SKIP LOCKED);
	-- what was committed before the lock is seen from here on
	UPDATE callsync.alert a SET cleared_at = clock_timestamp()
	WHERE a.id = ANY (ids) AND NOT EXISTS (SELECT 1 FROM callsync.dead_letter l
		WHERE l.destination = a.destination AND l.step = a.subject AND l.redriven_at IS NULL);
	RETURN NULL;
END
$f$;
COMMENT ON FUNCTION callsync.dead_letters_changed() IS 'Trigger function: clears the alert about dead letters of a step when none is left.';
CREATE TRIGGER dead_letters_changed AFTER UPDATE OR DELETE ON callsync.dead_letter
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.dead_letters_changed();

CREATE FUNCTION callsync.clear_alert(alert_id pg_catalog.int8) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	found_kind text;
BEGIN
	UPDATE callsync.alert a SET cleared_at = coalesce(a.cleared_at, clock_timestamp()) WHERE a.id = alert_id RETURNING a.kind INTO found_kind;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'alert % does not exist', alert_id USING ERRCODE = 'undefined_object', HINT = 'Alerts are listed in callsync.alerts.';
	END IF;
	PERFORM callsync.write_audit('clear_alert', found_kind, jsonb_build_object('id', alert_id));
END
$f$;
COMMENT ON FUNCTION callsync.clear_alert(bigint) IS
'Says that somebody has dealt with an alert. Most clear themselves when the cause is gone; whatever happens after this is a new alert, and a new NOTIFY. Recorded in audit_log. Error 42704: no such alert.';

CREATE FUNCTION callsync.pause(destination pg_catalog.text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	PERFORM callsync.need_destination(destination);
	UPDATE callsync.destination d SET paused = true, paused_reason = format('paused by %s', session_user), paused_at = clock_timestamp(),
		generation = d.generation + 1
	WHERE d.name = pause.destination AND NOT d.paused;
	IF FOUND THEN
		PERFORM callsync.write_audit('pause', destination);
		PERFORM callsync.wake();
	END IF;
END
$f$;
COMMENT ON FUNCTION callsync.pause(text) IS
'Stops sending to a destination; what is under way is finished. Calls are captured and planned meanwhile and wait; resume() lets them go. Recorded in audit_log.';

CREATE FUNCTION callsync.resume(destination pg_catalog.text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	PERFORM callsync.need_destination(destination);
	-- also without a pause: whatever the destination waits for (a credential, a breaker) is tried at once
	UPDATE callsync.destination d SET paused = false, paused_reason = NULL, paused_at = NULL, generation = d.generation + 1
	WHERE d.name = resume.destination;
	UPDATE callsync.alert a SET cleared_at = clock_timestamp()
	WHERE a.kind = 'destination_disabled' AND a.destination = resume.destination AND a.cleared_at IS NULL;
	PERFORM callsync.write_audit('resume', destination);
	PERFORM callsync.wake();
END
$f$;
COMMENT ON FUNCTION callsync.resume(text) IS
'Lets a paused destination go on. Where it is not paused but waits (credential refused, breaker open), the next try is made at once. Recorded in audit_log.';

CREATE FUNCTION callsync.send_now(destination pg_catalog.text, filter pg_catalog.jsonb DEFAULT '{}') RETURNS pg_catalog.int8
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	n bigint;
BEGIN
	PERFORM callsync.need_destination(destination);
	IF jsonb_typeof(filter) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'filter must be a JSON object' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'A part of the call document, for instance {"campaign": "spring"}; {} matches all.';
	END IF;
	-- never tried, and due later: only a batch makes a delivery so
	UPDATE callsync.queue q SET due_at = clock_timestamp()
	FROM callsync.delivery d
	WHERE q.destination = send_now.destination AND q.due_at > clock_timestamp() AND d.id = q.delivery_id AND d.day = q.day
		AND d.state IN ('ready', 'waiting') AND d.attempts = 0
		AND (filter = '{}' OR EXISTS (SELECT 1 FROM callsync.call c WHERE c.source = d.source AND c.call_id = d.call_id AND c.document @> filter));
	GET DIAGNOSTICS n = ROW_COUNT;
	IF n > 0 THEN
		UPDATE callsync.destination d SET generation = d.generation + 1 WHERE d.name = send_now.destination;
		PERFORM callsync.wake();
	END IF;
	PERFORM callsync.write_audit('send_now', destination, jsonb_build_object('filter', filter, 'deliveries', n));
	RETURN n;
END
$f$;
COMMENT ON FUNCTION callsync.send_now(text, jsonb) IS
'Lets deliveries of a destination in mode batch or hybrid go that wait for their batch; returns how many. filter: a part of the call document, for instance {"campaign": "spring"} when a campaign has ended; {} for all. Deliveries that wait for a retry keep their time. Recorded in audit_log.';

CREATE FUNCTION callsync.wait_until_idle(timeout pg_catalog.interval) RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	until timestamptz := clock_timestamp() + timeout;
	pause float8 := 0.01;
BEGIN
	IF timeout IS NULL THEN
		RAISE EXCEPTION 'timeout must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM callsync.wake(true);
	LOOP
		-- each look has a snapshot of its own
		-- the first by an index: in a drain both tables begin with rows that are gone, more and more of them
		IF (SELECT o.id FROM callsync.outbox o ORDER BY o.id LIMIT 1) IS NULL
			AND NOT EXISTS (SELECT 1 FROM callsync.destination d WHERE NOT d.paused
				AND (SELECT q.delivery_id FROM callsync.queue q WHERE q.destination = d.name ORDER BY q.priority, q.delivery_id LIMIT 1) IS NOT NULL) THEN
			RETURN true;
		END IF;
		IF clock_timestamp() >= until THEN
			RETURN false;
		END IF;
		PERFORM pg_sleep(least(pause, greatest(extract(epoch FROM until - clock_timestamp())::float8, 0)));
		pause := least(pause * 1.5, 0.25);
	END LOOP;
END
$f$;
COMMENT ON FUNCTION callsync.wait_until_idle(interval) IS
'Waits until everything captured is planned and no delivery of a destination that is not paused is open (waiting for its turn, for a retry, for an answer). True: it is so; false: "timeout" went by. Do not call it in a transaction that has captured calls: they are not seen before its commit.';
