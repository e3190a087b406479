-- Destinations: where calls go, and how (connectors, maps and routes are data).

CREATE TABLE callsync.connector (
	name pg_catalog.text PRIMARY KEY,
	version pg_catalog.text NOT NULL,
	document pg_catalog.jsonb NOT NULL,
	builtin pg_catalog.bool NOT NULL DEFAULT false,
	registered_by pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	registered_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE callsync.connector IS 'Connector documents (format: doc/connectors.md). builtin: shipped with the extension and replaced by an update of it.';

CREATE TABLE callsync.destination (
	id pg_catalog.int4 GENERATED ALWAYS AS IDENTITY UNIQUE,
	name pg_catalog.text PRIMARY KEY CHECK (name OPERATOR(pg_catalog.<>) ''),
	connector pg_catalog.text NOT NULL REFERENCES callsync.connector (name),
	options pg_catalog.jsonb NOT NULL DEFAULT '{}',
	paused pg_catalog.bool NOT NULL DEFAULT false,
	paused_reason pg_catalog.text,
	paused_at pg_catalog.timestamptz,
	generation pg_catalog.int4 NOT NULL DEFAULT 1,
	created_by pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	created_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE callsync.destination IS
'One row per CRM or calendar account that calls are delivered to. options as in create_destination(). generation counts changes, so that workers notice them.';

CREATE TABLE callsync.map_version (
	destination pg_catalog.text NOT NULL REFERENCES callsync.destination (name) ON DELETE CASCADE,
	version pg_catalog.int4 NOT NULL,
	map pg_catalog.jsonb NOT NULL,
	approved_by pg_catalog.text NOT NULL,
	published_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (destination, version)
);
COMMENT ON TABLE callsync.map_version IS 'Field maps, every version kept with approver and date; the highest version is in force. Each delivery names the version it was mapped by.';

CREATE TABLE callsync.route (
	destination pg_catalog.text NOT NULL REFERENCES callsync.destination (name) ON DELETE CASCADE,
	call_type pg_catalog.text NOT NULL,
	steps pg_catalog.jsonb NOT NULL,
	set_by pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	set_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (destination, call_type)
);
COMMENT ON TABLE callsync.route IS 'Which steps (objects) a call of a type becomes at a destination; call_type ''*'' is the default. Without a row the connector''s own steps apply.';

-- Mutable state of a destination, written by its worker and by pause/resume.
CREATE TABLE callsync.destination_state (
	destination pg_catalog.text PRIMARY KEY REFERENCES callsync.destination (name) ON DELETE CASCADE,
	breaker pg_catalog.text NOT NULL DEFAULT 'closed' CHECK (breaker IN ('closed', 'open', 'half_open')),
	breaker_until pg_catalog.timestamptz,
	consecutive_failures pg_catalog.int4 NOT NULL DEFAULT 0,
	throttled_until pg_catalog.timestamptz,
	token_state pg_catalog.text NOT NULL DEFAULT 'static',
	token_expires_at pg_catalog.timestamptz,
	token_refreshed_at pg_catalog.timestamptz,
	limits pg_catalog.jsonb NOT NULL DEFAULT '[]',
	sent pg_catalog.int8 NOT NULL DEFAULT 0,
	confirmed pg_catalog.int8 NOT NULL DEFAULT 0,
	failed pg_catalog.int8 NOT NULL DEFAULT 0,
	last_success_at pg_catalog.timestamptz,
	last_error_at pg_catalog.timestamptz,
	last_error pg_catalog.text,
	last_error_class pg_catalog.text,
	clock_skew pg_catalog.interval,
	updated_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
) WITH (fillfactor = 50);

-- Fields of the destination's objects as its describe call answered (drift is a difference to this).
CREATE TABLE callsync.schema_field (
	destination pg_catalog.text NOT NULL REFERENCES callsync.destination (name) ON DELETE CASCADE,
	object pg_catalog.text NOT NULL,
	field pg_catalog.text NOT NULL,
	definition pg_catalog.jsonb NOT NULL,
	seen_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (destination, object, field)
);
COMMENT ON TABLE callsync.schema_field IS 'Fields of each destination''s objects as it described them last: {"type", "max", "required", "readonly", "unique", "label", "options"}. Values are checked against this before they are sent.';
CREATE TABLE callsync.schema_drift_event (
	id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	destination pg_catalog.text NOT NULL REFERENCES callsync.destination (name) ON DELETE CASCADE,
	object pg_catalog.text NOT NULL,
	field pg_catalog.text NOT NULL,
	change pg_catalog.text NOT NULL,
	detail pg_catalog.text,
	noticed_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	resolved_at pg_catalog.timestamptz,
	definition pg_catalog.jsonb
);
CREATE INDEX schema_drift_event_destination ON callsync.schema_drift_event (destination);
COMMENT ON TABLE callsync.schema_drift_event IS 'Changes of a destination''s fields, behind the view schema_drift. definition: what the field was before.';

CREATE FUNCTION callsync.register_builtin_connector(document pg_catalog.jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO callsync.connector (name, version, document, builtin)
	VALUES (document ->> 'name', document ->> 'version', document, true);
END;
COMMENT ON FUNCTION callsync.register_builtin_connector(jsonb) IS 'Used by the install script only.';
