-- Webhooks: the front door.

-- Written by ingest() only. The key is a hash of source, call id and the sender's event id
-- (or of the body where it sends none). Kept as long as the events are.
CREATE TABLE callsync.event_seen (
	key pg_catalog.uuid PRIMARY KEY,
	event_id pg_catalog.int8 NOT NULL
);
COMMENT ON TABLE callsync.event_seen IS 'Which webhooks have arrived: a second arrival of one is a no-op that is counted.';

CREATE FUNCTION callsync.source_changed() RETURNS pg_catalog.trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'callsync_source_changed';
COMMENT ON FUNCTION callsync.source_changed() IS 'Tells every session to read sources, their kinds and their secrets anew.';
CREATE TRIGGER source_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON callsync.source
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.source_changed();
CREATE TRIGGER source_kind_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON callsync.source_kind
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.source_changed();
CREATE TRIGGER secret_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON callsync.secret
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.source_changed();

CREATE FUNCTION callsync.ingest(source pg_catalog.text, body pg_catalog.bytea, headers pg_catalog.jsonb DEFAULT '{}', url pg_catalog.text DEFAULT NULL,
	OUT status pg_catalog.text, OUT event_id pg_catalog.int8, OUT call_id pg_catalog.text, OUT reason pg_catalog.text)
RETURNS record LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_ingest';
COMMENT ON FUNCTION callsync.ingest(text, bytea, jsonb, text) IS
'Takes a platform''s webhook: the bytes of the body as they were received, the headers as a JSON object (names in any case), and the public URL where the signature covers it. Verifies the signature, drops duplicates, appends. status: accepted; duplicate (a second arrival, event_id is the first one''s; answer it 200 too); rejected (unknown source, bad or missing signature, out of tolerance, over the size cap); quarantined (authentic but unusable: no call_id, not JSON, bad UTF-8). Never raises for bad content. Whatever arrives is kept in callsync.event with its verdict, secrets masked; over the size cap (option max_body_bytes, 2 MB) only hash and size. Answer the sender after COMMIT: 200 for accepted, duplicate and quarantined, 401 for rejected.';

CREATE FUNCTION callsync.read_webhook(source pg_catalog.text, body pg_catalog.bytea, headers pg_catalog.jsonb DEFAULT '{}',
	OUT verdict pg_catalog.text, OUT reason pg_catalog.text, OUT call_id pg_catalog.text, OUT types pg_catalog.text[],
	OUT event_time pg_catalog.timestamptz, OUT event_key pg_catalog.text, OUT document pg_catalog.jsonb)
RETURNS record LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_read_webhook';
COMMENT ON FUNCTION callsync.read_webhook(text, bytea, jsonb) IS
'Shows what a source makes of a body, without storing anything and without looking at the signature: verdict event, ignored (no event of a call) or unusable; the event types it stands for; the call document. For trying out the options event and map.';

-- Rebuilding calls from the log: a note for the worker per event, so that it needs no record of
-- the call to find them.
CREATE FUNCTION callsync.replay_event(source pg_catalog.text, call_id pg_catalog.text, event_id pg_catalog.int8) RETURNS pg_catalog.int8
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'callsync_replay_event';
COMMENT ON FUNCTION callsync.replay_event(text, text, bigint) IS 'Asks the worker to put a call together anew, with this event; used by replay().';

CREATE FUNCTION callsync.replay(source pg_catalog.text, since pg_catalog.timestamptz, until pg_catalog.timestamptz)
RETURNS pg_catalog.int8 LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	n bigint;
BEGIN
	IF source IS NULL OR NOT EXISTS (SELECT 1 FROM callsync.source s WHERE s.name = replay.source) THEN
		RAISE EXCEPTION 'source "%" does not exist', source USING ERRCODE = 'undefined_object',
			HINT = 'Sources are listed in callsync.source.';
	END IF;
	IF since IS NULL OR until IS NULL OR since >= until THEN
		RAISE EXCEPTION 'since must be before until' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Both are compared with the time of receipt; infinity is allowed.';
	END IF;
	WITH wanted AS MATERIALIZED (
		SELECT DISTINCT e.call_id FROM callsync.event e
		WHERE e.source = replay.source AND e.received_at >= since AND e.received_at < until
			AND e.outcome = 'accepted' AND e.call_id IS NOT NULL
	), asked AS MATERIALIZED (
		-- events of one call stand together, so that it is put together once
		SELECT o.call_id, callsync.replay_event(replay.source, o.call_id, o.id)
		FROM (SELECT e.call_id, e.id, min(e.id) OVER (PARTITION BY e.call_id) AS first FROM callsync.event e JOIN wanted w USING (call_id)
			WHERE e.source = replay.source AND e.outcome = 'accepted' ORDER BY first, e.id) o
	)
	SELECT count(DISTINCT a.call_id) INTO n FROM asked a;
	PERFORM callsync.write_audit('replay', source, jsonb_build_object('since', since, 'until', until, 'calls', n));
	RETURN n;
END
$f$;
COMMENT ON FUNCTION callsync.replay(text, timestamptz, timestamptz) IS
'Rebuilds the calls of a source that something arrived for in [since, until), from the log of what arrived (all their events, also those outside), with the map and the preset in force now, and delivers what the destinations lack. Needs no record of the calls: these may be lost. Returns the number of calls. Safe to repeat: steps that are up to date send nothing (to send them again use resync). Reads the whole log once. Errors: 42704 for an unknown source, 22023 for an empty interval.';

CREATE FUNCTION callsync.check_source(name pg_catalog.text)
RETURNS TABLE (ok pg_catalog.bool, what pg_catalog.text, detail pg_catalog.text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	src callsync.source;
	kind callsync.source_kind;
	schemes jsonb;
	scheme jsonb;
	usable text[];
	n bigint;
	told timestamptz;
BEGIN
	SELECT * INTO src FROM callsync.source s WHERE s.name = check_source.name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'source "%" does not exist', name USING ERRCODE = 'undefined_object',
			HINT = 'Sources are listed in callsync.source.';
	END IF;
	SELECT * INTO kind FROM callsync.source_kind k WHERE k.name = src.kind;
	IF kind.name IS NULL THEN
		SELECT count(*) INTO n FROM callsync.source_table t WHERE t.source = src.name;
		RETURN QUERY SELECT n > 0, 'table', CASE WHEN n > 0 THEN format('%s attached', n) ELSE 'no table is attached: use callsync.attach()' END;
		RETURN;
	END IF;

	schemes := CASE jsonb_typeof(src.options -> 'signature')
		WHEN 'array' THEN src.options -> 'signature'
		WHEN 'object' THEN jsonb_build_array(src.options -> 'signature')
		WHEN 'string' THEN (SELECT jsonb_agg(s) FROM jsonb_array_elements(kind.document -> 'signature') s
			WHERE s ->> 'name' = src.options ->> 'signature')
		ELSE coalesce(kind.document -> 'signature', '[]') END;
	-- what could sign now
	SELECT array_agg(DISTINCT y.key ORDER BY y.key) INTO usable
	FROM callsync.secret y, jsonb_array_elements(schemes) s
	WHERE y.owner = src.name AND (CASE WHEN s ->> 'kind' = 'basic' THEN y.key IN ('username', 'password')
		ELSE coalesce(s #> '{secret,keys}', '["signing_secret", "signing_secret_next"]') ? y.key END);
	IF usable IS NOT NULL THEN
		RETURN QUERY SELECT true, 'secret', format('set: %s', array_to_string(usable, ', '));
	ELSIF coalesce((src.options ->> 'unsigned')::boolean, (kind.document ->> 'unsigned')::boolean, false) THEN
		RETURN QUERY SELECT false, 'secret', 'none is set: webhooks are taken unsigned, from anybody who reaches the front door';
		schemes := '[]';
	ELSE
		RETURN QUERY SELECT false, 'secret', 'none is set: every webhook is rejected; use callsync.set_secret_file()';
	END IF;
	FOR scheme IN SELECT s FROM jsonb_array_elements(schemes) s LOOP
		-- a scheme that no secret fits is not in use
		CONTINUE WHEN usable IS NOT NULL AND NOT (CASE WHEN scheme ->> 'kind' = 'basic' THEN usable @> '{username,password}'
			ELSE coalesce(scheme #> '{secret,keys}', '["signing_secret", "signing_secret_next"]') ?| usable END);
		RETURN QUERY SELECT
			coalesce(scheme ->> 'kind', 'hmac') = 'hmac'
				AND (coalesce(scheme ->> 'signed', '{body}') ~ '\{(body|form)\}' OR scheme ? 'body_digest'),
			'signature', format('scheme "%s": %s', coalesce(scheme ->> 'name', scheme #>> '{headers,0}'),
				CASE WHEN coalesce(scheme ->> 'kind', 'hmac') <> 'hmac' THEN 'proves who sends; the body is not covered'
					WHEN coalesce(scheme ->> 'signed', '{body}') ~ '\{(body|form)\}' OR scheme ? 'body_digest' THEN 'covers the body'
					ELSE 'does not cover the body' END);
		RETURN QUERY SELECT scheme ? 'timestamp', 'replay', format('scheme "%s": %s', coalesce(scheme ->> 'name', scheme #>> '{headers,0}'),
			CASE WHEN scheme ? 'timestamp'
				THEN format('a timestamp is checked, tolerance %s s', coalesce(src.options ->> 'tolerance_s', kind.document ->> 'tolerance_s', scheme ->> 'tolerance_s', '300'))
				ELSE 'has no timestamp: a recorded webhook can be sent again, and is known only by its id or content' END);
		IF coalesce(scheme ->> 'signed', '') LIKE '%{url}%' THEN
			RETURN QUERY SELECT src.options ? 'url', 'url', CASE WHEN src.options ? 'url' THEN format('%s, where ingest() is not told', src.options ->> 'url')
				ELSE 'the signature covers the public URL: pass it to ingest() or set the option url' END;
		END IF;
	END LOOP;
	RETURN QUERY SELECT NOT note LIKE '%not protected%', 'note', note
		FROM jsonb_array_elements_text(coalesce(kind.document -> 'notes', '[]')) note;
	SELECT max(e.received_at) INTO told FROM callsync.event e WHERE e.source = src.name;
	RETURN QUERY SELECT told IS NOT NULL, 'traffic', CASE WHEN told IS NULL THEN 'nothing has arrived yet'
		ELSE format('last arrival %s ago', date_trunc('second', clock_timestamp() - told)) END;
	SELECT count(*) INTO n FROM callsync.event_unusable u JOIN callsync.event e ON e.id = u.event_id
	WHERE e.source = src.name AND u.noticed_at > clock_timestamp() - interval '24 hours';
	RETURN QUERY SELECT n = 0, 'refused', format('%s in the last 24 hours', n);
END
$f$;
COMMENT ON FUNCTION callsync.check_source(text) IS
'What a source''s set-up protects against and what not: secrets set, whether the signature covers the body and has a timestamp, the URL, the traffic. ok false is something to know, not always something to mend. Error 42704 for an unknown source.';
