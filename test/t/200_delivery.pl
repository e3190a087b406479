# One call, all the way: a row becomes a contact, a call log and a task in the CRM, and SQL shows it.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('delivery');

CallsyncDelivery::call($node, 'c1', task => '{"action": "call_back", "due_at": "2026-11-21T09:00:00Z", "priority": "high"}', email => 'ada@example.com');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, failure_kind, stage, attempts FROM callsync.call_sync WHERE call_id = 'c1'"),
	'synced||activation|5', 'call_sync says synced');
is(CallsyncDelivery::q1($node, "SELECT step, state, attempts, confirmation, record_id IS NOT NULL FROM callsync.deliveries ORDER BY step"),
	join("\n", 'call|confirmed|1|read_back|t', 'call_contact|confirmed|1|response|f', 'contact|confirmed|1|read_back|t',
		'task|confirmed|1|read_back|t', 'task_contact|confirmed|1|response|f'), 'one delivery per step, each confirmed');
is($crm->count('contacts'), 1, 'one contact');
is($crm->count('calls'), 1, 'one call');
is($crm->count('tasks'), 1, 'one task');
is(CallsyncDelivery::q1($node, "SELECT count(*) FILTER (WHERE outcome <> 'ok'), count(*) FROM callsync.attempts"), '0|5', 'attempts');

# A table without the times of the call: the CRM insists on one, so it is when the call was captured, in every version.
CallsyncDelivery::call($node, 'c2', started_at => undef, ended_at => undef, duration => undef);
CallsyncDelivery::idle($node);
my ($call) = grep { $_->{properties}{callsync_key} eq 'phones/c2/call' } @{ $crm->records('calls') };
my $captured = CallsyncDelivery::q1($node, "SELECT to_char(captured_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') FROM callsync.call WHERE call_id = 'c2'");
like($call->{properties}{hs_timestamp}, qr/^$captured/, 'a call without times carries the time of its capture');
CallsyncDelivery::q1($node, "UPDATE calls SET summary = 'Rang again.' WHERE id = 'c2'");
CallsyncDelivery::idle($node);
my ($later) = grep { $_->{properties}{callsync_key} eq 'phones/c2/call' } @{ $crm->records('calls') };
like($later->{properties}{hs_call_body}, qr/Rang again/, 'its second version arrived');
is($later->{properties}{hs_timestamp}, $call->{properties}{hs_timestamp}, 'and did not move it');
is(CallsyncDelivery::q1($node, "SELECT string_agg(DISTINCT status, ' ') FROM callsync.call_sync"), 'synced', 'all synced');
done_testing();
