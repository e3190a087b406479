# Limits as a CRM counts them, with several workers: 100 requests a second and 500 in ten seconds at once, four searches a
# second, a back-fill beside live calls. Real time, so this is no test of make test: the rate is what is asked for.
# (Quotas of a day, restarts, crashes, Retry-After: test/t/029_limits_kept.pl.)
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my $calls = $ENV{LIMITS_CALLS} // 1500;
my $old = $ENV{LIMITS_BACKFILL} // 5000;
my $live = $ENV{LIMITS_LIVE} // 100;
my %limits = (batch => 1, second => { rate => 100, per_s => 1 }, burst => { rate => 500, per_s => 10 }, search => { rate => 4, per_s => 1 }, day => { rate => 250_000 });

my ($node, $crm) = CallsyncDelivery::start('limits', limits => 1, conf => "callsync.workers = 4\n",
	options => { verify => 'response', describe_every => '1 day', limits => \%limits });
$crm->config({ limits => { enabled => JSON::PP::true, windows => [ { name => 'TEN_SECONDLY_ROLLING', max => 500, ms => 10_000, ops => '^(?!search$)' },
	{ name => 'SECOND', max => 100, ms => 1000, kind => 'rolling', ops => '^(?!search$)' }, { name => 'SECONDLY', max => 4, ms => 1000 }, { name => 'DAILY', max => 250_000 } ] } });

sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub at { my ($h, $m, $s) = $_[0]->{time} =~ /T(\d+):(\d+):([\d.]+)Z/ or die; return ($h * 60 + $m) * 60 + $s; }
sub requests { return sort { at($a) <=> at($b) } @{ $crm->requests(bodies => 0, limit => 1_000_000) }; }
sub insert
{
	my ($prefix, $from, $n, $table) = @_;
	q1("INSERT INTO " . ($table // 'calls') . " (id, phone, name, started_at, ended_at, summary) SELECT '$prefix' || i, '+1415' || (5550000 + i)::text, 'Caller ' || i,
		now() - interval '3 min', now() - interval '1 min', 'x' FROM generate_series($from, $from + $n - 1) i");
	return;
}
# What a client would need at the least that knows the limits and sends as soon as they allow
sub ideal
{
	my ($n, @windows) = @_;
	my @sent;
	for my $i (0 .. $n - 1)
	{
		my $t = $i > 0 ? $sent[-1] : 0;
		for my $w (@windows)
		{
			my ($max, $s) = @$w;
			$t = $sent[ $i - $max ] + $s if $i >= $max && $sent[ $i - $max ] + $s > $t;
		}
		push @sent, $t;
	}
	return $sent[-1];
}

# ---- several windows at once ----
$crm->clear_requests;
insert('c', 1, $calls);
CallsyncDelivery::idle($node, 600);
my @log = grep { ($_->{op} // '') ne 'search' } requests();
is(scalar(grep { $_->{status} == 429 } requests()), 0, 'not one request above a window');
is(q1("SELECT count(*) FROM callsync.call_sync WHERE status = 'synced'"), $calls, 'everything is delivered');
my $n = @log;
my $took = at($log[-1]) - at($log[0]);
my $share = ideal($n, [ 100, 1 ], [ 500, 10 ]) / $took;
cmp_ok($n, '>=', 2 * $calls, "$n requests");
cmp_ok($share, '>=', 0.95, sprintf('%.1f %% of the allowed rate (%d requests in %.1f s)', 100 * $share, $n, $took));

# ---- searches ----
q1("SELECT callsync.alter_destination('crm', '{\"lookup\": \"remote\"}')");
$crm->clear_requests;
insert('s', $calls + 1, 160);
CallsyncDelivery::idle($node, 600);
my @searches = grep { ($_->{op} // '') eq 'search' } requests();
is(scalar(grep { $_->{status} == 429 } requests()), 0, 'not one search above four in a second');
$took = at($searches[-1]) - at($searches[0]);
$share = ideal(scalar @searches, [ 4, 1 ]) / $took;
cmp_ok($share, '>=', 0.95, sprintf('%.1f %% of the allowed rate (%d searches in %.1f s)', 100 * $share, scalar @searches, $took));

# ---- a back-fill beside live calls ----
q1("SELECT callsync.alter_destination('crm', '{\"lookup\": \"mirror\"}')");
q1("SELECT callsync.detach('calls')");
insert('old', 10_000, $old);
q1(q{SELECT callsync.attach('phones', 'calls', '{"call_id": "id", "caller.phone": "phone", "caller.name": "name", "started_at": "started_at", "ended_at": "ended_at", "summary": "summary"}')});
$crm->clear_requests;
q1("SELECT * FROM callsync.backfill('phones', now() - interval '1 day', now(), dry_run => false)");
for my $i (1 .. $live)
{
	insert('live', 50_000 + $i, 1);
	# one after the other, while the back-fill goes on
	$node->poll_query_until('postgres', "SELECT status = 'synced' FROM callsync.call_sync WHERE call_id = 'live" . (50_000 + $i) . "'");
}
my $open = q1("SELECT count(*) FROM callsync.call_sync WHERE call_id LIKE 'old%' AND status <> 'synced'");
my $lag = q1("SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM synced_at - captured_at)) FROM callsync.call_sync WHERE call_id LIKE 'live%'");
cmp_ok($open, '>', 0, "the back-fill was still under way ($open open)");
cmp_ok($lag, '<=', 5, "99 of 100 live calls within 5 s ($lag s)");
is(scalar(grep { $_->{status} == 429 } requests()), 0, 'not one request above a window');
done_testing();
