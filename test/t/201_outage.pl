# The CRM is down: calls queue up, nothing is hammered, and when it is back everything arrives, in
# order per call, without a duplicate.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('outage');

$crm->down;
for my $i (1 .. 40)
{
	CallsyncDelivery::call($node, "c$i", phone => sprintf('415555%04d', 2000 + $i), summary => "version 1 of $i");
}
ok($node->poll_query_until('postgres', "SELECT breaker <> 'closed' FROM callsync.destination_status"), 'the breaker opens');
is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.outbox'), '0', 'everything is planned meanwhile');
is(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.call_sync WHERE status IN ('pending', 'waiting_retry', 'in_doubt')"), '40', 'and shown as not there yet');
is(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.alerts WHERE kind = 'destination_down' AND cleared_at IS NULL"), '1', 'people are told, once');

# a newer version of each call while it is down: it takes the place of the older one
CallsyncDelivery::q1($node, "UPDATE calls SET summary = 'version 2 of ' || substr(id, 2)");
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM callsync.outbox"), 'planned, too');
# requests, not attempts: a probe may carry all the calls that wait
my $before = CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.requests');
cmp_ok($before, '<', 30, "few tries while nothing answers ($before)");

$crm->up;
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, count(*) FROM callsync.call_sync GROUP BY status"), 'synced|40', 'all synced');
is(CallsyncDelivery::q1($node, "SELECT breaker FROM callsync.destination_status"), 'closed', 'the breaker is closed');
is($crm->count('calls'), 40, 'one call log per call');
is($crm->count('contacts'), 40, 'one contact per caller');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'no duplicate');
my @wrong = grep { $_->{properties}{hs_call_body} !~ /version 2/ } @{ $crm->records('calls') };
is(scalar @wrong, 0, 'the newest version is what the CRM has');
is(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.deliveries WHERE state NOT IN ('confirmed', 'superseded')"), '0', 'older ones that never left are superseded');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM callsync.alerts WHERE kind = 'destination_down' AND cleared_at IS NULL"), 'the alert is cleared');

# order per call: no request carries version 1 after one that carried version 2
my %seen;
my $backwards = 0;
for my $r (@{ $crm->requests(method => 'POST', path => 'calls/batch/upsert') })
{
	next unless $r->{processed};
	for my $in (@{ $r->{json}{inputs} })
	{
		my ($version) = ($in->{properties}{hs_call_body} // '') =~ /version (\d)/ or next;
		$backwards++ if $version < ($seen{ $in->{id} } // 0);
		$seen{ $in->{id} } = $version;
	}
}
is($backwards, 0, 'in order per call');
done_testing();
