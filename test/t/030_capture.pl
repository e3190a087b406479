# Capture where SQL alone cannot show it: two-phase commit, logical replication, no network in the
# inserting backend, a trigger that outlives its configuration.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('capture');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION callsync CASCADE;
CREATE TABLE calls (id text PRIMARY KEY, phone text, summary text);
SELECT callsync.create_source('phones', options => '{"region": "US"}');
SELECT callsync.attach('phones', 'calls', '{"call_id": "id", "caller.phone": "phone", "summary": "summary"}');
SQL

sub events
{
	my ($n, $where) = @_;
	return $n->safe_psql('postgres', "SELECT count(*) FROM callsync.event WHERE $where");
}

# ---- PREPARE TRANSACTION ----
$node->safe_psql('postgres', <<'SQL');
BEGIN;
INSERT INTO calls VALUES ('prepared', '4155552671', 's');
SAVEPOINT s;
INSERT INTO calls VALUES ('taken back', '4155552671', 's');
ROLLBACK TO s;
SAVEPOINT s;
DO $$ BEGIN INSERT INTO calls SELECT 'prepared ' || i, '4155552671', 's' FROM generate_series(1, 3) i; END $$;
PREPARE TRANSACTION 'two-phase';
BEGIN;
INSERT INTO calls VALUES ('given up', '4155552671', 's');
PREPARE TRANSACTION 'given-up';
SQL
is(events($node, "true"), 0, 'nothing is seen of a prepared transaction');
$node->restart;
$node->safe_psql('postgres', "COMMIT PREPARED 'two-phase'");
$node->safe_psql('postgres', "ROLLBACK PREPARED 'given-up'");
is($node->safe_psql('postgres', 'SELECT string_agg(call_id, $$,$$ ORDER BY id) FROM callsync.event'),
	'prepared,prepared 1,prepared 2,prepared 3', 'COMMIT PREPARED brings its event, ROLLBACK PREPARED leaves nothing, over a restart');
is($node->safe_psql('postgres', 'SELECT string_agg(call_id, $$,$$ ORDER BY id) FROM callsync.outbox'), 'prepared,prepared 1,prepared 2,prepared 3',
	'and its outbox rows');

# ---- no network in the inserting backend ----
SKIP:
{
	my $strace = `which strace 2>/dev/null`;
	skip 'strace is not installed', 2 unless $strace;
	my $session = $node->background_psql('postgres') if $node->can('background_psql');
	skip 'no background session', 2 unless $session;
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	chomp $pid;
	my $trace = $node->basedir . '/strace.out';
	my $tracer = fork();
	if ($tracer == 0)
	{
		exec 'strace', '-f', '-qq', '-e', 'trace=connect,sendto,openat', '-o', $trace, '-p', $pid;
	}
	# attached when TracerPid says so
	my $attached = 0;
	for (1 .. 500)
	{
		open my $fh, '<', "/proc/$pid/status" or last;
		$attached = grep { /^TracerPid:\s*[1-9]/ } <$fh>;
		last if $attached || waitpid($tracer, 1) > 0;
		select(undef, undef, undef, 0.02);
	}
	skip 'cannot trace here', 2 unless $attached;
	$session->query_safe("INSERT INTO calls SELECT 't' || i, '4155552671', 's' FROM generate_series(1, 100) i");
	$session->query_safe("INSERT INTO calls VALUES ('t0', '4155552671', 's')");
	kill 'INT', $tracer;
	waitpid $tracer, 0;
	$session->quit;
	is(events($node, "call_id LIKE 't%'"), 101, 'a traced backend captured its rows');
	my $seen = -e $trace ? slurp_file($trace) : '';
	unlike($seen, qr/connect\(\d+, \{sa_family=AF_INET/, 'no connect to a network address');
}

# ---- logical replication: the subscriber's rows are captured, too ----
my $sub = PostgreSQL::Test::Cluster->new('subscriber');
$sub->init(allows_streaming => 'logical');
$sub->start;
$sub->safe_psql('postgres', <<'SQL');
CREATE EXTENSION callsync CASCADE;
CREATE TABLE calls (id text PRIMARY KEY, phone text, summary text);
SELECT callsync.create_source('phones', options => '{"region": "US"}');
SELECT callsync.attach('phones', 'calls', '{"call_id": "id", "caller.phone": "phone", "summary": "summary"}');
CREATE TABLE quiet (id text PRIMARY KEY);
SELECT callsync.create_source('quiet', options => '{"replicated": false}');
SELECT callsync.attach('quiet', 'quiet', '{"call_id": "id"}');
SQL
$node->safe_psql('postgres', "CREATE TABLE quiet (id text PRIMARY KEY); CREATE PUBLICATION p FOR TABLE calls, quiet");
$sub->safe_psql('postgres', sprintf("CREATE SUBSCRIPTION s CONNECTION '%s dbname=postgres' PUBLICATION p WITH (copy_data = false)", $node->connstr));
$node->safe_psql('postgres', "INSERT INTO calls VALUES ('replicated', '4155552671', 's'); INSERT INTO quiet VALUES ('q')");
$node->safe_psql('postgres', "UPDATE calls SET summary = 'changed' WHERE id = 'replicated'");
$node->wait_for_catchup('s');
is(events($sub, "call_id = 'replicated'"), 2, 'rows applied by logical replication are captured');
is(events($sub, "call_id = 'q'"), 0, 'not where the source says replicated: false');
is($sub->safe_psql('postgres', "SELECT summary FROM calls WHERE id = 'replicated'"), 'changed', 'and replication goes on');
is($sub->safe_psql('postgres', 'SELECT count(*) FROM callsync.outbox'), 2, 'queued as well');
$sub->stop;

# ---- DROP EXTENSION takes the triggers along, the users' tables stay ----
my ($rc, $out, $err) = $node->psql('postgres', 'DROP EXTENSION callsync');
isnt($rc, 0, 'DROP EXTENSION is refused while tables are attached');
like($err, qr/trigger zz_callsync_capture on table calls depends on/, 'and says why');
$node->safe_psql('postgres', 'DROP EXTENSION callsync CASCADE');
$node->safe_psql('postgres', "INSERT INTO calls VALUES ('after', NULL, NULL)");
is($node->safe_psql('postgres', "SELECT count(*) FROM calls WHERE id = 'after'"), 1, 'rows are written as ever');
$node->stop;

done_testing();
