-- Sources: where calls come from.

CREATE TABLE callsync.source (
	name pg_catalog.text PRIMARY KEY CHECK (name OPERATOR(pg_catalog.<>) ''),
	kind pg_catalog.text NOT NULL,
	options pg_catalog.jsonb NOT NULL DEFAULT '{}',
	created_by pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	created_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE callsync.source IS
'One row per source of calls. kind: table (rows of a user''s table, see attach) or the kind of webhook that ingest() takes. options: region (default region of phone numbers, ISO 3166-1), event_type and expected (defaults for table sources), tolerance and scheme parameters for webhooks.';

CREATE TABLE callsync.source_table (
	call_table pg_catalog.regclass PRIMARY KEY,
	source pg_catalog.text NOT NULL REFERENCES callsync.source (name),
	columns pg_catalog.jsonb NOT NULL,
	capture pg_catalog.text NOT NULL CHECK (capture IN ('snapshot', 'reference')),
	key_columns pg_catalog.text[],
	attached_by pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	attached_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX source_table_source ON callsync.source_table (source);
COMMENT ON TABLE callsync.source_table IS
'Tables that attach() put a capture trigger on. columns: {call-document path: column}. key_columns: the primary key, by which a reference is read again.';

-- What arrived. Append-only: the trigger below refuses UPDATE and DELETE to every
-- role; forget() and retention are the only paths past it.
-- Written by C inside the user's transaction (src/store/append.c) in this order of columns,
-- without CHECK, partial or expression indexes: preparing those would cost more than the insert.
-- outcome: accepted, duplicate, rejected, quarantined.
CREATE TABLE callsync.event (
	id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text,
	type pg_catalog.text,
	event_time pg_catalog.timestamptz,
	received_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	body pg_catalog.bytea,
	headers pg_catalog.jsonb,
	signature_ok pg_catalog.bool,
	outcome pg_catalog.text NOT NULL DEFAULT 'accepted',
	reason pg_catalog.text,
	event_key pg_catalog.text,
	body_sha256 pg_catalog.bytea,
	body_bytes pg_catalog.int8,
	row_key pg_catalog.text,
	call_table pg_catalog.oid,
	person_keys pg_catalog.int8[],
	tie_break pg_catalog.int8 NOT NULL DEFAULT 0
);
COMMENT ON TABLE callsync.event IS
'Append-only log of what arrived, one row each. body: the bytes as received with configured secrets overwritten by asterisks (webhooks), or the call document as JSON text (table sources, capture snapshot); NULL with row_key set: capture reference. event_key: the sender''s id of the event or of its webhook. person_keys: hashes of phone and e-mail, so that a person can be found everywhere. The events of a call are call.event_ids: an index on call_id would cost every writer a third of the capture; make your own where you need one.';
COMMENT ON COLUMN callsync.event.tie_break IS 'Orders events of equal event_time independent of their arrival: hash of event_key or body.';

-- Captured changes that no worker has planned yet. Insert-only, no state: a claim reads,
-- and the row is deleted in the transaction that plans it. Ids must be dense (CACHE 1, identity
-- ALWAYS, the xid assigned before the id is drawn): the gap cursor of the worker counts on it.
CREATE TABLE callsync.outbox (
	id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
	shard pg_catalog.int2 NOT NULL,
	origin pg_catalog.text NOT NULL DEFAULT 'live',
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	event_id pg_catalog.int8,
	destination pg_catalog.text,
	detail pg_catalog.jsonb,
	captured_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
	autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);
COMMENT ON TABLE callsync.outbox IS
'Captured changes that are not planned yet. origin: live, backfill, replay, resync, redrive, review, release, reconcile; destination NULL means all destinations. shard: hash of source and call_id modulo 64, so that one call is always planned by one worker.';

-- What could not become a call: kept in event, listed here, never an error for the writer.
CREATE TABLE callsync.event_unusable (
	event_id pg_catalog.int8 PRIMARY KEY,
	noticed_at pg_catalog.timestamptz NOT NULL
);
COMMENT ON TABLE callsync.event_unusable IS 'Ids of events with outcome rejected or quarantined.';

CREATE FUNCTION callsync.event_append_only() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	IF pg_catalog.current_setting('callsync.forgetting', true) = 'on'
	   AND pg_catalog.pg_has_role(CURRENT_USER,
			(SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
		RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
	END IF;
	RAISE EXCEPTION 'cannot % rows of callsync.event', pg_catalog.lower(TG_OP)
		USING ERRCODE = 'insufficient_privilege',
		      DETAIL = 'The log of what arrived is append-only for every role.',
		      HINT = 'To remove a person use callsync.forget(); old rows leave by the retention settings.';
END
$f$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON callsync.event
	FOR EACH ROW EXECUTE FUNCTION callsync.event_append_only();
CREATE FUNCTION callsync.event_no_truncate() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	RAISE EXCEPTION 'cannot truncate callsync.event'
		USING ERRCODE = 'insufficient_privilege',
		      DETAIL = 'The log of what arrived is append-only for every role.',
		      HINT = 'To remove a person use callsync.forget(); old rows leave by the retention settings.';
END
$f$;
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON callsync.event
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.event_no_truncate();
