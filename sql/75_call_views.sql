-- The views that people look at first.

-- What is captured but not planned yet has no sync_state row: it shows as pending for each
-- destination it will go to.
CREATE VIEW callsync.call_sync AS
SELECT s.source, s.call_id, s.destination,
	CASE WHEN d.paused AND s.status IN ('pending', 'waiting_retry') THEN 'paused' ELSE s.status END AS status,
	s.failure_kind, s.stage, s.match_decision, s.match_probability, s.contact_record_id, s.records, s.missing_fields, s.attempts,
	s.error_class, CASE WHEN d.paused AND s.last_error IS NULL AND s.status IN ('pending', 'waiting_retry')
		THEN 'the destination is paused' || coalesce(': ' || d.paused_reason, '') ELSE s.last_error END AS last_error,
	s.remedy, s.next_attempt_at, s.captured_at, s.ended_at, s.synced_at,
	coalesce(s.synced_at, CASE WHEN s.status IN ('synced', 'excluded') THEN s.updated_at ELSE clock_timestamp() END)
		- coalesce(s.ended_at, s.captured_at) AS lag,
	s.map_version, s.trace_id
FROM callsync.sync_state s LEFT JOIN callsync.destination d ON d.name = s.destination
UNION ALL
SELECT o.source, o.call_id, d.name, CASE WHEN d.paused THEN 'paused' ELSE 'pending' END, NULL, 'intake', NULL, NULL, NULL, '{}'::jsonb, '{}'::text[], 0,
	NULL, NULL, NULL, NULL, min(o.captured_at), NULL, NULL, clock_timestamp() - min(o.captured_at), NULL, NULL
FROM callsync.outbox o CROSS JOIN callsync.destination d
WHERE (o.destination IS NULL OR o.destination = d.name)
	AND o.origin NOT IN ('redrive', 'release')
	AND NOT EXISTS (SELECT 1 FROM callsync.sync_state s WHERE s.source = o.source AND s.call_id = o.call_id AND s.destination = d.name)
GROUP BY o.source, o.call_id, d.name, d.paused;
COMMENT ON VIEW callsync.call_sync IS
'One row per call and destination. status: pending, waiting_retry, in_doubt (may have been sent, outcome unknown), synced, partial, failed, review (a person has to decide), excluded (no step applies), paused. failure_kind: silent (accepted but not stored), partial (not all of it), fatal (refused), or NULL. stage: intake, extraction, validation, matching, activation. match_decision, match_probability: how the contact was found. contact_record_id and records: what the CRM calls them. missing_fields: object.field that is not stored as sent. attempts, error_class, last_error, remedy, next_attempt_at: of the delivery. captured_at, ended_at, synced_at, and lag from the end of the call (or its capture) to the sync. map_version: field map in force. trace_id: W3C trace id of its requests.';

CREATE VIEW callsync.incomplete_calls AS
SELECT c.source, c.call_id, c.status, c.stage, c.events, c.expected,
	ARRAY(SELECT e FROM unnest(c.expected) e WHERE e <> ALL (c.events)
		AND NOT (e = 'call.ended' AND 'call.failed' = ANY (c.events))
		AND NOT (e = 'transcription.complete' AND 'call.failed' = ANY (c.events))) AS missing,
	c.flags, c.captured_at, clock_timestamp() - c.captured_at AS age
FROM callsync.call c LEFT JOIN callsync.source s ON s.name = c.source
WHERE c.status <> 'complete'
	AND c.captured_at < clock_timestamp() - coalesce((s.options ->> 'incomplete_after')::interval, interval '1 hour');
COMMENT ON VIEW callsync.incomplete_calls IS
'Calls that did not get all events they should have within the source''s incomplete_after (default 1 hour): what is missing, and how old they are.';

CREATE VIEW callsync.orphan_calls AS
SELECT c.source, c.call_id, c.status, c.captured_at,
	CASE WHEN NOT EXISTS (SELECT 1 FROM callsync.destination) THEN 'there is no destination'
		ELSE 'no destination has planned it' END AS reason
FROM callsync.call c
WHERE NOT EXISTS (SELECT 1 FROM callsync.sync_state s WHERE s.source = c.source AND s.call_id = c.call_id)
	AND NOT EXISTS (SELECT 1 FROM callsync.outbox o WHERE o.source = c.source AND o.call_id = c.call_id)
UNION ALL
-- arrived, and lost on the way to the call record: replay() brings them back
SELECT e.source, e.call_id, 'unknown', min(e.received_at), 'it arrived, but is neither merged nor waiting to be'
FROM callsync.event e
WHERE e.outcome = 'accepted' AND e.call_id IS NOT NULL
	AND (e.reason IS NULL OR e.reason NOT LIKE 'no event of a call%')
	AND NOT EXISTS (SELECT 1 FROM callsync.call c WHERE c.source = e.source AND c.call_id = e.call_id)
	AND NOT EXISTS (SELECT 1 FROM callsync.outbox o WHERE o.source = e.source AND o.call_id = e.call_id)
GROUP BY e.source, e.call_id;
COMMENT ON VIEW callsync.orphan_calls IS 'Calls that no destination holds, queues, refused or excluded, and calls that arrived but have no record: there should be none while a destination exists. Reads the log of what arrived: restrict it by source or captured_at.';

CREATE VIEW callsync.audit_log AS
SELECT a.id, a.at, a.who, a.action, a.object, a.detail FROM callsync.audit a;
COMMENT ON VIEW callsync.audit_log IS 'Changes of configuration and manual actions: when, who, what. Writes to CRMs are audited in requests and attempts.';

CREATE VIEW callsync.alerts AS
SELECT a.id, a.raised_at, a.kind, a.severity, a.destination, a.subject, a.message, a.remedy, a.count, a.last_at, a.cleared_at, a.notified_at
FROM callsync.alert a;
COMMENT ON VIEW callsync.alerts IS 'What people must notice, with what to do about it; cleared_at is set when the cause is gone, or by clear_alert(). The worker also sends NOTIFY callsync_alerts with {"id", "kind", "severity", "destination"}, for a new alert and for an open one that happens again after an hour of quiet (notified_at: last sent). count, last_at: how often it happened. kind: copy, reauth_required, token_failing, auth (credential refused by the API), destination_down (breaker open), destination_disabled, dead_letter (subject: the step), quota (subject: the limit), batch_behind, schema_drift (subject: object.field), unplannable_call (subject: source/call).';

CREATE VIEW callsync.schema_drift AS
SELECT e.id, e.destination, e.object, e.field, e.change, e.detail, e.noticed_at, e.resolved_at,
	e.resolved_at IS NULL AND e.change IN ('removed', 'renamed', 'retyped', 'readonly', 'refused') AS stopped
FROM callsync.schema_drift_event e;
COMMENT ON VIEW callsync.schema_drift IS 'Fields of a CRM that are not what they were, as noticed from its describe call or from refusals. change: removed, renamed, retyped, readonly, refused (the destination did not take it), and, without stopping anything, required, options, length, hidden (a record does not show it though it was sent; the destination is asked for its fields at once, which usually tells why). stopped: nothing is written to the field until it is as it was, or resolve_drift(id). Kept for ever; resolved_at NULL: open.';
