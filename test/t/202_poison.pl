# One call that the CRM will never take, among 500: it is put aside with the CRM's answer, the others do not
# notice, and when the cause is mended redrive() delivers it.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('poison');

# the account has a rule of its own that refuses one call
$crm->fault({ action => 'reject_record', object => 'calls', match => { record => '"call 250"' }, count => -1, code => 'CUSTOM_RULE',
	field => 'hs_call_body', message => 'Rule of the account: no splendid calls' });
$node->safe_psql('postgres', <<'SQL');
INSERT INTO calls (id, phone, name, started_at, ended_at, duration, disposition, summary, direction, fields)
SELECT 'c' || i, '415555' || lpad((i % 200 + 2000)::text, 4, '0'), 'Caller ' || i % 200, '2026-11-20 10:00:00+00', '2026-11-20 10:03:00+00', 180,
	'completed', 'call ' || i, 'inbound', '{}'
FROM generate_series(1, 500) i;
SQL
CallsyncDelivery::idle($node, 120);
is(CallsyncDelivery::q1($node, "SELECT status, count(*) FROM callsync.call_sync GROUP BY 1 ORDER BY 1"), "partial|1\nsynced|499", 'one is not whole, the others are');
is(CallsyncDelivery::q1($node, "SELECT call_id, step, error_class, http_status FROM callsync.dead_letters"), 'c250|call|permanent|207', 'it is a dead letter');
like(CallsyncDelivery::q1($node, "SELECT last_error FROM callsync.dead_letters"), qr/splendid/, "with the CRM's answer");
like(CallsyncDelivery::q1($node, "SELECT remedy FROM callsync.dead_letters"), qr/redrive/, 'and what to do');
is(CallsyncDelivery::q1($node, "SELECT state FROM callsync.deliveries WHERE call_id = 'c250' AND step = 'call_contact'"), 'failed', 'what needs it waits with it');
is(CallsyncDelivery::q1($node, "SELECT field, status FROM callsync.field_writes WHERE call_id = 'c250' AND status = 'rejected'"), 'hs_call_body|rejected', 'the field is named');
is(CallsyncDelivery::q1($node, "SELECT calls, given_up FROM callsync.error_groups WHERE error_class = 'permanent'"), '1|1', 'error_groups');
is($crm->count('calls'), 499, 'the CRM has the others');
is($crm->count('contacts'), 200, 'and their contacts');
is(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.alerts WHERE kind = 'dead_letter' AND cleared_at IS NULL"), '1', 'an alert');

is(CallsyncDelivery::q1($node, "SELECT matched, redriven FROM callsync.redrive('crm')"), '1|0', 'redrive() first only counts');
is(CallsyncDelivery::q1($node, q{SELECT matched FROM callsync.redrive('crm', '{"step": "task"}')}), '0', 'by a filter');
my ($rc, $out, $err) = $node->psql('postgres', q{SELECT callsync.redrive('crm', '{"stpe": "task"}')});
like($err, qr/unknown filter "stpe".*HINT:.*error_class/s, 'a filter that does not exist');
# not mended yet: it comes back
is(CallsyncDelivery::q1($node, "SELECT matched, redriven FROM callsync.redrive('crm', '{}', false)"), '1|1', 'redrive() before the cause is mended');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.dead_letters"), '1', 'is dead again');
# mended
$crm->clear_faults;
is(CallsyncDelivery::q1($node, q{SELECT matched, redriven FROM callsync.redrive('crm', '{"error_class": "permanent"}', false)}), '1|1', 'redrive()');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, failure_kind FROM callsync.call_sync WHERE call_id = 'c250'"), 'synced|', 'delivered');
is($crm->count('calls'), 500, 'the CRM has all');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'once each');
my ($late) = @{ $crm->records('calls', property => 'callsync_key', value => 'phones/c250/call') };
is($late->{properties}{hs_call_body}, 'call 250', 'as it is');
is(scalar @{ $crm->links(from => 'calls', to => 'contacts') }, 500, 'every call is linked to its contact');
is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.dead_letters'), '0', 'no dead letter is left');
done_testing();
