# Calls are captured by several writers and delivered to two destinations, one that honours our keys and one that does not, while
# the server is killed again and again, in every way and at every point of a delivery. Whatever was committed arrives; what arrives twice
# is listed as an attempt whose outcome was not known.
#
#   CallsyncKills::run(name => 'kills', calls => 600, kills => 10, workers => 1);
package CallsyncKills;

use strict;
use warnings;

use POSIX ();
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;
use Time::HiRes qw(sleep time);

use CallsyncDelivery;

my @ways = qw(worker before_send after_send reply_received settle_committed immediate postmaster);

sub _psql
{
	my ($node, $sql) = @_;
	my $out = qx(psql -XAtq -d '${\ $node->connstr('postgres')}' -c "$sql" 2>/dev/null);
	chomp $out;
	return $out;
}

# Waits for a state of a server that may be down at the moment.
sub _until
{
	my ($seconds, $check) = @_;
	my $end = time + $seconds;
	while (time < $end)
	{
		return 1 if $check->();
		sleep 0.03;
	}
	return 0;
}
sub _up { my ($node) = @_; return _until(180, sub { _psql($node, 'SELECT 1') eq '1' }); }
sub _crashes { my ($node) = @_; my $n = () = slurp_file($node->logfile) =~ /terminated by signal 9/g; return $n; }
sub _crash_at
{
	my ($node, $point) = @_;
	my $file = $node->data_dir . '/crash.conf';
	open(my $fh, '>', "$file.new") or die "$file: $!";
	print $fh $point eq '' ? '' : "callsync.crash_at = '$point'\n";
	close $fh or die "$file: $!";
	rename "$file.new", $file or die "$file: $!";
	# the postmaster itself: there may be no server to ask
	my ($postmaster) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
	kill 'HUP', $postmaster;
	return;
}

# A process that commits calls first to last in portions; a portion that fails is written again: the primary key tells what is there.
sub _writer
{
	my ($node, $first, $last) = @_;
	my $pid = fork() // die "fork: $!";
	return $pid if $pid;
	my $connstr = $node->connstr('postgres');
	open STDERR, '>', '/dev/null';
	for (my $i = $first; $i <= $last; $i += 20)
	{
		my $to = $i + 19 < $last ? $i + 19 : $last;
		my $sql = "INSERT INTO calls (id, phone, name, started_at, ended_at, duration, disposition, summary, direction)
			SELECT 'k' || i, '415' || lpad((5550000 + i % 500)::text, 7, '0'), 'Caller ' || i % 500, '2026-11-20 10:00:00+00', '2026-11-20 10:03:00+00', 180,
				'completed', 'call ' || i, 'inbound' FROM generate_series($i, $to) i ON CONFLICT DO NOTHING";
		my $tries = 0;
		while (system('psql', '-XAtq', '-d', $connstr, '-c', $sql) != 0)
		{
			POSIX::_exit(1) if ++$tries > 3000;
			sleep 0.1;
		}
	}
	POSIX::_exit(0);
}

# One death; returns how many there were (a crash point is met again in recovery).
sub _die_once
{
	my ($node, $crm, $way, $before) = @_;
	if ($way eq 'immediate')
	{
		$node->stop('immediate');
		$node->start;
		return 1;
	}
	if ($way eq 'postmaster')
	{
		my ($pid) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
		my @workers = split /,/, _psql($node, "SELECT array_to_string(callsync.worker_pids(), ',')");
		kill 'KILL', $pid;
		_until(60, sub { !grep { kill 0, $_ } @workers }) or diag('workers outlive the postmaster');
		$node->{_pid} = undef;
		# the last of the old processes may hold the shared memory for a moment
		_until(60, sub { $node->start(fail_ok => 1) }) or die 'the server does not start any more';
		return 1;
	}
	if ($way eq 'worker')
	{
		my $pid;
		_until(60, sub { $pid = _psql($node, 'SELECT (callsync.worker_pids())[1]'); $pid =~ /^\d+$/ }) or return 0;
		kill 'KILL', $pid or return 0;
		_until(60, sub { _crashes($node) > $before }) or return 0;
	}
	else
	{
		_until(120, sub { _crashes($node) > $before }) or diag("nobody died at $way");
		_crash_at($node, '');
		$crm->clear_faults if $way eq 'after_send';
	}
	return _crashes($node) - $before;
}

# A point of a delivery is met by what is sent from now on.
sub _prepare
{
	my ($node, $crm, $way) = @_;
	return if $way !~ /_/;
	# the bytes have left and nothing came back: only a slow destination shows that
	$crm->fault({ action => 'delay', ms => 500, count => -1 }) if $way eq 'after_send';
	_crash_at($node, $way);
	return;
}

sub run
{
	my (%o) = @_;
	my ($node, $crm) = CallsyncDelivery::start($o{name}, sandbox => { dialects => [ 'hubspot', 'webhook' ], log_bodies => 0, journal => 0 },
		conf => "restart_after_crash = on\nfsync = on\nmax_connections = 40\nmax_worker_processes = 16\nlog_statement = none\nlog_min_messages = log\n"
			. "callsync.workers = " . ($o{workers} // 1) . "\ninclude_if_exists = 'crash.conf'\n");
	my $hook = CallsyncDelivery::json({ base_url => $crm->url('webhook') . '/hook/calls', allow_addresses => ['127.0.0.1/32'],
		retry => $CallsyncDelivery::FAST_RETRY, limits => { burst => { rate => 10000, per_s => 1 } } });
	$crm->config({ dialect => 'webhook', secrets => [], dedup => 0, store => 1, limits => 'off' });
	CallsyncDelivery::q1($node, "SELECT callsync.create_destination('hook', 'webhook', \$j\$$hook\$j\$)");

	my $each = int($o{calls} / $o{kills});
	my ($kills, $rounds, $written, $failed, $missed) = (0, 0, 0, 0, 0);
	my %count;
	while ($kills < $o{kills} || $written < $o{calls})
	{
		my $way = $ways[ $rounds++ % @ways ];
		my $before = _crashes($node);
		_prepare($node, $crm, $way);
		my @writers = map { _writer($node, $written + 1 + $_ * int($each / 2), $written + ($_ + 1) * int($each / 2)) } 0, 1;
		$written += 2 * int($each / 2);
		# somewhere in the middle: this life of the worker has delivered something
		$way =~ /_/ or _until(5, sub { (_psql($node, 'SELECT sum(total_settled) FROM callsync.worker_status') || 0) > 20 });
		my $deaths = _die_once($node, $crm, $way, $before);
		$kills += $deaths;
		$count{$way} += $deaths;
		$missed++ if !$deaths;
		_up($node) or die 'the server did not come up';
		for (@writers) { waitpid $_, 0; $failed++ if $?; }
		last if $missed > 10;
	}
	is($failed, 0, "the writers wrote everything ($written calls)");
	cmp_ok($kills, '>=', $o{kills}, "the server died $kills times: " . join(', ', map { "$_ $count{$_}" } sort keys %count));
	CallsyncDelivery::idle($node, $o{idle} // 180);

	is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM calls'), $written, 'all calls are committed');
	is(CallsyncDelivery::q1($node, 'SELECT destination, status, count(*) FROM callsync.call_sync GROUP BY 1, 2 ORDER BY 1'),
		"crm|synced|$written\nhook|synced|$written", '0 lost: synced at both destinations');
	is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.outbox'), 0, 'nothing is left over');
	is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.attempt a WHERE NOT EXISTS
		(SELECT 1 FROM callsync.attempt_end e WHERE e.delivery_id = a.delivery_id AND e.n = a.n AND e.day = a.day)'), 0, 'no attempt is without an end');

	# a destination that honours keys: once
	is($crm->count('calls'), $written, 'one call log each: 0 lost, 0 phantom');
	is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'no call twice');
	is($crm->count('contacts'), CallsyncDelivery::q1($node, 'SELECT count(DISTINCT phone) FROM calls'), 'one contact per caller');
	is_deeply($crm->duplicates('contacts', 'phone'), [], 'no caller twice');

	# one that takes everything: what came twice is known to be in doubt
	my $hooks = $crm->records('hooks', dialect => 'webhook');
	my (%times, %call);
	for (@$hooks)
	{
		my $p = $_->{properties};
		$times{ $p->{webhook_id} }++;
		$call{ $p->{webhook_id} } = $p->{json}{data}{call_id};
	}
	is(scalar keys %times, $written, 'each message arrived, no other');
	my @twice = grep { $times{$_} > 1 } keys %times;
	my %doubt = map { $_ => 1 } split /\n/, CallsyncDelivery::q1($node, "SELECT DISTINCT d.call_id FROM callsync.deliveries d JOIN callsync.attempts a ON a.delivery_id = d.id
		WHERE d.destination = 'hook' AND a.outcome = 'unknown'");
	my @silent = grep { !$doubt{ $call{$_} } } @twice;
	is("@silent", '', scalar(@twice) . ' messages came more than once, each with an attempt in doubt (' . scalar(keys %doubt) . ' were)');
	$node->stop;
	return;
}

1;
