-- The contact mirror: triggers keep keys and counts in step, whatever way rows come and go.
SET search_path = callsync, public;
-- keys and counts as the contacts say they should be, against what the triggers made
CREATE VIEW contact_drift AS
WITH wanted AS (SELECT k.key, contact_cid(c.destination, c.contact_id) AS cid, k.term FROM contact c, contact_keys_of(c) k),
	keys AS (SELECT key, cid FROM wanted WHERE NOT term),
	terms AS (SELECT key AS term, count(*)::int8 AS n FROM wanted WHERE term GROUP BY key),
	have_terms AS (SELECT term, sum(n)::int8 AS n FROM contact_term GROUP BY term HAVING sum(n) <> 0)
SELECT (SELECT count(*) FROM (SELECT * FROM keys EXCEPT ALL SELECT * FROM contact_key) x) AS missing,
	(SELECT count(*) FROM (SELECT * FROM contact_key EXCEPT ALL SELECT * FROM keys) x) AS stale,
	(SELECT count(*) FROM (SELECT * FROM terms EXCEPT ALL SELECT * FROM have_terms) x) AS terms_missing,
	(SELECT count(*) FROM (SELECT * FROM have_terms EXCEPT ALL SELECT * FROM terms) x) AS terms_stale;

INSERT INTO contact (destination, contact_id, first_name, last_name, email, phone, mobile_phone, postal_code, country, account_id)
SELECT 't_contact', g, (ARRAY['Ann', 'Bob', 'Cécile', 'Dmitri'])[1 + g % 4], 'Test' || (g % 50), 'p' || g || '@example.com',
	'(206) 555-' || lpad((g % 10000)::text, 4, '0'), CASE WHEN g % 3 = 0 THEN '+44 20 7946 0' || lpad((g % 1000)::text, 3, '0') END,
	lpad((10000 + g % 90)::text, 5, '0'), 'US', 'acc' || g % 7
FROM generate_series(1, 1000) g;
SELECT * FROM contact_drift;
-- single rows
INSERT INTO contact (destination, contact_id, first_name, last_name, phone) VALUES ('t_contact', 'one', 'Jörg', 'von der Heide', '030 901820');
UPDATE contact SET phone = '030 901821', other_emails = 'a@b.example; c@d.example' WHERE contact_id = 'one' AND destination = 't_contact';
UPDATE contact SET contact_id = 'uno' WHERE contact_id = 'one' AND destination = 't_contact';
UPDATE contact SET company = 'no key' WHERE destination = 't_contact' AND contact_id = 'uno';
SELECT * FROM contact_drift;
-- sets
UPDATE contact SET last_name = last_name || 'son', postal_code = NULL WHERE destination = 't_contact' AND contact_id::text ~ '^[0-9]*5$';
DELETE FROM contact WHERE destination = 't_contact' AND contact_id ~ '^[0-9]*7$';
INSERT INTO contact (destination, contact_id, last_name) SELECT 't_contact', g, 'Again' FROM generate_series(1, 20) g
	ON CONFLICT (destination, contact_id) DO UPDATE SET last_name = EXCLUDED.last_name;
SELECT * FROM contact_drift;
MERGE INTO contact c USING (SELECT g::text AS id FROM generate_series(1, 40) g) s ON c.destination = 't_contact' AND c.contact_id = s.id
	WHEN MATCHED AND s.id::int % 2 = 0 THEN DELETE
	WHEN MATCHED THEN UPDATE SET first_name = 'Merged'
	WHEN NOT MATCHED THEN INSERT (destination, contact_id, last_name) VALUES ('t_contact', s.id, 'Merged');
SELECT * FROM contact_drift;
COPY contact (destination, contact_id, first_name, last_name, email, phone) FROM stdin;
t_contact	c1	Maria	García López	maria@example.com	\N
t_contact	c2	\N	\N	\N	tel:+1-206-555-0100;ext=5 / 206-555-0101
\.
SELECT * FROM contact_drift;
-- statements larger than work_mem keep their rows on disk
SET work_mem = '64kB';
INSERT INTO contact (destination, contact_id, first_name, last_name, phone, street)
SELECT 't_spill', g, 'Ann', 'Spill' || g % 100, '(206) 556-' || lpad(g::text, 4, '0'), repeat('x', 200) FROM generate_series(1, 4000) g;
UPDATE contact SET last_name = last_name || 'ed' WHERE destination = 't_spill';
SELECT * FROM contact_drift;
DELETE FROM contact WHERE destination = 't_spill';
RESET work_mem;
SELECT * FROM contact_drift;
-- a rolled back change leaves nothing
BEGIN;
UPDATE contact SET last_name = 'Gone' WHERE destination = 't_contact';
SAVEPOINT s;
DELETE FROM contact WHERE destination = 't_contact' AND contact_id = 'c1';
ROLLBACK TO s;
SELECT * FROM contact_drift;
ROLLBACK;
SELECT * FROM contact_drift;
-- folding keeps the sums; a rebuild makes the same
SELECT fold_contact_terms() > 0 AS folded;
SELECT * FROM contact_drift;
SELECT count(*) = 0 AS folded_all FROM (SELECT term FROM contact_term GROUP BY term HAVING count(*) > 1) x;
ALTER TABLE contact DISABLE TRIGGER USER;
UPDATE contact SET last_name = 'Behind the back' WHERE destination = 't_contact' AND contact_id < '3';
ALTER TABLE contact ENABLE TRIGGER USER;
SELECT missing > 0 AS drifted FROM contact_drift;
SELECT rebuild_contact_keys() > 3000 AS rebuilt;
SELECT * FROM contact_drift;
-- keys are few
SELECT count(*) / (SELECT count(*) FROM contact) AS keys_per_contact FROM contact_key;
-- TRUNCATE takes the keys with it
BEGIN;
TRUNCATE contact;
SELECT (SELECT count(*) FROM contact_key), (SELECT count(*) FROM contact_term);
ROLLBACK;
-- who may write the mirror needs no right on the keys
CREATE ROLE t_contact_writer;
GRANT callsync_operator TO t_contact_writer;
SET ROLE t_contact_writer;
INSERT INTO contact (destination, contact_id, last_name) VALUES ('t_contact', 'role', 'Allowed');
SELECT count(*) FROM contact_key;
RESET ROLE;
DROP ROLE t_contact_writer;
SELECT * FROM contact_drift;
-- the trigger function is for these triggers only
CREATE TABLE t_contact_other (a int);
CREATE TRIGGER t AFTER INSERT ON t_contact_other FOR EACH ROW EXECUTE FUNCTION contact_changed();
INSERT INTO t_contact_other VALUES (1);
DROP TABLE t_contact_other;
CREATE TABLE t_contact_other (a int);
CREATE TRIGGER t AFTER INSERT ON t_contact_other FOR EACH STATEMENT EXECUTE FUNCTION contact_changed();
INSERT INTO t_contact_other VALUES (1);
DROP TABLE t_contact_other;
DELETE FROM contact WHERE destination = 't_contact';
SELECT * FROM contact_drift;
SELECT count(*) FROM contact_key;
DROP VIEW contact_drift;
