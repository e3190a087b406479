-- Type phone: input and output, order, indexes, casts, functions.
SET search_path = callsync, public;
\pset null '(null)'

-- text form
SELECT '+15551234567'::phone, '+1'::phone, '+9999999999999999999'::phone, '+0'::phone, '+001'::phone;
SELECT typlen, typbyval, typalign, typstorage FROM pg_type WHERE oid = 'phone'::regtype;
SELECT '15551234567'::phone;
SELECT '+'::phone;
SELECT ''::phone;
SELECT '+1 555'::phone;
SELECT '+12345678901234567890'::phone;
\echo :LAST_ERROR_SQLSTATE
SELECT to_phone('5551234567');
\echo :LAST_ERROR_SQLSTATE
SELECT to_phone('hello', 'US');
SELECT to_phone('1', 'US');
SELECT to_phone('011', 'US');
SELECT to_phone('01144', 'US');
SELECT to_phone(repeat('1', 30), 'US');
SELECT to_phone('+59812345678901234567');
SELECT format_phone('+15551234567', 'loud');
\echo :LAST_ERROR_SQLSTATE
SELECT phone_prefix('+15551234567', '+1x');
\echo :LAST_ERROR_SQLSTATE

-- the three spellings of one number
SELECT to_phone('(555) 123-4567', 'US') = '+15551234567' AS a, to_phone('5551234567', 'US') = '+15551234567' AS b, to_phone('+15551234567') = '+15551234567' AS c;
SELECT try_phone('5551234567'), try_phone('hello', 'US'), try_phone(NULL, 'US'), to_phone(NULL), to_phone('5551234567', 'us'), try_phone('5551234567', 'XX'), try_phone('5551234567', '');
-- no implicit cast; assignment and explicit casts work
SELECT '+15551234567'::text::phone, '+15551234567'::varchar::phone, '+15551234567'::phone::text;
SELECT count(*) FROM pg_cast WHERE (castsource = 'phone'::regtype OR casttarget = 'phone'::regtype) AND castcontext = 'i';
CREATE TABLE phone_test (id int GENERATED ALWAYS AS IDENTITY, p phone);
INSERT INTO phone_test (p) SELECT '+15551234567'::text;
INSERT INTO phone_test (p) VALUES ('+442079460018'), (NULL), ('+442079460019'), ('+1555'), ('+4420'), ('+49301234567'), ('+2');
SELECT p FROM phone_test ORDER BY p;
SELECT p FROM phone_test ORDER BY p DESC NULLS LAST LIMIT 3;
SELECT min(p), max(p), count(DISTINCT p) FROM phone_test;
SELECT '+12'::phone < '+120'::phone AS lt, '+13'::phone <= '+13'::phone AS le, '+2'::phone > '+19'::phone AS gt, '+2'::phone >= '+3'::phone AS ge, '+2'::phone <> '+3'::phone AS ne;
SELECT phone_cmp('+1', '+2'), phone_cmp('+2', '+2'), phone_cmp('+2', '+19'), phone_larger('+1', '+2'), phone_smaller('+1', '+2');
SELECT phone_hash('+15551234567') = phone_hash('+15551234567') AS same, phone_hash('+15551234567') <> phone_hash('+15551234568') AS other,
	phone_hash_extended('+15551234567', 0) & 4294967295 = phone_hash('+15551234567')::bigint & 4294967295 AS low_half_is_plain_hash;

-- long numbers keep their digits and their order
SELECT p, p::text::phone = p AS back FROM (VALUES ('+811234567890123456'::phone), ('+8112345678901234567'), ('+6200180312345678'), ('+498001234567890'),
	('+4980012345678901234'), ('+2348001234567890'), ('+59800041234567890'), ('+8200308123456789'), ('+820030812345678'), ('+82003081234567890')) v(p) ORDER BY p;

-- what the plan says
SELECT p, phone_region(p), phone_type(p), phone_is_valid(p), phone_is_possible(p), format_phone(p, 'national') AS "national",
	format_phone(p, 'International') AS international, format_phone(p, 'RFC3966') AS rfc3966, format_phone(p, 'e164') AS e164
FROM (VALUES ('+15551234567'::phone), ('+12125550147'), ('+442079460018'), ('+390612345678'), ('+80012345678'), ('+18765550123'), ('+77012345678'),
	('+79012345678'), ('+999123'), ('+1'), ('+0123'), ('+9999999999999999999'), ('+5491123456789'), ('+1212555014')) v(p);
SELECT phone_metadata_version(), to_phone(NULL, NULL), format_phone(NULL, 'e164'), phone_region(NULL), phone_is_valid(NULL);

-- the parser's row
\x on
SELECT * FROM phone_parse('0343 15 555 1212 ext. 7', 'AR');
SELECT * FROM phone_parse('911', 'US');
SELECT * FROM phone_parse('tel:030-1234567;phone-context=+49');
SELECT * FROM phone_parse('nothing', 'US');
SELECT * FROM phone_parse(NULL);
\x off

-- prefix and fuzzy operators
SELECT p, p ^@ '+44' AS a, p ^@ '4420' AS b, p ^@ '+44 20-79' AS c, p ^@ '' AS d, p ^@ '12345678901234567890' AS e, p ^@ NULL AS f FROM phone_test WHERE p ^@ '+4' ORDER BY p;
SELECT a, b, a =~ b AS near, a <-> b AS slips FROM (VALUES ('+12125550147'::phone, '+12125550147'::phone), ('+12125550147', '+12125550148'),
	('+12125550147', '+1212550147'), ('+12125550147', '+121255501477'), ('+12125550147', '+12125551047'), ('+12125550147', '+12125551407'),
	('+12125550147', '+12125501457'), ('+12125550147', '+493012345'), ('+1', '+2'), ('+1', '+12'), (NULL, '+12')) v(a, b);
SELECT cardinality(phone_neighbours('+12')), (phone_neighbours('+12'))[1:4], bool_and(n =~ '+12'::phone) FROM unnest(phone_neighbours('+12')) n;

-- indexes
CREATE TABLE phone_index_test AS SELECT ('+1212555' || to_char(i, 'FM0000'))::phone AS p, i FROM generate_series(0, 9999) i;
INSERT INTO phone_index_test SELECT ('+442079' || to_char(i, 'FM000000'))::phone, i FROM generate_series(0, 999) i;
CREATE INDEX phone_index_test_btree ON phone_index_test (p);
ANALYZE phone_index_test;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT i FROM phone_index_test WHERE p = '+12125550147';
EXPLAIN (COSTS OFF) SELECT i FROM phone_index_test WHERE p BETWEEN '+12125550147' AND '+12125550150' ORDER BY p;
EXPLAIN (COSTS OFF) SELECT i FROM phone_index_test WHERE p ^@ '+442079000';
EXPLAIN (COSTS OFF) SELECT i FROM phone_index_test WHERE phone_prefix(p, '+442079000');
EXPLAIN (COSTS OFF) SELECT i FROM phone_index_test WHERE p =~ '+12' AND p <> '+13';
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT a.i FROM phone_test t JOIN phone_index_test a ON a.p =~ t.p;
EXPLAIN (COSTS OFF) SELECT a.i FROM (VALUES ('+4420'), ('+1212')) v(prefix) JOIN phone_index_test a ON a.p ^@ v.prefix;
SELECT count(*) FROM phone_index_test WHERE p ^@ '+442079000';
SELECT count(*) FROM phone_index_test WHERE p ^@ '+44207900';
SELECT count(*) FROM phone_index_test WHERE p =~ '+12125550147';
SELECT v.prefix, count(*) FROM (VALUES ('+442079'), ('+1212555'), ('+12125550'), ('+99'), ('123456789012345678901')) v(prefix) JOIN phone_index_test a ON a.p ^@ v.prefix GROUP BY 1 ORDER BY 1;
SELECT t.p, count(*) FROM phone_index_test t JOIN phone_index_test a ON a.p =~ t.p WHERE t.p IN ('+12125550147', '+442079000001') GROUP BY 1 ORDER BY 1;
RESET enable_bitmapscan;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_seqscan = on;
SELECT count(*) FROM phone_index_test WHERE p ^@ '+44207900';
SELECT count(*) FROM phone_index_test WHERE p =~ '+12125550147';
RESET ALL;
SET search_path = callsync, public;
-- a second column is no place for =~, because the scan would lose its order
CREATE INDEX phone_index_test_second ON phone_index_test (i, p);
DROP INDEX phone_index_test_btree;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT p FROM phone_index_test WHERE i = 5 AND p =~ '+12125550005' ORDER BY i, p;
DROP INDEX phone_index_test_second;
CREATE INDEX phone_index_test_hash ON phone_index_test USING hash (p);
EXPLAIN (COSTS OFF) SELECT i FROM phone_index_test WHERE p = '+12125550147';
SELECT i FROM phone_index_test WHERE p = '+12125550147';
RESET enable_seqscan;
RESET enable_bitmapscan;
EXPLAIN (COSTS OFF) SELECT i FROM phone_index_test WHERE p =~ '+12125550147';
-- joins by hash and by merge
SET enable_hashjoin = on; SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) FROM phone_index_test a JOIN phone_index_test b USING (p);
SET enable_hashjoin = off; SET enable_mergejoin = on;
SELECT count(*) FROM phone_index_test a JOIN phone_index_test b USING (p);
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_nestloop;
-- estimates come from the statistics: within a factor of 2 of the truth
CREATE FUNCTION pg_temp.estimate(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan; RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows'; END $$;
SELECT what, truth, pg_temp.estimate('SELECT FROM phone_index_test WHERE ' || what) BETWEEN truth / 2 AND truth * 2 AS good FROM (VALUES
	('p ^@ ''+4420''', 1000), ('p ^@ ''+1''', 10000), ('p ^@ ''+12125551''', 1000), ('p < ''+12125555''', 5000), ('p >= ''+442''', 1000),
	('p = ''+12125550147''', 1)) v(what, truth);
SELECT pg_temp.estimate('SELECT FROM phone_index_test WHERE p ^@ ''+7''') < 10 AS nothing, pg_temp.estimate('SELECT FROM phone_index_test WHERE p =~ ''+12125550147''') < 50 AS few;

-- a unique index on to_phone, and partitions by range
CREATE TABLE phone_raw_test (raw text);
CREATE UNIQUE INDEX ON phone_raw_test (to_phone(raw, 'US'));
INSERT INTO phone_raw_test VALUES ('(212) 555-0147');
INSERT INTO phone_raw_test VALUES ('212.555.0147');
CREATE TABLE phone_part_test (p phone) PARTITION BY RANGE (p);
CREATE TABLE phone_part_test_1 PARTITION OF phone_part_test FOR VALUES FROM ('+1') TO ('+2');
CREATE TABLE phone_part_test_4 PARTITION OF phone_part_test FOR VALUES FROM ('+4') TO ('+5');
INSERT INTO phone_part_test VALUES ('+12125550147'), ('+4999');
SELECT tableoid::regclass, p FROM phone_part_test ORDER BY p;

-- text round trip through a dump's COPY, for phones that no plan knows too
COPY phone_test (p) TO stdout;
COPY phone_test (p) FROM stdin;
+9999999999999999999
+0
\N
\.
COPY phone_test (p) FROM stdin;
0301234567
\.
SELECT count(*), max(p) FROM phone_test;
-- binary round trip, and what binary input refuses
SELECT phone_send('+1'), phone_send('+9999999999999999999');
CREATE TABLE phone_binary_test (LIKE phone_test);
DO $$
BEGIN
	EXECUTE format('COPY phone_test TO %L (FORMAT binary)', current_setting('data_directory') || '/phone_test.bin');
	EXECUTE format('COPY phone_binary_test FROM %L (FORMAT binary)', current_setting('data_directory') || '/phone_test.bin');
END $$;
SELECT count(*), count(*) FILTER (WHERE t.p IS NOT DISTINCT FROM b.p) AS same FROM phone_test t JOIN phone_binary_test b USING (id);
CREATE TABLE phone_bad_binary_test (p bigint);
INSERT INTO phone_bad_binary_test VALUES (0);
DO $$
BEGIN
	EXECUTE format('COPY phone_bad_binary_test TO %L (FORMAT binary)', current_setting('data_directory') || '/phone_bad.bin');
	EXECUTE format('COPY phone_binary_test (p) FROM %L (FORMAT binary)', current_setting('data_directory') || '/phone_bad.bin');
EXCEPTION WHEN invalid_binary_representation THEN
	RAISE NOTICE '%: %', SQLSTATE, SQLERRM;
END $$;

DROP TABLE phone_test, phone_binary_test, phone_bad_binary_test, phone_index_test, phone_raw_test, phone_part_test;

-- every function says what it is for
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
WHERE (proname LIKE '%phone%' OR proname IN ('caller_id', 'same_caller')) AND obj_description(p.oid, 'pg_proc') IS NULL ORDER BY 1;

-- a user without any role of ours works with phones
CREATE ROLE phone_user_test;
CREATE TABLE public.phone_user_test_table (p phone, raw text);
ALTER TABLE public.phone_user_test_table OWNER TO phone_user_test;
GRANT CREATE ON SCHEMA public TO phone_user_test;
SET ROLE phone_user_test;
CREATE INDEX ON phone_user_test_table (p);
INSERT INTO phone_user_test_table SELECT to_phone('212-555-' || to_char(i, 'FM0000'), 'US'), i FROM generate_series(1, 100) i;
SELECT count(*), min(p), max(p), count(*) FILTER (WHERE p ^@ '+1212555001'), count(*) FILTER (WHERE p =~ '+12125550050') FROM phone_user_test_table;
SELECT kind FROM caller_id('anonymous');
RESET ROLE;
DROP TABLE phone_user_test_table;
DROP OWNED BY phone_user_test;
DROP ROLE phone_user_test;
