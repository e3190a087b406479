# The CRM is asked for its fields; a field that was renamed, removed or lost options is noticed, from describe and from
# refusals: writes to it stop, an alert is raised, no other field is written in its place, and no call is lost.
use strict;
use warnings;

use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('drift');

sub q1 { return CallsyncDelivery::q1($node, @_) }
sub poll { my ($sql, $name) = @_; ok($node->poll_query_until('postgres', $sql), $name) or diag(q1('SELECT * FROM callsync.schema_drift'), "\n", q1('SELECT * FROM callsync.schema_state')); return; }
sub stored { my ($object, $id) = @_; my ($r) = @{ $crm->records($object, property => 'callsync_key', value => "phones/$id/" . ($object eq 'tasks' ? 'task' : 'call')) }; return $r ? $r->{properties} : {}; }
# describes again at once; returns when it is done
sub describe
{
	my $before = q1('SELECT max(described_at) FROM callsync.schema_state');
	q1("UPDATE callsync.schema_state SET next_at = now()");
	poll("SELECT bool_and(described_at > '$before') FROM callsync.schema_state", 'described again');
	return;
}

poll("SELECT count(described_at) >= 3 FROM callsync.schema_state WHERE object IN ('contact', 'call', 'task')", 'the objects that calls become are described');
is(q1("SELECT definition ->> 'type' FROM callsync.schema_field WHERE object = 'call' AND field = 'hs_call_duration'"), 'number', 'with types');
is(q1("SELECT (definition -> 'options') \@> '[\"COMPLETED\"]' FROM callsync.schema_field WHERE object = 'call' AND field = 'hs_call_status'"), 't', 'and options');
ok(q1("SELECT count(*) FROM callsync.requests WHERE kind = 'describe' AND outcome = 'ok'") >= 3, 'each question is on record');
is(q1('SELECT count(*) FROM callsync.schema_drift'), 0, 'the first answer is no drift');

my @extra = (task => '{"action": "callback", "subject": "Call back", "body": "About the boiler", "due_at": "2026-11-21T10:00:00Z"}');
CallsyncDelivery::call($node, 'c1', @extra);
CallsyncDelivery::idle($node, 60);
is(q1("SELECT status FROM callsync.call_sync WHERE call_id = 'c1'"), 'synced', 'a call before');
is(stored('calls', 'c1')->{callsync_summary}, 'Wants a quote for a boiler.', 'with its summary');

# renamed, noticed by describe
$crm->schema({ action => 'rename_field', object => 'calls', field => 'callsync_summary', to => 'callsync_summary_old' });
describe();
is(q1("SELECT object, field, change, stopped FROM callsync.schema_drift WHERE resolved_at IS NULL"), 'call|callsync_summary|renamed|t', 'a renamed field is noticed');
is(q1("SELECT severity FROM callsync.alerts WHERE kind = 'schema_drift' AND subject = 'call.callsync_summary' AND cleared_at IS NULL"), 'critical', 'people are told');
$crm->clear_requests;
CallsyncDelivery::call($node, 'c2', @extra);
CallsyncDelivery::idle($node, 60);
ok(!(grep { ($_->{body} // '') =~ /callsync_summary/ && $_->{method} eq 'POST' && $_->{path} !~ /read/ } map { { %$_, path => $_->{url} } } @{ $crm->requests }), 'nothing is written to it, nor to its new name');
is(stored('calls', 'c2')->{callsync_summary_old}, undef, 'never the wrong field');
is(stored('calls', 'c2')->{hs_call_duration}, '180000', 'everything else is there');
is(q1("SELECT status, failure_kind, missing_fields FROM callsync.call_sync WHERE call_id = 'c2'"), 'partial|partial|{call.callsync_summary}', 'the call says what it lacks');
like(q1("SELECT status, reason FROM callsync.field_writes WHERE call_id = 'c2' AND field = 'callsync_summary'"), qr/^rejected\|Writes to this field are stopped/, 'field by field, too');
is(q1("SELECT count(*) FROM callsync.validation_result WHERE call_id = 'c2' AND rule = 'drift' AND NOT ok"), 1, 'and why');

# it comes back
$crm->schema({ action => 'rename_field', object => 'calls', field => 'callsync_summary_old', to => 'callsync_summary' });
describe();
is(q1('SELECT count(*) FROM callsync.schema_drift WHERE resolved_at IS NULL'), 0, 'as it was again: settled by itself');
is(q1("SELECT count(*) FROM callsync.alerts WHERE kind = 'schema_drift' AND cleared_at IS NULL"), 0, 'and the alert is cleared');
q1("SELECT callsync.resync(ARRAY['c2'])");
CallsyncDelivery::idle($node, 60);
is(stored('calls', 'c2')->{callsync_summary}, 'Wants a quote for a boiler.', 'resync brings what was left out');
is(q1("SELECT status || missing_fields::text FROM callsync.call_sync WHERE call_id = 'c2'"), 'synced{}', 'and the call is complete');

# removed, noticed by the refusal before any describe
$crm->schema({ action => 'remove_field', object => 'tasks', field => 'hs_task_body' });
CallsyncDelivery::call($node, 'c3', @extra);
CallsyncDelivery::idle($node, 60);
is(q1("SELECT status || ' ' || coalesce(failure_kind, '-') || ' ' || missing_fields::text FROM callsync.call_sync WHERE call_id = 'c3'"), 'partial partial {task.hs_task_body}',
	'a refused field costs the call that field only');
is(stored('tasks', 'c3')->{hs_task_subject}, 'Call back', 'the task is there');
is(q1("SELECT status FROM callsync.field_writes WHERE call_id = 'c3' AND field = 'hs_task_body'"), 'rejected', 'field_writes says so');
is(q1('SELECT count(*) FROM callsync.dead_letters'), 0, 'nothing is given up');
poll("SELECT count(*) = 1 FROM callsync.schema_drift WHERE object = 'task' AND field = 'hs_task_body' AND change = 'removed' AND resolved_at IS NULL", 'the refusal has the object described at once: removed');
is(q1("SELECT count(*) FROM callsync.schema_drift WHERE change = 'refused' AND resolved_at IS NULL"), 0, 'which explains the refusal');
CallsyncDelivery::call($node, 'c4', @extra);
CallsyncDelivery::idle($node, 60);
is($crm->requests(path => '/tasks/batch/upsert')->[-1]{status} =~ /^20/ ? 1 : 0, 1, 'the next one is not even sent with it');

# an option is taken away
$crm->schema({ action => 'set_options', object => 'calls', field => 'hs_call_direction', options => [ { value => 'OUTBOUND', label => 'Outbound' } ] });
CallsyncDelivery::call($node, 'c5');
CallsyncDelivery::idle($node, 60);
is(q1("SELECT status FROM callsync.call_sync WHERE call_id = 'c5'"), 'partial', 'a value that is no option any more costs that value');
is(stored('calls', 'c5')->{hs_call_direction} // '-', '-', 'and is not stored');
poll("SELECT count(*) = 1 FROM callsync.schema_drift WHERE field = 'hs_call_direction' AND change = 'options' AND NOT stopped AND resolved_at IS NULL", 'found out: an option is gone');
CallsyncDelivery::call($node, 'c6', direction => 'outbound');
CallsyncDelivery::idle($node, 60);
is(stored('calls', 'c6')->{hs_call_direction}, 'OUTBOUND', 'other values of the field are written');
is(q1("SELECT callsync.resolve_drift(id) FROM callsync.schema_drift WHERE field = 'hs_call_direction' AND resolved_at IS NULL"), '', 'a person takes note');
is(q1("SELECT count(*) FROM callsync.audit_log WHERE action = 'resolve_drift'"), 1, 'which is audited');

# a type that changed
$crm->schema({ action => 'retype', object => 'calls', field => 'callsync_language', type => 'number', fieldType => 'number' });
describe();
is(q1("SELECT change, stopped FROM callsync.schema_drift WHERE field = 'callsync_language' AND resolved_at IS NULL"), 'retyped|t', 'another type stops writes, too');
is(q1('SELECT count(*) FROM callsync.dead_letters'), 0, 'nothing was lost in all of this');

# an object that cannot be described is asked for less and less often
$crm->fault({ action => 'status', status => 404, match => { method => 'GET', path => 'properties' }, count => -1 });
q1("UPDATE callsync.schema_state SET next_at = now(), failures = 20 WHERE object = 'task'");
poll("SELECT failures > 20 FROM callsync.schema_state WHERE object = 'task'", 'it failed once more');
is(q1("SELECT next_at > now() + interval '30 min' FROM callsync.schema_state WHERE object = 'task'"), 't', 'the next question waits for an hour');
$crm->clear_faults;
q1("UPDATE callsync.schema_state SET next_at = now() WHERE object = 'task'");
poll("SELECT failures = 0 FROM callsync.schema_state WHERE object = 'task'", 'described again: that is forgotten');

done_testing();
