# The CRM is down from noon to one, in simulated time (SC-4): calls go on coming, it is asked whether it is back at most 120 times,
# and when it is, old and new arrive at once, in order, without a request above its limit, and without waiting for another hour.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my $RATE = 25;
my ($node, $crm) = CallsyncDelivery::start('hour', limits => 1, conf => "callsync.clock_offset = 0\n",
	options => { verify => 'response', retry => {}, limits => { burst => { rate => $RATE, per_s => 1 } } });
$crm->config({ limits => { enabled => JSON::PP::true, windows => [ { name => 'SECONDLY', max => $RATE, ms => 1000 } ] } });

sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub becomes { my ($sql, $name) = @_; return ok($node->poll_query_until('postgres', $sql), $name) || diag(q1('SELECT * FROM callsync.destination_status')); }
my $offset = 0;
sub later
{
	my ($seconds) = @_;
	$offset += $seconds;
	$crm->clock({ advance_ms => $seconds * 1000 });
	$node->append_conf('postgresql.conf', "callsync.clock_offset = $offset");
	$node->reload;
	return;
}
sub insert
{
	my ($name, $n) = @_;
	q1("INSERT INTO calls (id, phone, name, started_at, summary) SELECT '$name' || i, '415' || lpad((5550000 + i)::text, 7, '0'), 'Caller ' || i,
		'2026-11-20 10:00:00+00', 'version 1' FROM generate_series(1, $n) i");
	return;
}

insert('before', 3);
CallsyncDelivery::idle($node);

# ---- 12:00 ----
$crm->down;
my $asked = q1('SELECT count(*) FROM callsync.requests');
insert('noon', 20);
becomes("SELECT breaker <> 'closed' FROM callsync.destination_status", '12:00: the breaker opens');
for my $i (1 .. 12)
{
	later(300);
	insert("at$i.", 3) if $i % 3 == 0;
	# it was asked again in this step
	becomes("SELECT count(*) > 0 FROM callsync.requests r WHERE r.started_at > now() + interval '@{[ $offset - 10 ]} s'", "12:" . 5 * $i . ": asked whether it is back");
}
q1("UPDATE calls SET summary = 'version 2' WHERE id LIKE 'noon%'");
becomes('SELECT count(*) = 0 FROM callsync.outbox', 'what changes meanwhile is planned');
$asked = q1('SELECT count(*) FROM callsync.requests') - $asked;
cmp_ok($asked, '<=', 120, "at most 120 questions in that hour ($asked)");
is(q1("SELECT count(*) FROM callsync.call_sync WHERE status = 'synced'"), '3', 'nothing arrived');
is(q1('SELECT count(*) FROM callsync.dead_letters'), '0', 'nothing was given up');
is(q1("SELECT count(*) FROM callsync.alerts WHERE kind = 'destination_down' AND cleared_at IS NULL"), '1', 'people were told, once');
# the next question is never further away than that
is(q1("SELECT breaker_until <= now() + interval '@{[ $offset + 60 ]} s' FROM callsync.destination_status"), 't', 'it will be asked again within a minute');

# ---- 13:00 ----
$crm->clear_requests;
$crm->up;
insert('new', 5);
later(60);
CallsyncDelivery::idle($node, 180, 'a minute later old and new calls are there');
is(q1("SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|40', 'all of them');
is($crm->count('calls'), 40, 'each call once');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'no duplicate');
is(scalar(grep { $_->{properties}{hs_call_body} =~ /version 2/ } @{ $crm->records('calls') }), 20, 'in order: the newest version of each');
my @requests = @{ $crm->requests(bodies => 0, limit => 100000) };
is(scalar(grep { $_->{status} == 429 } @requests), 0, "not one request above the limit, as the CRM counts them (" . scalar(@requests) . ')');
becomes("SELECT count(*) = 0 FROM callsync.alerts WHERE kind = 'destination_down' AND cleared_at IS NULL", 'the alert is over');
done_testing();
