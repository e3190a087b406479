# A field that is renamed shows in the very next read-back, before any describe: the call says which field it lacks, people
# are told, and the account is asked for its fields at once. And what a batch's answer says of one item alone is not asked
# for a second time.
use strict;
use warnings;

use JSON::PP ();
use Test::More;

use CallsyncDialects;

my $t = CallsyncDialects->start('batch_items', dialects => [qw(pipedrive zoho hubspot dynamics)]);
my $crm = $t->crm;
my %caller = (caller => { phone => '+14155550101', name => 'Jordan Smith' }, started_at => '2026-11-20T09:00:00Z', ended_at => '2026-11-20T09:01:00Z', duration_s => 60, disposition => 'completed');

# ---- renamed: noticed by the read-back ----
my %object = (pipedrive => 'activities', zoho => 'Calls');
my %field = (pipedrive => 'note', zoho => 'Callsync_Intent');
for my $d (sort keys %object)
{
	is($t->q("SELECT count(*) FROM callsync.schema_drift WHERE destination = '$d'"), 0, "$d: no drift so far");
	$crm->schema({ dialect => $d, action => 'rename_field', object => $object{$d}, field => $field{$d}, to => 'renamed_by_a_person' });
	$t->call("renamed-$d", { %caller, type => "for_$d", intent => 'roof', summary => 'Wants a roof.' });
	$t->idle;
	is($t->q("SELECT status, failure_kind, missing_fields FROM callsync.call_sync WHERE destination = '$d' AND call_id = 'renamed-$d'"), "partial|partial|{call.$field{$d}}", "$d: the call names the field");
	is($t->q("SELECT status, reason FROM callsync.field_writes WHERE destination = '$d' AND call_id = 'renamed-$d' AND step = 'call' AND field = '$field{$d}'"),
		'missing|the record does not show this field: renamed, removed or hidden', "$d: why");
	ok($t->node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.schema_drift WHERE destination = '$d' AND object = 'call' AND field = '$field{$d}' AND change = 'renamed' AND stopped"),
		"$d: the account was asked at once, and says renamed") or diag($t->q('SELECT * FROM callsync.schema_drift'));
	is($t->q("SELECT count(*) FROM callsync.schema_drift WHERE destination = '$d' AND change = 'hidden' AND resolved_at IS NULL"), 0, "$d: which explains it");
	is($t->q("SELECT severity FROM callsync.alerts WHERE destination = '$d' AND kind = 'schema_drift' AND cleared_at IS NULL"), 'critical', "$d: an alert");
	$t->call("later-$d", { %caller, type => "for_$d", intent => 'roof', summary => 'Wants a roof.' });
	$t->idle;
	my ($sent) = grep { ($_->{body} // '') =~ /later-$d/ && ($_->{body} // '') =~ /"$field{$d}"/ } @{ $crm->call_requests(dialect => $d) };
	is($sent, undef, "$d: nothing is written to it any more");
	$crm->schema({ dialect => $d, action => 'rename_field', object => $object{$d}, field => 'renamed_by_a_person', to => $field{$d} });
	$t->q("UPDATE callsync.schema_state SET next_at = now() WHERE destination = '$d'");
	ok($t->node->poll_query_until('postgres', "SELECT count(*) = 0 FROM callsync.schema_drift WHERE destination = '$d' AND stopped AND resolved_at IS NULL"), "$d: as it was again")
		or diag($t->q('SELECT * FROM callsync.schema_drift'));
}

# ---- a batch with one item that is refused ----
my %refusal = (hubspot => { object => 'calls', code => 'CUSTOM_RULE', field => 'hs_call_body' }, zoho => { object => 'Calls', code => 'PATTERN_NOT_MATCHED', field => 'Description' },
	dynamics => { object => 'phonecalls', code => '0x80040203', field => 'description' });
for my $d (sort keys %refusal)
{
	$crm->fault({ dialect => $d, action => 'reject_record', match => { record => 'Poison' }, count => -1, message => 'A rule of the account', %{ $refusal{$d} } });
	$t->q("SELECT callsync.pause('$d')");
	$t->call("$d-$_", { %caller, caller => { phone => "+1415555020$_", name => "Caller Number$_" }, type => "for_$d", summary => $_ == 4 ? 'Poison number four.' : "Fine number $_." }) for 1 .. 8;
	ok($t->node->poll_query_until('postgres', "SELECT count(*) = 8 FROM callsync.deliveries WHERE destination = '$d' AND step = 'call' AND call_id LIKE '$d-%'"), "$d: eight calls wait");
	$crm->clear_requests;
	$t->q("SELECT callsync.resume('$d')");
	$t->idle;
	is($t->q("SELECT count(*) FROM callsync.call_sync WHERE destination = '$d' AND call_id LIKE '$d-%' AND status = 'synced'"), 7, "$d: seven go through");
	is($t->q("SELECT call_id, step, error_class FROM callsync.dead_letters WHERE destination = '$d'"), "$d-4|call|permanent", "$d: one is put aside");
	my $shared = $t->q("SELECT max(n) FROM (SELECT count(*) AS n FROM callsync.attempts a JOIN callsync.deliveries v ON v.id = a.delivery_id WHERE v.destination = '$d' AND v.step = 'call' GROUP BY a.request_id) x");
	cmp_ok($shared, '>', 1, "$d: they went as a batch");
	is($t->q("SELECT count(*) FROM callsync.attempts a JOIN callsync.deliveries v ON v.id = a.delivery_id WHERE v.destination = '$d' AND v.step = 'call' AND v.call_id = '$d-4'"), 1,
		"$d: what was refused by name is not sent once more");
	$crm->clear_faults;
	is($t->q("SELECT redriven FROM callsync.redrive('$d', '{}', false)"), 1, "$d: redriven when the rule is gone");
	$t->idle;
	is($t->status($d, "$d-4"), 'synced', "$d: delivered");
	is(scalar(grep { ($_->{text} // '') =~ /number (?:four|\d)\./ } @{ $t->calls($d) }), 8, "$d: each is there once");
}
done_testing();
