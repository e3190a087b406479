# No room on the disk for what the worker writes: it goes on trying, nothing is lost, nothing is given up, and what was
# answered meanwhile is stored in full when there is room again. A limit of file sizes of the worker's process stands for the
# full disk: it needs no privilege and no file system of its own.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use CallsyncDelivery;

plan(skip_all => 'no prlimit to set a limit of a running process') if system('prlimit --version > /dev/null 2>&1') != 0;

# the write-ahead log has to fit into the limit: without it the server stops, which is another test's business
my ($node, $crm) = CallsyncDelivery::start('full', connector => 'webhook', path => '/hook/calls', initdb => ['--wal-segsize=1'],
	sandbox => { log_bodies => 0 }, conf => "log_statement = none\n");
$crm->config({ secrets => [], dedup => 0, store => 1, limits => 'off' });
sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub becomes { my ($sql, $name) = @_; ok($node->poll_query_until('postgres', $sql), $name); return; }
my $worker = q1('SELECT (callsync.worker_pids())[1]');
sub limit { my ($bytes) = @_; system_or_bail('prlimit', "--pid=$worker", "--fsize=$bytes:"); return; }
sub insert
{
	my ($name, $n) = @_;
	q1("INSERT INTO calls (id, phone, name, started_at, ended_at, summary)
		SELECT '$name' || i, '415' || lpad((5550000 + i)::text, 7, '0'), 'Caller ' || i, '2026-11-20 10:00:00+00', '2026-11-20 10:03:00+00',
			(SELECT string_agg(md5(i || ' ' || k), '') FROM generate_series(1, 150) k) FROM generate_series(1, $n) i");
	return;
}

# something was refused, behind a place in the server's log
sub refused
{
	my ($from) = @_;
	for (1 .. 1800)
	{
		return 1 if substr(slurp_file($node->logfile), $from) =~ /ERROR:.*could not extend file/;
		sleep 0.1;
	}
	return 0;
}

becomes(sprintf("SELECT wait_event_type || ' ' || wait_event = 'Extension %s' AND state = 'idle' AND application_name = 'callsync worker 0' FROM pg_stat_activity WHERE pid = $worker",
	$node->pg_version >= 17 ? 'CallsyncHttp' : 'Extension'), 'pg_stat_activity says what an idle worker waits for');
insert('before', 5);
CallsyncDelivery::idle($node);

# ---- full ----
limit(147 * 8192);
my $log = -s $node->logfile;
insert('while', 600);
ok(refused($log), 'there is no room for what the worker writes');
insert('later', 5);
is(q1("SELECT count(*) FROM calls"), '610', 'people who write calls are not stopped');
cmp_ok(q1("SELECT count(*) FROM callsync.call_sync WHERE status = 'synced'"), '<', 610, 'not all can be delivered');
is(q1('SELECT (callsync.worker_pids())[1]'), $worker, 'the worker lives');
is(q1("SELECT count(*) FROM callsync.alerts WHERE kind IN ('unplannable_call', 'dead_letter')"), '0', 'no call is blamed for it');

# ---- room again ----
limit('unlimited');
CallsyncDelivery::idle($node, 180);
is(q1("SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|610', 'everything is delivered');
is(q1('SELECT (callsync.worker_pids())[1]'), $worker, 'by the same worker');
is(q1("SELECT count(*) FROM callsync.dead_letters"), '0', 'nothing was given up');
is(q1("SELECT count(*) FROM callsync.attempts WHERE outcome = 'ok' AND (response IS NULL OR error_class IS NOT NULL)"), '0', 'answers that came meanwhile are stored in full');
my %times;
$times{ $_->{properties}{json}{data}{call_id} }++ for @{ $crm->records('hooks') };
is(scalar keys %times, 610, 'the destination has each call');
# an answer that took too long may be repeated; nothing else
my %doubt = map { $_ => 1 } split /\n/, q1("SELECT DISTINCT d.call_id FROM callsync.deliveries d JOIN callsync.attempts a ON a.delivery_id = d.id WHERE a.outcome = 'unknown'");
is(join(' ', grep { $times{$_} > 1 && !$doubt{$_} } sort keys %times), '', 'once');
done_testing();
