-- Destinations: made, changed, mapped, routed. All of it is data with an audit row each.

CREATE FUNCTION callsync.check_document(document pg_catalog.jsonb, override pg_catalog.jsonb DEFAULT NULL, base_url pg_catalog.text DEFAULT NULL)
RETURNS pg_catalog.text LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_check_document';
COMMENT ON FUNCTION callsync.check_document(jsonb, jsonb, text) IS 'Parses a connector document with a destination''s override; returns its name. Error 22023 with the place in the document, what is wrong there and what to do.';

CREATE FUNCTION callsync.check_map(document pg_catalog.jsonb, override pg_catalog.jsonb, map pg_catalog.jsonb)
RETURNS void LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_check_map';
COMMENT ON FUNCTION callsync.check_map(jsonb, jsonb, jsonb) IS 'Checks a field map against a connector document: objects known, transforms known, entries well formed. Error 22023.';

CREATE FUNCTION callsync.check_connector_document(document pg_catalog.jsonb, OUT ok pg_catalog.bool, OUT what pg_catalog.text, OUT detail pg_catalog.text)
RETURNS SETOF record LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_check_connector';
COMMENT ON FUNCTION callsync.check_connector_document(jsonb) IS 'All checks of check_connector() on a document that need not be registered.';

CREATE FUNCTION callsync.check_connector(name pg_catalog.text, OUT ok pg_catalog.bool, OUT what pg_catalog.text, OUT detail pg_catalog.text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	doc jsonb;
BEGIN
	SELECT c.document INTO doc FROM callsync.connector c WHERE c.name = check_connector.name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'connector "%" does not exist', name USING ERRCODE = 'undefined_object',
			HINT = 'Connectors are listed in callsync.connectors.';
	END IF;
	RETURN QUERY SELECT c.ok, c.what, c.detail FROM callsync.check_connector_document(doc) c;
END
$f$;
COMMENT ON FUNCTION callsync.check_connector(text) IS
'Checks a connector document: every operation has a success rule, an id, an idempotency source or guard; every response rule is reachable; steps lead to operations and maps; sample requests render. One row per check: ok, what, detail. Error 42704 for an unknown connector.';

CREATE FUNCTION callsync.connector_steps(document pg_catalog.jsonb, override pg_catalog.jsonb DEFAULT NULL) RETURNS pg_catalog.text[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_connector_steps';
COMMENT ON FUNCTION callsync.connector_steps(jsonb, jsonb) IS 'Names of the steps of a connector document with a destination''s override, in order.';

CREATE FUNCTION callsync.step_sources(document pg_catalog.jsonb, override pg_catalog.jsonb, OUT step pg_catalog.text, OUT source pg_catalog.text)
RETURNS SETOF record LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_step_sources';
COMMENT ON FUNCTION callsync.step_sources(jsonb, jsonb) IS 'Paths of a call document that decide whether a step of a connector document is taken, by which operation and on which record.';

CREATE FUNCTION callsync.map_entries(destination pg_catalog.text, OUT object pg_catalog.text, OUT field pg_catalog.text, OUT source pg_catalog.text, OUT how pg_catalog.text)
RETURNS SETOF record LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_map_entries';
COMMENT ON FUNCTION callsync.map_entries(text) IS 'The field map in force at a destination, one row per target field and source path; how: transforms and rules in one line, or condition where the path decides whether the field (or a line of it) is written.';

CREATE VIEW callsync.connectors AS
SELECT c.name, c.version, c.builtin, c.document ->> 'doc_checked' AS doc_checked,
	callsync.connector_steps(c.document) AS steps,
	coalesce(c.document ->> 'confirmation', 'response') AS confirmation,
	c.registered_by, c.registered_at
FROM callsync.connector c;
COMMENT ON VIEW callsync.connectors IS 'Connectors that a destination can use: name, version of the API they speak, steps that a call becomes, confirmation level (read_back, response, transport_only), who registered them. Format: doc/connectors.md.';

CREATE FUNCTION callsync.register_connector(document pg_catalog.jsonb) RETURNS pg_catalog.text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	connector_name text;
	users text[];
	dest record;
BEGIN
	IF document IS NULL THEN
		RAISE EXCEPTION 'a connector document is needed' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	connector_name := callsync.check_document(document);
	-- a new version must still fit the overrides of those who use it
	FOR dest IN SELECT d.name, d.options FROM callsync.destination d WHERE d.connector = connector_name LOOP
		PERFORM callsync.check_document(document, dest.options -> 'override', dest.options ->> 'base_url');
	END LOOP;
	INSERT INTO callsync.connector AS c (name, version, document, builtin) VALUES (connector_name, document ->> 'version', document, false)
	ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version, document = EXCLUDED.document, builtin = false,
		registered_by = EXCLUDED.registered_by, registered_at = clock_timestamp();
	PERFORM callsync.write_audit('register_connector', connector_name, jsonb_build_object('version', document ->> 'version'));
	RETURN connector_name;
END
$f$;
COMMENT ON FUNCTION callsync.register_connector(jsonb) IS
'Registers a new connector, or a new version of one (also of a shipped one), from its document; returns its name. Data only: no code is needed for a new CRM. Error 22023 with the place in the document where it is wrong. Format: doc/connectors.md.';

CREATE FUNCTION callsync.bump_generation() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	IF TG_TABLE_NAME = 'connector' THEN
		UPDATE callsync.destination d SET generation = d.generation + 1 WHERE d.connector = NEW.name;
	ELSE
		UPDATE callsync.destination d SET generation = d.generation + 1
		WHERE d.name = CASE TG_OP WHEN 'DELETE' THEN OLD.destination ELSE NEW.destination END;
	END IF;
	RETURN NULL;
END
$f$;
COMMENT ON FUNCTION callsync.bump_generation() IS 'Tells workers that a destination''s configuration changed.';
CREATE TRIGGER bump_generation AFTER UPDATE ON callsync.connector FOR EACH ROW EXECUTE FUNCTION callsync.bump_generation();
CREATE TRIGGER bump_generation AFTER INSERT OR UPDATE OR DELETE ON callsync.map_version FOR EACH ROW EXECUTE FUNCTION callsync.bump_generation();
CREATE TRIGGER bump_generation AFTER INSERT OR UPDATE OR DELETE ON callsync.route FOR EACH ROW EXECUTE FUNCTION callsync.bump_generation();

-- whatever changes a destination ends here: a credential, an option, a map, a pause
CREATE FUNCTION callsync.tell_workers() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	PERFORM callsync.wake();
	RETURN NULL;
END
$f$;
COMMENT ON FUNCTION callsync.tell_workers() IS 'Wakes the workers when a change of a destination commits.';
CREATE TRIGGER tell_workers AFTER INSERT OR UPDATE OF generation OR DELETE ON callsync.destination
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.tell_workers();

CREATE FUNCTION callsync.is_superuser_session() RETURNS pg_catalog.bool
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=)
	CASE pg_catalog.current_setting('role') WHEN 'none' THEN SESSION_USER ELSE pg_catalog.current_setting('role')::pg_catalog.name END);
COMMENT ON FUNCTION callsync.is_superuser_session() IS 'Is the role that the session acts as a superuser? (Inside SECURITY DEFINER functions current_user is their owner.)';

CREATE FUNCTION callsync.check_reach(options pg_catalog.jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	IF options ? 'allow_addresses' AND NOT callsync.is_superuser_session() THEN
		RAISE EXCEPTION 'must be superuser to set "allow_addresses"' USING ERRCODE = 'insufficient_privilege',
			DETAIL = 'It opens inner addresses to requests from the server.';
	END IF;
	IF options ? 'ca_file' AND NOT callsync.is_superuser_session()
		AND NOT pg_has_role(CASE current_setting('role') WHEN 'none' THEN SESSION_USER ELSE current_setting('role')::name END, 'pg_read_server_files', 'USAGE')
	THEN
		RAISE EXCEPTION 'permission denied to set "ca_file"' USING ERRCODE = 'insufficient_privilege',
			DETAIL = 'It names a file of the server and decides whom destinations are believed to be.',
			HINT = 'Only roles with privileges of pg_read_server_files may set it.';
	END IF;
END
$f$;
COMMENT ON FUNCTION callsync.check_reach(jsonb) IS 'May the role that the session acts as set these options of a destination? Error 42501.';

CREATE FUNCTION callsync.schedule_times(options pg_catalog.jsonb, at pg_catalog.timestamptz DEFAULT pg_catalog.clock_timestamp(),
	OUT mode pg_catalog.text, OUT next_batch_at pg_catalog.timestamptz, OUT maintenance_until pg_catalog.timestamptz)
RETURNS record LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_schedule_times';
COMMENT ON FUNCTION callsync.schedule_times(jsonb, timestamptz) IS
'What a destination''s options mode, schedule, rules and maintenance mean at an instant: the mode, when the next batch after it goes (NULL: calls go at once, or wait for send_now()), and until when it is in maintenance (NULL: it is not). Error 22023 with the place where an option is wrong. Members: schedule "hourly" (default), "nightly" (02:00), "campaign_end" (waits for send_now(), a day at the most), {"every": "15 minutes"} (from midnight), {"at": ["02:00", "14:30"], "days": ["mon"]} or {"max_wait": "7 days"} (waits for send_now()), each with "time_zone" (default UTC). rules [{"when": condition over the call document, "mode": "realtime"|"batch"}]: in mode hybrid the first that holds; without one at once. maintenance [{"from": time, "until": time} or {"at": "02:00", "for": "2 hours", "days": ["sun"], "time_zone": "Europe/Berlin"}]: nothing is sent meanwhile.';

CREATE FUNCTION callsync.check_destination_options(connector pg_catalog.text, options pg_catalog.jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	valid CONSTANT text[] := ARRAY['base_url', 'mode', 'schedule', 'rules', 'verify', 'lookup', 'redact', 'limits', 'retry', 'thresholds',
		'allow_addresses', 'paused', 'dry_run', 'region', 'override', 'lead_source', 'on_ambiguous', 'timeout_ms', 'ca_file', 'key_prefix',
		'maintenance', 'describe_every', 'identifiers', 'backfill_reserve', 'breaker_failures', 'uncertain', 'proxy'];
	doc jsonb;
	opt text;
	word record;
	allow boolean;
BEGIN
	IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'options must be a JSON object' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR opt IN SELECT k FROM jsonb_object_keys(options) k LOOP
		IF opt <> ALL (valid) THEN
			RAISE EXCEPTION 'unknown destination option "%"', opt USING ERRCODE = 'invalid_parameter_value',
				HINT = format('Options are: %s.', array_to_string(valid, ', '));
		END IF;
	END LOOP;
	SELECT c.document INTO doc FROM callsync.connector c WHERE c.name = connector;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown connector "%"', connector USING ERRCODE = 'undefined_object',
			HINT = format('Connectors are: %s. Others are registered by callsync.register_connector().',
				(SELECT string_agg(c.name, ', ' ORDER BY c.name) FROM callsync.connector c));
	END IF;
	FOR word IN SELECT * FROM (VALUES ('mode', ARRAY['realtime', 'batch', 'hybrid']), ('verify', ARRAY['read_back', 'response', 'transport']),
			('lookup', ARRAY['mirror', 'remote', 'mirror_then_remote']), ('on_ambiguous', ARRAY['write', 'hold'])) v(key, words) LOOP
		IF options ? word.key AND NOT coalesce(options ->> word.key = ANY (word.words), false) THEN
			RAISE EXCEPTION 'invalid value for destination option "%": "%"', word.key, options ->> word.key USING ERRCODE = 'invalid_parameter_value',
				HINT = format('One of: %s.', array_to_string(word.words, ', '));
		END IF;
	END LOOP;
	FOREACH opt IN ARRAY ARRAY['paused', 'dry_run'] LOOP
		IF options ? opt AND jsonb_typeof(options -> opt) <> 'boolean' THEN
			RAISE EXCEPTION 'destination option "%" must be true or false', opt USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END LOOP;
	PERFORM callsync.schedule_times(options);
	IF options ? 'region' AND options ->> 'region' !~ '^[A-Z]{2}$' THEN
		RAISE EXCEPTION 'invalid region "%"', options ->> 'region' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'A region is an ISO 3166-1 alpha-2 code in capitals, such as US or GB.';
	END IF;
	IF options ? 'timeout_ms' AND (jsonb_typeof(options -> 'timeout_ms') <> 'number' OR (options ->> 'timeout_ms')::numeric NOT BETWEEN 100 AND 600000) THEN
		RAISE EXCEPTION 'destination option "timeout_ms" must be a number from 100 to 600000' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF options ? 'describe_every' THEN
		BEGIN
			IF (options ->> 'describe_every')::interval < interval '1 second' THEN
				RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value';
			END IF;
		EXCEPTION WHEN data_exception OR invalid_parameter_value THEN
			RAISE EXCEPTION 'invalid value for destination option "describe_every": "%"', options ->> 'describe_every' USING ERRCODE = 'invalid_parameter_value',
				HINT = 'An interval of a second or more, such as "1 hour".';
		END;
	END IF;
	IF options #> '{limits,time_zone}' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_timezone_names z WHERE z.name = options #>> '{limits,time_zone}') THEN
		RAISE EXCEPTION 'unknown time zone "%"', options #>> '{limits,time_zone}' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Names are listed in pg_timezone_names.';
	END IF;
	allow := coalesce(jsonb_typeof(options -> 'allow_addresses') = 'array' AND options -> 'allow_addresses' <> '[]', false);
	IF options ? 'allow_addresses' THEN
		IF jsonb_typeof(options -> 'allow_addresses') <> 'array' THEN
			RAISE EXCEPTION 'destination option "allow_addresses" must be an array of addresses or networks' USING ERRCODE = 'invalid_parameter_value',
				HINT = 'For instance ["127.0.0.1/32"].';
		END IF;
		FOR opt IN SELECT a FROM jsonb_array_elements_text(options -> 'allow_addresses') a LOOP
			BEGIN
				PERFORM opt::cidr;
			EXCEPTION WHEN invalid_text_representation THEN
				RAISE EXCEPTION 'invalid address or network "%"', opt USING ERRCODE = 'invalid_parameter_value',
					HINT = 'For instance 127.0.0.1/32 or 10.1.0.0/16.';
			END;
		END LOOP;
	END IF;
	IF options ? 'base_url' THEN
		IF coalesce(options ->> 'base_url', '') !~ '^https?://[A-Za-z0-9.\-_~\[\]:]+(:[0-9]{1,5})?(/[^\s?#]*)?$' THEN
			RAISE EXCEPTION 'invalid base URL "%"', options ->> 'base_url' USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'A base URL is https://host, with an optional port and path, and nothing behind them.';
		END IF;
		IF options ->> 'base_url' LIKE 'http:%' AND NOT allow THEN
			RAISE EXCEPTION 'base URL "%" is not encrypted', options ->> 'base_url' USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'Calls hold personal data.',
				HINT = 'Use https. A superuser can allow plain http to certain addresses with the option "allow_addresses".';
		END IF;
	END IF;
	PERFORM callsync.check_document(doc, options -> 'override', options ->> 'base_url');
END
$f$;
COMMENT ON FUNCTION callsync.check_destination_options(text, jsonb) IS 'Errors of create_destination() and alter_destination() for connector and options.';

CREATE FUNCTION callsync.create_destination(name pg_catalog.text, connector pg_catalog.text, options pg_catalog.jsonb DEFAULT '{}')
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	IF name IS NULL OR name = '' OR length(name) > 63 THEN
		RAISE EXCEPTION 'a destination needs a name of 1 to 63 characters' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM callsync.check_reach(options);
	PERFORM callsync.check_destination_options(connector, options);
	IF EXISTS (SELECT 1 FROM callsync.destination d WHERE d.name = create_destination.name) THEN
		RAISE EXCEPTION 'destination "%" already exists', name USING ERRCODE = 'duplicate_object',
			HINT = 'Change it with callsync.alter_destination().';
	END IF;
	INSERT INTO callsync.destination (name, connector, options, paused, paused_reason, paused_at)
	VALUES (name, connector, options - 'paused', coalesce((options -> 'paused')::boolean, false),
		CASE WHEN (options -> 'paused')::boolean THEN 'created paused' END,
		CASE WHEN (options -> 'paused')::boolean THEN clock_timestamp() END);
	INSERT INTO callsync.destination_state (destination) VALUES (name);
	-- from now on a copy of this database is known as one
	PERFORM callsync.record_installation();
	PERFORM callsync.write_audit('create_destination', name, jsonb_build_object('connector', connector, 'options', options));
END
$f$;
COMMENT ON FUNCTION callsync.create_destination(text, text, jsonb) IS
'Makes a destination: an account of a CRM or calendar that calls are delivered to through a connector (view connectors). Options: base_url (https; http only with allow_addresses), mode realtime|batch|hybrid with schedule, rules and maintenance (see schedule_times()), verify read_back|response|transport (never above the connector''s own level), lookup mirror|remote|mirror_then_remote (is the destination asked who a caller is before a contact is made: never, for each call, or where the mirror has no match; the answer lands in the mirror and the match decision is taken with it; step "lookup" of the call), redact {path: mask|remove|last4|hash}, limits, retry, thresholds, on_ambiguous write|hold, region (ISO 3166-1), lead_source, override (merged over the connector document), timeout_ms, describe_every (an interval, default one hour: how often the destination is asked for its fields), ca_file (pg_read_server_files), allow_addresses (superuser), paused, dry_run. Secrets come by set_secret_file(). Errors: 22023 bad name or option, 42704 unknown connector, 42710 it exists.';

CREATE FUNCTION callsync.alter_destination(name pg_catalog.text, options pg_catalog.jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	old callsync.destination;
	merged jsonb;
BEGIN
	SELECT * INTO old FROM callsync.destination d WHERE d.name = alter_destination.name FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'destination "%" does not exist', name USING ERRCODE = 'undefined_object',
			HINT = 'Destinations are listed in callsync.destination_status.';
	END IF;
	PERFORM callsync.check_reach(alter_destination.options);
	-- nulls further down are the override's own: they remove a member of the connector document
	SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}') INTO merged
	FROM jsonb_each(old.options || alter_destination.options) e WHERE e.value <> 'null';
	PERFORM callsync.check_destination_options(old.connector, merged);
	UPDATE callsync.destination d SET options = merged - 'paused', generation = d.generation + 1,
		paused = coalesce((alter_destination.options -> 'paused')::boolean, d.paused),
		paused_reason = CASE WHEN (alter_destination.options -> 'paused')::boolean THEN coalesce(d.paused_reason, 'alter_destination') WHEN NOT (alter_destination.options -> 'paused')::boolean THEN NULL ELSE d.paused_reason END,
		paused_at = CASE WHEN (alter_destination.options -> 'paused')::boolean THEN coalesce(d.paused_at, clock_timestamp()) WHEN NOT (alter_destination.options -> 'paused')::boolean THEN NULL ELSE d.paused_at END
	WHERE d.name = alter_destination.name;
	-- what waited for a batch has no batch to wait for
	IF coalesce(old.options ->> 'mode', 'realtime') <> 'realtime' AND coalesce(merged ->> 'mode', 'realtime') = 'realtime' THEN
		PERFORM callsync.send_now(alter_destination.name);
	END IF;
	PERFORM callsync.write_audit('alter_destination', name, jsonb_build_object('before', old.options, 'change', alter_destination.options));
END
$f$;
COMMENT ON FUNCTION callsync.alter_destination(text, jsonb) IS 'Changes options of a destination: members of options replace those it has, null removes one. Deliveries that wait for a batch keep its time when the schedule changes, and go at once when the mode becomes realtime. Errors as create_destination(), 42704 where it does not exist.';

CREATE FUNCTION callsync.drop_destination(name pg_catalog.text, force pg_catalog.bool DEFAULT false)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	open_deliveries bigint;
BEGIN
	PERFORM 1 FROM callsync.destination d WHERE d.name = drop_destination.name FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'destination "%" does not exist', name USING ERRCODE = 'undefined_object',
			HINT = 'Destinations are listed in callsync.destination_status.';
	END IF;
	SELECT count(*) INTO open_deliveries FROM callsync.queue q WHERE q.destination = drop_destination.name;
	IF open_deliveries > 0 AND NOT force THEN
		RAISE EXCEPTION 'destination "%" has % deliveries that are not settled', name, open_deliveries USING ERRCODE = 'object_in_use',
			HINT = 'Wait for callsync.wait_until_idle(), or drop it with force => true: they are then cancelled.';
	END IF;
	UPDATE callsync.delivery d SET state = 'cancelled', settled_at = clock_timestamp()
	FROM callsync.queue q WHERE q.destination = drop_destination.name AND d.id = q.delivery_id AND d.day = q.day;
	DELETE FROM callsync.queue q WHERE q.destination = drop_destination.name;
	DELETE FROM callsync.destination d WHERE d.name = drop_destination.name;
	UPDATE callsync.alert a SET cleared_at = clock_timestamp() WHERE a.destination = drop_destination.name AND a.cleared_at IS NULL;
	PERFORM callsync.write_audit('drop_destination', name, jsonb_build_object('cancelled', open_deliveries));
END
$f$;
COMMENT ON FUNCTION callsync.drop_destination(text, boolean) IS 'Drops a destination; its history stays. Deliveries that are not settled are an error 55006, or cancelled with force.';

CREATE FUNCTION callsync.publish_map(destination pg_catalog.text, map pg_catalog.jsonb, approved_by pg_catalog.text)
RETURNS pg_catalog.int4 LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	dest record;
	v int;
BEGIN
	SELECT d.options, c.document INTO dest FROM callsync.destination d JOIN callsync.connector c ON c.name = d.connector
	WHERE d.name = destination FOR UPDATE OF d;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'destination "%" does not exist', destination USING ERRCODE = 'undefined_object',
			HINT = 'Destinations are listed in callsync.destination_status.';
	END IF;
	IF approved_by IS NULL OR approved_by = '' THEN
		RAISE EXCEPTION 'a map needs somebody who approved it' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Give a person''s name as approved_by.';
	END IF;
	IF jsonb_typeof(map) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'a map must be a JSON object of objects' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'For instance {"call": {"hs_call_body": {"from": "summary"}}}.';
	END IF;
	PERFORM callsync.check_map(dest.document, dest.options -> 'override', map);
	INSERT INTO callsync.map_version (destination, version, map, approved_by)
	SELECT publish_map.destination, coalesce(max(m.version), 0) + 1, publish_map.map, publish_map.approved_by
	FROM callsync.map_version m WHERE m.destination = publish_map.destination
	RETURNING version INTO v;
	PERFORM callsync.write_audit('publish_map', destination, jsonb_build_object('version', v, 'approved_by', approved_by));
	RETURN v;
END
$f$;
COMMENT ON FUNCTION callsync.publish_map(text, jsonb, text) IS
'Publishes a new version of a destination''s field map and returns its number. The map is merged over the connector''s default map, object by object and field by field; null removes a field. Old versions are kept; every delivery names its version. Errors: 42704 unknown destination, 22023 with the place in the map.';

CREATE FUNCTION callsync.set_route(destination pg_catalog.text, call_type pg_catalog.text, steps pg_catalog.jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	known text[];
	step text;
BEGIN
	SELECT callsync.connector_steps(c.document, d.options -> 'override') INTO known
	FROM callsync.destination d JOIN callsync.connector c ON c.name = d.connector WHERE d.name = destination;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'destination "%" does not exist', destination USING ERRCODE = 'undefined_object',
			HINT = 'Destinations are listed in callsync.destination_status.';
	END IF;
	IF coalesce(call_type, '') = '' THEN
		RAISE EXCEPTION 'a call type is needed' USING ERRCODE = 'invalid_parameter_value', HINT = 'Use ''*'' for all types without a route of their own.';
	END IF;
	IF steps IS NULL THEN
		DELETE FROM callsync.route r WHERE r.destination = set_route.destination AND r.call_type = set_route.call_type;
		PERFORM callsync.write_audit('set_route', destination, jsonb_build_object('call_type', call_type, 'steps', NULL));
		RETURN;
	END IF;
	IF jsonb_typeof(steps) <> 'array' THEN
		RAISE EXCEPTION 'steps must be a JSON array of step names' USING ERRCODE = 'invalid_parameter_value',
			HINT = format('Steps of this destination are: %s.', array_to_string(known, ', '));
	END IF;
	FOR step IN SELECT s FROM jsonb_array_elements_text(steps) s LOOP
		IF step <> ALL (known) THEN
			RAISE EXCEPTION 'unknown step "%"', step USING ERRCODE = 'invalid_parameter_value',
				HINT = format('Steps of this destination are: %s.', array_to_string(known, ', '));
		END IF;
	END LOOP;
	INSERT INTO callsync.route AS r (destination, call_type, steps) VALUES (destination, call_type, steps)
	ON CONFLICT ON CONSTRAINT route_pkey DO UPDATE SET steps = EXCLUDED.steps, set_by = SESSION_USER, set_at = clock_timestamp();
	PERFORM callsync.write_audit('set_route', destination, jsonb_build_object('call_type', call_type, 'steps', steps));
END
$f$;
COMMENT ON FUNCTION callsync.set_route(text, text, jsonb) IS
'Sets which steps a call of a type (call document key "type"; ''*'': all without a route of their own) becomes at a destination, as an array of step names; an empty array leaves such calls out (status excluded), NULL removes the route. Errors: 42704 unknown destination, 22023 unknown step.';

CREATE FUNCTION callsync.map_document(destination pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	head record;
	body text;
BEGIN
	SELECT d.name, d.connector, c.version AS connector_version, m.version, m.approved_by, m.published_at INTO head
	FROM callsync.destination d JOIN callsync.connector c ON c.name = d.connector
	LEFT JOIN LATERAL (SELECT v.version, v.approved_by, v.published_at FROM callsync.map_version v WHERE v.destination = d.name ORDER BY v.version DESC LIMIT 1) m ON true
	WHERE d.name = map_document.destination;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'destination "%" does not exist', destination USING ERRCODE = 'undefined_object',
			HINT = 'Destinations are listed in callsync.destination_status.';
	END IF;
	SELECT string_agg(part, E'\n' ORDER BY object) INTO body FROM (
		SELECT e.object, format(E'## %s\n\n| field | from | how |\n|---|---|---|\n%s\n', e.object,
			string_agg(format('| %s | %s | %s |', e.field, coalesce(replace(e.source, '|', '\|'), ''), coalesce(replace(e.how, '|', '\|'), '')), E'\n' ORDER BY e.field, e.source)) AS part
		FROM (SELECT DISTINCT m.object, m.field, m.source, m.how FROM callsync.map_entries(destination) m) e GROUP BY e.object) x;
	RETURN format(E'# Field map of %s\n\nConnector %s, API version %s. %s\n\n%s', head.name, head.connector, head.connector_version,
		CASE WHEN head.version IS NULL THEN 'The connector''s default map is in force.'
			ELSE format('Map version %s, approved by %s on %s.', head.version, head.approved_by, to_char(head.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')) END,
		coalesce(body, ''));
END
$f$;
COMMENT ON FUNCTION callsync.map_document(text) IS 'The field map in force as a Markdown document: per object the fields, where each comes from and how it is converted. Made from the live map, so it cannot go stale.';

CREATE FUNCTION callsync.touches(changed pg_catalog.text, source pg_catalog.text) RETURNS pg_catalog.bool
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	-- the same, above it, below it, or one of all the members that are mapped
	SELECT source = changed OR starts_with(source, changed || '.') OR starts_with(changed, source || '.')
		OR (source LIKE '%.*' AND starts_with(changed, left(source, -1)));
END;
COMMENT ON FUNCTION callsync.touches(text, text) IS 'Used by map_impact(): does a change of a source path matter to something that reads the other path?';

CREATE FUNCTION callsync.map_impact(source_path pg_catalog.text, OUT destination pg_catalog.text, OUT object pg_catalog.text, OUT field pg_catalog.text, OUT how pg_catalog.text, OUT calls_last_30_days pg_catalog.int8)
RETURNS SETOF record LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT d.name, e.object, e.field, e.how,
		(SELECT pg_catalog.count(*) FROM callsync.sync_state s WHERE s.destination = d.name
			AND s.captured_at >= pg_catalog.now() - pg_catalog.make_interval(days => 30))
	FROM callsync.destination d, LATERAL (
		SELECT m.object, m.field, m.how FROM callsync.map_entries(d.name) m WHERE callsync.touches(source_path, m.source)
		UNION SELECT '', t.step, 'decides whether this step is taken, or on which record'
		FROM callsync.connector c, LATERAL callsync.step_sources(c.document, d.options -> 'override') t
		WHERE c.name = d.connector AND callsync.touches(source_path, t.source)) e
	ORDER BY 1, 2, 3, 4;
END;
COMMENT ON FUNCTION callsync.map_impact(text) IS 'What a changed source key touches: per destination the objects and fields that are mapped from it (or from below or above it, or by a rule for all members), fields that are written or not because of it (how: condition), and, with an empty object, the steps that are taken or not because of it (field names the step); and how many calls went there in the last 30 days.';
