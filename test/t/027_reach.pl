# What others put in the way: row-level security on call tables, objects planted where names are looked up.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('reach');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'callsync'
callsync.databases = 'postgres'
callsync.naptime = '100ms'
CONF
$node->start;

sub sql { my ($sql, %o) = @_; return $node->safe_psql($o{db} // 'postgres', $sql); }
sub fails
{
	my ($db, $sql, $what, $name) = @_;
	my ($rc, $out, $err) = $node->psql($db, $sql);
	return like($err, $what, $name);
}

# ---- planted objects ----
sql('CREATE DATABASE planted');
sql(<<'SQL', db => 'planted');
CREATE EXTENSION pgcrypto;
CREATE SCHEMA callsync;
CREATE TABLE callsync.event (stolen text);
SQL
fails('planted', 'CREATE EXTENSION callsync', qr/schema "callsync" is not empty.*HINT:  Look at what it holds/s, 'a table of that name is there before');
sql('DROP TABLE callsync.event; CREATE FUNCTION callsync.length(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', db => 'planted');
fails('planted', 'CREATE EXTENSION callsync', qr/schema "callsync" is not empty/, 'a function');
sql('DROP FUNCTION callsync.length; CREATE ROLE somebody; ALTER SCHEMA callsync OWNER TO somebody', db => 'planted');
fails('planted', 'CREATE EXTENSION callsync', qr/schema "callsync" belongs to a role that is no superuser/, 'the schema of somebody else');
sql('DROP SCHEMA callsync', db => 'planted');
# better matches than PostgreSQL's own, first on everybody's path
sql(<<'SQL', db => 'planted');
CREATE SCHEMA evil;
CREATE TABLE evil.caught (what text);
GRANT ALL ON SCHEMA evil TO PUBLIC;
GRANT ALL ON evil.caught TO PUBLIC;
CREATE FUNCTION evil.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('operator'); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.trap, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR evil.<> (FUNCTION = evil.trap, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION evil.trap(jsonb, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('member'); RETURN $1 OPERATOR(pg_catalog.->>) $2; END $$;
CREATE OPERATOR evil.->> (FUNCTION = evil.trap, LEFTARG = jsonb, RIGHTARG = text);
CREATE FUNCTION evil.length(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('length'); RETURN 5; END $$;
CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('lower'); RETURN $1; END $$;
CREATE FUNCTION evil.jsonb_typeof(jsonb) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('typeof'); RETURN pg_catalog.jsonb_typeof($1); END $$;
CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('clock'); RETURN pg_catalog.now(); END $$;
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('now'); RETURN pg_catalog.clock_timestamp(); END $$;
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (VALUE OPERATOR(pg_catalog.=) 'never');
ALTER DATABASE planted SET search_path = evil, pg_catalog, public;
SQL
is(sql("SELECT 'a'::pg_catalog.text = 'a'; SELECT what FROM evil.caught", db => 'planted'), "t\noperator", 'the trap works');
sql('DELETE FROM evil.caught', db => 'planted');
sql(<<'SQL', db => 'planted');
CREATE EXTENSION callsync;
CREATE TABLE public.calls (id pg_catalog.text PRIMARY KEY, phone pg_catalog.text, started_at pg_catalog.timestamptz);
SELECT callsync.create_source('s', options => '{"region": "US"}');
SELECT callsync.create_source('hook', 'generic', '{"unsigned": true}');
SELECT callsync.create_destination('d', 'hubspot', '{"paused": true}');
SELECT callsync.alter_destination('d', '{"region": "US"}');
SELECT callsync.attach('s', 'public.calls', '{"call_id": "id", "caller.phone": "phone", "started_at": "started_at"}', 'reference');
INSERT INTO public.calls VALUES ('1', '4155552671', '2026-11-20 10:00:00+00');
UPDATE public.calls SET phone = '4155552672';
SELECT callsync.ingest('hook', '{"event_type": "call.ended", "call_id": "w", "timestamp": "2026-11-20T10:00:00Z"}');
SELECT callsync.backfill('s', '2000-01-01', '2030-01-01');
SELECT callsync.replay('hook', '2000-01-01', '2030-01-01');
SELECT callsync.resync('{1}'), callsync.redrive('d'), callsync.pause('d'), callsync.map_document('d');
SELECT callsync.to_phone('(415) 555-2671', 'US'), callsync.caller_id('anonymous'), callsync.same_caller('4155552671', '+14155552671', 'US');
SELECT callsync.email_canonical('Jon.Smith@gmail.com'), callsync.name_similarity('Jon Smith', 'John Smith'), callsync.match_caller('d', '4155552671');
SELECT (SELECT pg_catalog.count(*) FROM callsync.call_sync), (SELECT pg_catalog.count(*) FROM callsync.health), (SELECT pg_catalog.count(*) FROM callsync.destination_status);
SQL
is(sql('SELECT DISTINCT what FROM evil.caught', db => 'planted'), '', 'nothing of callsync fell into it, as it was installed and as it runs');

# ---- row-level security ----
sql(<<'SQL');
CREATE EXTENSION callsync CASCADE;
CREATE ROLE alice IN ROLE callsync_admin;
CREATE ROLE operator_bob IN ROLE callsync_operator;
GRANT CREATE ON SCHEMA public TO alice;
SELECT callsync.create_source('seen'), callsync.create_source('shot');
SELECT callsync.create_destination('d', 'hubspot', '{"paused": true}');
SET ROLE alice;
CREATE TABLE by_reference (id text PRIMARY KEY, phone text, started_at timestamptz, tenant text DEFAULT 'a');
CREATE TABLE by_snapshot (LIKE by_reference INCLUDING ALL);
ALTER TABLE by_snapshot ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a ON by_snapshot USING (tenant = 'a');
GRANT SELECT, INSERT ON by_reference, by_snapshot TO operator_bob;
SQL
ok($node->poll_query_until('postgres', "SELECT callsync.wait_until_running('10s')"), 'a worker runs');
fails('postgres', q{SELECT callsync.attach('seen', 'by_snapshot', '{"call_id": "id"}', 'reference')},
	qr/cannot capture table public.by_snapshot by reference.*DETAIL:  Row-level security is on.*HINT:  Use capture "snapshot"/s, 'by reference: refused');
# the owner attaches, who is no superuser
sql(<<'SQL');
SET ROLE alice;
SELECT callsync.attach('shot', 'by_snapshot', '{"call_id": "id", "caller.phone": "phone", "started_at": "started_at"}');
SELECT callsync.attach('seen', 'by_reference', '{"call_id": "id", "caller.phone": "phone", "started_at": "started_at"}', 'reference');
SQL
# what the writer may write is captured, whatever anybody else may see
sql("SET ROLE operator_bob; INSERT INTO by_snapshot VALUES ('s1', '+14155552671', '2026-11-20 10:00:00+00', 'a')");
sql("INSERT INTO by_snapshot VALUES ('s2', '+14155552672', '2026-11-20 10:00:00+00', 'b')");
ok($node->poll_query_until('postgres', "SELECT count(*) = 2 FROM callsync.call WHERE source = 'shot'"), 'as a snapshot: captured and planned');
# backfill is done with the rights of who asks for it
sql("ALTER TABLE by_snapshot DISABLE TRIGGER ALL; INSERT INTO by_snapshot VALUES ('s3', '1', '2026-11-20', 'a'), ('s4', '1', '2026-11-20', 'b'); ALTER TABLE by_snapshot ENABLE TRIGGER ALL");
is(sql("SET ROLE operator_bob; SELECT matched FROM callsync.backfill('shot', '2000-01-01', '2030-01-01')"), '1', 'backfill(): the caller\'s policies hold');
is(sql("SELECT matched FROM callsync.backfill('shot', '2000-01-01', '2030-01-01')"), '2', '... and a superuser has none');
is(sql("SET ROLE operator_bob; SELECT matched, captured FROM callsync.backfill('shot', '2000-01-01', '2030-01-01', dry_run => false)"), '1|1', 'an operator captures what he sees');
is(sql("SELECT matched FROM callsync.backfill('shot', '2000-01-01', '2030-01-01')"), '1', 'and no more');
# switched on later: never a call that silently is not there
sql("ALTER TABLE by_reference ENABLE ROW LEVEL SECURITY; INSERT INTO by_reference VALUES ('r1', '+14155552671', '2026-11-20 10:00:00+00')");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.alerts WHERE kind = 'unplannable_call' AND cleared_at IS NULL"), 'switched on later: people are told');
like(sql("SELECT message FROM callsync.alerts WHERE kind = 'unplannable_call'"), qr/query would be affected by row-level security policy for table "by_reference"/, 'what is wrong');
is(sql("SELECT status, failure_kind FROM callsync.call_sync WHERE call_id = 'r1'"), 'failed|fatal', 'the call is listed as failed');
sql("ALTER TABLE by_reference DISABLE ROW LEVEL SECURITY");
sql("SELECT callsync.replay('seen', '2000-01-01', '2030-01-01')");
ok($node->poll_query_until('postgres', "SELECT document #>> '{caller,phone}' = '+14155552671' FROM callsync.call WHERE call_id = 'r1'"), 'mended: the call is there');
$node->stop;
done_testing();
