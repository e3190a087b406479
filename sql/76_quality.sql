-- Is it any good? Six metrics of quality, for health, from the newest three hundred rows of each kind, so
-- that they answer at once however long the history is.

CREATE FUNCTION callsync.quality_rows(OUT metric pg_catalog.text, OUT value pg_catalog.float8, OUT unit pg_catalog.text,
	OUT threshold pg_catalog.text, OUT ok pg_catalog.bool, OUT detail pg_catalog.text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- every look goes by an index, also on tables that were never analysed
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $f$
DECLARE
	r record;
	s record;
BEGIN
	-- what reviewers said of the best guess
	SELECT count(*) AS n, count(*) FILTER (WHERE x.contact_id IS NOT DISTINCT FROM x.guess) AS good INTO r
	FROM (SELECT v.contact_id, CASE WHEN v.verdict = 'new' THEN NULL ELSE d.contact_id END AS guess
		FROM (SELECT i.contact_id, i.verdict, i.decision_id FROM callsync.review_item i WHERE i.state = 'reviewed' ORDER BY i.id DESC LIMIT 300) v
		JOIN callsync.match_decision d ON d.id = v.decision_id) x;
	metric := 'match_accuracy'; unit := 'ratio'; threshold := '>= 0.8'; value := r.good::float8 / nullif(r.n, 0);
	ok := coalesce(value >= 0.8, true);
	detail := CASE WHEN r.n = 0 THEN 'nobody has reviewed a match yet' ELSE format('of %s reviewed calls the best guess was right in %s; see callsync.match_accuracy', r.n, r.good) END;
	RETURN NEXT;

	-- contacts that callsync made last, and whose line or mailbox another contact has as well
	SELECT count(*) AS n, count(*) FILTER (WHERE x.twin) AS bad INTO r
	FROM (SELECT EXISTS (SELECT 1 FROM callsync.contact_keys_of(c) w JOIN callsync.contact_key k ON k.key = w.key
				JOIN callsync.contact o ON callsync.contact_cid(o.destination, o.contact_id) = k.cid
			WHERE NOT w.term AND o.destination = c.destination AND o.contact_id <> c.contact_id AND o.contact_id NOT LIKE 'callsync:%'
				AND callsync.contact_person_keys(o) && callsync.contact_person_keys(c)) AS twin
		FROM (SELECT DISTINCT y.destination, y.contact_record_id FROM (SELECT t.destination, t.contact_record_id, t.match_decision FROM callsync.sync_state t ORDER BY t.captured_at DESC LIMIT 300) y
			WHERE y.match_decision = 'new' AND y.contact_record_id IS NOT NULL LIMIT 20) m
		JOIN callsync.contact c ON c.destination = m.destination AND c.contact_id = m.contact_record_id) x;
	metric := 'duplicate_rate'; unit := 'ratio'; threshold := '<= 0.02'; value := r.bad::float8 / nullif(r.n, 0);
	ok := coalesce(value <= 0.02, true);
	detail := CASE WHEN r.n = 0 THEN 'callsync has made no contact yet' ELSE format('of %s contacts made last %s share a line or mailbox with another; callsync.duplicate_rate(destination) counts all', r.n, r.bad) END;
	RETURN NEXT;

	-- one look at the newest calls for the others
	SELECT count(*) FILTER (WHERE x.status IN ('synced', 'partial', 'failed')) AS n, count(*) FILTER (WHERE x.status = 'synced') AS good,
		avg(extract(epoch FROM x.synced_at - coalesce(x.ended_at, x.captured_at))) FILTER (WHERE x.synced_at IS NOT NULL) AS seconds,
		count(*) FILTER (WHERE x.pushed AND x.status IN ('synced', 'partial', 'failed')) AS pushed,
		count(*) FILTER (WHERE x.pushed AND x.status IN ('partial', 'failed')) AS unpushed
	INTO r
	FROM (SELECT t.status, t.synced_at, t.ended_at, t.captured_at, c.document ->> 'confirmation' LIKE 'transport%' AS pushed
		FROM (SELECT * FROM callsync.sync_state y ORDER BY y.captured_at DESC LIMIT 300) t
		LEFT JOIN callsync.destination d ON d.name = t.destination LEFT JOIN callsync.connector c ON c.name = d.connector) x;
	metric := 'update_success'; unit := 'ratio'; threshold := '>= 0.99'; value := r.good::float8 / nullif(r.n, 0);
	ok := coalesce(value >= 0.99, true);
	detail := format('of the newest calls %s are settled, %s of them completely', r.n, r.good);
	RETURN NEXT;
	metric := 'completion_time'; unit := 's'; threshold := '<= 60'; value := r.seconds; ok := coalesce(r.seconds <= 60, true);
	detail := 'from the end of a call (or its capture) to everything written, average of the newest calls';
	RETURN NEXT;
	metric := 'workflow_failure_rate'; unit := 'ratio'; threshold := '<= 0.01'; value := r.unpushed::float8 / nullif(r.pushed, 0);
	ok := coalesce(value <= 0.01, true);
	detail := CASE WHEN r.pushed = 0 THEN 'no destination here only triggers workflows (confirmation transport)'
		ELSE format('of the newest %s calls for destinations that trigger workflows %s did not', r.pushed, r.unpushed) END;
	RETURN NEXT;

	SELECT count(*) AS n, count(*) FILTER (WHERE coalesce(x.document ->> 'lead_source', x.document ->> 'campaign', x.document #>> '{fields,lead_source}') IS NOT NULL) AS known INTO s
	FROM (SELECT c.document FROM callsync.call c ORDER BY c.captured_at DESC LIMIT 300) x;
	metric := 'lead_attribution'; unit := 'ratio'; threshold := '-'; value := s.known::float8 / nullif(s.n, 0); ok := true;
	detail := format('of the newest %s calls %s name their lead source or campaign; the others get the destination''s lead_source', s.n, s.known);
	RETURN NEXT;
END
$f$;
COMMENT ON FUNCTION callsync.quality_rows() IS 'The rows of the view health that tell of quality.';
