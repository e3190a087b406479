-- Names, mailboxes and who is calling, through SQL.
SET search_path = public, callsync;
\set SHOW_CONTEXT never
SELECT email_canonical('Jon.Smith+x@GoogleMail.com'), email_heard('jon dot smith at g mail dot com'), email_canonical('nobody');
SELECT round(name_similarity(a, b)::numeric, 2) AS similarity, a =~ b AS alike, round((a <~> b)::numeric, 2) AS distance, a, b
FROM (VALUES ('Robert Smith', 'Bob Smyth'), ('García, José', 'jose garcia'), ('Ludwig van Beethoven', 'Ludwig Beethoven'),
	('Hans Müller', 'Hans Mueller'), ('John Smith Sr.', 'John Smith Jr.'), ('Anna Jones', 'Peter Wong')) v(a, b)
ORDER BY a COLLATE "C";
SELECT same_caller('(206) 555-0100', '+12065550100', 'US') AS yes, same_caller('555-0100', '+12065550100', 'US') AS too_short;

-- nicknames are a table: an edit counts at once, and never needs an index to be built anew
CREATE TABLE t_name (name text);
INSERT INTO t_name SELECT (ARRAY['Robert', 'Maria', 'Wolfgang', 'Ann', 'Zbigniew', 'Li', 'Jean-Luc', 'Elizabeth', 'Hiroshi', 'Olga'])[1 + abs(hashint4(g)) % 10] || ' ' ||
	(ARRAY['Smith', 'Smyth', 'García López', 'von der Heide', 'O''Brien', 'Nowak', 'Müller', 'Wei', 'Yamamoto', 'Petrov', 'de la Cruz', 'Schmidt', 'Jones'])[1 + abs(hashint4(g + 7777)) % 13]
	|| CASE WHEN g % 11 = 0 THEN ' Jr.' WHEN g % 17 = 0 THEN ' ' || chr(97 + g % 26) ELSE '' END
FROM generate_series(1, 400) g;
INSERT INTO t_name VALUES (''), (NULL), ('...'), ('李 伟'), ('Иван Петров');
CREATE INDEX t_name_gin ON t_name USING gin (name name_ops);
ANALYZE t_name;
SET enable_seqscan = off;
SELECT count(*) FROM t_name WHERE name =~ 'Wolli Schmidt';
INSERT INTO nickname (name, nick, weight) VALUES ('wolfgang', 'wolli', 0.9);
EXPLAIN (COSTS OFF) SELECT * FROM t_name WHERE name =~ 'Wolli Schmidt';
SELECT name, count(*) FROM t_name WHERE name =~ 'Wolli Schmidt' GROUP BY 1 ORDER BY 1;
DELETE FROM nickname WHERE nick = 'wolli';
SELECT count(*) FROM t_name WHERE name =~ 'Wolli Schmidt';
-- the index finds what the scan finds, whatever is asked (ten thousand queries: .ci/long-match)
CREATE FUNCTION t_gin_differs(queries int) RETURNS TABLE (asked int, hits bigint, differing int) LANGUAGE plpgsql AS $f$
DECLARE
	q text;
	by_index tid[];
	by_scan tid[];
BEGIN
	asked := 0; hits := 0; differing := 0;
	FOR i IN 1..queries LOOP
		q := (ARRAY['Bob', 'Rob', 'Robert', 'Mary', 'Maria', 'Wolf', 'Liz', 'Beth', 'Ann', 'Anne', 'Hiro', 'Jean', 'Luc', 'Z', ''])[1 + abs(hashint4(i * 31)) % 15] || ' ' ||
			(ARRAY['Smith', 'Smithe', 'Schmitt', 'Garcia', 'Lopez', 'Heide', 'OBrien', 'Novak', 'Mueller', 'Way', 'Yamamoto', 'Petroff', 'Cruz', 'Jonas', '', 'Smith Jones'])[1 + abs(hashint4(i * 17 + 3)) % 16];
		-- a slip in some
		IF i % 3 = 0 AND length(q) > 4 THEN
			q := overlay(q placing chr(97 + i % 26) from 2 + i % (length(q) - 2) for 1);
		END IF;
		PERFORM set_config('enable_seqscan', 'off', true);
		EXECUTE 'SELECT array_agg(ctid ORDER BY ctid) FROM t_name WHERE name =~ $1' INTO by_index USING q;
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'off', true);
		EXECUTE 'SELECT array_agg(ctid ORDER BY ctid) FROM t_name WHERE name =~ $1' INTO by_scan USING q;
		PERFORM set_config('enable_bitmapscan', 'on', true);
		asked := asked + 1;
		hits := hits + coalesce(cardinality(by_scan), 0);
		differing := differing + (by_index IS DISTINCT FROM by_scan)::int;
	END LOOP;
	RETURN NEXT;
END
$f$;
SELECT asked, hits > 80 AS found_many, differing FROM t_gin_differs(60);
RESET enable_seqscan;
DROP FUNCTION t_gin_differs(int);
DROP TABLE t_name;

-- who is calling
INSERT INTO contact (destination, contact_id, first_name, last_name, email, phone, postal_code, account_id, fields) VALUES
	('t_match', 'ann', 'Ann', 'Archer', 'ann@example.com', '(415) 555-2671', '94110', 'acme', '{"customer_no": "K-1001"}'),
	('t_match', 'bob', 'Robert', 'Archer', NULL, '(415) 555-2671', '94110', 'acme', '{}'),
	('t_match', 'sr', 'Otto', 'Wozniak Sr.', NULL, '(415) 555-2699', '94112', NULL, '{}'),
	('t_match', 'eve', 'Eve', 'Stone', 'eve.stone@example.com', '+4930901820', NULL, NULL, '{"customer_no": "K-1002"}');
INSERT INTO contact (destination, contact_id, first_name, last_name, postal_code) SELECT 't_match', 'x' || g, 'First' || g, 'Last' || g, (90000 + g)::text FROM generate_series(1, 200) g;
SELECT decision, contact_id, runner_up, reason, explanation, what FROM (VALUES
	('line and name', '415-555-2671', NULL, 'Ann Archer', NULL), ('line and nickname', '+14155552671', NULL, 'Bob Archer', NULL),
	('a line of two', '4155552671', NULL, NULL, NULL), ('mailbox as heard', 'anonymous', 'ann at example dot com', NULL, NULL),
	('mailbox, new number', '(212) 555-0177', 'Eve.Stone@example.com', 'Eve', NULL), ('name and postal code', NULL, NULL, 'ann archer', '94110'),
	('name alone', NULL, NULL, 'Ann Archer', NULL), ('the son', '(415) 555-2699', NULL, 'Otto Wozniak Jr.', NULL),
	('another name on the line', '030 901820', NULL, 'Mia Wong', NULL), ('nobody', '+14155550000', 'new@example.com', 'Nina Newman', '10001'),
	('nothing', NULL, NULL, NULL, NULL)) v(what, phone, email, name, zip),
	LATERAL match_caller('t_match', v.phone, v.email, v.name, v.zip, region => CASE WHEN v.phone LIKE '030%' THEN 'DE' ELSE 'US' END) m
ORDER BY what COLLATE "C";
-- within an account; the number that was said; customer number as further evidence
SELECT decision, contact_id FROM match_caller('t_match', name => 'Ann Archer', account_id => 'acme');
SELECT decision, contact_id, explanation FROM match_caller('t_match', 'withheld', name => 'Ann Archer', spoken_phone => 'four one five, five five five, two six seven one', region => 'US');
SELECT set_match_field('t_match', 'customer_no', 'code', true);
SELECT decision, contact_id, explanation FROM match_caller('t_match', name => 'Eve Stone', fields => '{"customer_no": "k 1002"}');
-- evidence adds up, of every candidate that is shown
SELECT count(*) AS decisions, count(*) FILTER (WHERE abs(m.prior + coalesce((SELECT sum((e ->> 'weight')::float8) FROM jsonb_array_elements(m.evidence) e), 0) - m.total) > 1e-9) AS off
FROM generate_series(1, 200) g, LATERAL match_caller('t_match', '(415) 555-26' || 50 + g % 50, 'p' || g || '@example.com', 'First' || g || ' Last' || g % 190, (90000 + g)::text, region => 'US') m;
SELECT jsonb_object_keys(evidence -> 0) AS member FROM match_caller('t_match', '415-555-2671', name => 'Ann Archer', region => 'US') ORDER BY 1;
-- thresholds and identifiers are the destination's
SELECT decision, model_version FROM match_caller('t_other', '415-555-2671');
-- records of one person: found by what several have; asked for one destination, and for all
INSERT INTO contact (destination, contact_id, first_name, last_name, email, phone, postal_code) VALUES
	('t_match', 'bob2', 'Bob', 'Archer', NULL, '415 555 2671', '94110'), ('t_match', 'eve2', 'Stone', 'Eve', 'EVE.STONE@example.com', NULL, NULL),
	('t_match', 'eve3', 'Eve', 'Berg née Stone', 'eve.stone@example.com', NULL, NULL), ('t_match2', 'eve', 'Eve', 'Stone', 'eve.stone@example.com', NULL, NULL);
SELECT contact_id, other_id, explanation, dense_rank() OVER (ORDER BY person) AS person FROM find_duplicates('t_match') WHERE contact_id NOT LIKE 'x%' ORDER BY 1, 2;
-- one person, one number
SELECT count(*) AS torn FROM (SELECT contact_id, person FROM find_duplicates('t_match') UNION ALL SELECT other_id, person FROM find_duplicates('t_match')) r
GROUP BY contact_id HAVING count(DISTINCT person) > 1 LIMIT 1;
SELECT count(*) AS differing FROM (SELECT contact_id, other_id, probability FROM find_duplicates('t_match')) a
FULL JOIN (SELECT contact_id, other_id, probability FROM find_duplicates() WHERE destination = 't_match') b USING (contact_id, other_id, probability) WHERE a IS NULL OR b IS NULL;
SELECT contact_id, other_id, name, other_name, remedy FROM duplicate_candidates WHERE destination = 't_match' AND 'bob' IN (contact_id, other_id);
-- errors
SELECT activate_model('t_match', 7);
SELECT review(0, 'same');
SELECT review(0, 'perhaps');
SELECT set_match_field('t_match', 'customer_no', 'colour');
SELECT set_match_field('t_match', 'customer_no', NULL);
DELETE FROM contact WHERE destination IN ('t_match', 't_match2');
