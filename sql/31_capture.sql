-- Capture: from a row of a user's table to an event, in the user's own transaction.

CREATE FUNCTION callsync.capture() RETURNS pg_catalog.trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'callsync_capture';
COMMENT ON FUNCTION callsync.capture() IS
'Trigger function of attach(): appends the row as an event and an outbox entry in the same transaction. No network, no NOTIFY, no lock on a shared row.';

CREATE FUNCTION callsync.capture_row(config pg_catalog.text, call_table pg_catalog.oid, origin pg_catalog.text, "row" record)
RETURNS pg_catalog.int8 LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_capture_row';
COMMENT ON FUNCTION callsync.capture_row(text, oid, text, record) IS 'Captures one row that is already there; used by backfill().';

CREATE FUNCTION callsync.preview_row(config pg_catalog.text, "row" record)
RETURNS pg_catalog.text LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_preview_row';
COMMENT ON FUNCTION callsync.preview_row(text, record) IS 'The call document that the capture trigger makes of a row; used by the worker for capture by reference.';

-- A path of the call document, as people write it, to its keys: 'caller.phone', '$.caller.phone',
-- 'answers."How many?"'. Keys that the document does not know go under fields.
CREATE FUNCTION callsync.document_path(path pg_catalog.text) RETURNS pg_catalog.text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	rest text := path;
	part text[];
	keys text[] := '{}';
BEGIN
	rest := regexp_replace(rest, '^\$\.?', '');
	LOOP
		part := regexp_match(rest, '^("(?:[^"\\]|\\.)+"|[^."\s\[\]]+)(\.(?=.)|$)');
		IF part IS NULL THEN
			RAISE EXCEPTION 'invalid call-document path "%"', path
				USING ERRCODE = 'invalid_parameter_value',
				      DETAIL = 'A path is keys joined by dots; a key with other characters stands in double quotes.',
				      HINT = 'For instance call_id, caller.phone, fields.vehicle_model, answers."How many people?".';
		END IF;
		rest := substr(rest, length(part[1]) + length(part[2]) + 1);
		keys := keys || CASE WHEN part[1] LIKE '"%'
			THEN regexp_replace(substr(part[1], 2, length(part[1]) - 2), '\\(.)', '\1', 'g') ELSE part[1] END;
		EXIT WHEN rest = '';
	END LOOP;
	IF keys[1] <> ALL (ARRAY['call_id', 'type', 'direction', 'dialled_number', 'routing_path', 'started_at', 'ended_at',
			'duration_s', 'disposition', 'end_reason', 'language', 'consent', 'caller', 'intent', 'urgency', 'lead_source',
			'campaign', 'sentiment', 'summary', 'transcript', 'transcript_url', 'recording_url', 'escalation', 'answers',
			'entities', 'dtmf', 'fields', 'follow_up_task', 'appointment', 'opportunity', 'ticket', 'crm_object',
			'event_type', 'timestamp']) THEN
		keys := array_prepend('fields', keys);
	END IF;
	RETURN keys;
END
$f$;
COMMENT ON FUNCTION callsync.document_path(text) IS
'Splits a call-document path into its keys; a first key that the call document does not have is taken to be below "fields". Error 22023 for what is no path.';

CREATE FUNCTION callsync.create_source(name pg_catalog.text, kind pg_catalog.text DEFAULT 'table', options pg_catalog.jsonb DEFAULT '{}')
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	opt text;
	valid text[] := callsync.source_options(kind);
BEGIN
	IF name IS NULL OR name = '' OR length(name) > 63 THEN
		RAISE EXCEPTION 'a source needs a name of 1 to 63 characters' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF valid IS NULL THEN
		RAISE EXCEPTION 'unknown kind of source "%"', kind USING ERRCODE = 'invalid_parameter_value',
			HINT = format('Kinds are: %s.', (SELECT string_agg(k, ', ' ORDER BY k) FROM callsync.source_kinds() k));
	END IF;
	IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'options must be a JSON object' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR opt IN SELECT k FROM jsonb_object_keys(options) k LOOP
		IF opt <> ALL (valid) THEN
			RAISE EXCEPTION 'unknown source option "%"', opt USING ERRCODE = 'invalid_parameter_value',
				HINT = format('Options of kind "%s" are: %s.', kind, array_to_string(valid, ', '));
		END IF;
	END LOOP;
	PERFORM callsync.check_source_options(kind, options);
	IF EXISTS (SELECT 1 FROM callsync.source s WHERE s.name = create_source.name) THEN
		RAISE EXCEPTION 'source "%" already exists', name USING ERRCODE = 'duplicate_object';
	END IF;
	INSERT INTO callsync.source (name, kind, options) VALUES (name, kind, options);
	-- from now on a copy of this database is known as one; before that nothing is planned, so
	-- that a worker does not work on a dump that is just being restored
	PERFORM callsync.record_installation();
	PERFORM callsync.write_audit('create_source', name, jsonb_build_object('kind', kind, 'options', options));
END
$f$;
COMMENT ON FUNCTION callsync.create_source(text, text, jsonb) IS
'Makes a source of calls. kind: table (then attach() a table) or a kind of webhook for ingest(). Options: region (ISO 3166-1, default region of phone numbers without country code), timezone (of timestamp columns without zone, default UTC), event_type (what a table row stands for, default call.ended), expected (event types that make a call complete), replicated (true: also capture rows that logical replication applies; default true), incomplete_after (interval after which a call that is not complete is listed); for webhooks also signature (name of one of the kind''s schemes, or a scheme, or a list of schemes), tolerance_s (of timestamps, both ways), unsigned (true: taken without a secret), url (public URL, where the signature covers it), max_body_bytes, mask (members to overwrite in the log, names or dotted paths), event and map (laid over the preset''s); see doc/ingest.md. Errors: 22023 for a bad name, kind or option, 42710 where it exists.';

CREATE FUNCTION callsync.source_kinds() RETURNS SETOF pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT 'table'::pg_catalog.text UNION ALL SELECT k.name FROM callsync.source_kind k;
END;
COMMENT ON FUNCTION callsync.source_kinds() IS 'The kinds that create_source() takes.';

-- NULL for an unknown kind
CREATE FUNCTION callsync.source_options(kind pg_catalog.text) RETURNS pg_catalog.text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (SELECT CASE WHEN k OPERATOR(pg_catalog.=) 'table'
		THEN ARRAY['region', 'timezone', 'event_type', 'expected', 'replicated', 'incomplete_after']
		ELSE ARRAY['region', 'event_type', 'expected', 'incomplete_after', 'signature', 'tolerance_s', 'unsigned', 'url',
			'max_body_bytes', 'mask', 'event', 'map'] END
	FROM callsync.source_kinds() k WHERE k OPERATOR(pg_catalog.=) kind);
COMMENT ON FUNCTION callsync.source_options(text) IS 'The options that a kind of source takes.';

CREATE FUNCTION callsync.check_source_options(kind pg_catalog.text, options pg_catalog.jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	bad text;
BEGIN
	IF options ? 'region' AND options ->> 'region' !~ '^[A-Z]{2}$' THEN
		RAISE EXCEPTION 'invalid region "%"', options ->> 'region' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'A region is an ISO 3166-1 alpha-2 code in capitals, such as US or GB.';
	END IF;
	IF options ? 'timezone' AND NOT EXISTS (SELECT 1 FROM pg_timezone_names z WHERE z.name = options ->> 'timezone') THEN
		RAISE EXCEPTION 'unknown time zone "%"', options ->> 'timezone' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Names are listed in pg_timezone_names.';
	END IF;
	IF options ? 'expected' AND jsonb_typeof(options -> 'expected') <> 'array' THEN
		RAISE EXCEPTION 'option "expected" must be an array of event types' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR bad IN
		SELECT e FROM jsonb_array_elements_text(coalesce(options -> 'expected', '[]')) e
		UNION ALL SELECT options ->> 'event_type' WHERE options ? 'event_type'
		EXCEPT SELECT unnest(ARRAY['call.started', 'call.ended', 'call.transferred', 'call.failed', 'transcription.complete', 'sentiment.scored'])
	LOOP
		RAISE EXCEPTION 'unknown event type "%"', bad USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Event types are call.started, call.ended, call.transferred, call.failed, transcription.complete and sentiment.scored.';
	END LOOP;
	IF options ? 'replicated' AND jsonb_typeof(options -> 'replicated') <> 'boolean' THEN
		RAISE EXCEPTION 'option "replicated" must be true or false' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF options ? 'incomplete_after' THEN
		BEGIN
			PERFORM (options ->> 'incomplete_after')::interval;
		EXCEPTION WHEN OTHERS THEN
			RAISE EXCEPTION 'option "incomplete_after" must be an interval, not "%"', options ->> 'incomplete_after'
				USING ERRCODE = 'invalid_parameter_value';
		END;
	END IF;
	FOR bad IN SELECT o FROM unnest(ARRAY['tolerance_s', 'max_body_bytes']) o
		WHERE options ? o AND (jsonb_typeof(options -> o) <> 'number' OR (options ->> o)::numeric NOT BETWEEN 0 AND 100000000
			OR (options ->> o)::numeric % 1 <> 0)
	LOOP
		RAISE EXCEPTION 'option "%" must be a whole number from 0 to 100000000', bad USING ERRCODE = 'invalid_parameter_value';
	END LOOP;
	IF options ? 'unsigned' AND jsonb_typeof(options -> 'unsigned') <> 'boolean' THEN
		RAISE EXCEPTION 'option "unsigned" must be true or false' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF options ? 'url' AND options ->> 'url' !~ '^https?://[^/]' THEN
		RAISE EXCEPTION 'option "url" must be the public URL of the front door, not "%"', options ->> 'url'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM callsync.check_preset('the options of the source', k.document, options) FROM callsync.source_kind k WHERE k.name = kind;
END
$f$;
COMMENT ON FUNCTION callsync.check_source_options(text, jsonb) IS 'Errors of create_source() for option values.';

-- The trigger's argument: all that capture needs to know, so that it looks nothing up.
CREATE FUNCTION callsync.capture_config(source pg_catalog.text, columns pg_catalog.jsonb, capture pg_catalog.text, key_columns pg_catalog.text[])
RETURNS pg_catalog.jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
		'source', s.name,
		'region', s.options OPERATOR(pg_catalog.->>) 'region',
		'timezone', s.options OPERATOR(pg_catalog.->>) 'timezone',
		'event_type', COALESCE(s.options OPERATOR(pg_catalog.->>) 'event_type', 'call.ended'),
		'reference', capture OPERATOR(pg_catalog.=) 'reference',
		'key', pg_catalog.to_jsonb(key_columns),
		'columns', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(callsync.document_path(c.key), c.value) ORDER BY c.key)
			FROM pg_catalog.jsonb_each_text(columns) c)))
	FROM callsync.source s WHERE s.name OPERATOR(pg_catalog.=) source);
COMMENT ON FUNCTION callsync.capture_config(text, jsonb, text, text[]) IS 'The argument of the capture trigger.';

CREATE FUNCTION callsync.record_attachment(call_table pg_catalog.regclass, source pg_catalog.text, columns pg_catalog.jsonb, capture pg_catalog.text, key_columns pg_catalog.text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	-- proof that somebody with the rights to it made the trigger
	IF NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = call_table AND t.tgfoid = 'callsync.capture()'::regprocedure) THEN
		RAISE EXCEPTION 'table % has no capture trigger', call_table USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Use callsync.attach().';
	END IF;
	INSERT INTO callsync.source_table (call_table, source, columns, capture, key_columns)
	VALUES (call_table, source, columns, capture, key_columns);
	PERFORM callsync.write_audit('attach', call_table::text, jsonb_build_object('source', source, 'capture', capture, 'columns', columns));
END
$f$;
COMMENT ON FUNCTION callsync.record_attachment(regclass, text, jsonb, text, text[]) IS 'The part of attach() that writes to callsync''s own tables.';

CREATE FUNCTION callsync.attach(source pg_catalog.text, call_table pg_catalog.regclass, columns pg_catalog.jsonb, capture pg_catalog.text DEFAULT 'snapshot')
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	rel pg_class;
	src record;
	col record;
	att record;
	keys text[];
	config jsonb;
	trigger_name text := 'zz_callsync_capture';
BEGIN
	SELECT s.kind, s.options INTO src FROM callsync.source s WHERE s.name = attach.source;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'source "%" does not exist', source USING ERRCODE = 'undefined_object',
			HINT = format('SELECT callsync.create_source(%L);', source);
	END IF;
	IF src.kind <> 'table' THEN
		RAISE EXCEPTION 'source "%" is of kind "%", which takes no table', source, src.kind USING ERRCODE = 'wrong_object_type',
			HINT = 'Make a source of kind "table", or hand the webhooks to callsync.ingest().';
	END IF;
	SELECT * INTO rel FROM pg_class c WHERE c.oid = call_table;
	IF rel.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION '"%" is not a table', rel.relname USING ERRCODE = 'wrong_object_type',
			DETAIL = 'Only tables and partitioned tables can carry a row trigger.';
	END IF;
	IF rel.relpersistence = 't' OR rel.relnamespace = 'callsync'::regnamespace OR rel.relnamespace = 'pg_catalog'::regnamespace THEN
		RAISE EXCEPTION 'cannot attach table "%"', rel.relname USING ERRCODE = 'wrong_object_type',
			DETAIL = 'Temporary tables, catalogs and callsync''s own tables cannot be sources.';
	END IF;
	IF NOT pg_has_role(current_user, rel.relowner, 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', call_table USING ERRCODE = 'insufficient_privilege';
	END IF;
	IF capture NOT IN ('snapshot', 'reference') THEN
		RAISE EXCEPTION 'unknown capture "%"', capture USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Capture is "snapshot" (the row''s values are stored with the event) or "reference" (only its key; the worker reads the row).';
	END IF;
	IF EXISTS (SELECT 1 FROM callsync.source_table t WHERE t.call_table = attach.call_table) THEN
		RAISE EXCEPTION 'table % is already attached', call_table USING ERRCODE = 'duplicate_object',
			HINT = format('SELECT callsync.detach(%L);', call_table);
	END IF;
	IF jsonb_typeof(columns) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'columns must be a JSON object of call-document paths and column names' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'For instance {"call_id": "id", "caller.phone": "from_number"}.';
	END IF;
	FOR col IN SELECT e.key AS path, e.value AS name, callsync.document_path(e.key) AS keys FROM jsonb_each(columns) e ORDER BY e.key LOOP
		IF jsonb_typeof(col.name) <> 'string' THEN
			RAISE EXCEPTION 'the column of path "%" must be a string', col.path USING ERRCODE = 'invalid_parameter_value';
		END IF;
		SELECT a.attname, a.atttypid INTO att FROM pg_attribute a
		WHERE a.attrelid = call_table AND a.attname = col.name #>> '{}' AND a.attnum > 0 AND NOT a.attisdropped;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'column "%" of table % does not exist', col.name #>> '{}', call_table USING ERRCODE = 'undefined_column',
				DETAIL = format('It is mapped to the call-document path "%s".', col.path),
				HINT = format('Columns are: %s.', (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
					WHERE a.attrelid = call_table AND a.attnum > 0 AND NOT a.attisdropped));
		END IF;
		IF col.keys = '{timestamp}' AND att.atttypid <> ALL (ARRAY['timestamptz'::regtype, 'timestamp'::regtype]::oid[]) THEN
			RAISE EXCEPTION 'the event time must come from a timestamp column' USING ERRCODE = 'datatype_mismatch',
				DETAIL = format('Column "%s" is of type %s.', att.attname, format_type(att.atttypid, NULL));
		END IF;
		IF att.atttypid = 'timestamp'::regtype AND NOT src.options ? 'timezone' THEN
			RAISE NOTICE 'column "%" has no time zone and is taken as UTC', att.attname
				USING HINT = 'Set the option "timezone" of the source where it is local time.';
		END IF;
	END LOOP;
	IF NOT EXISTS (SELECT 1 FROM jsonb_object_keys(columns) k WHERE callsync.document_path(k) = '{call_id}') THEN
		RAISE EXCEPTION 'columns must map call_id' USING ERRCODE = 'invalid_parameter_value',
			DETAIL = 'Without a call id a row cannot be told from a second arrival of the same call.',
			HINT = 'For instance {"call_id": "id", ...}.';
	END IF;
	SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum)) INTO keys
	FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
	WHERE i.indrelid = call_table AND i.indisprimary;
	IF capture = 'reference' THEN
		IF keys IS NULL THEN
			RAISE EXCEPTION 'capture by reference needs a primary key' USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Table %s has none, so the worker could not find the row again.', call_table),
				HINT = 'Add a primary key, or use capture "snapshot".';
		END IF;
		IF rel.relrowsecurity THEN
			RAISE EXCEPTION 'cannot capture table % by reference', call_table USING ERRCODE = 'feature_not_supported',
				DETAIL = 'Row-level security is on; the worker could silently read nothing.',
				HINT = 'Use capture "snapshot": the trigger sees the row that was written.';
		END IF;
		EXECUTE format('GRANT USAGE ON SCHEMA %s TO callsync_worker', rel.relnamespace::regnamespace);
		EXECUTE format('GRANT SELECT (%s) ON TABLE %s TO callsync_worker',
			(SELECT string_agg(DISTINCT quote_ident(c), ', ') FROM (SELECT unnest(keys) UNION SELECT e.value FROM jsonb_each_text(columns) e) x(c)),
			call_table);
	END IF;
	config := callsync.capture_config(source, columns, capture, keys);
	-- the name sorts last: BEFORE triggers and other AFTER triggers have done their work
	EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION callsync.capture(%L)',
		trigger_name, call_table, config::text);
	IF coalesce((src.options -> 'replicated')::boolean, true) THEN
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', call_table, trigger_name);
	END IF;
	PERFORM callsync.record_attachment(call_table, source, columns, capture, keys);
END
$f$;
COMMENT ON FUNCTION callsync.attach(text, regclass, jsonb, text) IS
'Captures a table: every INSERT, and every UPDATE that changes a mapped column, becomes an event of the source in the same transaction. columns: {call-document path: column}; call_id must be mapped; event_type and timestamp (the event time) may be. capture: snapshot stores the values with the event; reference stores the primary key only and the worker reads the row (SELECT on the mapped columns is granted to callsync_worker). Fires for COPY, ON CONFLICT, MERGE, partitions, and rows applied by logical replication (source option replicated). Needs ownership of the table. Errors: 42704 unknown source, 42703 unknown column, 42809 not a table, 42710 already attached, 22023 bad argument.';

CREATE FUNCTION callsync.record_detachment(call_table pg_catalog.regclass)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	IF EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = call_table AND t.tgfoid = 'callsync.capture()'::regprocedure) THEN
		RAISE EXCEPTION 'table % still has its capture trigger', call_table USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Use callsync.detach().';
	END IF;
	DELETE FROM callsync.source_table t WHERE t.call_table = record_detachment.call_table;
	PERFORM callsync.write_audit('detach', call_table::text);
END
$f$;
COMMENT ON FUNCTION callsync.record_detachment(regclass) IS 'The part of detach() that writes to callsync''s own tables.';

CREATE FUNCTION callsync.detach(call_table pg_catalog.regclass)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	trg record;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM callsync.source_table t WHERE t.call_table = detach.call_table) THEN
		RAISE EXCEPTION 'table % is not attached', call_table USING ERRCODE = 'undefined_object',
			HINT = 'Attached tables are listed in callsync.source_table.';
	END IF;
	FOR trg IN SELECT t.tgname FROM pg_trigger t
		WHERE t.tgrelid = call_table AND t.tgfoid = 'callsync.capture()'::regprocedure AND t.tgparentid = 0
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', trg.tgname, call_table);
	END LOOP;
	PERFORM callsync.record_detachment(call_table);
END
$f$;
COMMENT ON FUNCTION callsync.detach(regclass) IS 'Stops capturing a table. What was captured stays and is still delivered. Error 42704 where it is not attached.';

CREATE FUNCTION callsync.record_source_drop(name pg_catalog.text, force pg_catalog.bool)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	waiting bigint;
BEGIN
	-- held to the end: attach() waits for it
	PERFORM 1 FROM callsync.source s WHERE s.name = record_source_drop.name FOR UPDATE;
	SELECT count(*) INTO waiting FROM callsync.outbox o WHERE o.source = record_source_drop.name;
	IF waiting > 0 AND NOT force THEN
		RAISE EXCEPTION 'source "%" has % captured changes that are not planned', name, waiting USING ERRCODE = 'object_in_use',
			HINT = 'Wait for callsync.wait_until_idle(), or drop it with force => true: they are then not delivered.';
	END IF;
	IF EXISTS (SELECT 1 FROM callsync.source_table t WHERE t.source = record_source_drop.name) THEN
		RAISE EXCEPTION 'source "%" has attached tables', name USING ERRCODE = 'object_in_use',
			HINT = 'Use callsync.drop_source().';
	END IF;
	DELETE FROM callsync.outbox o WHERE o.source = record_source_drop.name;
	DELETE FROM callsync.source s WHERE s.name = record_source_drop.name;
	PERFORM callsync.write_audit('drop_source', name, jsonb_build_object('not_delivered', waiting));
END
$f$;
COMMENT ON FUNCTION callsync.record_source_drop(text, boolean) IS 'The part of drop_source() that writes to callsync''s own tables.';

CREATE FUNCTION callsync.drop_source(name pg_catalog.text, force pg_catalog.bool DEFAULT false)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	attached regclass[];
	tab regclass;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM callsync.source s WHERE s.name = drop_source.name) THEN
		RAISE EXCEPTION 'source "%" does not exist', name USING ERRCODE = 'undefined_object',
			HINT = 'Sources are listed in callsync.source.';
	END IF;
	SELECT array_agg(t.call_table ORDER BY t.call_table) INTO attached FROM callsync.source_table t WHERE t.source = drop_source.name;
	IF attached IS NOT NULL AND NOT coalesce(force, false) THEN
		RAISE EXCEPTION 'source "%" has attached tables', name USING ERRCODE = 'object_in_use',
			DETAIL = array_to_string(attached, ', '),
			HINT = 'Use callsync.detach(), or drop it with force => true: they are then detached.';
	END IF;
	FOREACH tab IN ARRAY coalesce(attached, '{}') LOOP
		PERFORM callsync.detach(tab);
	END LOOP;
	PERFORM callsync.record_source_drop(name, coalesce(force, false));
END
$f$;
COMMENT ON FUNCTION callsync.drop_source(text, boolean) IS
'Drops a source with its secrets. Its calls, what arrived for them and their deliveries stay; webhooks that still come are rejected, and kept. Attached tables, and captured changes that no worker has planned yet, are an error 55006; with force the tables are detached (needs their ownership) and those changes are not delivered. Error 42704 for an unknown source.';

CREATE FUNCTION callsync.backfill(source pg_catalog.text, since pg_catalog.timestamptz, until pg_catalog.timestamptz, dry_run pg_catalog.bool DEFAULT true,
	OUT matched pg_catalog.int8, OUT captured pg_catalog.int8)
RETURNS record LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	tab record;
	time_column text;
	id_column text;
	config text;
	wanted text;
	n bigint;
	c bigint;
BEGIN
	matched := 0;
	captured := 0;
	IF NOT EXISTS (SELECT 1 FROM callsync.source_table t WHERE t.source = backfill.source) THEN
		RAISE EXCEPTION 'source "%" has no attached table', source USING ERRCODE = 'undefined_object',
			HINT = 'backfill() captures rows of attached tables that were there before; raw webhooks are rebuilt by callsync.replay().';
	END IF;
	FOR tab IN SELECT t.* FROM callsync.source_table t WHERE t.source = backfill.source ORDER BY t.call_table LOOP
		SELECT e.value INTO id_column FROM jsonb_each_text(tab.columns) e WHERE callsync.document_path(e.key) = '{call_id}';
		SELECT e.value INTO time_column
		FROM jsonb_each_text(tab.columns) e
		JOIN unnest(ARRAY['started_at', 'ended_at', 'timestamp']) WITH ORDINALITY w(path, rank) ON callsync.document_path(e.key) = ARRAY[w.path]
		ORDER BY w.rank LIMIT 1;
		IF time_column IS NULL THEN
			RAISE EXCEPTION 'table % maps no time', tab.call_table USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = 'since and until are compared with started_at, ended_at or timestamp, the first that is mapped.',
				HINT = 'detach() the table and attach() it with one of them.';
		END IF;
		config := callsync.capture_config(tab.source, tab.columns, tab.capture, tab.key_columns)::text;
		-- a row without call_id is known by what was kept of it
		wanted := format('FROM %1$s t WHERE t.%2$I >= $1 AND t.%2$I < $2
			AND NOT EXISTS (SELECT 1 FROM callsync.call c WHERE c.source = $3 AND c.call_id = t.%3$I::text)
			AND NOT EXISTS (SELECT 1 FROM callsync.outbox o WHERE o.source = $3 AND o.call_id = t.%3$I::text)
			AND NOT (coalesce(length(t.%3$I::text), 0) = 0 AND EXISTS (SELECT 1 FROM callsync.event_unusable u JOIN callsync.event e ON e.id = u.event_id
				WHERE e.source = $3 AND e.body = convert_to(callsync.preview_row($4, t), ''UTF8'')))', tab.call_table, time_column, id_column);
		IF dry_run THEN
			EXECUTE 'SELECT count(*), 0 ' || wanted INTO n, c USING since, until, source, config;
		ELSE
			EXECUTE 'SELECT count(*), count(callsync.capture_row($4, $5, ''backfill'', t)) ' || wanted
			INTO n, c USING since, until, source, config, tab.call_table::oid;
		END IF;
		matched := matched + n;
		captured := captured + c;
	END LOOP;
	IF NOT dry_run THEN
		PERFORM callsync.write_audit('backfill', source, jsonb_build_object('since', since, 'until', until, 'matched', matched, 'captured', captured));
	END IF;
END
$f$;
COMMENT ON FUNCTION callsync.backfill(text, timestamptz, timestamptz, boolean) IS
'Captures rows of the source''s attached tables that were there before (since <= started_at < until, and no event of their call yet). dry_run (the default) only counts. Returns how many rows matched and how many were captured (rows without call_id are kept as quarantined events). Runs with the caller''s rights on the table.';
