-- Deliveries, their attempts, and the state that people look at.
--
-- History (delivery, attempt, attempt_end) is partitioned by the day of the outbox row, which every
-- child row carries, so that look-ups prune. Partitions are made by make_partitions(), called by the
-- worker, days ahead, never by the install script (they would belong to the extension).
--
-- The parents have no indexes, each partition has its own: pg_restore attaches the partitions to
-- parents that CREATE EXTENSION has just made, and indexes of the parent would be made then for
-- each of them, in the way of those that are in the dump.

CREATE SEQUENCE callsync.delivery_id;
CREATE SEQUENCE callsync.request_id;

CREATE TABLE callsync.delivery (
	day pg_catalog.date NOT NULL,
	id pg_catalog.int8 NOT NULL,
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	destination pg_catalog.text NOT NULL,
	step pg_catalog.text NOT NULL,
	object pg_catalog.text NOT NULL,
	operation pg_catalog.text NOT NULL,
	state pg_catalog.text NOT NULL,
	record_id pg_catalog.text,
	depends_on pg_catalog.int8[] NOT NULL DEFAULT '{}',
	idempotency_key pg_catalog.text NOT NULL,
	attempts pg_catalog.int4 NOT NULL DEFAULT 0,
	confirmation pg_catalog.text,
	created_at pg_catalog.timestamptz NOT NULL,
	settled_at pg_catalog.timestamptz,
	shard pg_catalog.int2 NOT NULL,
	priority pg_catalog.int2 NOT NULL,
	origin pg_catalog.text NOT NULL,
	ordering_key pg_catalog.text NOT NULL,
	call_version pg_catalog.int4 NOT NULL,
	map_version pg_catalog.int4 NOT NULL,
	fields pg_catalog.jsonb NOT NULL,
	context pg_catalog.jsonb NOT NULL DEFAULT '{}',
	field_results pg_catalog.jsonb,
	error_class pg_catalog.text,
	http_status pg_catalog.int4,
	last_error pg_catalog.text,
	remedy pg_catalog.text,
	next_attempt_at pg_catalog.timestamptz,
	trace_id pg_catalog.text
) PARTITION BY RANGE (day);
COMMENT ON TABLE callsync.delivery IS
'One step of a call for one destination. state: waiting (for an earlier step), ready, sending, waiting_retry, in_doubt, confirming, then one of confirmed, sent (no read-back at this confirmation level), partial, failed, dead, superseded, skipped, cancelled, held. fields: the mapped values that were or will be sent. context: ids and values the templates need. field_results: packed result per field, only where it is not simply confirmed.';

-- The unsettled deliveries. One small row each, gone when the delivery is settled;
-- worker start and memory overflow read it, so that memory stays flat with any backlog.
CREATE TABLE callsync.queue (
	delivery_id pg_catalog.int8 PRIMARY KEY,
	day pg_catalog.date NOT NULL,
	shard pg_catalog.int2 NOT NULL,
	destination pg_catalog.text NOT NULL,
	priority pg_catalog.int2 NOT NULL,
	due_at pg_catalog.timestamptz NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX queue_order ON callsync.queue (destination, priority, delivery_id);

-- Append-only, two rows a try: the start is committed before the request leaves, so after a crash
-- "started, no end" is exactly the set whose outcome is unknown.
CREATE TABLE callsync.attempt (
	day pg_catalog.date NOT NULL,
	delivery_id pg_catalog.int8 NOT NULL,
	n pg_catalog.int4 NOT NULL,
	kind pg_catalog.text NOT NULL,
	try pg_catalog.int4 NOT NULL,
	request_id pg_catalog.int8 NOT NULL,
	carrier pg_catalog.bool NOT NULL DEFAULT true,
	started_at pg_catalog.timestamptz NOT NULL,
	destination pg_catalog.text NOT NULL,
	method pg_catalog.text NOT NULL,
	url pg_catalog.text NOT NULL,
	headers pg_catalog.jsonb,
	body pg_catalog.bytea,
	worker pg_catalog.text NOT NULL,
	carrier_id pg_catalog.int8,
	items pg_catalog.int4 NOT NULL DEFAULT 1
) PARTITION BY RANGE (day);
COMMENT ON TABLE callsync.attempt IS
'Starts of HTTP exchanges, committed before the request leaves. kind: send, lookup (is our record there?), read_back, find (who is the caller?). carrier: the row that stores headers and body of the exchange, which carried "items" deliveries; the rows of the others name its delivery in carrier_id.';

CREATE TABLE callsync.attempt_end (
	day pg_catalog.date NOT NULL,
	delivery_id pg_catalog.int8 NOT NULL,
	n pg_catalog.int4 NOT NULL,
	finished_at pg_catalog.timestamptz NOT NULL,
	http_status pg_catalog.int4,
	outcome pg_catalog.text NOT NULL,
	error_class pg_catalog.text,
	message pg_catalog.text,
	response pg_catalog.bytea,
	response_headers pg_catalog.jsonb,
	duration_ms pg_catalog.float8
) PARTITION BY RANGE (day);

-- Exchanges of a destination that belong to no delivery (tokens, describe, changes).
CREATE TABLE callsync.service_request (
	request_id pg_catalog.int8 PRIMARY KEY,
	destination pg_catalog.text NOT NULL,
	kind pg_catalog.text NOT NULL,
	started_at pg_catalog.timestamptz NOT NULL,
	finished_at pg_catalog.timestamptz,
	method pg_catalog.text NOT NULL,
	url pg_catalog.text NOT NULL,
	http_status pg_catalog.int4,
	outcome pg_catalog.text,
	error_class pg_catalog.text,
	message pg_catalog.text,
	duration_ms pg_catalog.float8,
	worker pg_catalog.text
);

-- Deliveries that no retry will mend. Never pruned by default; redrive() or people take them out.
CREATE TABLE callsync.dead_letter (
	delivery_id pg_catalog.int8 PRIMARY KEY,
	day pg_catalog.date NOT NULL,
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	destination pg_catalog.text NOT NULL,
	step pg_catalog.text NOT NULL,
	object pg_catalog.text NOT NULL,
	operation pg_catalog.text NOT NULL,
	idempotency_key pg_catalog.text NOT NULL,
	error_class pg_catalog.text NOT NULL,
	http_status pg_catalog.int4,
	last_error pg_catalog.text,
	remedy pg_catalog.text,
	attempts pg_catalog.int4 NOT NULL,
	fields pg_catalog.jsonb NOT NULL,
	dead_at pg_catalog.timestamptz NOT NULL,
	redriven_at pg_catalog.timestamptz
);
CREATE INDEX dead_letter_call ON callsync.dead_letter (call_id, source);
CREATE INDEX dead_letter_open ON callsync.dead_letter (destination, dead_at) WHERE redriven_at IS NULL;

-- One row per call and destination: what people look at. Half of each page is left for the versions that
-- settling makes of its rows, all at about the same time. Written by the worker in the settle
-- transaction; derived and rebuildable from the tables above.
CREATE TABLE callsync.sync_state (
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	destination pg_catalog.text NOT NULL,
	status pg_catalog.text NOT NULL,
	failure_kind pg_catalog.text,
	stage pg_catalog.text NOT NULL,
	match_decision pg_catalog.text,
	match_probability pg_catalog.float8,
	contact_record_id pg_catalog.text,
	records pg_catalog.jsonb NOT NULL DEFAULT '{}',
	missing_fields pg_catalog.text[] NOT NULL DEFAULT '{}',
	steps pg_catalog.jsonb NOT NULL DEFAULT '{}',
	attempts pg_catalog.int4 NOT NULL DEFAULT 0,
	error_class pg_catalog.text,
	last_error pg_catalog.text,
	remedy pg_catalog.text,
	next_attempt_at pg_catalog.timestamptz,
	captured_at pg_catalog.timestamptz NOT NULL,
	ended_at pg_catalog.timestamptz,
	synced_at pg_catalog.timestamptz,
	map_version pg_catalog.int4,
	trace_id pg_catalog.text,
	call_version pg_catalog.int4 NOT NULL DEFAULT 0,
	day pg_catalog.date NOT NULL,
	updated_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	-- people ask by call_id alone as often as with its source
	PRIMARY KEY (call_id, source, destination)
) WITH (fillfactor = 50);
CREATE INDEX sync_state_captured ON callsync.sync_state (captured_at);
CREATE INDEX sync_state_ended ON callsync.sync_state (ended_at);
CREATE INDEX sync_state_error ON callsync.sync_state (destination, error_class) WHERE error_class IS NOT NULL;
COMMENT ON TABLE callsync.sync_state IS 'State per call and destination behind the view call_sync. steps: per step the newest delivery, its day, state and record id.';

-- The record that a step of a call became at a destination: later versions of the call update it.
CREATE TABLE callsync.record_link (
	destination pg_catalog.text NOT NULL,
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	step pg_catalog.text NOT NULL,
	object pg_catalog.text NOT NULL,
	record_id pg_catalog.text NOT NULL,
	idempotency_key pg_catalog.text NOT NULL,
	linked_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (destination, source, call_id, step)
);

-- Which contact an identity (a phone line, a mailbox) became, also while the create is under way:
-- two first calls of one unknown caller meet here.
CREATE TABLE callsync.contact_link (
	destination pg_catalog.text NOT NULL,
	identity pg_catalog.text NOT NULL,
	contact_key pg_catalog.text NOT NULL,
	contact_id pg_catalog.text,
	linked_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (destination, identity)
) WITH (fillfactor = 80);
CREATE INDEX contact_link_key ON callsync.contact_link (destination, contact_key);
CREATE INDEX contact_link_id ON callsync.contact_link (destination, contact_id) WHERE contact_id IS NOT NULL;
COMMENT ON TABLE callsync.contact_link IS
'Which contact something belongs to: identity is a contact''s key itself, or call:SOURCE/CALL_ID, or surplus:SOURCE/CALL_ID for a contact that was written for a call before a person said that it was somebody else''s. contact_key: the idempotency key under which the contact is upserted (tel:+E.164, mailto:address, call:SOURCE/CALL_ID where the caller is ambiguous). contact_id: NULL until the CRM has answered; then set on all rows of the key.';

CREATE FUNCTION callsync.make_partitions(first pg_catalog.date, last pg_catalog.date) RETURNS pg_catalog.int4
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	d date;
	parent text;
	child text;
	made int := 0;
BEGIN
	IF last - first > 400 THEN
		RAISE EXCEPTION 'cannot make more than 400 days of partitions at once' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR d IN SELECT g::date FROM generate_series(first::timestamp, last::timestamp, interval '1 day') g LOOP
		FOREACH parent IN ARRAY ARRAY['delivery', 'attempt', 'attempt_end'] LOOP
			child := parent || '_' || to_char(d, 'YYYYMMDD');
			IF to_regclass(format('callsync.%I', child)) IS NULL THEN
				-- two workers may want the same day at once
				PERFORM pg_advisory_xact_lock(x.classoid, x.objoid)
				FROM (SELECT 1129530457 AS classoid, hashtext(child) AS objoid) x;
				-- not to_regclass(): its cache still says what was so before the wait
				IF NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.relname = child AND c.relnamespace = 'callsync'::regnamespace) THEN
					-- every delivery is written once more, when it is settled, and all of a page at about the
					-- same time: with room for that the new versions stay on it, and no index is touched
					-- not CREATE .. PARTITION OF: that would lock the parent against readers
					EXECUTE format('CREATE TABLE callsync.%I (LIKE callsync.%I INCLUDING ALL) WITH (%s)',
						child, parent, CASE parent WHEN 'delivery' THEN 'fillfactor = 50' ELSE 'fillfactor = 100' END);
					EXECUTE format('ALTER TABLE callsync.%I ADD PRIMARY KEY (%s)', child,
						CASE parent WHEN 'delivery' THEN 'id, day' ELSE 'delivery_id, n, day' END);
					IF parent = 'delivery' THEN
						-- by call alone as well: people know the call, not always its source
						EXECUTE format('CREATE INDEX ON callsync.%I (call_id, source)', child);
					END IF;
					EXECUTE format('ALTER TABLE callsync.%I ATTACH PARTITION callsync.%I FOR VALUES FROM (%L) TO (%L)',
						parent, child, d, d + 1);
					-- the worker goes straight to the day it means
					EXECUTE format('GRANT SELECT, INSERT, UPDATE ON callsync.%I TO callsync_worker', child);
					made := made + 1;
				END IF;
			END IF;
		END LOOP;
	END LOOP;
	RETURN made;
END
$f$;
COMMENT ON FUNCTION callsync.make_partitions(date, date) IS 'Makes the day partitions of delivery, attempt and attempt_end from first to last where they are missing; returns how many were made. The worker calls it days ahead.';
