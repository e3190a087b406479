-- What people do with doubts: reviews, duplicates to merge, and how good the matching is.

CREATE FUNCTION callsync.review(review_id pg_catalog.int8, verdict pg_catalog.text, contact_id pg_catalog.text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	item callsync.review_item;
	proposed text;
	decided text;
BEGIN
	IF verdict IS NULL OR verdict NOT IN ('same', 'different', 'new') THEN
		RAISE EXCEPTION 'unknown verdict "%"', verdict
			USING ERRCODE = 'invalid_parameter_value',
			      HINT = 'Verdicts are same (the proposed contact, or the one named, is the caller), different (it is another contact, named, or nobody on file) and new (nobody on file).';
	END IF;
	SELECT * INTO item FROM callsync.review_item r WHERE r.id = review.review_id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no review %', review.review_id
			USING ERRCODE = 'undefined_object', HINT = 'Open ones are listed in callsync.review_queue.';
	END IF;
	SELECT d.contact_id INTO proposed FROM callsync.match_decision d WHERE d.id = item.decision_id;
	IF verdict = 'new' AND review.contact_id IS NOT NULL THEN
		RAISE EXCEPTION 'verdict "new" names no contact'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Give verdict "same" with the contact_id, or "new" without one.';
	END IF;
	decided := CASE verdict WHEN 'same' THEN coalesce(review.contact_id, proposed) WHEN 'different' THEN review.contact_id END;
	IF verdict = 'same' AND decided IS NULL THEN
		RAISE EXCEPTION 'review % proposes no contact', review.review_id
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Name it: review(review_id, ''same'', contact_id).';
	END IF;
	IF verdict = 'different' AND decided = proposed THEN
		RAISE EXCEPTION 'contact "%" is the proposed one', decided
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Give verdict "same" if it is the caller.';
	END IF;
	IF decided IS NOT NULL AND NOT EXISTS (
		SELECT FROM callsync.contact c WHERE c.destination = item.destination AND c.contact_id = decided) THEN
		RAISE EXCEPTION 'destination "%" has no contact "%"', item.destination, decided
			USING ERRCODE = 'foreign_key_violation',
			      DETAIL = 'Verdicts name contacts of the mirror, table callsync.contact.',
			      HINT = 'If it exists at the destination, wait until the mirror has it, or insert it.';
	END IF;
	UPDATE callsync.review_item r SET state = 'reviewed', verdict = review.verdict, contact_id = decided,
		reviewed_by = SESSION_USER, reviewed_at = clock_timestamp()
	WHERE r.id = item.id;
	INSERT INTO callsync.audit (action, object, detail)
	VALUES ('review', item.destination, jsonb_build_object('review_id', item.id, 'source', item.source, 'call_id', item.call_id,
		'verdict', review.verdict, 'contact_id', decided, 'proposed', proposed));
	PERFORM callsync.outbox_append('review', item.source, item.call_id, item.destination,
		jsonb_build_object('review_id', item.id, 'verdict', review.verdict, 'contact_id', decided));
END
$f$;
COMMENT ON FUNCTION callsync.review(bigint, text, text) IS
'Says who called, for a row of callsync.review_queue. verdict: same (the proposed contact is the caller; or the one named by contact_id), different (it is another contact, named by contact_id; without one: nobody on file), new (nobody on file). The call is planned again with the verdict, which stands above any score; train_matching() learns from it. A verdict can be given again. A contact that was written for the call meanwhile stays in the CRM and is listed in duplicate_candidates.
Example: SELECT review(review_id, ''same'') FROM review_queue WHERE probability > 0.8;';

CREATE FUNCTION callsync.find_duplicates(of_destination pg_catalog.text DEFAULT NULL, min_probability pg_catalog.float8 DEFAULT 0.5,
	OUT destination pg_catalog.text, OUT contact_id pg_catalog.text, OUT other_id pg_catalog.text, OUT probability pg_catalog.float8,
	OUT explanation pg_catalog.text, OUT evidence pg_catalog.jsonb, OUT person pg_catalog.int4)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 100 COST 1000000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_find_duplicates_fn';
COMMENT ON FUNCTION callsync.find_duplicates(text, float8) IS
'Pairs of contacts that are probably records of one person, of one destination or (NULL) of all; each pair once; person is the same number for all records of one person within a destination. How common duplicates are is estimated from the contacts themselves; records that cannot be one person (another given name, generation, date of birth or number of theirs) are never joined, also not through a third. Reads the whole mirror (about 30 seconds for a million contacts); the view duplicate_candidates shows its pairs with both histories. callsync merges nothing by itself.';

CREATE FUNCTION callsync.contact_person_keys(contact callsync.contact) RETURNS pg_catalog.int8[]
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_contact_person_keys_fn';
COMMENT ON FUNCTION callsync.contact_person_keys(callsync.contact) IS 'Keys of table person_key under which calls of this contact are found: its lines and mailboxes.';

-- Contacts that a person has said to be one: written for a call that could be several people's, before the verdict.
CREATE VIEW callsync.reviewed_duplicate AS
SELECT r.destination, r.contact_id, l.contact_id AS other_id, r.source, r.call_id, r.reviewed_by, r.reviewed_at
FROM callsync.review_item r
JOIN callsync.contact_link l ON l.destination OPERATOR(pg_catalog.=) r.destination
	AND l.identity OPERATOR(pg_catalog.=) pg_catalog.concat('surplus:', r.source, '/', r.call_id)
WHERE r.state OPERATOR(pg_catalog.=) 'reviewed' AND r.contact_id IS NOT NULL AND l.contact_id OPERATOR(pg_catalog.<>) r.contact_id;
COMMENT ON VIEW callsync.reviewed_duplicate IS
'Contacts (other_id) that callsync wrote for an ambiguous call and that a reviewer''s verdict made superfluous: the call is contact_id''s. They stay in the CRM until people merge them; see duplicate_candidates.';

CREATE VIEW callsync.duplicate_candidates AS
SELECT d.destination, d.contact_id, d.other_id, d.probability, d.explanation,
	pg_catalog.concat_ws(' ', a.first_name, a.last_name) AS name, pg_catalog.concat_ws(' ', b.first_name, b.last_name) AS other_name,
	ah.calls, bh.calls AS other_calls, ah.last_call_at, bh.last_call_at AS other_last_call_at,
	a.remote_updated_at, b.remote_updated_at AS other_remote_updated_at, d.evidence, d.person, d.remedy
FROM (
	SELECT f.destination, f.contact_id, f.other_id, f.probability, f.explanation, f.evidence, f.person,
		'If they are one person, merge them in the CRM.' AS remedy
	FROM callsync.find_duplicates() f
	WHERE NOT EXISTS (SELECT FROM callsync.reviewed_duplicate v WHERE v.destination OPERATOR(pg_catalog.=) f.destination
		AND ((v.contact_id OPERATOR(pg_catalog.=) f.contact_id AND v.other_id OPERATOR(pg_catalog.=) f.other_id)
			OR (v.contact_id OPERATOR(pg_catalog.=) f.other_id AND v.other_id OPERATOR(pg_catalog.=) f.contact_id)))
	UNION ALL
	-- several calls may have been given to one contact
	(SELECT DISTINCT ON (v.destination, v.contact_id, v.other_id) v.destination, v.contact_id, v.other_id, 1,
		pg_catalog.format('written for call %s of %s, which is the other''s: says %s', v.call_id, v.source, v.reviewed_by),
		pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('field', 'REVIEW', 'source', v.source, 'call', v.call_id,
			'reviewed_by', v.reviewed_by, 'reviewed_at', v.reviewed_at)), NULL,
		pg_catalog.format('In the CRM, merge contact %s into %s, or delete it: its activities were moved.', v.other_id, v.contact_id)
	FROM callsync.reviewed_duplicate v
	ORDER BY v.destination, v.contact_id, v.other_id, v.reviewed_at)
) d
JOIN callsync.contact a ON a.destination OPERATOR(pg_catalog.=) d.destination AND a.contact_id OPERATOR(pg_catalog.=) d.contact_id
JOIN callsync.contact b ON b.destination OPERATOR(pg_catalog.=) d.destination AND b.contact_id OPERATOR(pg_catalog.=) d.other_id
CROSS JOIN LATERAL (SELECT pg_catalog.count(DISTINCT (k.source, k.call_id)) AS calls, pg_catalog.max(c.captured_at) AS last_call_at
	FROM callsync.person_key k LEFT JOIN callsync.call c ON c.source OPERATOR(pg_catalog.=) k.source AND c.call_id OPERATOR(pg_catalog.=) k.call_id
	WHERE k.key OPERATOR(pg_catalog.=) ANY (callsync.contact_person_keys(a))) ah
CROSS JOIN LATERAL (SELECT pg_catalog.count(DISTINCT (k.source, k.call_id)) AS calls, pg_catalog.max(c.captured_at) AS last_call_at
	FROM callsync.person_key k LEFT JOIN callsync.call c ON c.source OPERATOR(pg_catalog.=) k.source AND c.call_id OPERATOR(pg_catalog.=) k.call_id
	WHERE k.key OPERATOR(pg_catalog.=) ANY (callsync.contact_person_keys(b))) bh;
COMMENT ON VIEW callsync.duplicate_candidates IS
'Contacts that are probably records of one person, for people to merge in the CRM: how sure, why, both histories, and what to do (remedy). Among them are the contacts that were written for an ambiguous call before a reviewer said whose it was (probability 1, person NULL; see reviewed_duplicate): callsync never merges or deletes by itself. Histories are calls from their lines or mailboxes, last call, last change at the CRM. Computed when asked, from the whole mirror; find_duplicates(destination) is cheaper.';

-- C11: matching against what reviewers said
CREATE VIEW callsync.match_accuracy AS
SELECT r.destination, d.model_version, pg_catalog.width_bucket(d.probability, 0, 1.000001, 10) AS band,
	pg_catalog.count(*) AS reviewed,
	pg_catalog.count(*) FILTER (WHERE r.contact_id OPERATOR(pg_catalog.=) d.contact_id) AS best_guess_right,
	pg_catalog.round((pg_catalog.avg(d.probability))::pg_catalog.numeric, 3) AS expected_share,
	pg_catalog.round((pg_catalog.avg((r.contact_id OPERATOR(pg_catalog.=) d.contact_id AND r.contact_id IS NOT NULL)::pg_catalog.int4))::pg_catalog.numeric, 3) AS right_share
FROM callsync.review_item r JOIN callsync.match_decision d ON d.id OPERATOR(pg_catalog.=) r.decision_id
WHERE r.state OPERATOR(pg_catalog.=) 'reviewed'
GROUP BY 1, 2, 3;
COMMENT ON VIEW callsync.match_accuracy IS
'How often the best guess was right, by destination, model version and band of probability (1: below 0.1 ... 10: 0.9 and more), measured against reviewers'' verdicts. expected_share is what the probabilities promised: close to right_share means well calibrated.';

-- C12: how many of the contacts that callsync made have a twin
CREATE FUNCTION callsync.duplicate_rate(destination pg_catalog.text, OUT created pg_catalog.int8, OUT duplicates pg_catalog.int8, OUT rate pg_catalog.float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH made AS (
		SELECT DISTINCT l.contact_id FROM callsync.contact_link l
		WHERE l.destination = duplicate_rate.destination AND l.contact_id IS NOT NULL AND l.contact_key NOT LIKE 'id:%'
	), twins AS (
		SELECT DISTINCT m.contact_id FROM callsync.find_duplicates(duplicate_rate.destination) d
		JOIN made m ON m.contact_id IN (d.contact_id, d.other_id)
	)
	SELECT (SELECT pg_catalog.count(*) FROM made), (SELECT pg_catalog.count(*) FROM twins),
		COALESCE((SELECT pg_catalog.count(*) FROM twins)::pg_catalog.float8 / NULLIF((SELECT pg_catalog.count(*) FROM made), 0), 0);
END;
COMMENT ON FUNCTION callsync.duplicate_rate(text) IS
'Of the contacts that callsync created at a destination: how many probably exist twice (see find_duplicates), and their share.';
