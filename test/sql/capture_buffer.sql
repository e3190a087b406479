-- Rows that one statement captures are inserted together: nobody can tell, whatever runs in between.
SET search_path = callsync, public;
CREATE SCHEMA buffer_test;
SET search_path = callsync, buffer_test, public;

CREATE TABLE buffer_test.person (id int PRIMARY KEY);
INSERT INTO person VALUES (1);
CREATE TABLE buffer_test.calls (id text PRIMARY KEY, who int REFERENCES person);
CREATE TABLE buffer_test.notes (note text);
CREATE TABLE buffer_test.seen (note text, events bigint, queued bigint);
SELECT create_source('buf');
SELECT attach('buf', 'buffer_test.calls', '{"call_id": "id", "fields.who": "who"}');
CREATE VIEW buffer_test.captured AS SELECT e.id, e.call_id, (SELECT count(*) FROM outbox o WHERE o.event_id = e.id) AS queued FROM event e WHERE e.source = 'buf';
CREATE FUNCTION buffer_test.look(note text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO buffer_test.seen SELECT note, count(*), sum(queued) FROM buffer_test.captured $$;

-- a foreign key looks up for each row; afterwards all is there
INSERT INTO calls SELECT 'fk' || i, 1 FROM generate_series(1, 3) i;
SELECT call_id, queued FROM captured ORDER BY id;

-- triggers of the same statement see what was captured before them, row by row, and so does the next statement
CREATE FUNCTION buffer_test.looking() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM buffer_test.look(TG_LEVEL || ' ' || coalesce(NEW.id, '')); RETURN NULL; END $$;
CREATE TRIGGER zzz_row AFTER INSERT ON calls FOR EACH ROW EXECUTE FUNCTION looking();
CREATE TRIGGER zzz_statement AFTER INSERT ON calls FOR EACH STATEMENT EXECUTE FUNCTION looking();
INSERT INTO calls VALUES ('t1'), ('t2'), ('t3');
SELECT * FROM seen ORDER BY events, note;
DROP TRIGGER zzz_row ON calls;
DROP TRIGGER zzz_statement ON calls;
-- a deferred one at commit, too
TRUNCATE seen;
CREATE CONSTRAINT TRIGGER zzz_deferred AFTER INSERT ON calls DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION looking();
BEGIN;
INSERT INTO calls VALUES ('t4'), ('t5');
SELECT count(*) FROM seen;
COMMIT;
SELECT * FROM seen ORDER BY note;
DROP TRIGGER zzz_deferred ON calls;
TRUNCATE seen;

-- a function with a block that fails runs between two captured rows of the same statement; what
-- was collected before the block was written inside it, and is not lost with it
CREATE FUNCTION buffer_test.trouble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM buffer_test.look('inside ' || NEW.note);
		INSERT INTO buffer_test.calls VALUES ('gone ' || NEW.note);
		BEGIN
			PERFORM buffer_test.look('deeper ' || NEW.note);
			INSERT INTO buffer_test.calls VALUES ('gone deeper ' || NEW.note);
		END;
		RAISE EXCEPTION 'not this';
	EXCEPTION WHEN raise_exception THEN
		INSERT INTO buffer_test.calls VALUES ('instead of ' || NEW.note);
	END;
	PERFORM buffer_test.look('after ' || NEW.note);
	RETURN NULL;
END $$;
CREATE TRIGGER trouble AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION trouble();
WITH a AS (INSERT INTO calls SELECT 'both' || i FROM generate_series(1, 3) i RETURNING id) INSERT INTO notes SELECT id FROM a;
SELECT call_id, queued FROM captured WHERE call_id LIKE '%both%' ORDER BY call_id;
SELECT note FROM seen ORDER BY note;
SELECT count(*), count(DISTINCT id), count(DISTINCT call_id) FROM captured;
TRUNCATE seen;

-- a block per row, nested, in one command: each keeps or loses its own
DO $$
BEGIN
	FOR i IN 1 .. 6 LOOP
		INSERT INTO buffer_test.calls VALUES ('outer' || i);
		BEGIN
			INSERT INTO buffer_test.calls VALUES ('block' || i);
			BEGIN
				INSERT INTO buffer_test.calls VALUES ('deep' || i);
				IF i % 3 = 0 THEN RAISE EXCEPTION 'deep'; END IF;
			EXCEPTION WHEN raise_exception THEN
				IF SQLERRM = 'deep' THEN NULL; END IF;
			END;
			IF i % 2 = 0 THEN RAISE EXCEPTION 'block'; END IF;
		EXCEPTION WHEN raise_exception THEN NULL;
		END;
		IF i = 4 THEN PERFORM buffer_test.look('in the middle'); END IF;
	END LOOP;
END $$;
SELECT string_agg(call_id, ' ' ORDER BY call_id) FROM captured WHERE call_id ~ '^(outer|block|deep)';
SELECT * FROM seen;
TRUNCATE seen;

-- savepoints, a table that nobody looks at in between, and utility commands that read
BEGIN;
INSERT INTO calls VALUES ('s1');
SAVEPOINT a;
INSERT INTO calls VALUES ('s2');
SAVEPOINT b;
INSERT INTO calls VALUES ('s3');
ROLLBACK TO b;
INSERT INTO calls VALUES ('s4');
RELEASE a;
COPY (SELECT call_id FROM captured WHERE call_id LIKE 's_' ORDER BY id) TO STDOUT;
INSERT INTO calls VALUES ('s5');
COMMIT;
SELECT call_id, queued FROM captured WHERE call_id LIKE 's_' ORDER BY id;

-- cursors see what was there when they were opened
BEGIN;
DECLARE before CURSOR FOR SELECT call_id FROM captured WHERE call_id LIKE 'c_' ORDER BY id;
INSERT INTO calls VALUES ('c1'), ('c2');
DECLARE after CURSOR WITH HOLD FOR SELECT call_id FROM captured WHERE call_id LIKE 'c_' ORDER BY id;
INSERT INTO calls VALUES ('c3');
FETCH ALL FROM before;
FETCH ALL FROM after;
COMMIT;
FETCH BACKWARD ALL FROM after;
CLOSE after;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO calls VALUES ('c4');
SELECT call_id FROM captured WHERE call_id LIKE 'c_' ORDER BY id;
COMMIT;

-- an error takes everything of its statement along
\set VERBOSITY terse
INSERT INTO calls SELECT 'e' || i % 3 FROM generate_series(1, 5) i;
INSERT INTO calls SELECT 'e' || i, 7 FROM generate_series(1, 3) i;
SELECT count(*) FROM captured WHERE call_id LIKE 'e%';

-- an error while the collected rows are written: the statement's, and it can be caught
CREATE UNIQUE INDEX only_once ON callsync.event (call_id) WHERE source = 'buf' AND call_id LIKE 'u%';
INSERT INTO calls VALUES ('u1'), ('u2');
UPDATE calls SET who = 1 WHERE id LIKE 'u%';
DO $$
BEGIN
	INSERT INTO buffer_test.calls VALUES ('u3');
	BEGIN
		UPDATE buffer_test.calls SET who = 1 WHERE id = 'u1';
		PERFORM 1 FROM callsync.event;
		RAISE NOTICE 'not reached';
	EXCEPTION WHEN unique_violation THEN
		RAISE NOTICE 'caught';
	END;
	INSERT INTO buffer_test.calls VALUES ('u4');
END $$;
SELECT call_id, queued FROM captured WHERE call_id LIKE 'u%' ORDER BY id;
DROP INDEX only_once;

-- indexes of one's own: on an expression, and partial
CREATE INDEX lowered ON callsync.event (lower(call_id)) WHERE source = 'buf';
INSERT INTO calls VALUES ('UPPER1'), ('UPPER2');
INSERT INTO calls VALUES ('UPPER3');
SET enable_seqscan = off;
SELECT call_id FROM event WHERE lower(call_id) LIKE 'upper%' AND source = 'buf' ORDER BY id;
SELECT call_id FROM event WHERE lower(call_id) = 'upper2' AND source = 'buf';
RESET enable_seqscan;
DROP INDEX lowered;

-- more than are collected at once; the ids of the queue leave no gap
CREATE TEMP TABLE was AS SELECT max(id) AS id FROM outbox;
INSERT INTO calls SELECT 'many' || i, 1 FROM generate_series(1, 5000) i;
SELECT count(*), max(o.id) - min(o.id) + 1 AS span, count(DISTINCT o.event_id) AS events FROM outbox o, was WHERE o.id > was.id;
SELECT bool_and(o.call_id = e.call_id) FROM outbox o JOIN event e ON e.id = o.event_id JOIN was ON o.id > was.id;

SELECT detach('buffer_test.calls');
DROP SCHEMA buffer_test CASCADE;
DELETE FROM callsync.outbox WHERE source = 'buf';
