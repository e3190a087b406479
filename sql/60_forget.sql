-- People can be forgotten: the one path that changes what is append-only.

CREATE FUNCTION callsync.person_keys_of(phone pg_catalog.text, email pg_catalog.text) RETURNS pg_catalog.int8[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT array_agg(DISTINCT k.key) FROM (
		-- a number without country may have come in from any source
		SELECT callsync.phone_person_key(person_keys_of.phone, r.region) AS key
		FROM (SELECT NULL AS region UNION SELECT s.options ->> 'region' FROM callsync.source s
			UNION SELECT d.options ->> 'region' FROM callsync.destination d) r
		UNION ALL
		SELECT unnest(callsync.contact_person_keys(jsonb_populate_record(NULL::callsync.contact,
			jsonb_build_object('destination', 'x', 'contact_id', 'x', 'email', person_keys_of.email))))
	) k WHERE k.key IS NOT NULL;
END;
COMMENT ON FUNCTION callsync.person_keys_of(text, text) IS 'Keys of table person_key for a phone number and an e-mail address, either may be NULL; used by forget().';

CREATE FUNCTION callsync.forget(phone pg_catalog.text DEFAULT NULL, email pg_catalog.text DEFAULT NULL,
	OUT calls pg_catalog.int8, OUT events pg_catalog.int8, OUT deliveries pg_catalog.int8, OUT attempts pg_catalog.int8,
	OUT contacts pg_catalog.int8, OUT other_rows pg_catalog.int8, OUT in_flight pg_catalog.int8)
RETURNS record LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	keys int8[] := callsync.person_keys_of(phone, email);
	-- how the person may stand in a body that nobody could read
	digits text := nullif(right(regexp_replace(coalesce(phone, ''), '[^0-9]', '', 'g'), 9), '');
	address text := lower(nullif(btrim(email), ''));
	event_ids int8[];
	n bigint;
BEGIN
	IF phone IS NULL AND email IS NULL THEN
		RAISE EXCEPTION 'a phone number or an e-mail address is needed' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF phone IS NOT NULL AND callsync.person_keys_of(phone, NULL) IS NULL THEN
		RAISE EXCEPTION 'phone number "%" names no line', phone USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Write it with its country code, as in +15551234567.';
	END IF;
	IF email IS NOT NULL AND callsync.person_keys_of(NULL, email) IS NULL THEN
		RAISE EXCEPTION '"%" is no e-mail address', email USING ERRCODE = 'invalid_parameter_value';
	END IF;
	other_rows := 0;

	CREATE TEMP TABLE forgotten_call ON COMMIT DROP AS
	SELECT DISTINCT k.source, k.call_id FROM callsync.person_key k WHERE k.key = ANY (keys);
	CREATE TEMP TABLE forgotten_contact ON COMMIT DROP AS
	SELECT c.destination, c.contact_id FROM callsync.contact c WHERE callsync.contact_person_keys(c) && keys;
	-- what is captured and not planned yet has no keys: it is read
	INSERT INTO forgotten_call
	SELECT DISTINCT o.source, o.call_id FROM callsync.outbox o JOIN callsync.event e ON e.id = o.event_id
	WHERE (regexp_replace(encode(e.body, 'escape'), '[^0-9]', '', 'g') LIKE '%' || digits || '%' OR position(address IN lower(encode(e.body, 'escape'))) > 0)
		AND NOT EXISTS (SELECT 1 FROM forgotten_call f WHERE f.source = o.source AND f.call_id = o.call_id);
	SELECT count(*) INTO calls FROM forgotten_call;

	SELECT array_agg(x.id) INTO event_ids FROM (
		SELECT unnest(c.event_ids) AS id FROM callsync.call c JOIN forgotten_call f ON f.source = c.source AND f.call_id = c.call_id
		UNION
		SELECT o.event_id FROM callsync.outbox o JOIN forgotten_call f ON f.source = o.source AND f.call_id = o.call_id WHERE o.event_id IS NOT NULL
		UNION
		-- what was refused belongs to no call
		SELECT e.id FROM callsync.event_unusable u JOIN callsync.event e ON e.id = u.event_id
		WHERE regexp_replace(encode(e.body, 'escape'), '[^0-9]', '', 'g') LIKE '%' || digits || '%' OR position(address IN lower(encode(e.body, 'escape'))) > 0
	) x;
	-- events of those calls that changed nothing are not in event_ids
	SELECT array_agg(DISTINCT x.id) INTO event_ids FROM (
		SELECT unnest(event_ids) AS id
		UNION SELECT e.id FROM callsync.event e WHERE (e.source, e.call_id) IN (SELECT f.source, f.call_id FROM forgotten_call f)
	) x WHERE x.id IS NOT NULL;
	PERFORM set_config('callsync.forgetting', 'on', true);
	UPDATE callsync.event e SET body = NULL, headers = NULL, row_key = NULL, event_key = NULL, person_keys = NULL, call_table = NULL,
		reason = concat_ws('; ', e.reason, 'forgotten')
	WHERE e.id = ANY (event_ids);
	GET DIAGNOSTICS events = ROW_COUNT;
	PERFORM set_config('callsync.forgetting', 'off', true);

	CREATE TEMP TABLE forgotten_delivery ON COMMIT DROP AS
	SELECT d.day, d.id FROM callsync.delivery d JOIN forgotten_call f ON f.source = d.source AND f.call_id = d.call_id;
	SELECT count(*) INTO in_flight FROM callsync.attempt a JOIN forgotten_delivery f ON f.id = a.delivery_id AND f.day = a.day
	WHERE NOT EXISTS (SELECT 1 FROM callsync.attempt_end e WHERE e.delivery_id = a.delivery_id AND e.n = a.n AND e.day = a.day);
	-- a request that carried others as well loses its body, not its row
	UPDATE callsync.attempt_end e SET response = NULL, message = NULL
	FROM callsync.attempt a JOIN forgotten_delivery f ON f.id = a.delivery_id AND f.day = a.day
		JOIN callsync.attempt c ON c.delivery_id = a.carrier_id AND c.request_id = a.request_id
	WHERE e.delivery_id = c.delivery_id AND e.n = c.n AND e.day = c.day AND (e.response IS NOT NULL OR e.message IS NOT NULL);
	UPDATE callsync.attempt c SET body = NULL, headers = NULL, url = regexp_replace(c.url, '\?.*', '?(forgotten)')
	FROM callsync.attempt a JOIN forgotten_delivery f ON f.id = a.delivery_id AND f.day = a.day
	WHERE c.delivery_id = a.carrier_id AND c.request_id = a.request_id AND (c.body IS NOT NULL OR c.headers IS NOT NULL);
	DELETE FROM callsync.attempt_end e USING forgotten_delivery f WHERE e.delivery_id = f.id AND e.day = f.day;
	DELETE FROM callsync.attempt a USING forgotten_delivery f WHERE a.delivery_id = f.id AND a.day = f.day;
	GET DIAGNOSTICS attempts = ROW_COUNT;
	DELETE FROM callsync.queue q USING forgotten_delivery f WHERE q.delivery_id = f.id;
	DELETE FROM callsync.delivery d USING forgotten_delivery f WHERE d.id = f.id AND d.day = f.day;
	GET DIAGNOSTICS deliveries = ROW_COUNT;

	DELETE FROM callsync.outbox o USING forgotten_call f WHERE o.source = f.source AND o.call_id = f.call_id;
	DELETE FROM callsync.dead_letter t USING forgotten_call f WHERE t.source = f.source AND t.call_id = f.call_id;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	DELETE FROM callsync.sync_state t USING forgotten_call f WHERE t.source = f.source AND t.call_id = f.call_id;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	DELETE FROM callsync.validation_result t USING forgotten_call f WHERE t.source = f.source AND t.call_id = f.call_id;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	DELETE FROM callsync.review_item t USING forgotten_call f WHERE t.source = f.source AND t.call_id = f.call_id;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	DELETE FROM callsync.match_decision t USING forgotten_call f WHERE t.source = f.source AND t.call_id = f.call_id;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	DELETE FROM callsync.record_link t USING forgotten_call f WHERE t.source = f.source AND t.call_id = f.call_id;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	DELETE FROM callsync.contact_link l
	WHERE l.identity IN (SELECT 'call:' || f.source || '/' || f.call_id FROM forgotten_call f)
		OR l.contact_key IN (SELECT 'call:' || f.source || '/' || f.call_id FROM forgotten_call f)
		OR (l.destination, l.contact_id) IN (SELECT c.destination, c.contact_id FROM forgotten_contact c)
		OR callsync.person_keys_of(substring(l.contact_key FROM '^tel:(.*)'), substring(l.contact_key FROM '^mailto:(.*)')) && keys;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	UPDATE callsync.alert a SET message = '(about a call of somebody who was forgotten)'
	FROM forgotten_call f WHERE position('"' || f.call_id || '"' IN a.message) > 0;
	DELETE FROM callsync.person_key k USING forgotten_call f WHERE k.source = f.source AND k.call_id = f.call_id;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	DELETE FROM callsync.call c USING forgotten_call f WHERE c.source = f.source AND c.call_id = f.call_id;

	DELETE FROM callsync.related_record r USING forgotten_contact f WHERE r.destination = f.destination AND r.contact_id = f.contact_id;
	GET DIAGNOSTICS n = ROW_COUNT; other_rows := other_rows + n;
	DELETE FROM callsync.contact c USING forgotten_contact f WHERE c.destination = f.destination AND c.contact_id = f.contact_id;
	GET DIAGNOSTICS contacts = ROW_COUNT;

	DROP TABLE forgotten_call, forgotten_contact, forgotten_delivery;
	-- that it was done, not about whom
	PERFORM callsync.write_audit('forget', 'person', jsonb_build_object('calls', calls, 'events', events, 'deliveries', deliveries,
		'attempts', attempts, 'contacts', contacts, 'other_rows', other_rows));
END
$f$;
COMMENT ON FUNCTION callsync.forget(text, text) IS
'Erases a person from this database, by phone number, e-mail address or both (calls with either are theirs): the calls, their deliveries, attempts, dead letters, decisions and states go, as do contacts of the mirror with the number or address; events stay as rows without body and headers; bodies of requests that carried others as well go too. Returns how many of each; in_flight: requests under way just now, whose answers may leave something behind: then call it again. Give each number and address of the person in turn. It does not reach the call tables that are attached, nor the CRM, nor dumps, WAL archives and the server log. Nothing of the person stands in audit_log. Errors: 22004 neither given, 22023 no number, no address.';
