-- Views over deliveries, their attempts and what became of them.

CREATE FUNCTION callsync.readable(bytes pg_catalog.bytea) RETURNS pg_catalog.text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	RETURN convert_from(bytes, 'UTF8');
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
	RETURN encode(bytes, 'escape');
END
$f$;
COMMENT ON FUNCTION callsync.readable(bytea) IS 'Bytes as text: as they are where they are UTF-8, else with \ooo for what is not ASCII.';

CREATE VIEW callsync.deliveries AS
SELECT d.id, d.source, d.call_id, d.destination, d.step, d.object, d.operation,
	CASE WHEN d.settled_at IS NULL AND d.state <> 'held' AND EXISTS (
			SELECT 1 FROM callsync.attempt a WHERE a.delivery_id = d.id AND a.day = d.day AND a.kind = 'send'
				AND NOT EXISTS (SELECT 1 FROM callsync.attempt_end e WHERE e.delivery_id = a.delivery_id AND e.n = a.n AND e.day = a.day))
		THEN 'sending' ELSE d.state END AS state,
	d.record_id, d.depends_on, d.idempotency_key, d.attempts, d.confirmation, d.created_at, d.settled_at,
	d.origin, d.priority, d.call_version, d.map_version, d.error_class, d.http_status, d.last_error, d.remedy, d.next_attempt_at, d.trace_id
FROM callsync.delivery d;
COMMENT ON VIEW callsync.deliveries IS
'One row per step of a call for a destination, newest version last. state: waiting (for the deliveries in depends_on), ready, sending, waiting_retry, in_doubt (may have arrived; looked up, or repeated by its key, before anything is sent anew), confirming (written, read-back outstanding), held (a person decides), and settled: confirmed (evidence at the level in confirmation: read_back or response), sent (accepted; no evidence beyond that), partial (see field_writes), failed (an earlier step failed, or the record is not there although it was accepted), dead (in dead_letters), superseded (a newer version went in its place), skipped, cancelled. attempts: sends made.';

CREATE VIEW callsync.attempts AS
SELECT a.delivery_id, a.try AS n, a.request_id, a.started_at, e.finished_at, a.method, a.url,
	callsync.readable(coalesce(a.body, c.body)) AS request,
	e.http_status, coalesce(e.outcome, 'sending') AS outcome,
	left(callsync.readable(coalesce(e.response, ce.response)), 2000) AS response,
	e.error_class, e.duration_ms, a.worker, e.message, a.destination, a.n AS exchange
FROM callsync.attempt a
LEFT JOIN callsync.attempt_end e ON e.delivery_id = a.delivery_id AND e.n = a.n AND e.day = a.day
LEFT JOIN callsync.attempt c ON NOT a.carrier AND c.delivery_id = a.carrier_id AND c.request_id = a.request_id
LEFT JOIN callsync.attempt_end ce ON ce.delivery_id = c.delivery_id AND ce.n = c.n AND ce.day = c.day
WHERE a.kind = 'send';
COMMENT ON VIEW callsync.attempts IS
'One row per delivery and try: what was sent (credentials masked) and what came back (an excerpt). request_id: the HTTP exchange, shared by the deliveries of a batch; view requests has one row for each. outcome: sending, ok, refused (the server said no), no_answer (it did not arrive), unknown (it may have arrived), dry_run. Look-ups and read-backs are in requests only.';

CREATE VIEW callsync.requests AS
SELECT a.request_id, a.destination, a.kind, a.started_at, e.finished_at, a.method, a.url, a.headers,
	callsync.readable(a.body) AS request, e.http_status, coalesce(e.outcome, 'sending') AS outcome,
	callsync.readable(e.response) AS response, e.response_headers, e.error_class, e.message, e.duration_ms, a.worker,
	a.delivery_id, a.items
FROM callsync.attempt a
LEFT JOIN callsync.attempt_end e ON e.delivery_id = a.delivery_id AND e.n = a.n AND e.day = a.day
WHERE a.carrier
UNION ALL
SELECT s.request_id, s.destination, s.kind, s.started_at, s.finished_at, s.method, s.url, NULL, NULL, s.http_status,
	coalesce(s.outcome, 'sending'), NULL, NULL, s.error_class, s.message, s.duration_ms, s.worker, NULL, 0
FROM callsync.service_request s;
COMMENT ON VIEW callsync.requests IS
'One row per HTTP exchange with a destination, whatever it was for. kind: send, lookup (is it there already?), find (who is the caller, see option lookup), read_back, and those without a delivery (token, describe, changes ...). items: deliveries it carried; delivery_id: the first of them. Headers and bodies with credentials masked.';

CREATE VIEW callsync.field_writes AS
SELECT d.source, d.call_id, d.destination, d.object, d.record_id, f.key AS field, f.value #>> '{}' AS sent,
	CASE WHEN r.entry IS NULL AND d.confirmation = 'read_back' THEN f.value #>> '{}' ELSE r.entry ->> 'stored' END AS stored,
	CASE WHEN r.entry IS NOT NULL THEN r.entry ->> 'state'
		WHEN d.confirmation = 'read_back' THEN 'confirmed' ELSE 'unverified' END AS status,
	coalesce(r.entry ->> 'reason', CASE WHEN d.confirmation = 'read_back' THEN NULL
		ELSE 'confirmation level of the destination is ' || coalesce(d.confirmation, 'response') END) AS reason,
	CASE WHEN d.confirmation = 'read_back' THEN d.settled_at END AS confirmed_at,
	d.step, d.id AS delivery_id, d.map_version, d.settled_at AS written_at
FROM callsync.delivery d
CROSS JOIN LATERAL (SELECT e.key, e.value FROM jsonb_each(d.fields) e
	-- what the plan left out already, since the destination does not take it
	UNION ALL SELECT e.key, NULL FROM jsonb_each(d.field_results) e WHERE e.value ->> 'state' = 'rejected' AND NOT d.fields ? e.key) AS f(key, value)
CROSS JOIN LATERAL (SELECT d.field_results -> f.key AS entry) r
WHERE d.state IN ('confirmed', 'sent', 'partial') OR (d.settled_at IS NOT NULL AND r.entry IS NOT NULL);
COMMENT ON VIEW callsync.field_writes IS
'Which field of which record a call wrote, with what evidence. status: confirmed (read back equal), altered (stored, but another value), missing (accepted, but not stored), rejected (named in the refusal; or known not to be taken and left out: sent is NULL then), unverified (no evidence at this confirmation level). stored: what the destination has. One row per field and delivery; the newest delivery of a step has the highest delivery_id.';

CREATE VIEW callsync.dead_letters AS
SELECT l.delivery_id, l.source, l.call_id, l.destination, l.step, l.object, l.operation, l.error_class, l.http_status, l.last_error, l.remedy,
	l.attempts, l.fields, l.idempotency_key, l.dead_at
FROM callsync.dead_letter l WHERE l.redriven_at IS NULL;
COMMENT ON VIEW callsync.dead_letters IS
'Deliveries that no retry will mend, with the destination''s own words and what to do; kept until somebody acts: callsync.redrive(destination, filter, false) sends them again.';

CREATE VIEW callsync.error_groups AS
SELECT s.destination, s.error_class, s.error, count(*) AS calls, count(*) FILTER (WHERE s.status IN ('failed', 'partial')) AS given_up,
	min(s.updated_at) AS first_at, max(s.updated_at) AS last_at, min(s.remedy) AS remedy, min(s.call_id) AS example_call_id, min(s.source) AS example_source
FROM (SELECT x.destination, x.error_class, regexp_replace(left(x.last_error, 300), '[0-9]+|[0-9a-f]{8}-[0-9a-f-]{27}', '#', 'g') AS error,
		x.status, x.updated_at, x.remedy, x.call_id, x.source
	FROM callsync.sync_state x WHERE x.error_class IS NOT NULL) s
GROUP BY s.destination, s.error_class, s.error;
COMMENT ON VIEW callsync.error_groups IS
'What is wrong at the moment, grouped: destination, class, message (numbers as #), how many calls it holds up or has spoiled, since when, what to do, and an example. given_up: calls for which nothing is tried any more.';

CREATE FUNCTION callsync.confirmation_level(document pg_catalog.jsonb, options pg_catalog.jsonb) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE WHEN x.can LIKE 'transport%' OR x.asked LIKE 'transport%' THEN 'transport'
		WHEN x.can = 'response' OR x.asked = 'response' THEN 'response' ELSE 'read_back' END
	FROM (SELECT coalesce(options #>> '{override,confirmation}',
			document #>> ARRAY['presets', coalesce(options #>> '{override,preset}', document ->> 'preset'), 'confirmation'],
			document ->> 'confirmation', 'response') AS can, coalesce(options ->> 'verify', 'read_back') AS asked) x;
END;
COMMENT ON FUNCTION callsync.confirmation_level(jsonb, jsonb) IS 'The evidence that a destination with this connector document and these options gives: the lesser of what the connector (or its chosen preset, or the override) can, and option verify.';

CREATE VIEW callsync.destination_status AS
SELECT d.name AS destination, d.connector, d.paused, d.paused_reason, coalesce(s.breaker, 'closed') AS breaker, s.breaker_until, s.throttled_until,
	coalesce(s.token_state, 'static') AS token_state, s.token_expires_at, s.token_refreshed_at, coalesce(s.limits, '[]') AS limits,
	(SELECT count(*) FROM (SELECT 1 FROM callsync.queue q WHERE q.destination = d.name LIMIT 10001) x) AS queue_depth,
	p.oldest AS oldest_pending,
	s.last_success_at, s.last_error_at, s.last_error_class, s.last_error,
	callsync.confirmation_level(c.document, d.options) AS confirmation,
	coalesce(s.sent, 0) AS requests_sent, coalesce(s.confirmed, 0) AS settled_well, coalesce(s.failed, 0) AS settled_badly,
	(SELECT count(*) FROM (SELECT 1 FROM callsync.dead_letter l WHERE l.destination = d.name AND l.redriven_at IS NULL LIMIT 10001) x) AS dead_letters,
	s.clock_skew, coalesce((d.options ->> 'dry_run')::boolean, false) AS dry_run, s.updated_at,
	t.mode, t.next_batch_at, t.maintenance_until,
	coalesce(p.oldest, clock_timestamp()) AS as_of, coalesce(clock_timestamp() - p.oldest, interval '0') AS lag
FROM callsync.destination d JOIN callsync.connector c ON c.name = d.connector
LEFT JOIN callsync.destination_state s ON s.destination = d.name
CROSS JOIN LATERAL callsync.schedule_times(d.options) t
CROSS JOIN LATERAL (SELECT min(x.created_at) AS oldest FROM (SELECT v.created_at FROM callsync.queue q JOIN callsync.delivery v ON v.id = q.delivery_id AND v.day = q.day
	WHERE q.destination = d.name ORDER BY q.priority, q.delivery_id LIMIT 100) x) p;
COMMENT ON VIEW callsync.destination_status IS
'One row per destination: is it paused, does it answer (breaker: closed = yes, open = no, half_open = being probed), its credential, limits and what is free of them, deliveries waiting (counted up to 10001) and since when, last success and error, the evidence it gives (confirmation), totals since it was made. mode, next_batch_at, maintenance_until: see schedule_times(). as_of: what was captured before is there (or settled otherwise); lag: how old that makes the destination.';

CREATE VIEW callsync.progress AS
SELECT d.name AS destination,
	(SELECT count(*) FROM (SELECT 1 FROM callsync.outbox o WHERE o.destination IS NULL OR o.destination = d.name LIMIT 100001) x) AS captured,
	q.open, q.due, q.waiting, q.next_due_at,
	coalesce(s.confirmed, 0) + coalesce(s.failed, 0) AS settled, d.paused
FROM callsync.destination d
LEFT JOIN callsync.destination_state s ON s.destination = d.name
CROSS JOIN LATERAL (SELECT count(*) AS open, count(*) FILTER (WHERE x.due_at <= clock_timestamp()) AS due,
		count(*) FILTER (WHERE x.due_at > clock_timestamp()) AS waiting, min(x.due_at) FILTER (WHERE x.due_at > clock_timestamp()) AS next_due_at
	FROM (SELECT q.due_at FROM callsync.queue q WHERE q.destination = d.name LIMIT 100001) x) q;
COMMENT ON VIEW callsync.progress IS
'How far a backlog has come, per destination: captured changes that are not planned, deliveries open (of them due now, and waiting for a retry or a schedule until next_due_at; counted up to 100001), deliveries settled since the destination was made.';

CREATE FUNCTION callsync.preview(call_id pg_catalog.text, destination pg_catalog.text, source pg_catalog.text DEFAULT NULL)
RETURNS pg_catalog.jsonb LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_preview';
COMMENT ON FUNCTION callsync.preview(text, text, text) IS
'The requests of a call for a destination: {"source", "call_id", "destination", "status", "requests": [{"step", "sent", "method", "url", "headers", "body", ...}]}. sent true: the request as it left, byte for byte, credentials masked, with outcome (every try; a batch shows all that it carried, see deliveries). sent false: what will be sent, by the same renderer, with {{step.id}} for ids that the destination has not given yet. A call that was captured and that no worker has planned yet is shown as it would be planned now ("planned": false; its trace id will be another); nothing of that is kept (a read-only transaction cannot do it: error 55000). Error 42704 for an unknown call or destination; where several sources have the call_id, name the source.';
