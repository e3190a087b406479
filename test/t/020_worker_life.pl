# Worker life: start and stop with and without preloading, crashes, DROP DATABASE,
# DROP EXTENSION, no slot left, no extension.
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncCrash;

sub states
{
	my ($node, $db) = @_;
	return $node->safe_psql($db,
		"SELECT string_agg(worker || ':' || state, ' ' ORDER BY worker) FROM callsync.worker_status");
}

sub worker_pid
{
	my ($node, $db, $index) = @_;
	return $node->safe_psql($db,
		"SELECT pid FROM callsync.worker_status WHERE worker = " . ($index // 0) . " AND state = 'running'");
}

sub crash
{
	my ($node, $pid) = @_;
	return CallsyncCrash::kill9($node, $pid) || die "no process $pid";
}

# ---- without shared_preload_libraries ----

my $node = PostgreSQL::Test::Cluster->new('late');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
restart_after_crash = on
max_worker_processes = 4
callsync.naptime = '100ms'
log_min_messages = log
CONF
$node->start;

# placeholders in postgresql.conf, library loaded late: every setting is taken over
$node->safe_psql('postgres', 'CREATE EXTENSION callsync CASCADE');
is($node->safe_psql('postgres', "SELECT callsync.worker_pids(); SHOW callsync.naptime"),
	"{}\n100ms", 'late load takes the setting over');

is($node->safe_psql('postgres', "SELECT callsync.wait_until_running('10ms')"), 'f', 'nothing runs');
is($node->safe_psql('postgres', "SELECT callsync.start()"), 't', 'start()');
is($node->safe_psql('postgres', "SELECT callsync.start()"), 'f', 'start() again does nothing');
is($node->safe_psql('postgres', "SELECT callsync.wait_until_running('10s')"), 't', 'running');
is(states($node, 'postgres'), '0:running', 'worker_status says so');
# (active for moments only)
ok($node->poll_query_until('postgres', <<'SQL', 'callsync worker|callsync worker 0|callsync_worker|idle'), 'pg_stat_activity');
SELECT backend_type, application_name, usename, state FROM pg_stat_activity
WHERE pid = ANY (callsync.worker_pids())
SQL
ok($node->poll_query_until('postgres', <<'SQL'), 'no transaction is open');
SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = ANY (callsync.worker_pids()) AND xact_start IS NOT NULL
SQL

# kill -9: the server restarts, and the worker by itself
my $pid = worker_pid($node, 'postgres');
crash($node, $pid);
is($node->safe_psql('postgres', "SELECT callsync.wait_until_running('30s')"), 't',
	'without preload the worker comes back after a crash');
isnt(worker_pid($node, 'postgres'), $pid, 'as another process');

# more workers: start() adds what is missing; fewer: they go by themselves
$node->safe_psql('postgres', "LOAD 'callsync'; ALTER SYSTEM SET callsync.workers = 2; SELECT pg_reload_conf()");
$node->poll_query_until('postgres', "SELECT current_setting('callsync.workers') = '2'");
is($node->safe_psql('postgres', "SELECT callsync.start()"), 't', 'start() adds a worker');
is(states($node, 'postgres'), '0:running 1:running', 'two run');
$node->safe_psql('postgres', "LOAD 'callsync'; ALTER SYSTEM SET callsync.workers = 1; SELECT pg_reload_conf()");
ok( $node->poll_query_until('postgres',
		"SELECT state = 'stopped' FROM callsync.worker_status WHERE worker = 1"),
	'one too many ends by itself');

# pg_cancel_backend() ends at most a tick
$pid = worker_pid($node, 'postgres');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
my $ticks = $node->safe_psql('postgres', "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'");
ok($node->poll_query_until('postgres',
		"SELECT xact_commit > $ticks + 20 FROM pg_stat_database WHERE datname = 'postgres'"), 'time goes by');
is(worker_pid($node, 'postgres'), $pid, 'pg_cancel_backend() does not end the worker');

is($node->safe_psql('postgres', "SELECT callsync.stop()"), 't', 'stop()');
is($node->safe_psql('postgres', "SELECT callsync.worker_pids()"), '{}', 'no process is left');
is(states($node, 'postgres'), '0:stopped 1:stopped', 'worker_status says stopped');
is($node->safe_psql('postgres', "SELECT callsync.stop()"), 't', 'stop() twice');

# a worker that failed and waits to be started again by the postmaster is stopped, too
is($node->safe_psql('postgres', "SELECT callsync.start()"), 't', 'start()');
$pid = worker_pid($node, 'postgres');
$node->safe_psql('postgres', "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC, callsync_worker");
crash($node, $pid);
ok($node->poll_query_until('postgres', "SELECT state = 'dead' FROM callsync.worker_status WHERE worker = 0"),
	'cannot come back');
$node->safe_psql('postgres', "SELECT callsync.stop()");
$node->safe_psql('postgres', "GRANT CONNECT ON DATABASE postgres TO PUBLIC, callsync_worker");
is(states($node, 'postgres'), '0:stopped 1:stopped', 'stop() marks it');
my $ends;
for my $i (1 .. 3000)
{
	$ends = $node->log_contains(qr/callsync worker 0 ends: it was stopped/);
	last if $ends;
	select(undef, undef, undef, 0.02);
}
ok($ends, 'the postmaster starts it once more, it sees that and ends');

# max_worker_processes used up: a clear error
$node->safe_psql('postgres', "LOAD 'callsync'; ALTER SYSTEM SET callsync.workers = 8; SELECT pg_reload_conf()");
$node->poll_query_until('postgres', "SELECT current_setting('callsync.workers') = '8'");
my ($rc, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT callsync.start()");
like($err, qr/ERROR:  53400: could not start a delivery worker/, 'no slot: error');
like($err, qr/DETAIL:  All 4 slots of background workers are in use/, 'no slot: detail');
like($err, qr/HINT:  Increase max_worker_processes/, 'no slot: hint');
ok($node->poll_query_until('postgres', "SELECT callsync.worker_pids() = '{}'"),
	'and those that had been registered are gone');
$node->safe_psql('postgres', "LOAD 'callsync'; ALTER SYSTEM SET callsync.workers = 1; SELECT pg_reload_conf()");
$node->poll_query_until('postgres', "SELECT current_setting('callsync.workers') = '1'");

# the extension is not committed yet
($rc, $out, $err) = $node->psql('postgres',
	"CREATE DATABASE fresh TEMPLATE template0");
($rc, $out, $err) = $node->psql('fresh',
	"BEGIN; CREATE EXTENSION callsync CASCADE; SELECT callsync.start(); COMMIT");
like($err, qr/a delivery worker ended before it was ready.*HINT:.*CREATE EXTENSION is committed/s,
	'start() in the transaction of CREATE EXTENSION');
$node->safe_psql('fresh', "CREATE EXTENSION callsync CASCADE; ");
is($node->safe_psql('fresh', "SELECT callsync.start()"), 't', 'after the commit it starts');

# DROP EXTENSION ends the worker, a new extension gets a new one
$node->safe_psql('fresh', "DROP EXTENSION callsync");
ok( $node->poll_query_until('fresh',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'callsync worker' AND datname = 'fresh'"),
	'DROP EXTENSION ends the worker');
$node->safe_psql('fresh', "CREATE EXTENSION callsync");
is($node->safe_psql('fresh', "SELECT callsync.start()"), 't', 'and the next one starts');

# DROP and CREATE in one transaction: same name, other tables; the worker must not go on
$pid = worker_pid($node, 'fresh');
$node->safe_psql('fresh', "BEGIN; DROP EXTENSION callsync; CREATE EXTENSION callsync; COMMIT");
ok( $node->poll_query_until('fresh', "SELECT NOT ($pid = ANY (callsync.worker_pids()))"),
	'a worker of the old extension ends');
is($node->safe_psql('fresh', "SELECT callsync.start()"), 't', 'start() for the new one');

# DROP DATABASE
my $started = time;
($rc, $out, $err) = $node->psql('postgres', "DROP DATABASE fresh");
like($err, qr/is being accessed by other users/, 'DROP DATABASE waits for a running worker');
is($node->psql('postgres', "DROP DATABASE fresh WITH (FORCE)"), 0, 'DROP DATABASE WITH (FORCE)');
$node->safe_psql('postgres', "CREATE DATABASE fresh TEMPLATE template0");
$node->safe_psql('fresh', "CREATE EXTENSION callsync CASCADE");
$node->safe_psql('fresh', "SELECT callsync.start()");
$node->safe_psql('fresh', "SELECT callsync.stop()");
is($node->psql('postgres', "DROP DATABASE fresh"), 0, 'DROP DATABASE after stop()');

# the role lost its way in: the log says why, the statement does not hang
$node->safe_psql('postgres', "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC, callsync_worker");
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.start()");
like($err, qr/a delivery worker ended before it was ready/, 'a role that cannot connect');
$node->safe_psql('postgres', "GRANT CONNECT ON DATABASE postgres TO callsync_worker");
is($node->safe_psql('postgres', "SELECT callsync.start()"), 't', 'mended');

# fast shutdown is not held up
$node->stop('fast');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|segmentation/i, 'no accident in the log');

# ---- preloaded ----

my $pre = PostgreSQL::Test::Cluster->new('preloaded');
$pre->init;
$pre->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'callsync'
restart_after_crash = on
callsync.databases = 'first, second, "Third, with comma"'
callsync.naptime = '100ms'
max_worker_processes = 6
CONF
$pre->start;
$pre->safe_psql('postgres', 'CREATE DATABASE first TEMPLATE template0');
$pre->safe_psql('postgres', 'CREATE DATABASE "Third, with comma" TEMPLATE template0');
$pre->safe_psql('first', 'CREATE EXTENSION callsync CASCADE');
is($pre->safe_psql('first', "SELECT callsync.wait_until_running('20s')"), 't',
	'starts by itself when the extension is made');
is($pre->safe_psql('first', "SELECT callsync.start()"), 'f', 'start() has nothing to do');

# a database that comes later
$pre->safe_psql('postgres', 'CREATE DATABASE second TEMPLATE template0');
$pre->safe_psql('second', 'CREATE EXTENSION callsync CASCADE');
is($pre->safe_psql('second', "SELECT callsync.wait_until_running('20s')"), 't', 'second database');
$pre->safe_psql('Third, with comma', 'CREATE EXTENSION callsync CASCADE');
is($pre->safe_psql('Third, with comma', "SELECT callsync.wait_until_running('20s')"), 't', 'name in quotes');

# stop() holds although the database is listed; start() lifts it
is($pre->safe_psql('first', "SELECT callsync.stop('1s')"), 't', 'stop() of a listed database');
is($pre->safe_psql('first', "SELECT callsync.wait_until_running('1500ms')"), 'f', 'stays stopped');
is($pre->safe_psql('first', "SELECT callsync.start()"), 't', 'start() of a listed database');

# an unlisted one: start() works as without preload
$pre->safe_psql('postgres', 'CREATE EXTENSION callsync CASCADE');
is($pre->safe_psql('postgres', "SELECT callsync.start()"), 't', 'start() of an unlisted database');
is($pre->safe_psql('postgres', "SELECT callsync.stop()"), 't', 'and stop()');

# SIGTERM: the launcher starts it again
$pid = worker_pid($pre, 'first');
$pre->safe_psql('first', "SELECT pg_terminate_backend($pid)");
ok( $pre->poll_query_until('first',
		"SELECT pid <> $pid AND state = 'running' FROM callsync.worker_status WHERE worker = 0"),
	'a terminated worker is started again');

# crash of a worker, then of the launcher
crash($pre, worker_pid($pre, 'first'));
is($pre->safe_psql('first', "SELECT callsync.wait_until_running('30s')"), 't', 'kill -9 of a worker');
crash($pre, $pre->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'callsync launcher'"));
is($pre->safe_psql('first', "SELECT callsync.wait_until_running('30s')"), 't', 'kill -9 of the launcher');

# the postmaster dies: workers go at once, and the next start is not held up
$pid = worker_pid($pre, 'first');
my $postmaster = (split /\n/, slurp_file($pre->data_dir . '/postmaster.pid'))[0];
kill 'KILL', $postmaster;
my $gone = 0;
for my $i (1 .. 500)
{
	$gone = !kill(0, $pid);
	last if $gone;
	select(undef, undef, undef, 0.02);
}
ok($gone, 'kill -9 of the postmaster ends the worker');
$pre->{_pid} = undef;
$pre->start;
is($pre->safe_psql('first', "SELECT callsync.wait_until_running('30s')"), 't', 'and it starts again');

# DROP DATABASE of a listed database, with the launcher watching
is($pre->psql('postgres', "DROP DATABASE second WITH (FORCE)"), 0, 'DROP DATABASE WITH (FORCE), listed');
$pre->safe_psql('Third, with comma', "SELECT callsync.stop()");
is($pre->psql('postgres', 'DROP DATABASE "Third, with comma"'), 0, 'DROP DATABASE after stop(), listed');

# taken out of the list: its worker ends
$pre->safe_psql('postgres', "ALTER SYSTEM SET callsync.databases = ''; SELECT pg_reload_conf()");
ok($pre->poll_query_until('first', "SELECT state = 'stopped' FROM callsync.worker_status WHERE worker = 0"),
	'not listed any more: the worker ends');

# no slot: the launcher says so, and start() as well
$pre->safe_psql('postgres',
	"ALTER SYSTEM SET callsync.databases = 'first'; ALTER SYSTEM SET callsync.workers = 9; SELECT pg_reload_conf()");
ok($pre->poll_query_until('first', "SELECT cardinality(callsync.worker_pids()) >= 3"), 'as many as there are slots');
($rc, $out, $err) = $pre->psql('first', "SELECT callsync.start()");
like($err, qr/could not start a delivery worker.*HINT:  Increase max_worker_processes/s,
	'no slot, preloaded: error and hint');
is($pre->safe_psql('first', "SELECT callsync.wait_until_running('100ms')"), 't', 'some run: the database is served');
ok($pre->log_contains(qr/could not start callsync worker \d for database \d+/), 'the launcher logs it');

# a wrong list is refused
($rc, $out, $err) = $pre->psql('postgres', q{ALTER SYSTEM SET callsync.databases = 'a,,b'});
like($err, qr/invalid value for parameter "callsync.databases".*DETAIL:  The value is no comma-separated list of names/s,
	'a wrong list of databases');

$pre->stop('fast');
unlike(slurp_file($pre->logfile), qr/PANIC|TRAP|segmentation/i, 'no accident in the log');

done_testing();
