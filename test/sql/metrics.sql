-- Metrics, their text form, the self check and the report.
SET search_path = callsync, public;
SET timezone = 'UTC';
SELECT create_destination('metrics "x"', 'webhook', '{"base_url": "https://example.invalid", "paused": true}');
SELECT create_source('metrics');
INSERT INTO call (source, call_id, status, stage, document, captured_at) VALUES ('metrics', 'm1', 'ended', 'intake', '{"lead_source": "web"}', '2030-01-01'), ('metrics', 'm2', 'ended', 'intake', '{}', '2030-01-01');
INSERT INTO sync_state (source, call_id, destination, status, stage, failure_kind, error_class, last_error, missing_fields, captured_at, ended_at, synced_at, day) VALUES
	('metrics', 'm1', 'metrics "x"', 'synced', 'activation', NULL, NULL, NULL, '{}', '2030-01-01', '2030-01-01', '2030-01-01 00:00:10', '2030-01-01'),
	('metrics', 'm2', 'metrics "x"', 'partial', 'activation', 'partial', 'partial', 'a <b> & "c"', '{call.summary}', '2030-01-01', '2030-01-01', NULL, '2030-01-01');

-- health tells of quality; what other tests left would count as well
BEGIN;
DELETE FROM sync_state WHERE source <> 'metrics';
DELETE FROM call WHERE source <> 'metrics';
DELETE FROM review_item;
SELECT metric, value, unit, threshold, ok FROM health WHERE metric IN ('match_accuracy', 'duplicate_rate', 'update_success', 'completion_time', 'workflow_failure_rate', 'lead_attribution') ORDER BY 1;
ROLLBACK;

-- metrics
SELECT name, labels, value FROM metrics WHERE labels ->> 'destination' = 'metrics "x"' ORDER BY name, labels::text;
SELECT name FROM metrics GROUP BY name HAVING count(*) <> count(DISTINCT labels) OR count(DISTINCT help) <> 1 OR bool_or(help IS NULL);
SELECT count(*) > 20 AS many, bool_and(name ~ '^callsync_[a-z_]+$') AS named FROM metrics;

-- as text: every line is a comment or a sample, each name is introduced once, before its samples
SELECT line FROM regexp_split_to_table(metrics_text(), '\n') line
WHERE line !~ '^# (HELP|TYPE) callsync_[a-z_]+ .+$' AND line !~ '^callsync_[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$' AND line <> '';
SELECT line FROM regexp_split_to_table(metrics_text(), '\n') line WHERE line ~ 'callsync_(deliveries_total|destination_paused)' ORDER BY line COLLATE "C";
SELECT right(metrics_text(), 1) = E'\n' AS ends_with_a_line;

-- self_check: three lists of ten, and the installation
SELECT area, count(*), count(*) FILTER (WHERE evidence IS NULL OR evidence = '') AS without_evidence FROM self_check() WHERE area <> 'maturity' GROUP BY area ORDER BY area;
SELECT item, evidence FROM self_check() WHERE area = 'maturity' AND item = 'metrics "x"';
SELECT item, ok FROM self_check() WHERE item IN ('workers run', 'maps have a version and an approver') ORDER BY 1;

-- report
SELECT report_html('2030-01-01', '2030-01-02') LIKE '%<td>metrics &quot;x&quot;</td><td>2</td><td>1</td><td>1</td>%' AS counted,
	report_html('2030-01-01', '2030-01-02') LIKE '%a &lt;b&gt; &amp; &quot;c&quot;%' AS escaped, report_html('2030-01-01', '2030-01-02') NOT LIKE '%<b>%' AS no_markup,
	report_html('2030-01-01', '2030-01-02') LIKE '<!DOCTYPE html>%</html>' AS whole;
SELECT report_html('2031-01-01', '2031-01-02') LIKE '%<h2>Calls per destination</h2><p>none</p>%' AS empty;
SELECT report_html('2030-01-02', '2030-01-01');
SELECT report_html(NULL, now());

-- who may
SET ROLE callsync_reader;
SELECT length(metrics_text()) > 0 AS text, count(*) > 0 AS rows FROM metrics;
SELECT count(*) > 0 AS checked FROM self_check();
RESET ROLE;

-- forget() without anybody
SELECT forget();
SELECT forget('anonymous');
SELECT forget(email => 'nobody');
SET ROLE callsync_operator;
SELECT forget('+15551234567');
RESET ROLE;

DELETE FROM sync_state WHERE source = 'metrics';
DELETE FROM call WHERE source = 'metrics';
SELECT drop_destination('metrics "x"');
DELETE FROM source WHERE name = 'metrics';
