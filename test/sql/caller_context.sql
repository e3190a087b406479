-- What a receptionist is told while the phone rings.
SET search_path = callsync, public;
SET timezone = 'UTC';
\set SHOW_CONTEXT never
INSERT INTO contact (destination, contact_id, first_name, last_name, email, phone, mobile_phone, account_id, owner_id, flags, fields, remote_updated_at) VALUES
	('t_ctx', 'ada', 'Ada', 'Byron', 'ada@example.com', '+1 415-555-2671', '+14155550133', 'acme', 'olga', '{"vip": true, "tier": "gold"}', '{"plan": "comfort"}', '2026-01-02 03:04:05Z'),
	('t_ctx', 'tom', 'Tom', 'Ng', NULL, '(415) 555-2672', NULL, NULL, NULL, '{}', '{}', NULL),
	('t_ctx', 'li', 'Li', 'Ng', NULL, '(415) 555-2672', NULL, NULL, NULL, '{}', '{}', NULL),
	('t_ctx2', 'ada2', 'Ada', 'Byron', NULL, '+14155550133', NULL, NULL, NULL, '{}', '{}', NULL);
INSERT INTO related_record (destination, object, record_id, contact_id, account_id, title, status, is_open, amount, due_at, happened_at) VALUES
	('t_ctx', 'opportunity', 'o1', 'ada', NULL, 'Heat pump', 'proposal', true, 9000, NULL, NULL),
	('t_ctx', 'opportunity', 'o2', 'ada', NULL, 'Boiler', 'lost', false, 700, NULL, '2025-05-05Z'),
	('t_ctx', 'opportunity', 'o3', 'tom', NULL, 'Of somebody else', 'new', true, 1, NULL, NULL),
	('t_ctx', 'ticket', 't1', NULL, 'acme', 'Leak', 'solved', false, NULL, NULL, '2026-02-01Z'),
	('t_ctx', 'ticket', 't2', 'ada', NULL, 'No heat', 'waiting', true, NULL, NULL, NULL),
	('t_ctx', 'task', 'k1', 'ada', NULL, 'Call back', 'open', true, NULL, '2026-03-01Z', NULL),
	('t_ctx', 'note', 'n1', 'ada', NULL, 'Prefers mornings', NULL, false, NULL, NULL, '2026-02-03Z');
-- two calls from her second number, one of a stranger
INSERT INTO call (source, call_id, status, stage, document, started_at, captured_at) VALUES
	('t_src', 'c1', 'complete', 'activation', '{"summary": "Wants a quote.", "direction": "inbound", "caller": {"phone": "+14155550133", "name": "Ada"}, "ticket": {"id": "t2"}}', '2026-02-04 10:00Z', '2026-02-04 10:05Z'),
	('t_src', 'c2', 'complete', 'activation', '{"summary": "Asked about the quote.", "caller": {"phone": "+14155550133"}}', '2026-02-05 10:00Z', '2026-02-05 10:05Z'),
	('t_src', 'c3', 'complete', 'activation', '{"summary": "Wrong number.", "caller": {"phone": "+14155559999"}}', NULL, '2026-02-06 10:05Z');
INSERT INTO person_key (key, kind, source, call_id)
SELECT phone_person_key(c.document #>> '{caller,phone}'), 'phone', c.source, c.call_id FROM call c WHERE c.source = 't_src';

SELECT jsonb_pretty(caller_context('(415) 555-2671', 'US', 't_ctx') - 'probability');
-- two on one line: nobody is greeted by a guess
SELECT jsonb_pretty(jsonb_path_query_array(c, '$.candidates[*].name')), c ->> 'status' AS status, c -> 'contact' AS contact, c ->> 'reason' AS reason, c -> 'returning' AS returning
FROM caller_context('415 555 2672', 'US', 't_ctx') c;
-- not on file, but called before
SELECT c ->> 'status' AS status, c ->> 'phone' AS phone, c -> 'contact' AS contact, c -> 'returning' AS returning, c #> '{last_calls,0,summary}' AS summary, c #>> '{last_touchpoint,kind}' AS touch
FROM caller_context('+14155559999') c;
SELECT c ->> 'status' AS status, c -> 'returning' AS returning, c -> 'last_touchpoint' AS touch FROM caller_context('+14155558888', NULL, 't_ctx') c;
SELECT p AS phone, c ->> 'status' AS status, c -> 'contact' AS contact
FROM unnest(ARRAY['anonymous', '', NULL, 'Restricted', '12', '911', 'no number']) p, caller_context(p, 'US', 't_ctx') c;
-- all destinations: the one that knows best answers, the others are named
SELECT c ->> 'destination' AS destination, jsonb_path_query_array(c, '$.destinations[*].destination') AS all_of_them
FROM caller_context('+14155550133') c;
-- no record of hers, and the flags that route
SELECT c -> 'vip' AS vip, c -> 'flags' AS flags, c -> 'open_opportunities' AS opportunities FROM caller_context('+14155550133', NULL, 't_ctx2') c;
SELECT caller_context('+14155550133', NULL, 't_nowhere');
-- who may ask
CREATE ROLE t_ctx_reader IN ROLE callsync_reader;
CREATE ROLE t_ctx_other;
SET ROLE t_ctx_reader;
SELECT caller_context('(415) 555-2671', 'US', 't_ctx') ->> 'status' AS status;
INSERT INTO related_record (destination, object, record_id) VALUES ('t_ctx', 'note', 'x');
SET ROLE t_ctx_other;
SELECT caller_context('(415) 555-2671', 'US', 't_ctx') ->> 'status' AS status;
RESET ROLE;
DROP ROLE t_ctx_reader, t_ctx_other;
DELETE FROM contact WHERE destination LIKE 't\_ctx%';
DELETE FROM related_record WHERE destination LIKE 't\_ctx%';
DELETE FROM call WHERE source = 't_src';
DELETE FROM person_key WHERE source = 't_src';
