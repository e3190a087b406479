-- Rebuilding calls from the log of what arrived: who is asked for again, and who may ask.
SET search_path = callsync, public;
\set SHOW_CONTEXT never
SELECT create_source('replay-src', 'generic');
SELECT count(*) FROM unnest(ARRAY['{"call_id":"a"}', '{"call_id":"b"}', '{"call_id":"b","summary":"s"}', '{"summary":"no id"}', '{"call_id":"a"}']) body,
	LATERAL ingest('replay-src', convert_to(body, 'UTF8'));
DELETE FROM outbox WHERE source = 'replay-src';
-- each event of each call, what was refused or a duplicate not at all
SELECT replay('replay-src', '-infinity', 'infinity');
SELECT origin, call_id, count(*), count(DISTINCT shard) AS shards FROM outbox WHERE source = 'replay-src' GROUP BY 1, 2 ORDER BY 2;
DELETE FROM outbox WHERE source = 'replay-src';
SELECT replay('replay-src', '-infinity', '2000-01-01');
SELECT replay('replay-src', 'infinity', '-infinity');
SELECT replay('replay-src', NULL, 'infinity');
SELECT replay('nobody', '-infinity', 'infinity');
SELECT action, object, detail -> 'calls' AS calls FROM audit WHERE action = 'replay' AND object = 'replay-src' ORDER BY id;
DELETE FROM source WHERE name = 'replay-src';
