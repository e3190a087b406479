# A worker with a request in flight that nobody answers: no transaction is open, and
# stop(), SIGTERM, shutdown, DROP DATABASE and the death of the postmaster do not wait
# for it longer than they should.
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use RawServer;

my $server = RawServer->start;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $dir = $node->basedir;
append_to_file("$dir/callsync.key", ('key ' x 10) . "\n");
append_to_file("$dir/secret", 'x');
chmod 0600, "$dir/callsync.key", "$dir/secret";
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'callsync'
callsync.databases = 'flight'
callsync.naptime = '50ms'
callsync.shutdown_grace = '60s'
callsync.key_file = '$dir/callsync.key'
CONF
$node->start;

# a destination whose token server takes the request and never answers
sub make_database
{
	$node->safe_psql('postgres', 'CREATE DATABASE flight TEMPLATE template0');
	$node->safe_psql('flight', <<"SQL");
CREATE EXTENSION callsync CASCADE;
SELECT callsync.wait_until_running('30s');
SELECT callsync.create_destination('slow', 'hubspot', '{"base_url": "@{[ $server->url ]}", "allow_addresses": ["127.0.0.1"], "timeout_ms": 600000,
	"override": {"auth": {"order": ["slow"], "slow": {"kind": "oauth2_client_credentials", "token_url": "{base}/hang"}}}}');
SELECT callsync.set_secret_file('slow', 'client_id', '$dir/secret'), callsync.set_secret_file('slow', 'client_secret', '$dir/secret');
SQL
	return;
}

sub wait_in_flight
{
	ok($node->poll_query_until('flight', <<'SQL'), 'a request is in flight');
SELECT count(*) > 0 FROM callsync.service_request r JOIN callsync.worker_status w ON r.worker = format('worker %s, pid %s', w.worker, w.pid)
WHERE r.finished_at IS NULL AND w.state = 'running'
SQL
	return $node->safe_psql('flight', "SELECT pid FROM callsync.worker_status");
}

sub took { my ($from, $limit, $name) = @_; return cmp_ok(time - $from, '<', $limit, $name); }

make_database();
my $pid = wait_in_flight();
is($node->safe_psql('postgres', "SELECT state, xact_start IS NULL, backend_xmin IS NULL, backend_xid IS NULL FROM pg_stat_activity WHERE pid = $pid"),
	'idle|t|t|t', 'no transaction, no snapshot');

# stop(): the grace is the caller's, not the setting's
my $from = time;
is($node->safe_psql('flight', "SELECT callsync.stop('200 ms')"), 't', 'stop() with a grace');
took($from, 20, 'ends when the grace is over');
is($node->safe_psql('flight', 'SELECT finished_at IS NULL FROM callsync.service_request'), 't', 'the exchange is on record as not finished');

# started again: what was under way is taken up
is($node->safe_psql('flight', 'SELECT callsync.start()'), 't', 'start()');
ok($node->poll_query_until('flight', 'SELECT count(*) = 2 FROM callsync.service_request'), 'the renewal is begun anew');
ok($node->log_contains(qr/renewal of the token of destination "slow" was interrupted \(worker 0, pid $pid\), it is taken up again/),
	'and the log says so');

# SIGTERM twice: now
$pid = wait_in_flight();
kill 'TERM', $pid;
ok($node->poll_query_until('flight', "SELECT state = 'ending' FROM callsync.worker_status WHERE pid = $pid"), 'SIGTERM: it waits for the answer');
kill 'TERM', $pid;
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'a second SIGTERM ends it');

# DROP EXTENSION does not wait for the peer
$node->poll_query_until('flight', "SELECT pid <> $pid AND state = 'running' FROM callsync.worker_status");
$pid = wait_in_flight();
$from = time;
is($node->psql('flight', 'DROP EXTENSION callsync CASCADE'), 0, 'DROP EXTENSION with a request in flight');
took($from, 20, 'at once');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'the worker ends');
$node->safe_psql('postgres', 'DROP DATABASE flight WITH (FORCE)');

# DROP DATABASE gives processes five seconds
make_database();
$pid = wait_in_flight();
is($node->psql('postgres', 'DROP DATABASE flight WITH (FORCE)'), 0, 'DROP DATABASE WITH (FORCE) with a request in flight');

# the postmaster dies while the worker waits for the peer
make_database();
$pid = wait_in_flight();
my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
kill 'KILL', $postmaster;
$from = time;
for (1 .. 1500)
{
	last if !kill(0, $pid);
	select(undef, undef, undef, 0.01);
}
ok(!kill(0, $pid), 'death of the postmaster ends the worker');
$node->{_pid} = undef;
$node->start;
took($from, 20, 'and does not hold up the next start');

# a fast shutdown with a short grace
$pid = wait_in_flight();
$node->append_conf('postgresql.conf', "callsync.shutdown_grace = '100ms'");
$node->reload;
$from = time;
$node->stop('fast');
took($from, 20, 'shutdown waits for the grace only');
$server->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|segmentation/i, 'no accident in the log');
done_testing();
