-- Who calls and what is known of them, from local data only: asked while the phone rings.

CREATE FUNCTION callsync.phone_person_key(phone pg_catalog.text, region pg_catalog.text DEFAULT NULL) RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_phone_person_key_fn';
COMMENT ON FUNCTION callsync.phone_person_key(text, text) IS
'Key of table person_key under which calls from this number are found; NULL where the text names no line (withheld, short code, no number).';

-- Destinations with contacts, or created; a few skips over the primary key, however many contacts there are.
CREATE FUNCTION callsync.mirrored_destinations() RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	names text[] := ARRAY(SELECT d.name FROM callsync.destination d ORDER BY d.name);
	found_name text := '';
BEGIN
	LOOP
		SELECT c.destination INTO found_name FROM callsync.contact c WHERE c.destination > found_name ORDER BY c.destination LIMIT 1;
		EXIT WHEN NOT FOUND OR cardinality(names) >= 50;
		IF found_name <> ALL (names) THEN
			names := names || found_name;
		END IF;
	END LOOP;
	RETURN names;
END
$f$;
COMMENT ON FUNCTION callsync.mirrored_destinations() IS 'Names of the destinations that were created or have contacts in the mirror.';

CREATE FUNCTION callsync.caller_context(phone pg_catalog.text, region pg_catalog.text DEFAULT NULL, destination pg_catalog.text DEFAULT NULL)
RETURNS pg_catalog.jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- It answers while somebody waits: planned once and never again for other values; and by index whatever the tables' size was at that time.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_bitmapscan = off AS $f$
#variable_conflict use_column
DECLARE
	line record;
	kind text;
	places text[];
	place text;
	m record;
	best record;
	best_rank int := -1;
	rank int;
	better bool;
	where_found text;
	others jsonb := '[]';
	person callsync.contact;
	status text;
	keys bigint[];
	calls jsonb := '[]';
	ncalls int := 0;
	sources text[];
	ids text[];
	last_call jsonb;
	records jsonb := '[]';
	flags jsonb := '{}';
	touch jsonb;
BEGIN
	IF caller_context.destination IS NULL THEN
		places := callsync.mirrored_destinations();
	ELSE
		places := ARRAY[caller_context.destination];
	END IF;
	line := callsync.caller_id(coalesce(caller_context.phone, ''), caller_context.region);
	-- no number at all is a number withheld
	kind := CASE WHEN caller_context.phone ~ '\S' THEN line.kind ELSE 'withheld' END;

	-- the destination that knows the caller best answers; the others are named
	IF cardinality(places) = 0 THEN
		SELECT NULL::text AS decision, NULL::text AS contact_id, 0::float8 AS probability, NULL::text AS reason, NULL::text AS explanation, '[]'::jsonb AS candidates INTO best;
	END IF;
	FOREACH place IN ARRAY places LOOP
		m := callsync.match_caller(place, caller_context.phone, region => caller_context.region);
		rank := CASE m.decision WHEN 'match' THEN 2 WHEN 'review' THEN 1 ELSE 0 END;
		better := rank > best_rank;
		IF rank = best_rank AND rank > 0 THEN
			better := m.probability > best.probability;
		END IF;
		IF better THEN
			best := m;
			best_rank := rank;
			where_found := place;
		END IF;
		IF rank > 0 THEN
			others := others || jsonb_build_object('destination', place, 'decision', m.decision, 'contact_id', m.contact_id, 'probability', round(m.probability::numeric, 4));
		END IF;
	END LOOP;

	IF best_rank < 1 AND caller_context.destination IS NOT NULL
		AND NOT EXISTS (SELECT FROM callsync.destination d WHERE d.name = caller_context.destination)
		AND NOT EXISTS (SELECT FROM callsync.contact c WHERE c.destination = caller_context.destination) THEN
		RAISE EXCEPTION 'destination "%" does not exist', caller_context.destination
			USING ERRCODE = 'undefined_object', DETAIL = 'It was not created, and no contact names it.',
			      HINT = 'Destinations are listed in callsync.destination_status; NULL asks all of them.';
	END IF;

	keys := ARRAY[callsync.phone_person_key(caller_context.phone, caller_context.region)];
	IF caller_context.region IS NULL THEN
		-- a number without country is one of the destination's
		keys := keys || ARRAY(SELECT callsync.phone_person_key(caller_context.phone, d.options ->> 'region') FROM callsync.destination d WHERE d.name = ANY (places));
	END IF;
	keys := array_remove(keys, NULL);
	IF best_rank = 2 THEN
		SELECT c.* INTO person FROM callsync.contact c WHERE c.destination = where_found AND c.contact_id = best.contact_id;
	END IF;
	IF person.contact_id IS NOT NULL THEN
		keys := keys || callsync.contact_person_keys(person);
		flags := coalesce(person.flags, '{}');
		SELECT coalesce(jsonb_agg(r.one ORDER BY r.is_open DESC, r.at DESC NULLS LAST, r.object, r.record_id), '[]') INTO records FROM (
			SELECT o.object, o.record_id, o.is_open, coalesce(o.due_at, o.happened_at, o.remote_updated_at) AS at,
				jsonb_strip_nulls(jsonb_build_object('object', o.object, 'record_id', o.record_id, 'title', o.title, 'status', o.status,
					'open', o.is_open, 'amount', o.amount, 'owner_id', o.owner_id, 'due_at', o.due_at, 'happened_at', o.happened_at,
					'updated_at', o.remote_updated_at, 'of_account', CASE WHEN o.contact_id IS DISTINCT FROM person.contact_id THEN true END,
					'fields', nullif(o.fields, '{}'))) AS one
			FROM (SELECT a.* FROM callsync.related_record a WHERE a.destination = where_found AND a.contact_id = person.contact_id
				UNION SELECT b.* FROM callsync.related_record b WHERE b.destination = where_found AND b.account_id = person.account_id) o
			ORDER BY o.is_open DESC, 4 DESC NULLS LAST LIMIT 50) r;
	END IF;

	-- calls: a line with very many of them is looked at in part
	IF cardinality(keys) > 0 THEN
		SELECT count(*), (array_agg(y.source ORDER BY y.at DESC, y.call_id DESC))[1:5], (array_agg(y.call_id ORDER BY y.at DESC, y.call_id DESC))[1:5]
		INTO ncalls, sources, ids
		FROM (SELECT DISTINCT c.source, c.call_id, coalesce(c.started_at, c.captured_at) AS at
			FROM unnest(keys) u(key)
			CROSS JOIN LATERAL (SELECT k.source, k.call_id FROM callsync.person_key k WHERE k.key = u.key
				ORDER BY k.source DESC, k.call_id DESC LIMIT 200) k
			JOIN callsync.call c ON c.source = k.source AND c.call_id = k.call_id) y;
	END IF;
	IF ncalls > 0 THEN
		SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('source', y.source, 'call_id', y.call_id, 'at', coalesce(y.started_at, y.captured_at), 'status', y.status,
				'direction', y.document -> 'direction', 'disposition', y.document -> 'disposition', 'intent', y.document -> 'intent',
				'urgency', y.document -> 'urgency', 'sentiment', y.document -> 'sentiment', 'summary', y.document -> 'summary',
				'language', y.document -> 'language', 'name', y.document #> '{caller,name}',
				'follow_up_task', y.document -> 'follow_up_task', 'appointment', y.document -> 'appointment',
				'opportunity', y.document -> 'opportunity', 'ticket', y.document -> 'ticket', 'escalation', y.document -> 'escalation')) ORDER BY u.n)
		INTO calls FROM unnest(sources, ids) WITH ORDINALITY u(source, call_id, n) JOIN callsync.call y ON y.source = u.source AND y.call_id = u.call_id;
		last_call := calls -> 0;
	END IF;

	status := CASE WHEN person.contact_id IS NOT NULL THEN 'known' WHEN best_rank = 1 THEN 'ambiguous'
		WHEN kind IN ('withheld', 'invalid') THEN kind ELSE 'unknown' END;
	-- a call, or anything that happened in the CRM, whichever is later
	IF last_call IS NOT NULL OR records <> '[]' THEN
		SELECT t.one INTO touch FROM (
			SELECT jsonb_build_object('kind', 'call', 'at', last_call -> 'at', 'call_id', last_call -> 'call_id', 'what', coalesce(last_call -> 'summary', last_call -> 'disposition')) AS one,
				(last_call ->> 'at')::timestamptz AS at WHERE last_call IS NOT NULL
			UNION ALL
			SELECT jsonb_build_object('kind', r -> 'object', 'at', r -> 'happened_at', 'record_id', r -> 'record_id', 'what', r -> 'title'), (r ->> 'happened_at')::timestamptz
			FROM jsonb_array_elements(records) r WHERE r ? 'happened_at' AND (r ->> 'happened_at')::timestamptz <= clock_timestamp()) t
		ORDER BY t.at DESC LIMIT 1;
	END IF;

	RETURN jsonb_build_object(
		'status', status,
		'phone', line.phone::text,
		'kind', kind,
		'destination', CASE WHEN best_rank > 0 THEN where_found ELSE caller_context.destination END,
		'contact', CASE WHEN person.contact_id IS NOT NULL THEN jsonb_strip_nulls(to_jsonb(person) - 'destination' - 'flags')
			|| jsonb_build_object('name', nullif(concat_ws(' ', person.first_name, person.last_name), '')) END,
		'probability', CASE WHEN best_rank > 0 THEN round(best.probability::numeric, 4) END,
		'explanation', CASE WHEN best_rank > 0 THEN best.explanation END,
		'reason', best.reason,
		'candidates', CASE WHEN status = 'ambiguous' THEN best.candidates ELSE '[]' END,
		'flags', flags,
		'vip', coalesce(lower(flags ->> 'vip') IN ('true', 't', 'yes', '1'), false),
		'returning', person.contact_id IS NOT NULL OR ncalls > 0,
		'open_opportunities', jsonb_path_query_array(records, '$[*] ? (@.object == "opportunity" && @.open == true)'),
		'tickets', jsonb_path_query_array(records, '$[*] ? (@.object == "ticket")'),
		'open_tasks', jsonb_path_query_array(records, '$[*] ? (@.object == "task" && @.open == true)'),
		'other_records', jsonb_path_query_array(records, '$[*] ? (@.object != "ticket" && !((@.object == "opportunity" || @.object == "task") && @.open == true))'),
		'last_touchpoint', touch,
		'calls', ncalls,
		'last_calls', calls,
		'destinations', others,
		'contact_as_of', person.remote_updated_at);
END
$f$;
COMMENT ON FUNCTION callsync.caller_context(text, text, text) IS
'What a receptionist needs before it speaks, from local data in one call, without network: {"status": known | ambiguous | unknown | withheld | invalid, "contact": the mirrored contact with "name" (known only), "flags", "vip", "returning" (for routing), "open_opportunities", "tickets", "open_tasks", "other_records" (from callsync.related_record, of the contact or its account, open ones first), "last_touchpoint" {kind, at, what}, "calls", "last_calls" (the five latest, from this number or the contact''s other numbers and mailboxes, with summary, follow-up task, appointment, opportunity and ticket), "candidates" (ambiguous only: who it may be, with probabilities), "probability", "explanation", "reason", "contact_as_of"}. An ambiguous or unknown caller has no contact: nobody is greeted by a guess. destination NULL asks all; the one that knows the caller best answers, "destinations" names the others. region: for numbers without country; default is the destination''s. Calls of a number are counted up to 200. Error 42704: no such destination.';
