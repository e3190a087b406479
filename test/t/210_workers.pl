# Several workers: each call is delivered by one of them, callers that they share become one contact, and shards
# change hands while work goes on.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('workers', conf => "callsync.workers = 3\nmax_worker_processes = 16\n", sandbox => { log_bodies => 0 });

ok($node->poll_query_until('postgres', "SELECT count(*) = 3 FROM callsync.worker_status WHERE state = 'running'"), 'three workers run');
sub owners
{
	my ($n, $name) = @_;
	ok($node->poll_query_until('postgres', "SELECT count(DISTINCT objid) = 64 AND count(DISTINCT pid) = $n FROM pg_locks
		WHERE locktype = 'advisory' AND classid = x'43530003'::bit(32)::bigint::oid"), $name);
	return;
}
owners(3, 'every shard has one owner');

sub batch
{
	my ($from, $to) = @_;
	$node->safe_psql('postgres', "INSERT INTO calls (id, phone, name, started_at, summary)
		SELECT 'c' || i, '415' || lpad((5550000 + i % 100)::text, 7, '0'), 'Caller ' || i % 100, '2026-11-20 10:00:00+00', 'x' FROM generate_series($from, $to) i");
}
batch(1, 300);
CallsyncDelivery::idle($node, 90);
is(CallsyncDelivery::q1($node, 'SELECT count(DISTINCT worker) FROM callsync.attempts'), '3', 'all three delivered');
is($crm->count('calls'), 300, 'one call log each');
is($crm->count('contacts'), 100, 'one contact per caller, whichever worker saw him first');

# hand-over under load: to one worker, and back to four
batch(301, 600);
$node->append_conf('postgresql.conf', "callsync.workers = 1\n");
$node->reload;
batch(601, 700);
owners(1, 'one owner for all shards');
$node->append_conf('postgresql.conf', "callsync.workers = 4\n");
$node->reload;
batch(701, 1000);
owners(4, 'four owners');
CallsyncDelivery::idle($node, 120);
is(CallsyncDelivery::q1($node, 'SELECT status, count(*) FROM callsync.call_sync GROUP BY 1'), 'synced|1000', 'all synced');
is($crm->count('calls'), 1000, 'one call log each');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'none twice');
is($crm->count('contacts'), 100, 'one contact per caller');
is(CallsyncDelivery::q1($node, "SELECT count(*) FROM (SELECT delivery_id, n FROM callsync.attempts GROUP BY 1, 2 HAVING count(*) > 1) x"), '0', 'no delivery was taken by two');

# A request under way keeps its shard with the old owner; what is still to do after its answer (here: read back what
# was stored) is the new owner's. Seen: both did it, and now and then a call stood at "pending" for good.
$crm->config({ latency_ms => 400, log => { bodies => JSON::PP::true } });
for my $round (1 .. 2)
{
	my ($from, $to) = ($round * 1000 + 1, $round * 1000 + 200);
	my $n = $round == 1 ? 1 : 4;
	batch($from, $to);
	ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id
		WHERE a.finished_at IS NULL AND d.step = 'call' AND substr(d.call_id, 2)::int >= $from"), "round $round: calls are under way");
	$node->append_conf('postgresql.conf', "callsync.workers = $n\n");
	$node->reload;
	owners($n, "$n owners");
	CallsyncDelivery::idle($node, 120);
	is(CallsyncDelivery::q1($node, "SELECT status, count(*) FROM callsync.call_sync WHERE substr(call_id, 2)::int >= $from GROUP BY 1"), 'synced|200', 'all synced');
	my %read;
	$read{ $_->{id} }++ for map { @{ $_->{json}{inputs} // [] } } @{ $crm->requests(path => 'calls/batch/read', limit => 100000) };
	cmp_ok(scalar keys %read, '>=', 200, 'read back');
	is_deeply([ grep { $read{$_} > 1 } sort keys %read ], [], 'by one worker each');
}
# they share callers, days and shards, and never stand in each other's way
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/ERROR:|FATAL:/, 'without an error');
done_testing();
