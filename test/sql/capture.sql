-- Capture by trigger: what becomes an event, in the user's own transaction.
SET search_path = callsync, public;
SET timezone = 'UTC';
CREATE SCHEMA capture_test;
SET search_path = callsync, capture_test, public;

CREATE TABLE capture_test.calls (
	id text PRIMARY KEY, from_number text, caller_name text, email text, started timestamptz, took interval,
	minutes numeric, answers jsonb, tags text[], vip boolean, local_time timestamp, notes text, seats int
);
SELECT create_source('cap', options => '{"region": "US", "timezone": "Europe/Berlin"}');
SELECT attach('cap', 'capture_test.calls', '{
	"call_id": "id", "caller.phone": "from_number", "caller.name": "caller_name", "$.caller.email": "email",
	"started_at": "started", "duration_s": "took", "answers": "answers", "entities.tags": "tags", "fields.vip": "vip",
	"fields.minutes": "minutes", "ended_at": "local_time", "seat count": "seats"}'::jsonb);
SELECT attach('cap', 'capture_test.calls', '{
	"call_id": "id", "caller.phone": "from_number", "caller.name": "caller_name", "$.caller.email": "email",
	"started_at": "started", "duration_s": "took", "answers": "answers", "entities.tags": "tags", "fields.vip": "vip",
	"fields.minutes": "minutes", "ended_at": "local_time", "\"seat count\"": "seats"}'::jsonb);

CREATE VIEW capture_test.captured AS
SELECT e.call_id, e.type, e.outcome, e.reason, convert_from(e.body, 'UTF8') AS body, e.row_key, coalesce(cardinality(e.person_keys), 0) AS persons,
	(SELECT count(*) FROM outbox o WHERE o.event_id = e.id) AS queued
FROM event e WHERE e.source LIKE 'cap%' ORDER BY e.id;

-- every type, nested paths, quoted keys; NULLs are left out
INSERT INTO calls VALUES ('a1', '(415) 555-2671', E'Ann "Quote"\n\\', 'Ann@example.com', '2026-06-11 15:42:00.5+00', '2 min 3.5 s',
	1.50, '{"budget": "high"}', '{x,"y z"}', true, '2026-06-11 17:44:00', 'not mapped', 3);
INSERT INTO calls (id) VALUES ('a2');
SELECT * FROM captured;

-- a change that is not mapped is none; NULL said by an UPDATE is said in the document
UPDATE calls SET notes = 'still not mapped' WHERE id = 'a1';
UPDATE calls SET caller_name = caller_name WHERE id = 'a1';
UPDATE calls SET email = NULL, vip = false WHERE id = 'a1';
SELECT call_id, body FROM captured OFFSET 2;

-- no call_id: kept, quarantined, not queued
ALTER TABLE calls DROP CONSTRAINT calls_pkey;
ALTER TABLE calls ALTER id DROP NOT NULL;
INSERT INTO calls (caller_name) VALUES ('nobody');
SELECT call_id, outcome, reason, body, queued FROM captured OFFSET 3;
SELECT count(*) FROM event_unusable u JOIN event e ON e.id = u.event_id WHERE e.source = 'cap';

-- ROLLBACK and savepoints leave nothing
BEGIN;
INSERT INTO calls (id) VALUES ('rolled back');
SAVEPOINT s;
INSERT INTO calls (id) VALUES ('rolled back too');
ROLLBACK TO s;
ROLLBACK;
BEGIN;
INSERT INTO calls (id) VALUES ('kept');
SAVEPOINT s;
INSERT INTO calls (id) VALUES ('gone');
ROLLBACK TO s;
COMMIT;
SELECT call_id, queued FROM captured OFFSET 4;

-- COPY, ON CONFLICT, MERGE
ALTER TABLE calls ADD UNIQUE (id);
COPY calls (id, caller_name) FROM stdin;
c1	Copied One
c2	Copied Two
\.
INSERT INTO calls (id, caller_name) VALUES ('c1', 'Conflict') ON CONFLICT (id) DO UPDATE SET caller_name = EXCLUDED.caller_name;
INSERT INTO calls (id, caller_name) VALUES ('c1', 'Nothing') ON CONFLICT DO NOTHING;
MERGE INTO calls c USING (VALUES ('c2', 'Merged'), ('c3', 'Merged in')) v(id, name) ON c.id = v.id
WHEN MATCHED THEN UPDATE SET caller_name = v.name WHEN NOT MATCHED THEN INSERT (id, caller_name) VALUES (v.id, v.name);
SELECT call_id, body FROM captured OFFSET 5;

-- a renamed or dropped column is a missing key, never an error
ALTER TABLE calls RENAME caller_name TO who;
ALTER TABLE calls DROP COLUMN email;
INSERT INTO calls (id, who, seats) VALUES ('d1', 'Renamed', 2);
SELECT call_id, body FROM captured OFFSET 10;

-- partitions: through the root, straight into one, moved, and one that came later
CREATE TABLE capture_test.parted (id text, day date, who text) PARTITION BY RANGE (day);
CREATE TABLE capture_test.p1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
SELECT create_source('cap_parted');
SELECT attach('cap_parted', 'parted', '{"call_id": "id", "caller.name": "who", "fields.day": "day"}');
-- other order of columns
CREATE TABLE capture_test.p2 (who text, extra int, day date, id text);
ALTER TABLE p2 DROP COLUMN extra;
ALTER TABLE parted ATTACH PARTITION p2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO parted VALUES ('p-root', '2026-01-05', 'Root');
INSERT INTO p1 VALUES ('p-direct', '2026-01-06', 'Direct');
INSERT INTO parted VALUES ('p-late', '2026-02-05', 'Late');
UPDATE parted SET day = '2026-02-07' WHERE id = 'p-root';
SELECT call_id, body FROM captured OFFSET 11;
SELECT tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgfoid = 'callsync.capture()'::regprocedure ORDER BY 1;

-- by reference: the key is kept, not the values
CREATE TABLE capture_test.refs (a int, b text, id text, who text, PRIMARY KEY (a, b));
SELECT create_source('cap_ref');
SELECT attach('cap_ref', 'refs', '{"call_id": "id", "caller.name": "who"}', 'reference');
INSERT INTO refs VALUES (1, 'x"y', 'r1', 'Ref');
SELECT call_id, body, row_key, queued FROM captured OFFSET 15;

-- any user's INSERT works, and it needs no right on callsync's tables
CREATE ROLE capture_writer;
GRANT USAGE ON SCHEMA capture_test TO capture_writer;
GRANT INSERT ON calls TO capture_writer;
SET ROLE capture_writer;
INSERT INTO capture_test.calls (id) VALUES ('by writer');
SELECT count(*) FROM callsync.event;
RESET ROLE;
SELECT call_id, queued FROM captured OFFSET 16;

-- an event type and an event time of its own
CREATE TABLE capture_test.typed (id text, kind text, at timestamptz);
SELECT create_source('cap_typed', options => '{"event_type": "call.started"}');
SELECT attach('cap_typed', 'typed', '{"call_id": "id", "event_type": "kind", "timestamp": "at"}');
INSERT INTO typed VALUES ('t1', NULL, '2026-01-01 10:00+00'), ('t1', 'call.ended', '2026-01-01 10:05+00');
SELECT call_id, type, event_time, convert_from(body, 'UTF8') FROM event WHERE source = 'cap_typed' ORDER BY id;

-- backfill of rows that were there before
CREATE TABLE capture_test.old (id text, started timestamptz);
INSERT INTO old SELECT 'o' || i, '2026-03-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 5) i;
INSERT INTO old VALUES (NULL, '2026-03-03');
SELECT create_source('cap_old');
SELECT attach('cap_old', 'old', '{"call_id": "id", "started_at": "started"}');
INSERT INTO old VALUES ('o6', '2026-03-03');
SELECT * FROM backfill('cap_old', '2026-03-03', '2026-03-06');
SELECT * FROM backfill('cap_old', '2026-03-03', '2026-03-06', dry_run => false);
SELECT * FROM backfill('cap_old', '2026-03-03', '2026-03-06', dry_run => false);
SELECT call_id, outcome, (SELECT o.origin FROM outbox o WHERE o.event_id = e.id) FROM event e WHERE source = 'cap_old' ORDER BY id;

-- append-only for everybody
UPDATE event SET call_id = 'x' WHERE source = 'cap';
DELETE FROM event WHERE source = 'cap';
TRUNCATE event;

-- detach
SELECT detach('capture_test.calls');
INSERT INTO calls (id) VALUES ('after detach');
SELECT count(*) FROM event WHERE call_id = 'after detach';
SELECT detach('capture_test.calls');

-- bad input
\set SHOW_CONTEXT never
SELECT create_source('');
SELECT create_source('cap');
SELECT create_source('x', 'carrier_pigeon');
SELECT create_source('x', 'table', '{"regoin": "US"}');
SELECT create_source('x', 'table', '{"region": "usa"}');
SELECT create_source('x', 'table', '{"timezone": "Mars/Olympus"}');
SELECT create_source('x', 'table', '{"event_type": "call.vanished"}');
SELECT create_source('x', 'table', '{"incomplete_after": "soon"}');
CREATE TABLE capture_test.nokey (id text, notes text);
SELECT attach('nowhere', 'typed', '{"call_id": "id"}');
SELECT attach('cap', 'capture_test.nokey', '{"call_id": "idd"}');
SELECT attach('cap', 'capture_test.nokey', '{"caller.name": "id"}');
SELECT attach('cap', 'capture_test.typed', '{"call_id": "id"}');
SELECT attach('cap', 'capture_test.captured', '{"call_id": "id"}');
SELECT attach('cap', 'callsync.call', '{"call_id": "call_id"}');
SELECT attach('cap', 'capture_test.nokey', '{"call_id": "id"}', 'telepathy');
SELECT attach('cap', 'capture_test.nokey', '["id"]');
SELECT attach('cap', 'capture_test.nokey', '{"call_id": "id", "timestamp": "notes"}');
SELECT attach('cap', 'capture_test.nokey', '{"call_id": "id", "caller..name": "notes"}');
SELECT attach('cap', 'capture_test.nokey', '{"call_id": "id"}', 'reference');
SELECT backfill('nowhere', '2026-01-01', '2026-02-01');
SELECT backfill('cap_typed', '2026-01-01', '2026-02-01');
SELECT backfill('cap_parted', '2026-01-01', '2026-02-01');
CREATE TRIGGER by_hand AFTER INSERT ON capture_test.nokey FOR EACH ROW EXECUTE FUNCTION callsync.capture();
INSERT INTO capture_test.nokey VALUES ('1');

DROP TABLE capture_test.calls, capture_test.parted, capture_test.refs, capture_test.typed, capture_test.old, capture_test.nokey CASCADE;
DROP SCHEMA capture_test CASCADE;
DROP ROLE capture_writer;
DELETE FROM outbox;
