-- Is a connector deep? Answered from its document and from what became of calls that went through it.

CREATE FUNCTION callsync.connector_evidence(OUT connector pg_catalog.text, OUT dimension pg_catalog.text, OUT item pg_catalog.text, OUT ok pg_catalog.bool, OUT evidence pg_catalog.text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
#variable_conflict use_variable
DECLARE
	c record;
	w record;
	ops jsonb;
	dests text[];
	known text[];
	n bigint;
	m bigint;
	t text;
BEGIN
	FOR c IN SELECT k.name, k.document FROM callsync.connector k ORDER BY k.name LOOP
		connector := c.name;
		ops := c.document -> 'ops';
		SELECT coalesce(array_agg(d.name ORDER BY d.name), '{}') INTO dests FROM callsync.destination d WHERE d.connector = c.name;

		dimension := 'read';
		item := 'a caller is found by number and by e-mail, with what is known of the contact';
		SELECT string_agg(o.key, ', ' ORDER BY o.key), count(DISTINCT substring(o.key FROM 'find_by_\w+$')) INTO t, n FROM jsonb_each(ops) o
		WHERE o.key ~ '\.find_by_(phone|email)$' AND o.value #> '{result,contact}' ?| ARRAY['name', 'last_name'] AND o.value #> '{result,contact}' ?& ARRAY['phone', 'email'];
		ok := n >= 2; evidence := coalesce('operations ' || t, 'no find operation fills name, phone and e-mail'); RETURN NEXT;
		item := 'contacts of it are on file, with more than a name';
		SELECT count(*), count(*) FILTER (WHERE coalesce(x.phone, x.mobile_phone, x.email) IS NOT NULL AND coalesce(x.first_name, x.last_name) IS NOT NULL) INTO n, m
		FROM (SELECT k.* FROM callsync.contact k WHERE k.destination = ANY (dests) AND k.contact_id NOT LIKE 'callsync:%' LIMIT 1000) x;
		ok := m > 0; evidence := format('%s of %s contacts have a name and a number or address (counted up to 1000)', m, n); RETURN NEXT;
		FOR item, known IN VALUES ('open opportunities', ARRAY['opportunity', 'deal']), ('tickets', ARRAY['ticket', 'case']) LOOP
			SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.related_record r WHERE r.destination = ANY (dests) AND r.object = ANY (known) AND r.contact_id IS NOT NULL LIMIT 1000) x;
			ok := n > 0; evidence := format('%s rows in related_record (counted up to 1000)', n); RETURN NEXT;
		END LOOP;
		item := 'flags of the account';
		SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.contact k WHERE k.destination = ANY (dests) AND k.flags <> '{}' LIMIT 1000) x;
		ok := n > 0; evidence := format('%s contacts with flags (counted up to 1000)', n); RETURN NEXT;

		dimension := 'write';
		FOR item, known IN VALUES ('contact', ARRAY['contact', 'lead']), ('call log', ARRAY['call']), ('task', ARRAY['task']), ('appointment', ARRAY['appointment']), ('opportunity', ARRAY['opportunity']),
			('ticket, or a note where there is none', ARRAY['ticket', 'note'])
		LOOP
			SELECT string_agg(s.key, ', ' ORDER BY s.key) INTO t FROM jsonb_each(c.document -> 'steps') s
			WHERE s.value ->> 'object' = ANY (known) AND (SELECT count(*) FROM jsonb_object_keys(c.document #> ARRAY['mapping', s.value ->> 'map'])) > 0;
			-- what came back as it was sent, and nothing else
			SELECT count(*) AS records, coalesce(sum(v.fields), 0) AS fields, coalesce(min(v.fields), 0) AS least INTO w FROM (
				SELECT (SELECT count(*) FROM jsonb_object_keys(x.fields) f WHERE NOT coalesce(x.field_results ? f, false)) AS fields
				FROM callsync.delivery x WHERE x.day >= (now() AT TIME ZONE 'UTC')::date - 1 AND x.destination = ANY (dests) AND x.object = ANY (known) AND x.state = 'confirmed' AND x.confirmation = 'read_back'
				LIMIT 1000) v WHERE v.fields > 0;
			item := item || ': mapped, written, read back equal';
			ok := t IS NOT NULL AND w.records > 0;
			evidence := format('steps %s; %s records of yesterday and today, %s fields confirmed by read-back (counted up to 1000)', coalesce(t, 'none'), w.records, w.fields); RETURN NEXT;
		END LOOP;
		item := 'fields, not a text';
		SELECT count(*), coalesce(max(v.fields), 0) INTO n, m FROM (SELECT (SELECT count(*) FROM jsonb_object_keys(x.fields)) AS fields FROM callsync.delivery x
			WHERE x.day >= (now() AT TIME ZONE 'UTC')::date - 1 AND x.destination = ANY (dests) AND x.object = 'call' AND x.state = 'confirmed' AND x.confirmation = 'read_back' LIMIT 1000) v;
		ok := m >= 5; evidence := format('up to %s fields of a call log', m); RETURN NEXT;

		dimension := 'match';
		item := 'number, e-mail and name can be asked for';
		SELECT count(DISTINCT substring(o.key FROM 'find_by_\w+$')), string_agg(o.key, ', ' ORDER BY o.key) INTO n, t FROM jsonb_each(ops) o WHERE o.key ~ '\.find_by_(phone|email|name)$';
		ok := n >= 3 OR ops ? 'contact.find'; evidence := coalesce(t, 'no find operation'); RETURN NEXT;
		item := 'callers with an unknown number were matched by something else';
		SELECT count(*) FILTER (WHERE x.decision = 'match'), count(*) FILTER (WHERE x.decision = 'match' AND NOT x.by_phone AND x.by_other) INTO n, m FROM (
			SELECT d.decision, EXISTS (SELECT 1 FROM jsonb_array_elements(d.evidence) e WHERE lower(e ->> 'field') ~ 'phone|spoken' AND (e ->> 'weight')::float8 > 0) AS by_phone,
				EXISTS (SELECT 1 FROM jsonb_array_elements(d.evidence) e WHERE lower(e ->> 'field') !~ 'phone|spoken' AND (e ->> 'weight')::float8 > 0) AS by_other
			FROM callsync.match_decision d WHERE d.destination = ANY (dests) ORDER BY d.id DESC LIMIT 10000) x;
		ok := m > 0; evidence := format('%s of the %s matches among the newest 10000 decisions', m, n); RETURN NEXT;
		item := 'a matched contact is updated, not made again';
		SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.delivery x JOIN callsync.match_decision d ON d.destination = x.destination AND d.source = x.source AND d.call_id = x.call_id AND d.decision = 'match' AND d.contact_id = x.record_id
			WHERE x.day >= (now() AT TIME ZONE 'UTC')::date - 1 AND x.destination = ANY (dests) AND x.object IN ('contact', 'lead') AND x.state = 'confirmed'
				AND coalesce((ops #>> ARRAY[x.operation, 'needs_id'])::boolean, false) LIMIT 1000) x;
		ok := n > 0; evidence := format('%s updates of the contact that was matched (counted up to 1000)', n); RETURN NEXT;

		dimension := 'errors';
		item := 'its answers are told apart';
		SELECT array_agg(DISTINCT r ->> 'class') INTO known FROM jsonb_array_elements(c.document -> 'rules') r;
		t := (SELECT string_agg(k, ', ') FROM unnest(ARRAY['transient', 'throttled', 'auth', 'config', 'permanent', 'gone']) k WHERE k <> ALL (coalesce(known, '{}')));
		ok := t IS NULL; evidence := coalesce('no rule of class ' || t, format('%s rules', jsonb_array_length(c.document -> 'rules'))); RETURN NEXT;
		item := 'what makes a record can be repeated without making another';
		SELECT count(*), string_agg(o.key, ', ' ORDER BY o.key) FILTER (WHERE coalesce(o.value ->> 'idempotent', 'none') = 'none') INTO n, t FROM jsonb_each(ops) o WHERE (o.value ->> 'creates')::boolean;
		ok := n > 0 AND t IS NULL; evidence := coalesce('unprotected: ' || t, format('%s operations', n)); RETURN NEXT;
		item := 'tried again by a schedule, and delivered';
		SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.delivery x WHERE x.day >= (now() AT TIME ZONE 'UTC')::date - 1 AND x.destination = ANY (dests) AND x.attempts > 1 AND x.state = 'confirmed' LIMIT 1000) x;
		ok := n > 0; evidence := format('%s deliveries of yesterday and today (counted up to 1000)', n); RETURN NEXT;
		item := 'what cannot be delivered is kept, with its cause and a remedy';
		SELECT count(*), count(*) FILTER (WHERE x.remedy IS NULL OR x.last_error IS NULL) INTO n, m FROM (SELECT l.remedy, l.last_error FROM callsync.dead_letter l WHERE l.destination = ANY (dests) LIMIT 1000) x;
		ok := n > 0 AND m = 0; evidence := format('%s dead letters so far, %s without cause or remedy', n, m); RETURN NEXT;
		item := 'people were told';
		SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.alert a WHERE a.destination = ANY (dests) LIMIT 1000) x;
		ok := n > 0; evidence := format('%s alerts (counted up to 1000)', n); RETURN NEXT;

		dimension := 'observability';
		item := 'every delivery has its requests';
		SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM callsync.attempt a WHERE a.delivery_id = v.id AND a.day = v.day)) INTO n, m
		FROM (SELECT x.id, x.day FROM callsync.delivery x WHERE x.day >= (now() AT TIME ZONE 'UTC')::date - 1 AND x.destination = ANY (dests) AND x.state IN ('confirmed', 'sent', 'partial') LIMIT 1000) v;
		ok := n > 0 AND m = 0; evidence := format('of %s deliveries of yesterday and today %s have none', n, m); RETURN NEXT;
		item := 'every call has its state';
		SELECT count(*), count(*) FILTER (WHERE s.status IN ('synced', 'partial') AND s.records = '{}' AND s.confirmation = 'read_back') INTO n, m
		FROM (SELECT x.status, x.records, c.document ->> 'confirmation' AS confirmation FROM callsync.sync_state x WHERE x.destination = ANY (dests) ORDER BY x.captured_at DESC LIMIT 1000) s;
		ok := n > 0 AND m = 0; evidence := format('%s calls; %s of them delivered without naming a record', n, m); RETURN NEXT;
		item := 'sent and stored are compared field by field';
		SELECT count(*) INTO n FROM (SELECT 1 FROM callsync.delivery x WHERE x.day >= (now() AT TIME ZONE 'UTC')::date - 1 AND x.destination = ANY (dests) AND x.confirmation = 'read_back' LIMIT 1000) x;
		ok := n > 0; evidence := format('%s deliveries were read back (counted up to 1000)', n); RETURN NEXT;
		item := 'changes of its set-up are audited';
		SELECT count(*) INTO n FROM callsync.audit a WHERE a.object = ANY (dests);
		ok := n > 0; evidence := format('%s entries of audit_log', n); RETURN NEXT;
		item := 'calls and records were reconciled';
		SELECT count(*) INTO n FROM callsync.reconcile_run r WHERE r.destination = ANY (dests);
		ok := n > 0; evidence := format('%s runs of reconcile()', n); RETURN NEXT;
	END LOOP;
END
$f$;
COMMENT ON FUNCTION callsync.connector_evidence() IS
'What there is to show that a connector is deep, one row per connector, dimension (read, write, match, errors, observability) and item: from its document (operations, steps, maps, rules) and from rows (what was sent and read back yesterday and today, decisions, dead letters, alerts, audit, reconciliations) of the destinations that use it. Nothing is taken for granted: an item that nobody has used yet is not ok.';

CREATE VIEW callsync.connector_depth AS
SELECT e.connector, e.dimension,
	CASE WHEN bool_and(e.ok) THEN 'deep'
		WHEN NOT EXISTS (SELECT 1 FROM callsync.destination d JOIN callsync.sync_state s ON s.destination = d.name WHERE d.connector = e.connector) THEN 'unproven'
		WHEN bool_or(e.ok) THEN 'shallow'
		ELSE 'broken' END AS level,
	count(*) FILTER (WHERE e.ok) AS proven, count(*) AS items,
	coalesce(array_agg(e.item ORDER BY e.item) FILTER (WHERE NOT e.ok), '{}') AS missing
FROM callsync.connector_evidence() e
GROUP BY e.connector, e.dimension;
COMMENT ON VIEW callsync.connector_depth IS
'The five-dimension scorecard of each connector, from connector_evidence(): level deep (every item is proven), shallow (some), broken (calls went there and nothing is proven), unproven (no call went there yet). missing: the items that lack proof.';
