-- Kinds of webhook sources: how each platform signs, and what its messages mean, as data.

CREATE TABLE callsync.source_kind (
	name pg_catalog.text PRIMARY KEY,
	document pg_catalog.jsonb NOT NULL,
	builtin pg_catalog.bool NOT NULL DEFAULT false,
	registered_by pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	registered_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE callsync.source_kind IS
'Presets of webhook sources (format: doc/ingest.md). builtin: shipped with the extension and replaced by an update of it.';

CREATE FUNCTION callsync.check_preset(subject pg_catalog.text, document pg_catalog.jsonb, options pg_catalog.jsonb) RETURNS void
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_check_preset';
COMMENT ON FUNCTION callsync.check_preset(text, jsonb, jsonb) IS
'Error 22023 about "subject" where a preset document, with a source''s options laid over it, is not usable.';

CREATE FUNCTION callsync.register_builtin_source_kind(document pg_catalog.jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT callsync.check_preset(pg_catalog.format('preset "%s"', document ->> 'kind'), document, '{}');
	INSERT INTO callsync.source_kind (name, document, builtin) VALUES (document ->> 'kind', document, true);
END;
COMMENT ON FUNCTION callsync.register_builtin_source_kind(jsonb) IS 'Used by the install script only.';

CREATE FUNCTION callsync.register_source_kind(document pg_catalog.jsonb) RETURNS pg_catalog.text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	kind text := document ->> 'kind';
BEGIN
	IF kind IS NULL OR kind !~ '^[a-z][a-z0-9_]{0,62}$' THEN
		RAISE EXCEPTION 'a kind of source needs a name' USING ERRCODE = 'invalid_parameter_value',
			DETAIL = 'The member "kind" of the document must be 1 to 63 lower-case letters, digits and underscores, beginning with a letter.';
	END IF;
	IF kind = 'table' OR EXISTS (SELECT 1 FROM callsync.source_kind k WHERE k.name = kind AND k.builtin) THEN
		RAISE EXCEPTION 'kind "%" is shipped with the extension and cannot be changed', kind USING ERRCODE = 'reserved_name',
			HINT = 'Lay the options signature, event, map ... of a source over it, or register the document under another name.';
	END IF;
	PERFORM callsync.check_preset(format('preset "%s"', kind), document, '{}');
	INSERT INTO callsync.source_kind AS k (name, document) VALUES (kind, document)
	ON CONFLICT (name) DO UPDATE SET document = EXCLUDED.document, registered_by = SESSION_USER, registered_at = clock_timestamp();
	PERFORM callsync.write_audit('register_source_kind', kind);
	RETURN kind;
END
$f$;
COMMENT ON FUNCTION callsync.register_source_kind(jsonb) IS
'A new kind of webhook source, or a new version of one of yours: one JSON document (format: doc/ingest.md, "Presets"). Takes effect at once for all its sources. Returns its name. Errors: 22023 for a document that is not usable, 42939 for a kind that is shipped.';

-- The shipped presets, from sql/presets/*.json:
-- @presets@
