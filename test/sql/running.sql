-- Functions that ask the workers for something: what they refuse, what they leave behind, who may call them.
SET search_path = callsync, public;
\set SHOW_CONTEXT never
SELECT create_source('running', 'generic', '{}');
SELECT create_destination('running_crm', 'hubspot', '{"region": "US"}');
INSERT INTO call (source, call_id, status, stage, document, captured_at)
SELECT 'running', 'r' || i, 'ended', 'intake', '{}', '2026-01-01' FROM generate_series(1, 3) i;
SELECT make_partitions('2026-01-01', '2026-01-01');
INSERT INTO delivery (day, id, source, call_id, destination, step, object, operation, state, record_id, idempotency_key, attempts, confirmation,
	created_at, settled_at, shard, priority, origin, ordering_key, call_version, map_version, fields, field_results, error_class, last_error)
VALUES
	('2026-01-01', 9001, 'running', 'r1', 'running_crm', 'call', 'call', 'call.upsert', 'partial', '77', 'k1', 1, 'read_back', '2026-01-01', '2026-01-01', 0, 30, 'live', 'o1', 1, 1,
	 '{"a": "1", "b": 2, "c": true}', '{"b": {"state": "missing", "stored": null, "reason": "absent"}, "c": {"state": "altered", "stored": false}}', 'partial', '1 of 3 fields'),
	('2026-01-01', 9002, 'running', 'r2', 'running_crm', 'call', 'call', 'call.upsert', 'dead', NULL, 'k2', 3, NULL, '2026-01-01', '2026-01-01', 0, 30, 'live', 'o2', 1, 1,
	 '{"a": "1"}', '{"a": {"state": "rejected", "reason": "no"}}', 'permanent', 'refused'),
	('2026-01-01', 9003, 'running', 'r2', 'running_crm', 'call_contact', 'call', 'call.link_contact', 'failed', NULL, 'k3', 0, NULL, '2026-01-01', '2026-01-01', 0, 30, 'live', 'o3', 1, 1, '{}', NULL, 'permanent', 'x'),
	('2026-01-01', 9004, 'running', 'r3', 'running_crm', 'call', 'call', 'call.upsert', 'confirmed', '78', 'k4', 1, 'response', '2026-01-01', '2026-01-01', 0, 30, 'live', 'o4', 1, 1, '{"a": "\u00e9"}', NULL, NULL, NULL),
	('2026-01-01', 9005, 'running', 'r3', 'running_crm', 'task', 'task', 'task.upsert', 'ready', NULL, 'k5', 0, NULL, '2026-01-01', NULL, 0, 40, 'live', 'o5', 1, 1, '{"a": 1}', NULL, NULL, NULL);
INSERT INTO dead_letter (delivery_id, day, source, call_id, destination, step, object, operation, idempotency_key, error_class, http_status, last_error, remedy, attempts, fields, dead_at)
VALUES (9002, '2026-01-01', 'running', 'r2', 'running_crm', 'call', 'call', 'call.upsert', 'k2', 'permanent', 400, 'refused: value 17', 'mend it', 3, '{"a": "1"}', '2026-01-01');
INSERT INTO attempt (day, delivery_id, n, kind, try, request_id, carrier, started_at, destination, method, url, headers, body, worker, carrier_id, items) VALUES
	('2026-01-01', 9001, 1, 'send', 1, 501, true, '2026-01-01 10:00', 'running_crm', 'POST', 'https://a/x', '{"Authorization": "***"}', 'body one', 'w', NULL, 2),
	('2026-01-01', 9004, 1, 'send', 1, 501, false, '2026-01-01 10:00', 'running_crm', 'POST', 'https://a/x', NULL, NULL, 'w', 9001, 2),
	('2026-01-01', 9001, 2, 'read_back', 1, 502, true, '2026-01-01 10:01', 'running_crm', 'GET', 'https://a/y', '{}', NULL, 'w', NULL, 1),
	('2026-01-01', 9005, 1, 'send', 1, 503, true, '2026-01-01 10:02', 'running_crm', 'POST', 'https://a/z', '{}', '\xff', 'w', NULL, 1);
INSERT INTO attempt_end (day, delivery_id, n, finished_at, http_status, outcome, error_class, message, response, response_headers, duration_ms) VALUES
	('2026-01-01', 9001, 1, '2026-01-01 10:00:01', 200, 'ok', NULL, NULL, 'answer', '{}', 12),
	('2026-01-01', 9004, 1, '2026-01-01 10:00:01', 200, 'ok', NULL, NULL, NULL, NULL, 12),
	('2026-01-01', 9001, 2, '2026-01-01 10:01:01', 200, 'ok', NULL, NULL, NULL, NULL, 3);

-- views
SELECT id, step, state, attempts, confirmation FROM deliveries WHERE source = 'running' ORDER BY id;
SELECT delivery_id, n, request_id, request, outcome, response FROM attempts WHERE destination = 'running_crm' ORDER BY 1;
SELECT request_id, kind, method, items, outcome FROM requests WHERE destination = 'running_crm' ORDER BY 1;
SELECT call_id, field, sent, stored, status, reason FROM field_writes WHERE source = 'running' ORDER BY 1, 2;
SELECT delivery_id, step, error_class, http_status, last_error FROM dead_letters WHERE destination = 'running_crm';
SELECT destination, paused, breaker, queue_depth, confirmation, dead_letters FROM destination_status WHERE destination = 'running_crm';
SELECT destination, captured, open, settled FROM progress WHERE destination = 'running_crm';

-- resync
SELECT resync(ARRAY['r1', 'r3', 'r1', 'unknown'], 'running_crm');
SELECT resync(ARRAY['r2']);
SELECT origin, source, call_id, destination FROM outbox WHERE source = 'running' ORDER BY id;
SELECT resync(NULL);
SELECT resync(ARRAY['r1'], 'nowhere');
DELETE FROM outbox WHERE source = 'running';

-- redrive
SELECT * FROM redrive('running_crm');
SELECT * FROM redrive('running_crm', '{"error_class": "transient"}');
SELECT * FROM redrive('running_crm', '{"http_status": 400, "message": "%17%", "call_ids": ["r2"], "since": "2025-12-31"}');
SELECT * FROM redrive('running_crm', '{"colour": "red"}');
SELECT * FROM redrive('running_crm', '{"ids": 9002}');
SELECT * FROM redrive('running_crm', '[]');
SELECT * FROM redrive('nowhere');
SELECT * FROM redrive('running_crm', '{}', false);
SELECT origin, call_id, destination, detail FROM outbox WHERE source = 'running' ORDER BY id;
SELECT count(*) FROM dead_letters WHERE destination = 'running_crm';
SELECT * FROM redrive('running_crm', '{}', false);
DELETE FROM outbox WHERE source = 'running';

-- reconcile: what was found there once, as the state of the calls knows it; r1 was read back, r3 only answered
INSERT INTO sync_state (source, call_id, destination, status, stage, captured_at, day, steps)
SELECT d.source, d.call_id, d.destination, 'synced', 'activation', '2026-01-01', '2026-01-01', jsonb_object_agg(d.step, jsonb_build_object('delivery', d.id, 'day', d.day, 'state', d.state))
FROM delivery d WHERE d.source = 'running' GROUP BY 1, 2, 3;
SELECT reconcile('running_crm', '2026-01-01', '2026-01-02') IS NOT NULL AS run;
SELECT reconcile('running_crm', '2026-01-02', 'infinity') IS NOT NULL AS run;
SELECT destination, calls, records, open, found, altered, missing, unverified FROM reconciliations WHERE destination = 'running_crm' ORDER BY id;
SELECT destination, call_id, step, record_id, outcome FROM reconciliation_items WHERE destination = 'running_crm' ORDER BY delivery_id;
SELECT origin, call_id, destination, detail FROM outbox WHERE source = 'running' ORDER BY id;
SELECT reconcile('nowhere', '-infinity', 'infinity');
SELECT reconcile('running_crm', 'infinity', '-infinity');
SELECT reconcile('running_crm', NULL, 'infinity');
SELECT create_destination('running_hook', 'webhook', '{"base_url": "https://hooks.example.invalid/x"}');
SELECT reconcile('running_hook', '-infinity', 'infinity');
SELECT drop_destination('running_hook');
DELETE FROM outbox WHERE source = 'running';
DELETE FROM sync_state WHERE source = 'running';

-- pause, resume
SELECT pause('running_crm');
SELECT paused, paused_reason LIKE 'paused by %' AS by_whom FROM destination WHERE name = 'running_crm';
SELECT pause('running_crm');
SELECT resume('running_crm');
SELECT paused, paused_reason FROM destination WHERE name = 'running_crm';
SELECT pause('nowhere');
SELECT resume(NULL);

-- wait_until_idle
SELECT wait_until_idle('0 s');
SELECT resync(ARRAY['r1']);
SELECT wait_until_idle('10 ms');
SELECT wait_until_idle(NULL);

-- preview
SELECT preview('unknown', 'running_crm');
SELECT preview('r1', 'nowhere');
SELECT preview(NULL, 'running_crm');

-- who may
SET ROLE callsync_reader;
SELECT count(*) FROM deliveries WHERE source = 'running';
SELECT resync(ARRAY['r1']);
SELECT redrive('running_crm');
SELECT reconcile('running_crm', '-infinity', 'infinity');
SELECT outbox_append('resync', 'running', 'r1');
SELECT count(*) FROM delivery;
RESET ROLE;
SET ROLE callsync_operator;
SELECT resync(ARRAY['r1']);
RESET ROLE;
SELECT action, object, detail - 'call_ids' AS detail FROM audit_log WHERE object IN ('running_crm', '*') AND action IN ('resync', 'redrive', 'pause', 'resume') ORDER BY id;

DELETE FROM outbox WHERE source = 'running';
DELETE FROM reconcile_item WHERE source = 'running';
DELETE FROM reconcile_run WHERE destination = 'running_crm';
DELETE FROM dead_letter WHERE source = 'running';
DELETE FROM attempt WHERE destination = 'running_crm';
DELETE FROM attempt_end WHERE delivery_id BETWEEN 9001 AND 9005;
DELETE FROM delivery WHERE source = 'running';
DELETE FROM call WHERE source = 'running';
SELECT drop_destination('running_crm');
DELETE FROM source WHERE name = 'running';
