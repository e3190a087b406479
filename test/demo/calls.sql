-- A business week of a dental practice with an AI receptionist: 300 calls of some 120 people, as they
-- really look in a call table. Nothing random: every run of the demo is the same.
-- 120 people; every fifth has an e-mail address on file with the practice's own bot
CREATE TEMP TABLE people AS
SELECT p AS id,
	(ARRAY['Maria', 'James', 'Olivia', 'Noah', 'Emma', 'Liam', 'Sofia', 'Ethan', 'Ava', 'Lucas', 'Mia', 'Henry'])[1 + p % 12] AS first,
	(ARRAY['Rodriguez', 'Smith', 'Wozniak', 'Chen', 'O''Brien', 'Müller', 'Johnson', 'Nguyen', 'García', 'Patel'])[1 + (p / 12) % 10] AS last,
	format('415555%s', lpad((2000 + p * 7)::text, 4, '0')) AS digits,
	CASE WHEN p % 5 = 0 THEN lower(replace((ARRAY['Maria', 'James', 'Olivia', 'Noah', 'Emma', 'Liam', 'Sofia', 'Ethan', 'Ava', 'Lucas', 'Mia', 'Henry'])[1 + p % 12] || '.' || (ARRAY['Rodriguez', 'Smith', 'Wozniak', 'Chen', 'OBrien', 'Mueller', 'Johnson', 'Nguyen', 'Garcia', 'Patel'])[1 + (p / 12) % 10], ' ', '')) || '@' || (ARRAY['example.com', 'mail.example.org', 'post.example.net'])[1 + p % 3] END AS email
FROM generate_series(1, 120) p;

-- numbers as phone systems, forms and people write them
CREATE FUNCTION pg_temp.spell(digits text, style int) RETURNS text LANGUAGE sql AS $$
	SELECT CASE style % 8
		WHEN 0 THEN '+1' || digits
		WHEN 1 THEN digits
		WHEN 2 THEN format('(%s) %s-%s', substr(digits, 1, 3), substr(digits, 4, 3), substr(digits, 7))
		WHEN 3 THEN format('%s.%s.%s', substr(digits, 1, 3), substr(digits, 4, 3), substr(digits, 7))
		WHEN 4 THEN format('1-%s-%s-%s', substr(digits, 1, 3), substr(digits, 4, 3), substr(digits, 7))
		WHEN 5 THEN format('sip:+1%s@pbx.example.net;user=phone', digits)
		WHEN 6 THEN format('tel:+1-%s-%s-%s', substr(digits, 1, 3), substr(digits, 4, 3), substr(digits, 7))
		ELSE format('+1 %s %s %s', substr(digits, 1, 3), substr(digits, 4, 3), substr(digits, 7)) END
$$;

-- as they come: a few at a time, each in a transaction of its own
\set QUIET on
CREATE TEMP TABLE hours AS SELECT h FROM generate_series(0, 19) h;
SELECT replace(replace($insert$INSERT INTO calls
SELECT format('c-%s', lpad(n::text, 4, '0')),
	timestamptz '2026-11-09 08:00:00-08' + (n / 60) * interval '1 day' + (n % 60) * interval '9 minutes',
	timestamptz '2026-11-09 08:00:00-08' + (n / 60) * interval '1 day' + (n % 60) * interval '9 minutes' + (40 + n * 13 % 400) * interval '1 second',
	CASE WHEN n % 23 = 0 THEN (ARRAY['anonymous', 'Restricted', '+266696687'])[1 + n % 3] ELSE pg_temp.spell(p.digits, n) END,
	'+14155550100',
	CASE WHEN n % 9 = 0 AND n % 23 <> 0 THEN NULL ELSE p.first || ' ' || p.last END,
	CASE WHEN n % 4 = 0 THEN p.email END,
	CASE WHEN n % 6 = 0 THEN '94110' END,
	CASE WHEN n % 41 = 0 THEN 'es' ELSE 'en' END,
	(ARRAY['booked', 'info', 'booked', 'escalated', 'no_answer'])[1 + n % 5],
	CASE WHEN n % 41 = 0 THEN 'La paciente pide una limpieza dental el martes por la mañana; prefiere español.'
		ELSE format('Caller asked about %s. %s', (ARRAY['a cleaning', 'a crown', 'billing', 'an emergency visit'])[1 + n % 4],
			CASE WHEN n % 5 = 3 THEN 'Escalated to the front desk.' ELSE 'Handled by the receptionist.' END) END,
	CASE WHEN n % 5 = 3 THEN 'Call back about the treatment plan' END,
	CASE WHEN n % 5 = 3 THEN timestamptz '2026-11-16 09:00:00-08' END,
	(ARRAY['cleaning', 'crown', 'billing', 'emergency'])[1 + n % 4],
	format('https://recordings.example.com/c-%s.mp3', lpad(n::text, 4, '0')),
	(ARRAY['standard', 'standard', 'high'])[1 + n % 3]
FROM generate_series(@from@, @to@) n
JOIN people p ON p.id = 1 + (n * 37) % 120
$insert$, '@from@', (h * 15 + 1)::text), '@to@', (h * 15 + 15)::text) FROM hours ORDER BY h
\gexec

-- the receptionist corrects a summary after the call
UPDATE calls SET summary = summary || ' Correction: the patient is new.', outcome = 'booked' WHERE call_id = 'c-0017';
-- one call that the phone system wrote twice, the second time with the name in capitals
INSERT INTO calls (call_id, started_at, from_number, caller_name, outcome)
SELECT call_id, started_at, from_number, upper(caller_name), 'booked' FROM calls WHERE call_id = 'c-0044';
-- a row without a call id: not lost, but not a call either
INSERT INTO calls (started_at, from_number, summary) VALUES (timestamptz '2026-11-12 15:00:00-08', '+14155552111', 'the phone system forgot the id');
\set QUIET off
