# One reply in five is lost after the CRM has done the work, and its search index lags by half a minute: nothing
# is made twice, because writes carry our key.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('lost');

$crm->config({ search_lag_ms => 30000 });
$crm->fault({ action => 'drop_after', probability => 0.2, count => -1, match => { method => 'POST' } });
$node->safe_psql('postgres', <<'SQL');
INSERT INTO calls (id, phone, name, started_at, ended_at, duration, disposition, summary, direction, task)
SELECT 'c' || i, '415555' || lpad((i % 40 + 2000)::text, 4, '0'), 'Caller ' || i % 40, '2026-11-20 10:00:00+00', '2026-11-20 10:03:00+00', 180,
	'completed', 'call ' || i, 'inbound', CASE WHEN i % 3 = 0 THEN '{"action": "call_back", "due_at": "2026-11-21T09:00:00Z"}'::jsonb END
FROM generate_series(1, 60) i;
SQL
# and more one by one, so that there are many small requests, too
for my $i (61 .. 90)
{
	CallsyncDelivery::call($node, "c$i", phone => sprintf('415555%04d', 2000 + $i % 40), name => 'Caller ' . $i % 40);
}
CallsyncDelivery::idle($node, 120);
is(CallsyncDelivery::q1($node, "SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|90', 'all synced');
cmp_ok(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.requests WHERE outcome IN ('unknown', 'no_answer')"), '>', 2, 'replies were lost');
is($crm->count('calls'), 90, 'one call log each');
is($crm->count('contacts'), 40, 'one contact per caller');
is($crm->count('tasks'), 20, 'one task each');
is_deeply($crm->duplicates($_, 'callsync_key'), [], "no duplicate of $_") for qw(calls contacts tasks);
is_deeply($crm->duplicates('contacts', 'phone'), [], 'no caller twice');
# One to one, by the trace id's span. A request that went into a connection which the CRM had just closed as idle is
# in requests, without an answer, and the CRM never saw it.
my %seen;
$seen{ $_->{headers}{traceparent} }++ for grep { $_->{headers}{traceparent} } @{ $crm->requests(limit => 100000, bodies => 0) };
my %sent = map { split /\|/ } split /\n/, CallsyncDelivery::q1($node, "SELECT headers ->> 'traceparent', outcome FROM callsync.requests WHERE delivery_id IS NOT NULL");
is_deeply([ grep { !exists $sent{$_} } keys %seen ], [], 'every request that the CRM saw is in requests');
is_deeply([ grep { $seen{$_} > 1 } keys %seen ], [], 'none left twice under one name');
is_deeply([ grep { !$seen{$_} && $sent{$_} !~ /^(unknown|no_answer)$/ } keys %sent ], [], 'and an answer is of a request that the CRM saw');
done_testing();
