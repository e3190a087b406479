-- What a destination says of its fields: asked regularly (describe), kept in schema_field, compared with
-- what it said before. Where a mapped field is not what it was, writes to it stop.

CREATE TABLE callsync.schema_state (
	destination pg_catalog.text NOT NULL REFERENCES callsync.destination (name) ON DELETE CASCADE,
	object pg_catalog.text NOT NULL,
	described_at pg_catalog.timestamptz,
	next_at pg_catalog.timestamptz NOT NULL,
	fields pg_catalog.int4,
	failures pg_catalog.int4 NOT NULL DEFAULT 0,
	error pg_catalog.text,
	PRIMARY KEY (destination, object)
);
COMMENT ON TABLE callsync.schema_state IS
'When each object of a destination was described last and will be next (option describe_every, one hour by default; at once after a refusal that looks like drift), how many fields it has, and why it could not be described.';

-- Fields of an object as just described, compared with what is known; returns what people must know of.
CREATE FUNCTION callsync.keep_schema(destination pg_catalog.text, object pg_catalog.text, fields pg_catalog.jsonb, mapped pg_catalog.text[],
	OUT field pg_catalog.text, OUT change pg_catalog.text, OUT detail pg_catalog.text)
RETURNS SETOF record LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
#variable_conflict use_column
DECLARE
	known boolean := EXISTS (SELECT 1 FROM callsync.schema_field s WHERE s.destination = $1 AND s.object = $2);
	r record;
	o jsonb;
	n jsonb;
	twin text;
	moved boolean := false;
BEGIN
	FOR r IN SELECT coalesce(s.field, k.key) AS name, s.definition AS old, k.value AS new
		FROM (SELECT f.field, f.definition FROM callsync.schema_field f WHERE f.destination = $1 AND f.object = $2) s
		FULL JOIN jsonb_each($3) k ON k.key = s.field
		WHERE s.definition IS DISTINCT FROM k.value ORDER BY 1
	LOOP
		o := r.old;
		n := r.new;
		moved := true;
		IF n IS NULL THEN
			UPDATE callsync.schema_drift_event e SET resolved_at = clock_timestamp()
			WHERE e.destination = $1 AND e.object = $2 AND e.field = r.name AND e.resolved_at IS NULL AND e.change IN ('refused', 'hidden');
		ELSE
			-- what was wrong with it is mended, or is explained by the change found now
			UPDATE callsync.schema_drift_event e SET resolved_at = clock_timestamp()
			WHERE e.destination = $1 AND e.object = $2 AND e.field = r.name AND e.resolved_at IS NULL
				AND CASE e.change WHEN 'refused' THEN true WHEN 'hidden' THEN true
					WHEN 'readonly' THEN n -> 'readonly' IS NULL
					WHEN 'required' THEN n -> 'required' IS NULL
					WHEN 'options' THEN (n -> 'options') @> (e.definition -> 'options')
					WHEN 'length' THEN n -> 'max' IS NOT DISTINCT FROM e.definition -> 'max'
					ELSE n -> 'type' IS NOT DISTINCT FROM e.definition -> 'type' END;
		END IF;
		CONTINUE WHEN NOT known;
		change := NULL;
		detail := NULL;
		IF n IS NULL THEN
			SELECT k.key INTO twin FROM jsonb_each($3) k
			WHERE k.value -> 'label' = o -> 'label' AND k.value -> 'type' IS NOT DISTINCT FROM o -> 'type'
				AND NOT EXISTS (SELECT 1 FROM callsync.schema_field s WHERE s.destination = $1 AND s.object = $2 AND s.field = k.key)
			ORDER BY 1 LIMIT 1;
			change := CASE WHEN twin IS NULL THEN 'removed' ELSE 'renamed' END;
			detail := CASE WHEN twin IS NULL THEN 'the field is gone'
				ELSE format('the field is gone; "%s" is new and has its label "%s"', twin, o ->> 'label') END;
		ELSIF o IS NULL THEN
			IF n -> 'required' = 'true' THEN
				change := 'required';
				detail := 'a new field that a new record must have';
			END IF;
		ELSIF n ->> 'type' <> o ->> 'type' THEN
			change := 'retyped';
			detail := format('its type was %s and is %s', o ->> 'type', n ->> 'type');
		ELSIF n -> 'readonly' = 'true' AND o -> 'readonly' IS NULL THEN
			change := 'readonly';
			detail := 'the field can be read but not written any more';
		ELSIF n -> 'required' = 'true' AND o -> 'required' IS NULL THEN
			change := 'required';
			detail := 'a new record must have it from now on';
		ELSIF o -> 'options' IS NOT NULL AND NOT coalesce((n -> 'options') @> (o -> 'options'), false) THEN
			change := 'options';
			detail := format('options taken away: %s', (SELECT string_agg(coalesce(x ->> 'value', x #>> '{}'), ', ')
				FROM jsonb_array_elements(o -> 'options') x WHERE NOT coalesce((n -> 'options') @> jsonb_build_array(x), false)));
		ELSIF (n ->> 'max')::numeric < coalesce((o ->> 'max')::numeric, 'infinity') THEN
			change := 'length';
			detail := format('it takes %s characters now', n ->> 'max');
		END IF;
		CONTINUE WHEN change IS NULL OR (change <> 'required' AND r.name <> ALL (mapped) AND coalesce(o ->> 'label', '') <> ALL (mapped));
		field := r.name;
		INSERT INTO callsync.schema_drift_event (destination, object, field, change, detail, definition)
		SELECT $1, $2, r.name, change, detail, o
		WHERE NOT EXISTS (SELECT 1 FROM callsync.schema_drift_event e WHERE e.destination = $1 AND e.object = $2 AND e.field = r.name
			AND e.change = keep_schema.change AND e.resolved_at IS NULL);
		RETURN NEXT;
	END LOOP;
	DELETE FROM callsync.schema_field s WHERE s.destination = $1 AND s.object = $2 AND NOT $3 ? s.field;
	INSERT INTO callsync.schema_field AS s (destination, object, field, definition)
	SELECT $1, $2, k.key, k.value FROM jsonb_each($3) k
	ON CONFLICT (destination, object, field) DO UPDATE SET definition = EXCLUDED.definition, seen_at = clock_timestamp()
	WHERE s.definition <> EXCLUDED.definition;
	INSERT INTO callsync.schema_state AS t (destination, object, described_at, next_at, fields)
	SELECT $1, $2, clock_timestamp(), clock_timestamp() + coalesce((d.options ->> 'describe_every')::interval, '1 hour'),
		(SELECT count(*) FROM jsonb_object_keys($3))
	FROM callsync.destination d WHERE d.name = $1
	ON CONFLICT (destination, object) DO UPDATE SET described_at = EXCLUDED.described_at, next_at = EXCLUDED.next_at,
		fields = EXCLUDED.fields, failures = 0, error = NULL;
	IF moved THEN
		UPDATE callsync.alert a SET cleared_at = clock_timestamp()
		WHERE a.kind = 'schema_drift' AND a.destination = $1 AND a.cleared_at IS NULL AND starts_with(a.subject, $2 || '.')
			AND NOT EXISTS (SELECT 1 FROM callsync.schema_drift_event e WHERE e.destination = $1 AND e.object = $2
				AND a.subject = e.object || '.' || e.field AND e.resolved_at IS NULL);
	END IF;
END
$f$;
COMMENT ON FUNCTION callsync.keep_schema(text, text, jsonb, text[]) IS
'Used by the worker: keeps what a destination says of an object''s fields and returns the changes since the last time that concern mapped fields (removed, renamed, retyped, readonly, options, length), and fields that became required.';

-- hundreds of fields at once are one change
CREATE FUNCTION callsync.bump_generations() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	-- no news for a credential that was refused: it is not tried again because of this
	UPDATE callsync.token t SET generation = d.generation + 1 FROM callsync.destination d
	WHERE d.name = t.destination AND d.generation = t.generation AND d.name IN (SELECT DISTINCT c.destination FROM changed c);
	UPDATE callsync.destination d SET generation = d.generation + 1 WHERE d.name IN (SELECT DISTINCT c.destination FROM changed c);
	RETURN NULL;
END
$f$;
COMMENT ON FUNCTION callsync.bump_generations() IS 'Tells workers that what is known of a destination''s fields changed.';
CREATE TRIGGER bump_generation_i AFTER INSERT ON callsync.schema_field REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION callsync.bump_generations();
CREATE TRIGGER bump_generation_u AFTER UPDATE ON callsync.schema_field REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION callsync.bump_generations();
CREATE TRIGGER bump_generation_d AFTER DELETE ON callsync.schema_field REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION callsync.bump_generations();

CREATE FUNCTION callsync.resolve_drift(id pg_catalog.int8) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	e record;
BEGIN
	UPDATE callsync.schema_drift_event v SET resolved_at = clock_timestamp()
	WHERE v.id = resolve_drift.id AND v.resolved_at IS NULL RETURNING v.* INTO e;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no open schema drift %', resolve_drift.id USING ERRCODE = 'undefined_object',
			HINT = 'SELECT id, destination, object, field, change FROM callsync.schema_drift WHERE resolved_at IS NULL.';
	END IF;
	UPDATE callsync.destination d SET generation = d.generation + 1 WHERE d.name = e.destination;
	UPDATE callsync.alert a SET cleared_at = clock_timestamp()
	WHERE a.kind = 'schema_drift' AND a.destination = e.destination AND a.subject = e.object || '.' || e.field AND a.cleared_at IS NULL;
	PERFORM callsync.write_audit('resolve_drift', e.destination, jsonb_build_object('object', e.object, 'field', e.field, 'change', e.change));
	PERFORM callsync.wake();
END
$f$;
COMMENT ON FUNCTION callsync.resolve_drift(bigint) IS
'Takes a finding of callsync.schema_drift as settled (the map was mended, or the field is as it should be) and lets the field be written again. A field that comes back as it was is taken as settled by itself. Values that were left out meanwhile are sent by callsync.resync(). Recorded in audit_log. Error 42704 where there is no such open finding.';
