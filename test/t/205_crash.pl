# Four writers capture 2,000 calls while the worker is killed five times (which makes the server recover each
# time) and the server is stopped in mode immediate once. What was committed is in the CRM exactly once.
# Then the worker kills itself at each point of a delivery.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('crash', conf => "restart_after_crash = on\nfsync = on\nmax_connections = 30\n",
	sandbox => { journal => 0 });
my $writers = 4;
my $each = 500;
my $connstr = $node->connstr('postgres');

sub up
{
	my $end = time + 60;
	while (time < $end)
	{
		return 1 if system("psql -XAtq -d '$connstr' -c 'SELECT 1' >/dev/null 2>&1") == 0;
		sleep 0.05;
	}
	return 0;
}

# Each writer commits its calls in portions; one that fails is written again: the primary key tells what is there.
my @pids;
for my $w (1 .. $writers)
{
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		for (my $i = 1; $i <= $each; $i += 10)
		{
			my $sql = "INSERT INTO calls (id, phone, name, started_at, ended_at, duration, disposition, summary, direction)
				SELECT 'w$w-' || i, '415' || lpad((5550000 + (i * 7 + $w) % 300)::text, 7, '0'), 'Caller ' || (i * 7 + $w) % 300, '2026-11-20 10:00:00+00',
					'2026-11-20 10:03:00+00', 180, 'completed', 'call ' || i, 'inbound'
				FROM generate_series($i, " . ($i + 9) . ") i ON CONFLICT DO NOTHING";
			my $tries = 0;
			while (system('psql', '-XAtq', '-d', $connstr, '-c', $sql) != 0)
			{
				POSIX::_exit(1) if ++$tries > 600;
				sleep 0.1;
			}
		}
		POSIX::_exit(0);
	}
	push @pids, $pid;
}
open(my $olderr, '>&', \*STDERR);

my $kills = 0;
my $stopped = 0;
while ($kills < 5 || !$stopped)
{
	ok(up(), 'the server is up') or last;
	# somewhere in the middle: some more deliveries have been settled since the last crash
	my $done = `psql -XAtq -d '$connstr' -c 'SELECT count(*) FROM callsync.delivery WHERE settled_at IS NOT NULL' 2>/dev/null` || 0;
	for (1 .. 200)
	{
		my $now = `psql -XAtq -d '$connstr' -c 'SELECT count(*) FROM callsync.delivery WHERE settled_at IS NOT NULL' 2>/dev/null` || 0;
		last if $now > $done + 20;
		sleep 0.05;
	}
	if ($kills == 3 && !$stopped)
	{
		$node->stop('immediate');
		$node->start;
		$stopped = 1;
		next;
	}
	my $pid = `psql -XAtq -d '$connstr' -c 'SELECT (callsync.worker_pids())[1]' 2>/dev/null`;
	chomp $pid;
	next unless $pid =~ /^\d+$/;
	my $noticed = () = slurp_file($node->logfile) =~ /terminated by signal 9/g;
	kill 'KILL', $pid or next;
	$kills++;
	# until the postmaster knows, the server seems to be up
	for (1 .. 1200)
	{
		my $now = () = slurp_file($node->logfile) =~ /terminated by signal 9/g;
		last if $now > $noticed;
		sleep 0.05;
	}
}
my $failed = 0;
for my $pid (@pids)
{
	waitpid($pid, 0);
	$failed++ if $? != 0;
}
is($failed, 0, 'the writers wrote everything');
ok(up(), 'the server is up');
CallsyncDelivery::idle($node, 180);
my $total = $writers * $each;
is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM calls'), $total, 'all calls are committed');
is(CallsyncDelivery::q1($node, "SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), "synced|$total", 'call_sync says synced for all');
is($crm->count('calls'), $total, 'the CRM has one call log each');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'no call twice');
is($crm->count('contacts'), CallsyncDelivery::q1($node, 'SELECT count(DISTINCT phone) FROM calls'), 'one contact per caller');
is_deeply($crm->duplicates('contacts', 'phone'), [], 'no caller twice');
is(scalar @{ $crm->links(from => 'calls', to => 'contacts') }, $total, 'every call is linked to a contact');
is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.outbox'), '0', 'nothing is left over');
is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.attempt a LEFT JOIN callsync.attempt_end e USING (delivery_id, n, day) WHERE e.n IS NULL'),
	'0', 'no attempt is without an end');
my $known = CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.requests');
my $seen = $crm->requests(limit => 100000, bodies => 0);
cmp_ok(scalar @$seen, '<=', $known, "no request left without an attempt row ($known known, " . scalar(@$seen) . ' seen)');

# at each point of a delivery
for my $point (qw(before_send after_send reply_received settle_committed))
{
	$crm->fault({ action => 'delay', ms => 400, count => -1 }) if $point eq 'after_send';
	my $crashes = () = slurp_file($node->logfile) =~ /terminated by signal 9/g;
	CallsyncDelivery::q1($node, "ALTER SYSTEM SET callsync.crash_at = '$point'");
	$node->reload;
	ok($node->poll_query_until('postgres', "SELECT setting = '$point' FROM pg_settings WHERE name = 'callsync.crash_at'"), "crash at $point");
	system('psql', '-XAtq', '-d', $connstr, '-c', "INSERT INTO calls (id, phone, name, started_at, summary) VALUES ('$point', '4155559999', 'Late Caller', '2026-11-20 10:00:00+00', 'x')");
	for (1 .. 400)
	{
		my $now = () = slurp_file($node->logfile) =~ /terminated by signal 9/g;
		last if $now > $crashes;
		sleep 0.05;
	}
	my $now = () = slurp_file($node->logfile) =~ /terminated by signal 9/g;
	cmp_ok($now, '>', $crashes, 'the worker died there');
	# recovery goes on crashing until the setting is gone
	my $conf = $node->data_dir . '/postgresql.auto.conf';
	my $text = slurp_file($conf);
	$text =~ s/^callsync\.crash_at.*\n//m;
	open(my $fh, '>', $conf) or die $!;
	print $fh $text;
	close $fh;
	$node->reload;
	$crm->clear_faults;
	ok(up(), 'the server is up');
	CallsyncDelivery::idle($node);
	is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = '$point'"), 'synced', "synced after a crash at $point");
	is(scalar @{ $crm->records('calls', property => 'callsync_key', value => "phones/$point/call") }, 1, 'once');
}
is_deeply($crm->duplicates('contacts', 'phone'), [], 'still no caller twice');
done_testing();
