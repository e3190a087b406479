-- What people did, and what people must notice.

CREATE TABLE callsync.alert (
	id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	raised_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	kind pg_catalog.text NOT NULL,
	severity pg_catalog.text NOT NULL DEFAULT 'warning' CHECK (severity IN ('info', 'warning', 'critical')),
	destination pg_catalog.text,
	subject pg_catalog.text NOT NULL DEFAULT '',
	message pg_catalog.text NOT NULL,
	remedy pg_catalog.text,
	count pg_catalog.int8 NOT NULL DEFAULT 1,
	last_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	cleared_at pg_catalog.timestamptz,
	notified_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE UNIQUE INDEX alert_open ON callsync.alert (kind, (COALESCE(destination, '')), subject) WHERE cleared_at IS NULL;

CREATE TABLE callsync.audit (
	id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	who pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	action pg_catalog.text NOT NULL,
	object pg_catalog.text NOT NULL,
	detail pg_catalog.jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE callsync.audit IS 'Changes of configuration and manual actions (pause, redrive, resync, forget ...): who, when, what.';

CREATE FUNCTION callsync.write_audit(action pg_catalog.text, object pg_catalog.text, detail pg_catalog.jsonb DEFAULT '{}')
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO callsync.audit (action, object, detail) VALUES (action, object, detail);
END;
COMMENT ON FUNCTION callsync.write_audit(text, text, jsonb) IS 'Appends to the audit log; used by the functions that change configuration.';
