-- Metrics for machines: one view, and the same as text for Prometheus.

CREATE FUNCTION callsync.metric_rows(OUT name pg_catalog.text, OUT labels pg_catalog.jsonb, OUT value pg_catalog.float8, OUT help pg_catalog.text)
RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH d AS MATERIALIZED (SELECT s.* FROM callsync.destination_status s)
	SELECT 'callsync_health', jsonb_build_object('metric', h.metric, 'unit', h.unit), h.value, 'Value of each row of callsync.health.' FROM callsync.health h WHERE h.value IS NOT NULL
	UNION ALL SELECT 'callsync_health_ok', jsonb_build_object('metric', h.metric), h.ok::int::float8, 'Is the threshold of the row of callsync.health met?' FROM callsync.health h
	UNION ALL SELECT 'callsync_workers', '{}', coalesce(cardinality(callsync.worker_pids()), 0), 'Delivery workers that run.'
	UNION ALL SELECT 'callsync_events_total', '{}', coalesce((SELECT max(e.id) FROM callsync.event e), 0), 'Events that have arrived.'
	UNION ALL SELECT 'callsync_captured_waiting', '{}', (SELECT count(*) FROM (SELECT 1 FROM callsync.outbox LIMIT 10001) x), 'Captured changes that are not planned, counted up to 10001.'
	UNION ALL SELECT 'callsync_queue_depth', jsonb_build_object('destination', d.destination), d.queue_depth, 'Deliveries that are not settled, counted up to 10001.' FROM d
	UNION ALL SELECT 'callsync_queue_oldest_seconds', jsonb_build_object('destination', d.destination), coalesce(extract(epoch FROM clock_timestamp() - d.oldest_pending), 0)::float8, 'Age of the oldest delivery that is not settled.' FROM d
	UNION ALL SELECT 'callsync_dead_letters', jsonb_build_object('destination', d.destination), d.dead_letters, 'Deliveries that were given up and wait for a person.' FROM d
	UNION ALL SELECT 'callsync_requests_total', jsonb_build_object('destination', d.destination), d.requests_sent, 'Requests made to the destination.' FROM d
	UNION ALL SELECT 'callsync_deliveries_total', jsonb_build_object('destination', d.destination, 'outcome', 'confirmed'), d.settled_well, 'Deliveries settled since the destination was made.' FROM d
	UNION ALL SELECT 'callsync_deliveries_total', jsonb_build_object('destination', d.destination, 'outcome', 'failed'), d.settled_badly, 'Deliveries settled since the destination was made.' FROM d
	UNION ALL SELECT 'callsync_destination_paused', jsonb_build_object('destination', d.destination), d.paused::int, 'Is the destination paused?' FROM d
	UNION ALL SELECT 'callsync_breaker_open', jsonb_build_object('destination', d.destination), (d.breaker <> 'closed')::int, 'Does the destination not answer (breaker open or half open)?' FROM d
	UNION ALL SELECT 'callsync_last_success_timestamp_seconds', jsonb_build_object('destination', d.destination), extract(epoch FROM d.last_success_at)::float8, 'When the destination answered well last.' FROM d WHERE d.last_success_at IS NOT NULL
	UNION ALL SELECT 'callsync_token_expires_timestamp_seconds', jsonb_build_object('destination', d.destination), extract(epoch FROM d.token_expires_at)::float8, 'When the access token ends.' FROM d WHERE d.token_expires_at IS NOT NULL
	UNION ALL SELECT 'callsync_schema_drift_stopped', jsonb_build_object('destination', d.destination),
		(SELECT count(*) FROM callsync.schema_drift f WHERE f.destination = d.destination AND f.stopped), 'Fields that nothing is written to because they are not what they were.' FROM d
	UNION ALL SELECT 'callsync_review_open', '{}', (SELECT count(*) FROM callsync.review_item i WHERE i.state = 'open'), 'Calls whose caller a person has to decide on.'
	UNION ALL SELECT 'callsync_alerts_open', jsonb_build_object('kind', a.kind, 'severity', a.severity), count(*), 'Alerts that are not cleared.' FROM callsync.alert a WHERE a.cleared_at IS NULL GROUP BY a.kind, a.severity
	-- of the newest exchanges of each destination; partitions are pruned by the day
	UNION ALL SELECT 'callsync_request_duration_seconds', jsonb_build_object('destination', d.destination, 'quantile', q.q::text),
			(percentile_cont(q.q) WITHIN GROUP (ORDER BY t.duration_ms)) / 1000, 'Time to an answer of the newest requests.'
		FROM d CROSS JOIN (VALUES (0.5), (0.95), (0.99)) q(q)
		CROSS JOIN LATERAL (SELECT e.duration_ms FROM (SELECT a.day, a.delivery_id, a.n FROM callsync.attempt a
				WHERE a.destination = d.destination AND a.carrier AND a.day >= (now() AT TIME ZONE 'UTC')::date ORDER BY a.delivery_id DESC LIMIT 200) a
			JOIN callsync.attempt_end e ON e.delivery_id = a.delivery_id AND e.n = a.n AND e.day = a.day WHERE e.duration_ms >= 0) t
		GROUP BY d.destination, q.q;
END;
COMMENT ON FUNCTION callsync.metric_rows() IS 'The rows of the view metrics.';

CREATE VIEW callsync.metrics AS SELECT m.name, m.labels, m.value, m.help FROM callsync.metric_rows() m;
COMMENT ON VIEW callsync.metrics IS
'Everything that is measured, one row per name and labels, for monitoring; names that end in _total are counters, all others gauges. metrics_text() gives the same in the text format of Prometheus.';

CREATE FUNCTION callsync.metrics_text() RETURNS pg_catalog.text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT coalesce(string_agg(g.text, '' ORDER BY g.name), '')
	FROM (
		SELECT m.name, format(E'# HELP %s %s\n# TYPE %s %s\n', m.name, replace(replace(min(m.help), '\', '\\'), E'\n', '\n'), m.name,
				CASE WHEN m.name LIKE '%\_total' THEN 'counter' ELSE 'gauge' END)
			|| string_agg(m.name || l.text || ' ' || CASE m.value WHEN 'NaN' THEN 'NaN' WHEN 'Infinity' THEN '+Inf' WHEN '-Infinity' THEN '-Inf' ELSE m.value::text END || E'\n', '' ORDER BY l.text) AS text
		FROM callsync.metric_rows() m
		CROSS JOIN LATERAL (SELECT coalesce('{' || string_agg(format('%s="%s"', k.key, replace(replace(replace(k.value, '\', '\\'), '"', '\"'), E'\n', '\n')), ',' ORDER BY k.key) || '}', '') AS text
			FROM jsonb_each_text(m.labels) k) l
		WHERE m.value IS NOT NULL
		GROUP BY m.name
	) g;
END;
COMMENT ON FUNCTION callsync.metrics_text() IS
'The view metrics in the text exposition format of Prometheus (version 0.0.4), for an exporter that runs SQL or a web front of your own: HELP, TYPE and one line per sample.';
