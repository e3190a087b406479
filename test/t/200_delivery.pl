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
done_testing();
