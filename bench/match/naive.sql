-- What people write who have no matcher: one statement per rule, ties to the lowest id. Variable: destination.
-- Leaves bench.decision (rule, call_id, decision, contact_id).
CREATE TEMP TABLE m AS SELECT contact_id::int AS id, contact_id, lower(email) AS email, postal_code AS zip, concat_ws(' ', first_name, last_name) AS name, p.raw, regexp_replace(p.raw, '[^0-9]', '', 'g') AS digits
	FROM callsync.contact c, unnest(ARRAY[phone, mobile_phone, other_phone]) p(raw) WHERE destination = :'destination' AND coalesce(p.raw, '') <> '';
CREATE TEMP TABLE e AS SELECT contact_id::int AS id, contact_id, lower(email) AS email, postal_code AS zip, concat_ws(' ', first_name, last_name) AS name FROM callsync.contact WHERE destination = :'destination';
CREATE INDEX ON m (raw); CREATE INDEX ON m (digits); CREATE INDEX ON m (right(digits, 10)); CREATE INDEX ON e (email); CREATE INDEX ON e (zip);
ANALYZE m; ANALYZE e;
CREATE TABLE IF NOT EXISTS bench.decision (destination text, rule text, call_id text, decision text, contact_id text);
CREATE TEMP TABLE q AS SELECT call_id, number, regexp_replace(number, '[^0-9]', '', 'g') AS digits, lower(trim(email)) AS email, zip, name FROM bench.call WHERE destination = :'destination';
CREATE TEMP TABLE r AS
SELECT call_id, name,
	(SELECT min(id) FROM e WHERE e.email = q.email AND q.email <> '') AS by_email,
	(SELECT min(id) FROM m WHERE m.raw = q.number AND q.number <> '') AS by_raw,
	(SELECT min(id) FROM m WHERE m.digits = q.digits AND q.digits <> '') AS by_digits,
	(SELECT min(id) FROM m WHERE right(m.digits, 10) = right(q.digits, 10) AND length(q.digits) >= 10) AS by_ten,
	(SELECT count(DISTINCT id) FROM m WHERE right(m.digits, 10) = right(q.digits, 10) AND length(q.digits) >= 10) AS on_line,
	(SELECT m.id FROM m WHERE right(m.digits, 10) = right(q.digits, 10) AND length(q.digits) >= 10 AND similarity(m.name, q.name) > 0.3 ORDER BY similarity(m.name, q.name) DESC, m.id LIMIT 1) AS best_on_line,
	(SELECT e.id FROM e WHERE e.zip = q.zip AND q.zip <> '' AND similarity(e.name, q.name) > 0.5 ORDER BY similarity(e.name, q.name) DESC, e.id LIMIT 1) AS by_zip
FROM q;
INSERT INTO bench.decision
SELECT :'destination', rule, call_id, CASE WHEN id = -1 THEN 'review' WHEN id IS NULL THEN 'new' ELSE 'match' END, nullif(id, -1)::text FROM r, LATERAL (VALUES
	('1 e-mail only', by_email), ('2 raw phone =', by_raw), ('3 digits only =', by_digits), ('4 last ten digits', by_ten), ('5 + lower(e-mail)', coalesce(by_ten, by_email)),
	('6 + trigram name within zip', coalesce(by_ten, by_email, by_zip)),
	('7 shared line: best name, else review', CASE WHEN on_line > 1 THEN coalesce(best_on_line, -1) ELSE coalesce(by_ten, by_email, by_zip) END)) v(rule, id);
DROP TABLE m, e, q, r;
