-- Webhooks: verdicts, duplicates, what is kept and what is masked. Signatures: test/t/040_ingest.pl
SET search_path = callsync, public;
SET timezone = 'UTC';
\set SHOW_CONTEXT never
SELECT create_source('ing', 'generic', '{"mask": ["caller.ssn"]}');
CREATE FUNCTION pg_temp.hook(source text, body text, headers jsonb DEFAULT '{}') RETURNS TABLE (status text, call_id text, reason text)
LANGUAGE sql AS $$ SELECT i.status, i.call_id, i.reason FROM callsync.ingest(source, convert_to(body, 'UTF8'), headers) i $$;

-- an event of a call; the same again is a no-op, as is the same event id with other bytes
SELECT * FROM pg_temp.hook('ing', '{"event_type": "call_started", "call_id": "c1", "timestamp": "2026-06-11T15:41:00Z"}');
SELECT status, call_id, event_id = (SELECT min(id) FROM event WHERE source = 'ing') AS the_first, reason LIKE 'same as event %' AS says_so
FROM ingest('ing', '{"event_type": "call_started", "call_id": "c1", "timestamp": "2026-06-11T15:41:00Z"}');
SELECT * FROM pg_temp.hook('ing', '{"call_id": "c2", "event_id": "1"}');
SELECT status, call_id, regexp_replace(reason, '\d+', 'N') AS reason FROM pg_temp.hook('ing', '{"call_id": "c2", "event_id": "1", "summary": "other bytes"}');
-- ids are counted per call
SELECT * FROM pg_temp.hook('ing', '{"call_id": "c3", "event_id": "1"}');
SELECT call_id, type, event_time, outcome, signature_ok, event_key, body_bytes, body IS NULL AS without_body,
	(SELECT count(*) FROM outbox o WHERE o.event_id = e.id) AS queued
FROM event e WHERE source = 'ing' ORDER BY id;

-- authentic but unusable: kept, with the reason
SELECT * FROM pg_temp.hook('ing', '{"summary": "no id"}');
SELECT * FROM pg_temp.hook('ing', '{"call_id": ');
SELECT * FROM pg_temp.hook('ing', '');
SELECT * FROM pg_temp.hook('ing', '[{"call_id": "c1"}]');
SELECT * FROM pg_temp.hook('ing', '{"call_id": "a", "call_id": "b"}');
SELECT * FROM pg_temp.hook('ing', '{"call_id": "a\u0000b"}');
SELECT * FROM pg_temp.hook('ing', '{"call_id": "a", "n": 1e999}');
SELECT * FROM pg_temp.hook('ing', '{"call_id": "a", "deep": ' || repeat('[', 10000) || repeat(']', 10000) || '}');
SELECT * FROM pg_temp.hook('ing', '{"call_id": {"not": "a text"}}');
SELECT status, call_id, reason FROM ingest('ing', '\x7b2263616c6c5f6964223a22ff227d');
SELECT status, call_id, reason FROM ingest('ing', NULL);
-- refused: kept as well, over the cap only hash and size
SELECT * FROM pg_temp.hook('nobody', '{"call_id": "c1"}');
SELECT * FROM pg_temp.hook(NULL, '{"call_id": "c1"}');
SELECT * FROM pg_temp.hook('ing', '{"call_id": "c1", "x": "' || repeat('x', 5000000) || '"}');
SELECT source, outcome, reason, body_bytes, body IS NULL AS without_body, length(body_sha256) AS hash
FROM event e JOIN event_unusable u ON u.event_id = e.id WHERE source IN ('ing', 'nobody', '') ORDER BY id;
-- numbers beyond 64 bits keep their digits, headers of any shape are no error
SELECT status, call_id FROM ingest('ing', '{"call_id": 12345678901234567890123}', '[1, {"a": [2]}]');
SELECT status, call_id FROM ingest('ing', '{"call_id": "h1"}', '{"a": 1e999}');
SELECT status, call_id FROM ingest('ing', 'call_id=f1&event_type=call_ended&summary=a+b%20c%C3%A9', '{"Content-Type": "application/x-www-form-urlencoded"}');

-- secrets are overwritten in place, everything else stays
SELECT status FROM ingest('ing', convert_to('{"call_id": "s1", "auth": {"type": "Bearer", "token": "canary-1"}, "caller": {"ssn": "canary-2", "name": "Zoë"},
	"note": "{\"api_key\":\"canary-3\"}"}', 'UTF8'),
	'{"Authorization": "Bearer canary-4", "X-Api-Key": "canary-5", "X-Request-Id": "r1"}', 'https://x.example/hook?token=canary-6&a=b');
SELECT status FROM ingest('ing', '{"auth": {"token": "canary-7');
SELECT convert_from(body, 'UTF8') AS body, headers FROM event WHERE source = 'ing' AND call_id = 's1';
SELECT convert_from(body, 'UTF8') AS body, body_sha256 = sha256('{"auth": {"token": "canary-7') AS hash_of_what_came
FROM (SELECT * FROM event WHERE source = 'ing' ORDER BY id DESC LIMIT 1) e;
SELECT count(*) FROM event e WHERE e::text LIKE '%canary%' OR position('canary'::bytea IN coalesce(body, '')) > 0;

-- append-only, for the owner too
UPDATE event SET type = 'x' WHERE source = 'ing';
DELETE FROM event WHERE source = 'ing';
TRUNCATE event;

-- messages that are no event of a call are kept and not merged
SELECT create_source('ing-vapi', 'vapi', '{"unsigned": true}');
SELECT * FROM pg_temp.hook('ing-vapi', '{"message": {"type": "conversation-update", "call": {"id": "v1"}}}');
SELECT outcome, type, (SELECT count(*) FROM outbox o WHERE o.event_id = e.id) AS queued FROM event e WHERE source = 'ing-vapi';
-- a platform without its secret set is not believed
SELECT create_source('ing-retell', 'retell');
SELECT * FROM pg_temp.hook('ing-retell', '{"event": "call_started", "call": {"call_id": "r1"}}');
-- a table source takes no webhooks
SELECT create_source('ing-table');
SELECT * FROM pg_temp.hook('ing-table', '{"call_id": "t1"}');

-- what a source makes of a body
SELECT verdict, reason, call_id, types, event_time, event_key, jsonb_pretty(document) FROM read_webhook('ing', '{"event_type": "call_completed", "timestamp": "2026-06-11T15:42:00Z", "event_id": "e7",
	"call_id": "c9", "caller": {"phone": "+15551234567"}, "fields": {"intent": "quote"}, "follow_up_task": {"due_date": "2026-06-12"}, "crm_object": "Lead"}');
SELECT verdict, reason, call_id, types, document FROM read_webhook('ing', '{"call_id": ""}');
SELECT verdict, reason, types FROM read_webhook('ing-vapi', '{"message": {"type": "speech-update"}}');
SELECT * FROM read_webhook('ing-table', '{}');
SELECT * FROM read_webhook('nobody', '{}');

-- options are laid over the preset and checked when they are set
SELECT create_source('ing-own', 'generic', '{"event": {"call_id": ["/id"]}, "map": {"caller.name": "/who", "duration_s": {"from": "/min", "unit": "min"}},
	"event_type": "call.started", "expected": ["call.started"], "max_body_bytes": 100}');
SELECT call_id, types, document FROM read_webhook('ing-own', '{"id": 7, "who": "Ada", "min": 1.5}');
SELECT * FROM pg_temp.hook('ing-own', repeat(' ', 101));
SELECT create_source('bad', 'pigeon');
SELECT create_source('bad', 'generic', '{"colour": 1}');
SELECT create_source('bad', 'table', '{"mask": []}');
SELECT create_source('bad', 'generic', '{"signature": "pigeon"}');
SELECT create_source('bad', 'generic', '{"signature": {"headers": ["X"], "encoding": "rot13"}}');
SELECT create_source('bad', 'generic', '{"map": {"summary": "no pointer"}}');
SELECT create_source('bad', 'generic', '{"tolerance_s": -1}');
SELECT create_source('bad', 'generic', '{"max_body_bytes": "much"}');
SELECT create_source('bad', 'generic', '{"unsigned": "yes"}');
SELECT create_source('bad', 'twilio', '{"url": "hooks.example"}');
SELECT create_source('bad', 'generic', '{"mask": "token"}');
-- a kind of one's own
SELECT register_source_kind('{"kind": "pigeon", "unsigned": true, "event": {"call_id": "/ring", "type": {"switch": "/leg", "cases": {"up": "call.started", "down": "call.ended"}, "else": null}},
	"map": {"caller.name": "/owner"}, "signature": [{"headers": ["X-Pigeon"]}]}');
SELECT create_source('ing-pigeon', 'pigeon');
SELECT call_id, types, document FROM read_webhook('ing-pigeon', '{"ring": "p1", "leg": "down", "owner": "Ada"}');
SELECT register_source_kind('{"kind": "pigeon", "event": {"call_id": "/leg"}}');
SELECT call_id FROM read_webhook('ing-pigeon', '{"ring": "p1", "leg": "down"}');
SELECT register_source_kind('{"kind": "retell", "event": {"call_id": "/x"}}');
SELECT register_source_kind('{"kind": "No Name"}');
SELECT register_source_kind('{"kind": "pigeon", "event": {}}');

-- what the set-up protects against
SELECT ok, what, regexp_replace(detail, 'arrival .* ago', 'arrival ...') AS detail FROM check_source('ing-retell');
SELECT ok, what, regexp_replace(detail, 'arrival .* ago', 'arrival ...') AS detail FROM check_source('ing');
SELECT ok, what, detail FROM check_source('ing-table');
SELECT check_source('nobody');

-- who may
CREATE ROLE regress_ingest_web;
SET ROLE regress_ingest_web;
SELECT status FROM callsync.ingest('ing', '{"call_id": "w1"}');
RESET ROLE;
GRANT EXECUTE ON FUNCTION callsync.ingest(text, bytea, jsonb, text) TO regress_ingest_web;
SET ROLE regress_ingest_web;
SELECT status FROM callsync.ingest('ing', '{"call_id": "w1"}');
SELECT count(*) FROM callsync.event;
SELECT callsync.replay('ing', '-infinity', 'infinity');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION callsync.ingest(text, bytea, jsonb, text) FROM regress_ingest_web;
DROP ROLE regress_ingest_web;

-- dropping a source: what it knew goes, what arrived stays
SELECT drop_source('nobody');
SELECT drop_source('ing-table');
SELECT drop_source('ing-pigeon', force => NULL);
DO $$ BEGIN PERFORM callsync.drop_source('ing'); EXCEPTION WHEN object_in_use THEN RAISE NOTICE '%', regexp_replace(SQLERRM, '\d+', 'N'); END $$;
SELECT drop_source('ing', true);
SELECT (SELECT count(*) FROM outbox WHERE source = 'ing') AS waiting, (SELECT count(*) > 10 FROM event WHERE source = 'ing') AS kept;
SELECT * FROM pg_temp.hook('ing', '{"call_id": "c4"}');
SELECT create_source('ing-attached');
CREATE TABLE public.ingest_attached (id text PRIMARY KEY);
SELECT attach('ing-attached', 'public.ingest_attached', '{"call_id": "id"}');
SELECT drop_source('ing-attached');
SELECT drop_source('ing-attached', true);
SELECT (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.ingest_attached'::regclass) AS triggers, (SELECT count(*) FROM source_table WHERE source = 'ing-attached') AS attached;
DROP TABLE public.ingest_attached;
SELECT action, object, detail ? 'not_delivered' AS counted FROM audit_log WHERE action = 'drop_source' ORDER BY at;

DELETE FROM outbox WHERE source LIKE 'ing%';
DELETE FROM source WHERE name LIKE 'ing%';
DELETE FROM source_kind WHERE name = 'pigeon';
