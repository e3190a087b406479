-- self_check(): the checklists that a careful buyer goes through, answered from what is really here.

CREATE FUNCTION callsync.self_check(OUT area pg_catalog.text, OUT item pg_catalog.text, OUT ok pg_catalog.bool, OUT evidence pg_catalog.text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	path text := (SELECT s.reset_val FROM pg_settings s WHERE s.name = 'search_path');
	dests text := (SELECT string_agg(d.name, ', ' ORDER BY d.name) FROM callsync.destination d);
	n bigint;
	m bigint;
	t text;
BEGIN
	area := 'installation';
	item := 'the extension has the version that is installed';
	SELECT e.extversion INTO t FROM pg_extension e WHERE e.extname = 'callsync';
	ok := t = (SELECT v.default_version FROM pg_available_extensions v WHERE v.name = 'callsync'); evidence := format('extension %s', t); RETURN NEXT;
	item := 'operators are found (callsync on the search_path)'; ok := path ~ '(^|[ ,"])callsync("|,| |$)';
	evidence := CASE WHEN ok THEN path ELSE format('search_path is %s: ALTER DATABASE %I SET search_path = %s, callsync, or write OPERATOR(callsync.=)', path, current_database(), path) END; RETURN NEXT;
	item := 'workers run'; n := coalesce(cardinality(callsync.worker_pids()), 0); ok := n > 0; evidence := format('%s processes', n); RETURN NEXT;
	item := 'workers start by themselves'; ok := current_setting('shared_preload_libraries') ~ 'callsync' AND current_setting('callsync.databases', true) <> '';
	evidence := format('shared_preload_libraries: %s; callsync.databases: %s', current_setting('shared_preload_libraries'), coalesce(nullif(current_setting('callsync.databases', true), ''), 'empty')); RETURN NEXT;
	item := 'contact keys are in step with the contacts';
	SELECT count(*) INTO n FROM (SELECT c.destination, c.contact_id FROM callsync.contact c LIMIT 1000) c
	WHERE NOT EXISTS (SELECT 1 FROM callsync.contact_key k WHERE k.cid = callsync.contact_cid(c.destination, c.contact_id))
		AND EXISTS (SELECT 1 FROM callsync.contact x CROSS JOIN LATERAL callsync.contact_keys_of(x) w WHERE x.destination = c.destination AND x.contact_id = c.contact_id AND NOT w.term)
		AND NOT EXISTS (SELECT 1 FROM callsync.contact x CROSS JOIN LATERAL callsync.contact_keys_of(x) w JOIN callsync.contact_key k ON k.key = w.key AND k.cid = callsync.contact_cid(x.destination, x.contact_id)
			WHERE x.destination = c.destination AND x.contact_id = c.contact_id AND NOT w.term);
	ok := n = 0; evidence := CASE WHEN ok THEN 'of up to 1000 looked at each has its keys' ELSE format('%s contacts without keys: callsync.rebuild_contact_keys()', n) END; RETURN NEXT;
	item := 'indexes on to_phone() are of the phone metadata in use';
	SELECT count(*), string_agg(i.indexrelid::regclass::text, ', ') INTO n, t FROM pg_index i WHERE pg_get_indexdef(i.indexrelid) ~ '\m(to_phone|try_phone)\(';
	ok := CASE WHEN n = 0 THEN true END; evidence := CASE WHEN n = 0 THEN 'there are none' ELSE format('%s: REINDEX them after an update of the metadata (now %s)', t, callsync.phone_metadata_version()) END; RETURN NEXT;

	area := 'audit';
	item := 'objects are mapped';
	SELECT count(DISTINCT d.name), count(DISTINCT d.name) FILTER (WHERE EXISTS (SELECT 1 FROM callsync.map_entries(d.name))) INTO n, m FROM callsync.destination d;
	ok := CASE WHEN n > 0 THEN n = m END; evidence := format('%s of %s destinations have a field map (map_document(name) shows it)', m, n); RETURN NEXT;
	item := 'credentials renew themselves, or are flagged as static';
	SELECT count(*) FILTER (WHERE s.token_state NOT IN ('static', 'valid', 'none')), string_agg(s.destination || ': ' || s.token_state, ', ' ORDER BY s.destination) INTO n, t FROM callsync.destination_status s;
	ok := CASE WHEN t IS NOT NULL THEN n = 0 END; evidence := coalesce(t, 'there is no destination'); RETURN NEXT;
	item := 'the exact payload can be shown'; SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.attempt a WHERE a.body IS NOT NULL LIMIT 1) x;
	ok := CASE WHEN n > 0 THEN true END; evidence := 'preview(call_id, destination); bodies are kept for ' || coalesce(current_setting('callsync.keep_requests', true), '14 days'); RETURN NEXT;
	item := 'duplicates: order of identifiers and thresholds are set and visible';
	SELECT count(*), count(*) FILTER (WHERE x.decision IS NOT NULL) INTO n, m FROM callsync.destination d CROSS JOIN LATERAL callsync.match_caller(d.name, phone => '+14155550100') x;
	ok := CASE WHEN n > 0 THEN n = m END; evidence := coalesce((SELECT string_agg(d.name || ': ' || coalesce(d.options ->> 'identifiers', 'as shipped (phone, e-mail, name with postal code)'), '; ' ORDER BY d.name) FROM callsync.destination d), 'as shipped'); RETURN NEXT;
	item := 'errors can be seen'; SELECT count(*) INTO n FROM callsync.error_groups;
	ok := NOT EXISTS (SELECT 1 FROM callsync.sync_state s WHERE s.error_class IS NULL AND s.status = 'failed' LIMIT 1); evidence := format('every failed call has its class; error_groups has %s rows, %s alerts are open', n, (SELECT count(*) FROM callsync.alerts a WHERE a.cleared_at IS NULL)); RETURN NEXT;
	item := 'what failed is tried again by a schedule';
	SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.delivery v WHERE v.day >= (now() AT TIME ZONE 'UTC')::date - 1 AND v.attempts > 1 AND v.state IN ('confirmed', 'sent', 'partial') LIMIT 1000) x;
	ok := CASE WHEN n > 0 THEN true END; evidence := format('%s deliveries of yesterday and today needed more than one try (counted up to 1000); option retry sets the schedule', n); RETURN NEXT;
	item := 'custom fields are checked against the destination';
	SELECT count(DISTINCT f.destination), count(DISTINCT (f.destination, f.object)) INTO n, m FROM callsync.schema_state f WHERE f.described_at IS NOT NULL AND f.error IS NULL;
	ok := CASE WHEN dests IS NOT NULL THEN n > 0 END; evidence := format('%s objects of %s destinations described', m, n); RETURN NEXT;
	item := 'it reads as well as it writes'; SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.contact LIMIT 1000) x;
	ok := CASE WHEN dests IS NOT NULL THEN n > 0 END; evidence := format('%s contacts in the mirror (counted up to 1000)', n); RETURN NEXT;
	item := 'webhooks can be taken and sent'; SELECT count(*) INTO n FROM callsync.connectors c WHERE c.confirmation LIKE 'transport%' OR c.name = 'webhook'; ok := n > 0; evidence := 'ingest() and connector webhook'; RETURN NEXT;
	item := 'the mapping is documented'; SELECT count(*), coalesce(sum(length(callsync.map_document(d.name))), 0) INTO n, m FROM callsync.destination d;
	ok := CASE WHEN n > 0 THEN m > 0 END; evidence := format('map_document() of %s destinations, from the maps in force: %s characters', n, m); RETURN NEXT;

	area := 'deployment';
	item := 'retries end in an alert'; SELECT coalesce(sum(a.count), 0) INTO n FROM callsync.alert a WHERE a.kind = 'dead_letter';
	ok := NOT EXISTS (SELECT 1 FROM callsync.dead_letters l WHERE NOT EXISTS (SELECT 1 FROM callsync.alert a WHERE a.kind = 'dead_letter' AND a.destination = l.destination));
	evidence := format('%s alerts about dead letters so far, none without', n); RETURN NEXT;
	item := 'nothing is written twice'; SELECT count(*) INTO n FROM (SELECT l.destination, l.object, l.record_id FROM callsync.record_link l GROUP BY 1, 2, 3 HAVING count(DISTINCT (l.source, l.call_id)) > 1 AND l.object NOT IN ('contact', 'lead', 'opportunity', 'ticket', 'appointment') LIMIT 100) x;
	ok := n = 0; evidence := format('%s records that two calls believe to be their own; every delivery has an idempotency key', n); RETURN NEXT;
	item := 'changes made elsewhere come in'; ok := NULL; evidence := 'users and pushed rows write callsync.contact; option lookup asks the destination'; RETURN NEXT;
	item := 'accepting a call never waits for a destination';
	SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid WHERE g.tgrelid = s.call_table AND g.tgenabled <> 'D' AND f.oid = 'callsync.capture()'::regprocedure)) INTO n, m FROM callsync.source_table s;
	ok := CASE WHEN n > 0 THEN n = m END; evidence := format('%s of %s attached tables have their trigger, which appends and does no network', m, n); RETURN NEXT;
	item := 'latency is measured';
	SELECT string_agg(format('%s: %s ms', x.labels ->> 'destination', round((x.value * 1000)::numeric)), ', ') INTO t FROM callsync.metrics x WHERE x.name = 'callsync_request_duration_seconds' AND x.labels ->> 'quantile' = '0.99';
	ok := CASE WHEN t IS NOT NULL THEN true END; evidence := coalesce('P99 of today: ' || t, 'no request was made today'); RETURN NEXT;
	item := 'personal data is masked per destination'; SELECT string_agg(d.name, ', ' ORDER BY d.name) INTO t FROM callsync.destination d WHERE d.options ? 'redact';
	ok := CASE WHEN t IS NOT NULL THEN true END; evidence := coalesce('option redact at ' || t, 'card numbers always; no destination has the option redact'); RETURN NEXT;
	item := 'every write is on record';
	SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM callsync.attempt a WHERE a.delivery_id = v.id AND a.day = v.day)) INTO n, m
	FROM (SELECT x.id, x.day FROM callsync.delivery x WHERE x.day >= (now() AT TIME ZONE 'UTC')::date - 1 AND x.state IN ('confirmed', 'sent', 'partial') LIMIT 1000) v;
	ok := CASE WHEN n > 0 THEN m = 0 END; evidence := format('of %s deliveries of yesterday and today %s have no attempt', n, m); RETURN NEXT;
	item := 'a schema that changes is noticed'; SELECT count(*) INTO n FROM callsync.schema_drift s WHERE s.resolved_at IS NULL; ok := n = 0; evidence := format('%s open findings in schema_drift', n); RETURN NEXT;
	item := 'each destination may fail'; SELECT string_agg(s.destination || ': ' || s.breaker, ', ' ORDER BY s.destination) INTO t FROM callsync.destination_status s; ok := CASE WHEN t IS NOT NULL THEN true END; evidence := coalesce('queued meanwhile; breakers: ' || t, 'there is no destination'); RETURN NEXT;
	item := 'people can be forgotten, roles are apart'; ok := NOT EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname ~ '^callsync_(worker|reader|operator|admin)$' AND (r.rolsuper OR r.rolcreaterole OR r.rolbypassrls));
	evidence := format('forget() ran %s times; no callsync role has an attribute', (SELECT count(*) FROM callsync.audit_log a WHERE a.action = 'forget')); RETURN NEXT;

	area := 'launch';
	item := 'every call goes somewhere'; SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.call c WHERE NOT EXISTS (SELECT 1 FROM callsync.sync_state s WHERE s.source = c.source AND s.call_id = c.call_id)
		AND NOT EXISTS (SELECT 1 FROM callsync.outbox o WHERE o.source = c.source AND o.call_id = c.call_id) ORDER BY c.captured_at DESC LIMIT 1) x;
	ok := n = 0 OR dests IS NULL; evidence := CASE WHEN n = 0 THEN 'no orphan' ELSE 'see callsync.orphan_calls' END; RETURN NEXT;
	item := 'duplicates were tried'; SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.event e WHERE e.outcome = 'duplicate' LIMIT 1) x; ok := CASE WHEN n > 0 THEN true END; evidence := CASE WHEN n > 0 THEN 'duplicates have arrived and were no-ops' ELSE 'no duplicate has arrived yet' END; RETURN NEXT;
	item := 'load was tried'; ok := NULL; evidence := 'make bench measures capture and delivery; not from here'; RETURN NEXT;
	item := 'failures end in a dead-letter queue that is watched'; SELECT count(*) INTO n FROM callsync.dead_letters; ok := n = 0; evidence := format('%s dead letters', n); RETURN NEXT;
	item := 'tokens are renewed'; SELECT string_agg(s.destination || ' ' || s.token_refreshed_at, ', ') INTO t FROM callsync.destination_status s WHERE s.token_refreshed_at IS NOT NULL; ok := CASE WHEN t IS NOT NULL THEN true END; evidence := coalesce(t, 'no token was renewed yet'); RETURN NEXT;
	item := 'limits are obeyed without loss'; SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.dead_letter l WHERE l.error_class = 'throttled' LIMIT 1) x; ok := n = 0; evidence := CASE WHEN n = 0 THEN 'no delivery was given up because of a limit' ELSE 'see dead_letters of class throttled' END; RETURN NEXT;
	item := 'thresholds are live'; SELECT count(*) FILTER (WHERE NOT h.ok), string_agg(h.metric, ', ') FILTER (WHERE NOT h.ok) INTO n, t FROM callsync.health h; ok := n = 0; evidence := coalesce('not met: ' || t, 'every threshold of health is met'); RETURN NEXT;
	item := 'lost calls can be rebuilt';
	SELECT count(*), count(*) FILTER (WHERE x.body IS NULL AND x.row_key IS NULL AND coalesce(x.reason, '') !~ 'forgotten') INTO n, m FROM (SELECT e.body, e.row_key, e.reason FROM callsync.event e WHERE e.outcome = 'accepted' ORDER BY e.id DESC LIMIT 1000) x;
	ok := CASE WHEN n > 0 THEN m = 0 END; evidence := format('of the newest %s events %s cannot be replayed; reconcile(destination, since, until) finds what is missing', n, m); RETURN NEXT;
	item := 'maps have a version and an approver'; SELECT string_agg(format('%s: version %s by %s', v.destination, v.version, v.approved_by), ', ' ORDER BY v.destination) INTO t
	FROM (SELECT DISTINCT ON (x.destination) x.* FROM callsync.map_version x ORDER BY x.destination, x.version DESC) v; ok := CASE WHEN t IS NOT NULL THEN true END; evidence := coalesce(t, 'the connectors'' own maps are in force; publish_map() names an approver'); RETURN NEXT;
	item := 'telephony at peak load'; ok := NULL; evidence := 'not callsync''s: ask the telephony provider'; RETURN NEXT;

	area := 'maturity';
	FOR item, ok, evidence IN
		SELECT s.destination, true, CASE
			WHEN s.confirmation = 'read_back' AND s.settled_well > 0 AND EXISTS (SELECT 1 FROM callsync.contact c WHERE c.destination = s.destination AND c.contact_id NOT LIKE 'callsync:%')
				AND (SELECT bool_or(h.metric = 'workers' AND h.ok) FROM callsync.health h) THEN 'stage 4: both ways, read back, observable'
			WHEN s.settled_well > 0 AND s.confirmation <> 'transport' THEN 'stage 3: native, mapped, retry and dead letters, audit'
			WHEN s.settled_well > 0 THEN 'stage 2: handed over, not confirmed'
			ELSE 'stage 0: nothing was delivered yet' END
		FROM callsync.destination_status s ORDER BY 1
	LOOP
		RETURN NEXT;
	END LOOP;
END
$f$;
COMMENT ON FUNCTION callsync.self_check() IS
'Goes through the installation and through three lists that a careful buyer would (audit, deployment, launch; ten items each), and names the maturity stage of each destination; the evidence is what is in the tables. ok NULL: it cannot be said from here (yet), the evidence says why.';

CREATE FUNCTION callsync.html_table(title pg_catalog.text, rows pg_catalog.jsonb, columns pg_catalog.text[]) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT '<h2>' || title || '</h2>' || CASE WHEN jsonb_array_length(coalesce(rows, '[]')) = 0 THEN '<p>none</p>'
		ELSE '<table><tr>' || (SELECT string_agg('<th>' || c || '</th>', '' ORDER BY o) FROM unnest(columns) WITH ORDINALITY x(c, o)) || '</tr>'
			|| (SELECT string_agg('<tr>' || (SELECT string_agg('<td>' || replace(replace(replace(replace(coalesce(r.value ->> c, ''), '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;') || '</td>', '' ORDER BY o)
					FROM unnest(columns) WITH ORDINALITY x(c, o)) || '</tr>', '' ORDER BY r.ordinality)
				FROM jsonb_array_elements(rows) WITH ORDINALITY r) || '</table>' END;
END;
COMMENT ON FUNCTION callsync.html_table(text, jsonb, text[]) IS 'A table of report_html(): an array of objects, the columns in order; values are escaped.';

CREATE FUNCTION callsync.report_html(since pg_catalog.timestamptz, until pg_catalog.timestamptz) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	out text;
	rows jsonb;
BEGIN
	IF since IS NULL OR until IS NULL OR since >= until THEN
		RAISE EXCEPTION 'a report needs a period: since before until' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'For instance report_html(now() - interval ''1 day'', now()).';
	END IF;
	out := '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>callsync report</title><style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:3px 8px;text-align:left}</style></head><body>'
		|| format('<h1>Calls and their records</h1><p>%s to %s</p>', to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'));
	SELECT jsonb_agg(to_jsonb(x)) INTO rows FROM (SELECT s.destination, count(*) AS calls, count(*) FILTER (WHERE s.status = 'synced') AS synced, count(*) FILTER (WHERE s.status = 'partial') AS partial,
			count(*) FILTER (WHERE s.status = 'failed') AS failed, count(*) FILTER (WHERE s.status = 'review') AS review, count(*) FILTER (WHERE s.status = 'excluded') AS excluded,
			count(*) FILTER (WHERE s.status NOT IN ('synced', 'partial', 'failed', 'review', 'excluded')) AS open,
			round(100.0 * count(*) FILTER (WHERE s.status = 'synced') / nullif(count(*) FILTER (WHERE s.status <> 'excluded'), 0), 2) AS "synced %",
			round(avg(extract(epoch FROM s.lag)) FILTER (WHERE s.synced_at IS NOT NULL), 1) AS "average lag s"
		FROM callsync.call_sync s WHERE s.captured_at >= since AND s.captured_at < until GROUP BY 1 ORDER BY 1) x;
	out := out || callsync.html_table('Calls per destination', rows, ARRAY['destination', 'calls', 'synced', 'partial', 'failed', 'review', 'excluded', 'open', 'synced %', 'average lag s']);
	SELECT jsonb_agg(to_jsonb(x)) INTO rows FROM (SELECT s.destination, s.failure_kind, s.error_class, count(*) AS calls, min(s.last_error) AS example, min(s.remedy) AS remedy
		FROM callsync.call_sync s WHERE s.captured_at >= since AND s.captured_at < until AND s.error_class IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 3) x;
	out := out || callsync.html_table('What went wrong', rows, ARRAY['destination', 'failure_kind', 'error_class', 'calls', 'example', 'remedy']);
	SELECT jsonb_agg(to_jsonb(x)) INTO rows FROM (SELECT s.destination, f.field, count(*) AS calls FROM callsync.call_sync s CROSS JOIN LATERAL unnest(s.missing_fields) f(field)
		WHERE s.captured_at >= since AND s.captured_at < until GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 50) x;
	out := out || callsync.html_table('Fields that are missing', rows, ARRAY['destination', 'field', 'calls']);
	SELECT jsonb_agg(to_jsonb(x)) INTO rows FROM (SELECT s.source, s.call_id, s.destination, s.status, s.error_class, s.last_error FROM callsync.call_sync s
		WHERE s.captured_at >= since AND s.captured_at < until AND s.status IN ('failed', 'partial', 'review', 'in_doubt') ORDER BY s.captured_at, s.call_id LIMIT 200) x;
	out := out || callsync.html_table('Calls that need somebody (up to 200)', rows, ARRAY['source', 'call_id', 'destination', 'status', 'error_class', 'last_error']);
	SELECT jsonb_agg(to_jsonb(x)) INTO rows FROM (SELECT l.destination, l.step, count(*) AS records, count(DISTINCT l.record_id) AS "different records" FROM callsync.record_link l
		JOIN callsync.sync_state s ON s.source = l.source AND s.call_id = l.call_id AND s.destination = l.destination
		WHERE s.captured_at >= since AND s.captured_at < until GROUP BY 1, 2 ORDER BY 1, 2) x;
	out := out || callsync.html_table('Records written', rows, ARRAY['destination', 'step', 'records', 'different records']);
	SELECT jsonb_agg(to_jsonb(x)) INTO rows FROM (SELECT e.outcome, count(*) AS events FROM callsync.event e WHERE e.received_at >= since AND e.received_at < until GROUP BY 1 ORDER BY 1) x;
	out := out || callsync.html_table('What arrived', rows, ARRAY['outcome', 'events']);
	SELECT jsonb_agg(to_jsonb(x)) INTO rows FROM (SELECT a.raised_at::timestamptz(0) AS raised, a.kind, a.severity, a.destination, a.message, a.cleared_at::timestamptz(0) AS cleared FROM callsync.alert a
		WHERE a.last_at >= since AND a.raised_at < until ORDER BY a.raised_at LIMIT 100) x;
	out := out || callsync.html_table('Alerts (up to 100)', rows, ARRAY['raised', 'kind', 'severity', 'destination', 'message', 'cleared']);
	SELECT jsonb_agg(to_jsonb(x)) INTO rows FROM (SELECT h.metric, h.value, h.unit, h.threshold, h.ok, h.detail FROM callsync.health h) x;
	RETURN out || callsync.html_table('Health now', rows, ARRAY['metric', 'value', 'unit', 'threshold', 'ok', 'detail']) || '</body></html>';
END
$f$;
COMMENT ON FUNCTION callsync.report_html(timestamptz, timestamptz) IS
'A page for people about the calls captured in a period: per destination what became of them, what went wrong and what to do, missing fields, calls that need somebody, records written, what arrived, alerts, and health now. Values are escaped; it holds ids and messages, no transcripts. In psql: \o report.html, then SELECT callsync.report_html(...) with \pset tuples_only and \pset format unaligned. Error 22023 without a period.';
