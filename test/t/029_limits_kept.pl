# Limits by the CRM's own count, with several workers: a daily quota over restarts and a crash, until midnight; a limit that
# is lower than the number of workers; Retry-After from a server whose clock is wrong. (More requests: .ci/long-limits.)
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncCrash;
use CallsyncDelivery;

my $QUOTA = 60;
my ($node, $crm) = CallsyncDelivery::start('kept', limits => 1, conf => "callsync.clock_offset = 0\ncallsync.workers = 4\n",
	options => { verify => 'response', lookup => 'remote', limits => { batch => 1, time_zone => 'UTC', burst => { rate => 30, per_s => 1 }, search => { rate => 3, per_s => 1 },
		day => { rate => $QUOTA } } });
$crm->config({ limits => { enabled => JSON::PP::true, windows => [ { name => 'TEN_SECONDLY_ROLLING', max => 30, ms => 1000 }, { name => 'SECONDLY', max => 3, ms => 1000 },
	{ name => 'DAILY', max => $QUOTA, ops => '^(?!search$)' } ] } });

sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub wait_for { my ($query, $name) = @_; return ok($node->poll_query_until('postgres', $query), $name) || diag(q1('SELECT * FROM callsync.destination_status')); }
my $inserted = 0;
sub insert
{
	my ($n) = @_;
	q1(<<"SQL");
INSERT INTO calls (id, phone, name, started_at, summary)
SELECT 'q' || i, '415' || lpad((5550000 + i)::text, 7, '0'), 'Caller ' || i, '2026-11-20 10:00:00+00', 'x' FROM generate_series($inserted + 1, $inserted + $n) i
SQL
	$inserted += $n;
	return;
}
sub requests { return @{ $crm->requests(bodies => 0, limit => 100000) }; }
sub refused { return scalar grep { ($_->{status} // 0) == 429 } requests(); }
# requests that count for the day (searches have a limit of their own)
sub counted { return scalar grep { ($_->{op} // '') ne 'search' } requests(); }
# what could still be sent may be on its way
sub quiet { return $node->poll_query_until('postgres', "SELECT count(*) = 0 FROM callsync.attempts WHERE finished_at IS NULL"); }

# never across the midnight of the real day
my $to_midnight = 86400 - time % 86400;
if ($to_midnight < 300)
{
	$crm->clock({ advance_ms => 600_000 });
	$node->append_conf('postgresql.conf', 'callsync.clock_offset = 600');
	$node->reload;
}
insert(10);
CallsyncDelivery::idle($node);
# a request is booked before it leaves, and the CRM is asked for its fields at any time: equal once nothing is on its way
my ($booked, $seen);
for (1 .. 300)
{
	($booked, $seen) = (q1("SELECT used FROM callsync.quota WHERE name = 'day'"), counted());
	last if $booked == $seen;
	select(undef, undef, undef, 0.1);
}
is($booked, $seen, 'the books are right');
is(q1("SELECT token_state FROM callsync.destination_status"), 'static', '(a bearer token, given after the destination was made)');
my $before = counted();
$node->restart;
insert(6);
CallsyncDelivery::idle($node);
cmp_ok(counted(), '>', $before, 'it goes on after a restart');
CallsyncCrash::kill9($node, q1('SELECT (callsync.worker_pids())[1]'));
insert(40);
wait_for("SELECT count(*) = 1 FROM callsync.alerts WHERE kind = 'quota' AND subject = 'day' AND cleared_at IS NULL", 'nearly used up: an alert');
like(q1("SELECT message || remedy FROM callsync.alerts WHERE kind = 'quota'"), qr/has used \d+ of $QUOTA requests of its limit "day".*come free from .* 00:00:00/, 'that says how much, and until when');
wait_for("SELECT used >= $QUOTA FROM callsync.quota WHERE name = 'day'", 'used up');
quiet();
is(refused(), 0, 'not one request above any limit, as the CRM counts, over a restart and a crash');
cmp_ok(counted(), '<=', $QUOTA, 'and so does the log');
cmp_ok(counted(), '>=', $QUOTA - 4, 'the quota is used: ' . counted());
wait_for("SELECT queue_depth > 0 FROM callsync.destination_status", 'the rest waits');
is(q1("SELECT count(*) FROM callsync.dead_letters"), 0, 'nothing is given up');

# ---- midnight ----
$crm->clear_requests;
my $offset = q1("SELECT extract(epoch FROM date_trunc('day', (now() + interval '1 day') AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - now())::int + 60");
$crm->config({ limits => { windows => [ { name => 'DAILY', max => 100000 } ] } });
q1(q{SELECT callsync.alter_destination('crm', '{"limits": {"batch": 1, "burst": {"rate": 30, "per_s": 1}, "search": {"rate": 3, "per_s": 1}, "day": {"rate": 1000}}}')});
$crm->clock({ advance_ms => $offset * 1000 });
$node->append_conf('postgresql.conf', "callsync.clock_offset = $offset");
$node->reload;
CallsyncDelivery::idle($node, 180);
is(q1('SELECT status, count(*) FROM callsync.call_sync GROUP BY 1'), "synced|$inserted", 'a new day: everything is delivered');
is(q1("SELECT count(*) FROM callsync.alerts WHERE kind = 'quota' AND cleared_at IS NULL"), 0, 'the alert is over');
is(refused(), 0, 'searches of 4 workers under a limit of 3: none above it');
cmp_ok(scalar(grep { ($_->{op} // '') eq 'search' } requests()), '>=', 5, 'and there were searches');

# ---- Retry-After by a clock that is ten minutes wrong ----
sub ms { my ($h, $m, $s) = $_[0]->{time} =~ /T(\d+):(\d+):([\d.]+)Z/ or die; return (($h * 60 + $m) * 60 + $s) * 1000; }
for my $skew (-600, 600)
{
	$crm->clock({ date_offset_ms => $skew * 1000 });
	for my $form ('seconds', 'date')
	{
		$crm->clear_requests;
		$crm->fault({ action => 'throttle', retry_after => 3, ($form eq 'date' ? (form => 'date') : ()), count => 1, match => { method => 'POST', path => '/calls' } });
		insert(1);
		CallsyncDelivery::idle($node, 120);
		my @log = requests();
		my ($r) = grep { $_->{status} == 429 } @log;
		ok($r, "clock $skew s off, $form: refused once") or next;
		my @later = sort { $a <=> $b } map { ms($_) - ms($r) } grep { $_->{seq} > $r->{seq} && $_->{method} eq 'POST' && $_->{url} =~ m{/calls} } @log;
		# a date has whole seconds
		cmp_ok($later[0] // -1, '>=', $form eq 'date' ? 1900 : 2900, "obeyed ($later[0] ms)");
	}
}
$crm->clock({ date_offset_ms => 0 });

# ---- what one worker is told binds all ----
$crm->clear_requests;
my $told_before = q1('SELECT count(*) FROM callsync.attempts WHERE http_status = 429');
$crm->fault({ action => 'throttle', retry_after => 4, count => 1, match => { method => 'POST', path => '/calls' } });
insert(1);
wait_for("SELECT count(*) > $told_before FROM callsync.attempts WHERE http_status = 429", 'one worker is told to wait');
insert(12);
CallsyncDelivery::idle($node, 180);
my ($told) = grep { $_->{status} == 429 } requests();
# the others may have sent before that worker had read its answer, but not what came to them later
my %early = map { $_->{seq} => 1 } grep { $_->{seq} > $told->{seq} && $_->{method} ne 'GET' && ms($_) < ms($told) + 3900 } requests();
is(scalar(keys %early), 0, 'none of the workers sends meanwhile');

# ---- requests at a time: two, for four workers ----
q1(q{SELECT callsync.pause('crm')});
q1(q{SELECT callsync.alter_destination('crm', '{"limits": {"batch": 1, "concurrency": 2, "burst": {"rate": 1000, "per_s": 1}, "search": {"rate": 1000, "per_s": 1}, "day": null}}')});
$crm->config({ latency_ms => 20, limits => { enabled => JSON::PP::true, concurrency => 2, reset => JSON::PP::true,
	windows => [ map { { name => $_, max => 1000, ms => 1000 } } qw(TEN_SECONDLY_ROLLING SECONDLY) ] } });
$crm->clear_requests;
insert(24);
q1(q{SELECT callsync.resume('crm')});
CallsyncDelivery::idle($node, 180);
is(refused(), 0, 'never more than two at a time');
cmp_ok($crm->limits->{peak}, '<=', 2, 'as the CRM counts');

# ---- one search a second, for four workers, some of whom end ----
q1(q{SELECT callsync.pause('crm')});
q1(q{SELECT callsync.alter_destination('crm', '{"limits": {"batch": 1, "burst": {"rate": 1000, "per_s": 1}, "search": {"rate": 1, "per_s": 1}, "day": null}}')});
$crm->config({ latency_ms => 0, limits => { concurrency => undef, reset => JSON::PP::true, windows => [ { name => 'SECONDLY', max => 1, ms => 1000 } ] } });
$crm->clear_requests;
insert(8);
q1(q{SELECT callsync.resume('crm')});
for my $n (2, 4)
{
	$crm->wait_requests(op => 'search', count => $n, timeout_ms => 180_000);
	q1("SELECT pg_terminate_backend((callsync.worker_pids())[$n / 2])");
}
CallsyncDelivery::idle($node, 180);
is(refused(), 0, 'a turn that is passed on is no turn more');
is(q1('SELECT status, count(*) FROM callsync.call_sync GROUP BY 1'), "synced|$inserted", 'and none is lost');
done_testing();
