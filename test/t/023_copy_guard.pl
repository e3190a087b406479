# The copy guard: a renamed instance, another key, a copied data directory, a
# restored dump (also one that is restored while a worker runs) send nothing until
# adopt(); a promoted standby is no copy.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $destinations = "SELECT string_agg(name || ' ' || paused || ' ' || COALESCE(paused_reason, '-'), ', ' ORDER BY name) FROM callsync.destination";

sub is_copy
{
	my ($node, $db, $copy, $name) = @_;
	ok($node->poll_query_until($db,
		"SELECT is_copy = $copy AND state = 'running' FROM callsync.worker_status WHERE worker = 0"), $name);
}

sub alerts
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, "SELECT message FROM callsync.alert WHERE kind = 'copy' AND cleared_at IS NULL");
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'callsync'
callsync.databases = 'postgres, restored'
callsync.naptime = '50ms'
callsync.instance = 'production'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION callsync CASCADE;
SELECT callsync.wait_until_running('20s');
INSERT INTO callsync.connector (name, version, document) VALUES ('guarded', '1', '{}');
BEGIN;
SELECT callsync.record_installation();
INSERT INTO callsync.destination (name, connector) VALUES ('a', 'guarded'), ('b', 'guarded');
COMMIT;
UPDATE callsync.destination SET paused = true, paused_reason = 'holiday' WHERE name = 'b';
SQL
is_copy($node, 'postgres', 'false', 'the original');
is($node->safe_psql('postgres', $destinations), 'a false -, b true holiday', 'nothing is paused');

# a standby, to be promoted at the end, and a file copy
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
my ($rc, $out, $err) = $standby->psql('postgres', 'SELECT callsync.start()');
like($err, qr/cannot start delivery workers during recovery.*HINT:  A standby sends nothing/s, 'start() on a standby');
is($standby->safe_psql('postgres', 'SELECT callsync.worker_pids()'), '{}', 'no worker on a standby');

my $clone = PostgreSQL::Test::Cluster->new('clone');
$clone->init_from_backup($node, 'copy');
$clone->append_conf('postgresql.conf', "callsync.instance = 'staging'");
$clone->start;
is_copy($clone, 'postgres', 'true', 'a clone with another callsync.instance');
is($clone->safe_psql('postgres', $destinations), 'a true copy, b true holiday', 'its destinations are paused');
is(alerts($clone, 'postgres'),
	'This database looks like a copy, nothing is sent from it. It was made where callsync.instance was "production"; here it is "staging".',
	'an alert');
$clone->safe_psql('postgres', 'SELECT callsync.adopt()');
is_copy($clone, 'postgres', 'false', 'adopt()');
is($clone->safe_psql('postgres', $destinations), 'a false -, b true holiday', 'what was paused by hand stays so');
is(alerts($clone, 'postgres'), '', 'the alert is cleared');

# renamed while it runs
$clone->append_conf('postgresql.conf', "callsync.instance = 'third'");
$clone->reload;
is_copy($clone, 'postgres', 'true', 'another instance by reload');
$clone->append_conf('postgresql.conf', "callsync.instance = 'staging'");
$clone->reload;
is_copy($clone, 'postgres', 'false', 'and back');
is($clone->safe_psql('postgres', $destinations), 'a false -, b true holiday', 'goes on without adopt()');

# a key
my $key_file = $clone->basedir . '/callsync.key';
append_to_file($key_file, ('first key ' x 4) . "\n");
chmod 0600, $key_file;
$clone->append_conf('postgresql.conf', "callsync.key_file = '$key_file'");
$clone->reload;
ok($clone->poll_query_until('postgres', 'SELECT key_id IS NOT NULL FROM callsync.installation'), 'a first key is noted');
is_copy($clone, 'postgres', 'false', 'and makes no copy');
my $other_key_file = $clone->basedir . '/other.key';
append_to_file($other_key_file, ('other key ' x 4) . "\n");
chmod 0600, $other_key_file;
$clone->append_conf('postgresql.conf', "callsync.key_file = '$other_key_file'");
$clone->reload;
is_copy($clone, 'postgres', 'true', 'another key');
like(alerts($clone, 'postgres'), qr/key that it was made with is not in the file/, 'says so');
append_to_file($other_key_file, ('first key ' x 4) . "\n");
is_copy($clone, 'postgres', 'false', 'the old key behind the new one: no copy');
chmod 0644, $other_key_file;
$clone->restart;
is_copy($clone, 'postgres', 'true', 'a key file that others can read: nothing is sent');
chmod 0600, $other_key_file;
is_copy($clone, 'postgres', 'false', 'mended');
$clone->stop;

# a dump restored into another database of the same cluster, while its worker runs.
# The worker sees destinations before it sees where they come from.
my $dump = $node->basedir . '/dump';
command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->safe_psql('restored', 'CREATE EXTENSION callsync CASCADE');
is($node->safe_psql('restored', "SELECT callsync.wait_until_running('20s')"), 't', 'a worker runs');
$node->safe_psql('restored', <<'SQL');
INSERT INTO callsync.connector (name, version, document) VALUES ('guarded', '1', '{}');
INSERT INTO callsync.destination (name, connector) VALUES ('a', 'guarded');
SQL
ok($node->poll_query_until('restored', "SELECT paused_reason = 'copy' FROM callsync.destination"),
	'destinations without an identity: a restore half-way');
like(alerts($node, 'restored'), qr/does not say where they come from/, 'says so');
$node->safe_psql('restored', 'DROP EXTENSION callsync; DROP SCHEMA callsync');
command_ok([ 'pg_restore', '-d', $node->connstr('restored'), '--no-owner', $dump ], 'pg_restore');
is($node->safe_psql('restored', "SELECT callsync.wait_until_running('20s')"), 't', 'a worker runs');
is_copy($node, 'restored', 'true', 'a restored dump is a copy');
is($node->safe_psql('restored', 'SELECT instance FROM callsync.installation'), 'production', 'by the row in the dump');
$node->safe_psql('restored', 'SELECT callsync.adopt()');
is_copy($node, 'restored', 'false', 'adopt()');

# promotion is no copy
$node->stop;
$standby->promote;
is($standby->safe_psql('postgres', "SELECT callsync.wait_until_running('30s')"), 't', 'promotion starts the worker');
is_copy($standby, 'postgres', 'false', 'a promoted standby is no copy');
is($standby->safe_psql('postgres', $destinations), 'a false -, b true holiday', 'and goes on');
$standby->stop;
done_testing();
