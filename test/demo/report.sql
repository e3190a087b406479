\pset footer off
\echo
\echo What callsync says of the week
SELECT (SELECT count(DISTINCT call_id) FROM calls WHERE call_id IS NOT NULL) + 1 AS "calls in the tables",
	count(*) AS "calls captured",
	count(*) FILTER (WHERE status = 'synced') AS synced,
	count(*) FILTER (WHERE status = 'partial') AS partial,
	count(*) FILTER (WHERE status = 'failed') AS failed,
	count(*) FILTER (WHERE status NOT IN ('synced', 'partial', 'failed')) AS other,
	(SELECT count(*) FROM event WHERE outcome = 'quarantined') AS quarantined,
	round(:took / 1000.0, 1) AS "seconds, all in"
FROM call_sync;
\echo Calls that are not simply synced
SELECT call_id, status, failure_kind, missing_fields, left(coalesce(last_error, ''), 60) AS last_error FROM call_sync WHERE status <> 'synced' ORDER BY call_id LIMIT 10;
\echo The field that the CRM did not store
SELECT call_id, object, field, left(sent, 40) AS sent, stored, status FROM (
	SELECT call_id, object, field, sent::text AS sent, stored::text AS stored, status FROM field_writes WHERE status IN ('missing', 'altered', 'rejected')) f
ORDER BY 1, 3 LIMIT 10;
\echo What went wrong on the way, and was mended
SELECT http_status, error_class, outcome, count(*) AS tries FROM attempts WHERE outcome <> 'ok' OR error_class IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1 LIMIT 10;
\echo Rows that could not become calls (kept, not lost)
SELECT source, outcome, reason, left(convert_from(body, 'UTF8'), 70) AS body FROM event WHERE outcome IN ('quarantined', 'rejected') ORDER BY id LIMIT 5;
