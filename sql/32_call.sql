-- The merged record of a call: a pure function of the set of its events.

CREATE TABLE callsync.call (
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	status pg_catalog.text NOT NULL
		CHECK (status IN ('unknown', 'in_progress', 'transferred', 'ended', 'failed', 'complete')),
	stage pg_catalog.text NOT NULL
		CHECK (stage IN ('intake', 'extraction', 'validation', 'matching', 'activation')),
	document pg_catalog.jsonb NOT NULL,
	events pg_catalog.text[] NOT NULL DEFAULT '{}',
	expected pg_catalog.text[] NOT NULL DEFAULT '{}',
	started_at pg_catalog.timestamptz,
	ended_at pg_catalog.timestamptz,
	complete_at pg_catalog.timestamptz,
	conflicts pg_catalog.text[] NOT NULL DEFAULT '{}',
	flags pg_catalog.text[] NOT NULL DEFAULT '{}',
	captured_at pg_catalog.timestamptz NOT NULL,
	intake_at pg_catalog.timestamptz,
	extraction_at pg_catalog.timestamptz,
	validation_at pg_catalog.timestamptz,
	matching_at pg_catalog.timestamptz,
	activation_at pg_catalog.timestamptz,
	version pg_catalog.int4 NOT NULL DEFAULT 1,
	last_event_id pg_catalog.int8,
	merge_state pg_catalog.jsonb NOT NULL DEFAULT '{}',
	updated_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	event_ids pg_catalog.int8[] NOT NULL DEFAULT '{}',
	PRIMARY KEY (call_id, source)
) WITH (fillfactor = 55);	-- its first record at a destination writes each row once more
CREATE INDEX call_captured ON callsync.call (captured_at);
COMMENT ON TABLE callsync.call IS
'The merged record of each call: per field the value of the event with the latest event time (ties: event key), whatever the order of arrival. status: unknown, in_progress, transferred, ended, failed, complete. stage with a time each: intake, extraction, validation, matching, activation. merge_state: per field the time and event that won. event_ids: its events, by callsync.event.id.';

CREATE TABLE callsync.person_key (
	key pg_catalog.int8 NOT NULL,
	kind pg_catalog.text NOT NULL CHECK (kind IN ('phone', 'email', 'unknown')),
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	PRIMARY KEY (key, source, call_id)
);
COMMENT ON TABLE callsync.person_key IS 'Which calls belong to a person: hashes of E.164 phone and canonical e-mail. forget() and caller_context() look calls up here.';

CREATE TABLE callsync.validation_result (
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	destination pg_catalog.text NOT NULL,
	step pg_catalog.text NOT NULL,
	field pg_catalog.text NOT NULL,
	rule pg_catalog.text NOT NULL,
	ok pg_catalog.bool NOT NULL,
	source_path pg_catalog.text,
	message pg_catalog.text,
	checked_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (source, call_id, destination, step, field, rule)
);
COMMENT ON TABLE callsync.validation_result IS 'Checks before sending that did not pass as they were (missing, truncated, unknown value ...), per call, destination and field, of the newest plan.';
