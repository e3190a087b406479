# The five-dimension scorecard: "deep" for each of five CRMs out of what was sent and read back, and not deep as soon as a piece of
# the proof is missing, in the rows or in the document.
use strict;
use warnings;

use Test::More;

use CallsyncDialects;

my $t = CallsyncDialects->start('depth');
my $crm = $t->crm;
my @dialects = $t->dialects;

# the write of the call's own record
my %write = (hubspot => '/calls/batch/upsert', salesforce => '/sobjects/Task/', pipedrive => '/api/v2/activities', zoho => '/crm/v8/Calls$', dynamics => '/phonecalls');
my %method = (hubspot => 'POST', salesforce => 'PATCH', pipedrive => 'POST', zoho => 'POST', dynamics => 'PATCH');

sub levels { my ($d) = @_; return $t->q("SELECT string_agg(dimension || ' ' || level, ', ' ORDER BY dimension) FROM callsync.connector_depth WHERE connector = '$d'"); }
# what the card says inside a transaction that is given up
sub would_be
{
	my ($d, $dimension, $change) = @_;
	my $out = $t->q("BEGIN; $change; SELECT level || ': ' || array_to_string(missing, '; ') FROM callsync.connector_depth WHERE connector = '$d' AND dimension = '$dimension'; ROLLBACK;");
	return (split /\n/, $out)[-1];
}

is(levels($_), 'errors unproven, match unproven, observability unproven, read unproven, write unproven', "$_: nothing is proven before the first call") for @dialects;
is(levels('webhook'), 'errors unproven, match unproven, observability unproven, read unproven, write unproven', 'webhook: nor here');

# ---- a first call alone ----
my %at = (started_at => '2026-11-20T10:00:00Z', ended_at => '2026-11-20T10:03:05Z', duration_s => 185, disposition => 'completed', intent => 'roof repair', summary => 'Wants a roof.', dialled_number => '+14155550100');
my %known = map { $_ => $t->add_contact($_, name => 'Jordan Smith', phone => '+14155550101', email => 'jordan@example.com') } @dialects;
$crm->flush_index(dialect => $_) for @dialects;
$t->call('first', { %at, caller => { phone => '+14155550101', name => 'Jordan Smith' } });
$t->idle;
for my $d (@dialects)
{
	like(levels($d), qr/^errors shallow, match shallow, observability shallow, read shallow, write shallow$/, "$d: one call makes nothing deep");
}

# ---- everything that the card asks for ----
for my $d (@dialects)
{
	my ($deal, $ticket) = ($t->add_deal($d), $t->add_ticket($d));
	$t->q("UPDATE callsync.contact SET flags = '{\"vip\": true}' WHERE destination = '$d' AND contact_id = '$known{$d}'");
	$t->q("INSERT INTO callsync.related_record (destination, object, record_id, contact_id, title) VALUES ('$d', 'opportunity', '$deal', '$known{$d}', 'Roof'), ('$d', 'ticket', '$ticket', '$known{$d}', 'Leak')");
	$crm->fault({ dialect => $d, action => 'status', status => 503, match => { method => $method{$d}, path => $write{$d} }, count => 1 });
	$t->call("all-$d", { %at, type => "for_$d", caller => { phone => '+14155550199', name => 'Jordan Smith', email => 'jordan@example.com' }, follow_up_task => { action => 'call_back', due_at => '2026-11-23T09:30:00Z', subject => 'Call back' },
		appointment => { action => 'book', service => 'Inspection', start => '2026-11-25T14:00:00Z', end => '2026-11-25T14:45:00Z' }, opportunity => { id => $deal, stage => $t->kind($d)->{stages}{after}, amount => 42 },
		ticket => { id => $ticket, comment => 'Asked again.' } });
}
$t->idle(120);
# one that is refused
for my $d (@dialects)
{
	my %object = (hubspot => 'tasks', salesforce => 'Task', pipedrive => 'activities', zoho => 'Tasks', dynamics => 'tasks');
	$crm->fault({ dialect => $d, action => 'reject_record', object => $object{$d}, match => { record => 'Forbidden fruit' }, count => -1, message => 'A rule of the account' });
	$t->call("refused-$d", { %at, type => "for_$d", caller => { phone => '+14155550101', name => 'Jordan Smith' }, follow_up_task => { action => 'call_back', due_at => '2026-11-23T09:30:00Z', subject => 'Forbidden fruit' } });
}
$t->idle(120);
$t->q("SELECT callsync.reconcile('$_', now() - interval '1 day', now() + interval '1 day')") for @dialects;
$t->idle(120);
for my $d (@dialects)
{
	is(levels($d), 'errors deep, match deep, observability deep, read deep, write deep', "$d: deep in all five")
		or diag($t->q("SELECT dimension, item, evidence FROM callsync.connector_evidence() WHERE connector = '$d' AND NOT ok"));
}
diag($t->q("SELECT rpad(connector, 11) || string_agg(dimension || ' ' || level || ' ' || proven || '/' || items, ', ' ORDER BY dimension) FROM callsync.connector_depth GROUP BY connector ORDER BY 1"));
is(levels('webhook'), 'errors unproven, match unproven, observability unproven, read unproven, write unproven', 'webhook: still nothing');

# ---- without a piece of the proof ----
my $d = 'hubspot';
is(would_be($d, 'read', "DELETE FROM callsync.related_record WHERE destination = '$d' AND object = 'ticket'"), 'shallow: tickets', 'read: without tickets');
is(would_be($d, 'read', "UPDATE callsync.contact SET flags = '{}' WHERE destination = '$d'"), 'shallow: flags of the account', 'read: without flags');
is(would_be($d, 'read', "UPDATE callsync.connector SET document = document #- '{ops,contact.find_by_email}' WHERE name = '$d'"), 'shallow: a caller is found by number and by e-mail, with what is known of the contact', 'read: a document that cannot ask for an address');
is(would_be($d, 'write', "UPDATE callsync.delivery SET confirmation = 'response' WHERE destination = '$d' AND object = 'task'"), 'shallow: task: mapped, written, read back equal', 'write: a task that nobody read back');
is(would_be($d, 'write', "UPDATE callsync.delivery SET field_results = (SELECT jsonb_object_agg(k, '{\"state\": \"missing\"}'::jsonb) FROM jsonb_object_keys(fields) k) WHERE destination = '$d' AND object = 'opportunity'"),
	'shallow: opportunity: mapped, written, read back equal', 'write: a deal of which no field came back');
is(would_be($d, 'match', "DELETE FROM callsync.match_decision WHERE destination = '$d' AND call_id LIKE 'all-%'"), 'shallow: callers with an unknown number were matched by something else', 'match: by number only');
is(would_be($d, 'errors', "UPDATE callsync.connector SET document = jsonb_set(document, '{ops,task.upsert,idempotent}', '\"none\"') WHERE name = '$d'"), 'shallow: what makes a record can be repeated without making another', 'errors: a create without protection');
is(would_be($d, 'errors', "UPDATE callsync.dead_letter SET remedy = NULL WHERE destination = '$d'"), 'shallow: what cannot be delivered is kept, with its cause and a remedy', 'errors: a dead letter that says nothing');
is(would_be($d, 'observability', "DELETE FROM callsync.attempt WHERE destination = '$d'"), 'shallow: every delivery has its requests', 'observability: no requests');
is(would_be($d, 'observability', "DELETE FROM callsync.reconcile_item; DELETE FROM callsync.reconcile_run WHERE destination = '$d'"), 'shallow: calls and records were reconciled', 'observability: never reconciled');
like(would_be($d, 'match', "DELETE FROM callsync.match_decision; UPDATE callsync.connector SET document = jsonb_set(document, '{ops}', '{}') WHERE name = '$d'"), qr/^broken: /, 'and broken, where there is traffic and nothing to show');
done_testing();
