# Every fault on every CRM dialect, and what is right in each cell: the table below is what is checked, and what is
# printed. In every cell nothing is lost and nothing is there twice.
#
# tries   classes of the attempts to write the contact or the call, "-": none failed
# class, kind, status, remedy, fields: of call_sync while the fault lasts; "-": none. Fields as object.field
# there   records of the call in the CRM while the fault lasts
# mended  by what it is right in the end: "itself", or what a person calls when the cause is gone (resolve: resolve_drift(), then resync())
use strict;
use warnings;

use JSON::PP ();
use Test::More;

use CallsyncDialects;

# The remedies, by the words that a person has to find in them.
my %remedy = (
	'-' => qr/^$/,
	wait => qr/^None: it is tried again by itself/,
	slower => qr/^None: it goes on when the destination takes requests again/,
	lookup => qr/looked up by its key before anything is sent again/,
	vanished => qr/automation and permissions.*callsync\.redrive\(\)/,
	unstored => qr/callsync\.field_writes.*permission.*callsync\.resync\(\)/,
	drift => qr/callsync\.schema_drift.*callsync\.resync\(\)/,
	fill => qr/requires has no value: map it or give it a default, then redrive/,
	rights => qr/(Give|Grant|right|permission|scope).*redrive/,
	named => qr/names.*does not exist.*callsync\.resync\(\).*callsync\.redrive\(\)/,
	quota => qr/API requests of 24 hours.*go on when the window frees/,
	over => qr/retry schedule.*callsync\.redrive\(\)/);

my @table = map { my @c = split; @c == 10 ? { fault => $c[0], dialect => $c[1], tries => $c[2], class => $c[3], kind => $c[4], status => $c[5], remedy => $c[6], fields => $c[7], there => $c[8], mended => $c[9] } : () } split /\n/, <<'TABLE';
200-nothing-stored  hubspot     -                    partial    silent   partial        vanished  -                                                 0  redrive
200-nothing-stored  salesforce  -                    partial    silent   failed         vanished  -                                                 0  redrive
200-nothing-stored  pipedrive   -                    partial    silent   partial        vanished  -                                                 0  redrive
200-nothing-stored  zoho        -                    partial    silent   partial        vanished  -                                                 0  redrive
200-nothing-stored  dynamics    -                    partial    silent   partial        vanished  -                                                 0  redrive

200-field-dropped   hubspot     -                    partial    partial  partial        unstored  call.hs_call_title                                1  resync
200-field-dropped   salesforce  -                    partial    partial  partial        unstored  call.Description                                  1  resync
200-field-dropped   pipedrive   -                    partial    partial  partial        unstored  call.note                                         1  resync
200-field-dropped   zoho        -                    partial    partial  partial        unstored  call.Description                                  1  resync
200-field-dropped   dynamics    -                    partial    partial  partial        unstored  call.description                                  1  resync

field-renamed       hubspot     config               partial    partial  partial        drift     call.callsync_intent                              1  resync
field-renamed       salesforce  config               partial    partial  partial        drift     call.Callsync_Intent__c                           1  resync
field-renamed       pipedrive   -                    partial    partial  partial        unstored  contact.e34898ebb28793b82d7cea056e50b580efa108bf  1  resync
field-renamed       zoho        -                    partial    partial  partial        unstored  call.Callsync_Intent                              1  resync
field-renamed       dynamics    config               partial    partial  partial        drift     call.callsync_intent                              1  resync

permission-removed  hubspot     -                    partial    partial  partial        unstored  call.hs_call_title                                1  resync
permission-removed  salesforce  -                    partial    partial  partial        unstored  call.Description                                  1  resync
permission-removed  pipedrive   -                    partial    partial  partial        unstored  call.note                                         1  resync
permission-removed  zoho        -                    partial    partial  partial        unstored  call.Description                                  1  resync
permission-removed  dynamics    -                    partial    partial  partial        unstored  call.description                                  1  resync

400-required        hubspot     permanent            permanent  partial  partial        fill      -                                                 0  redrive
400-required        salesforce  permanent            permanent  fatal    failed         fill      -                                                 0  redrive
400-required        pipedrive   permanent            permanent  partial  partial        fill      -                                                 0  redrive
400-required        zoho        permanent            permanent  partial  partial        fill      -                                                 0  redrive
400-required        dynamics    permanent            permanent  partial  partial        fill      -                                                 0  redrive

400-pick-list       hubspot     permanent            partial    partial  partial        drift     call.callsync_urgency                             1  resync
400-pick-list       salesforce  permanent            partial    partial  partial        drift     call.Callsync_Urgency__c                          1  resync
400-pick-list       pipedrive   permanent            partial    partial  partial        drift     contact.f8151b4fd47f3467c84382d062d5012c459bfc88  1  resync
400-pick-list       zoho        permanent            partial    partial  partial        drift     call.Callsync_Intent                              1  resolve
400-pick-list       dynamics    permanent            partial    partial  partial        drift     call.callsync_intent                              1  resolve

401                 hubspot     auth                 -          -        synced         -         -                                                 1  itself
401                 salesforce  auth                 -          -        synced         -         -                                                 1  itself
401                 pipedrive   auth                 -          -        synced         -         -                                                 1  itself
401                 zoho        auth                 -          -        synced         -         -                                                 1  itself
401                 dynamics    auth                 -          -        synced         -         -                                                 1  itself

403                 hubspot     config               config     partial  partial        rights    -                                                 0  redrive
403                 salesforce  config               config     fatal    failed         rights    -                                                 0  redrive
403                 pipedrive   config               config     partial  partial        rights    -                                                 0  redrive
403                 zoho        config               config     partial  partial        rights    -                                                 0  redrive
403                 dynamics    config               config     partial  partial        rights    -                                                 0  redrive

404                 hubspot     gone                 gone       partial  partial        named     -                                                 0  redrive
404                 salesforce  gone                 gone       fatal    failed         named     -                                                 0  redrive
404                 pipedrive   gone                 gone       partial  partial        named     -                                                 0  redrive
404                 zoho        gone                 gone       partial  partial        named     -                                                 0  redrive
404                 dynamics    gone                 gone       partial  partial        named     -                                                 0  redrive

409                 hubspot     duplicate            -          -        synced         -         -                                                 1  itself
409                 salesforce  duplicate,gone       -          -        synced         -         -                                                 1  itself
409                 pipedrive   duplicate            -          -        synced         -         -                                                 1  itself
409                 zoho        duplicate            -          -        synced         -         -                                                 1  itself
409                 dynamics    duplicate            -          -        synced         -         -                                                 1  itself

429                 hubspot     throttled            throttled  -        waiting_retry  slower    -                                                 0  itself
429                 salesforce  throttled            throttled  -        waiting_retry  quota     -                                                 0  itself
429                 pipedrive   throttled            throttled  -        waiting_retry  slower    -                                                 0  itself
429                 zoho        throttled            throttled  -        waiting_retry  slower    -                                                 0  itself
429                 dynamics    throttled            throttled  -        waiting_retry  slower    -                                                 0  itself

500-for-ever        hubspot     transient            transient  partial  partial        over      -                                                 0  redrive
500-for-ever        salesforce  transient            transient  fatal    failed         over      -                                                 0  redrive
500-for-ever        pipedrive   uncertain            uncertain  partial  partial        over      -                                                 0  redrive
500-for-ever        zoho        transient            transient  partial  partial        over      -                                                 0  redrive
500-for-ever        dynamics    transient            transient  partial  partial        over      -                                                 0  redrive

500-for-a-while     hubspot     transient            transient  -        waiting_retry  wait      -                                                 0  itself
500-for-a-while     salesforce  transient            transient  -        waiting_retry  wait      -                                                 0  itself
500-for-a-while     pipedrive   uncertain            uncertain  -        in_doubt       lookup    -                                                 0  itself
500-for-a-while     zoho        transient            transient  -        waiting_retry  wait      -                                                 0  itself
500-for-a-while     dynamics    transient            transient  -        waiting_retry  wait      -                                                 0  itself

200-html            hubspot     transient            transient  -        waiting_retry  wait      -                                                 0  itself
200-html            salesforce  transient            transient  -        waiting_retry  wait      -                                                 0  itself
200-html            pipedrive   uncertain            uncertain  -        in_doubt       lookup    -                                                 0  itself
200-html            zoho        transient            transient  -        waiting_retry  wait      -                                                 0  itself
200-html            dynamics    transient            transient  -        waiting_retry  wait      -                                                 0  itself

200-cut-json        hubspot     transient            -          -        synced         -         -                                                 1  itself
200-cut-json        salesforce  transient            -          -        synced         -         -                                                 1  itself
200-cut-json        pipedrive   uncertain            -          -        synced         -         -                                                 1  itself
200-cut-json        zoho        duplicate,transient  -          -        synced         -         -                                                 1  itself
200-cut-json        dynamics    transient            -          -        synced         -         -                                                 1  itself

reply-lost          hubspot     transient            -          -        synced         -         -                                                 1  itself
reply-lost          salesforce  transient            -          -        synced         -         -                                                 1  itself
reply-lost          pipedrive   uncertain            -          -        synced         -         -                                                 1  itself
reply-lost          zoho        duplicate,transient  -          -        synced         -         -                                                 1  itself
reply-lost          dynamics    transient            -          -        synced         -         -                                                 1  itself
TABLE

my $t = CallsyncDialects->start('faults', oauth => 1);
my $crm = $t->crm;
my @dialects = $t->dialects;

# ---- how each fault is brought about ----

# the write of the call's own record
my %write = (hubspot => ['POST', '/calls/batch/upsert'], salesforce => ['PATCH', '/sobjects/Task/'], pipedrive => ['POST', '/api/v2/activities'], zoho => ['POST', '/crm/v8/Calls$'], dynamics => ['PATCH', '/phonecalls\(']);
my %object = (hubspot => 'calls', salesforce => 'Task', pipedrive => 'activities', zoho => 'Calls', dynamics => 'phonecalls');
my %text = (hubspot => 'hs_call_title', salesforce => 'Description', pipedrive => 'note', zoho => 'Description', dynamics => 'description');
# fields that a company made; Pipedrive has those of persons only
my %own = (hubspot => ['calls', 'callsync_intent'], salesforce => ['Task', 'Callsync_Intent__c'], pipedrive => ['persons', 'e34898ebb28793b82d7cea056e50b580efa108bf'], zoho => ['Calls', 'Callsync_Intent'], dynamics => ['phonecalls', 'callsync_intent']);
my %choice = (hubspot => ['calls', 'callsync_urgency', sub { $_[0]{value} ne 'high' }], salesforce => ['Task', 'Callsync_Urgency__c', sub { $_[0]{value} ne 'high' }], pipedrive => ['persons', 'f8151b4fd47f3467c84382d062d5012c459bfc88', sub { $_[0]{label} ne 'high' }]);
my %demanded = (hubspot => 'hs_call_external_id', salesforce => 'Callsync_Service__c', pipedrive => 'org_id', zoho => 'Callsync_Service', dynamics => 'callsync_service');

sub http { my (%o) = @_; return sub { my ($d) = @_; return $crm->fault({ dialect => $d, match => { method => $write{$d}[0], path => $write{$d}[1] }, count => 1, %o }); }; }
sub record { my (%o) = @_; return sub { my ($d) = @_; return $crm->fault({ dialect => $d, match => {}, object => $object{$d}, count => 1, %o }); }; }
sub options_of { my ($d, $object, $field) = @_; my ($f) = grep { $_->{name} eq $field } @{ $crm->schema_of($d)->{$object} }; return $f->{options}; }
my %options;

my %fault = (
	'200-nothing-stored' => { arm => record(action => 'store_nothing') },
	'200-field-dropped' => { arm => sub { my ($d) = @_; record(action => 'drop_field', field => $text{$d})->($d); } },
	'field-renamed' => {
		arm => sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'rename_field', object => $own{$d}[0], field => $own{$d}[1], to => $own{$d}[1] =~ s/^.{9}/renamed_x/r }); },
		undo => sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'rename_field', object => $own{$d}[0], field => $own{$d}[1] =~ s/^.{9}/renamed_x/r, to => $own{$d}[1] }); } },
	'permission-removed' => {
		arm => sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'remove_permission', object => $object{$d}, field => $text{$d}, mode => 'silent' }); },
		undo => sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'restore_permission', object => $object{$d}, field => $text{$d} }); } },
	'400-required' => {
		arm => sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'add_required', object => $object{$d}, field => $demanded{$d} }); },
		undo => sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'retype', object => $object{$d}, field => $demanded{$d}, required => JSON::PP::false }); } },
	'400-pick-list' => {
		arm => sub {
			my ($d) = @_;
			return record(action => 'reject_record', count => -1, match => { record => '"callsync_intent"' }, field => 'callsync_intent', code => '0x8004431a',
				message => "A validation error occurred. The value '7' of 'callsync_intent' on record of type 'phonecall' is outside the valid range. Accepted Values: 1,2")->($d) if $d eq 'dynamics';
			return record(action => 'reject_record', count => -1, match => { record => '"Callsync_Intent"' }, field => 'Callsync_Intent', code => 'INVALID_DATA', expected => 'picklist', message => 'invalid data')->($d) if $d eq 'zoho';
			my ($object, $field, $keep) = @{ $choice{$d} };
			$options{$d} = options_of($d, $object, $field);
			return $crm->schema({ dialect => $d, action => 'set_options', object => $object, field => $field, options => [ grep { $keep->($_) } @{ $options{$d} } ] });
		},
		undo => sub { my ($d) = @_; return unless $choice{$d}; return $crm->schema({ dialect => $d, action => 'set_options', object => $choice{$d}[0], field => $choice{$d}[1], options => $options{$d} }); } },
	'401' => { arm => http(action => 'status', status => 401) },
	'403' => { arm => http(action => 'status', status => 403) },
	'404' => { arm => http(action => 'status', status => 404) },
	'409' => { arm => http(action => 'status', status => 409) },
	'429' => { arm => http(action => 'throttle', retry_after => 1, count => -1), stays => 1 },
	'500-for-ever' => { arm => http(action => 'status', status => 500, count => -1), schedule => 3 },
	'500-for-a-while' => { arm => http(action => 'status', status => 500, count => -1), stays => 1 },
	'200-html' => { arm => http(action => 'html200', count => -1), stays => 1 },
	'200-cut-json' => { arm => http(action => 'cut_json') },
	'reply-lost' => { arm => http(action => 'drop_after') });

# ---- looking ----

my $n = 0;
my %known = map { my $d = $_; ($d => $t->add_contact($d, name => 'Fay Fault', phone => '+14155550501', email => 'fay@example.com')) } @dialects;
$crm->flush_index(dialect => $_) for @dialects;

sub facts
{
	my ($d, $call) = @_;
	my @row = split /\|/, $t->q("SELECT coalesce(error_class, '-'), coalesce(failure_kind, '-'), status, coalesce(nullif(array_to_string(missing_fields, ','), ''), '-'), coalesce(remedy, ''), coalesce(last_error, '') "
		. "FROM callsync.call_sync WHERE destination = '$d' AND call_id = '$call'"), 6;
	my %f; @f{qw(class kind status fields remedy error)} = @row;
	return \%f;
}
sub tries { my ($d, $call) = @_; return $t->q("SELECT coalesce(string_agg(DISTINCT a.error_class, ',' ORDER BY a.error_class), '-') FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.destination = '$d' AND d.call_id = '$call' AND d.step IN ('contact', 'call') AND a.error_class IS NOT NULL"); }
# Pipedrive and HubSpot keep the call's id in a text
sub there { my ($d, $call) = @_; return scalar grep { ($_->{call_id} // '') eq $call || ($_->{text} // '') =~ /Fault $n\./ || ($_->{raw}{due_time} // '') eq sprintf('08:%02d:00', $n) } @{ $t->calls($d) }; }

# Fields that were taken away are back, and this is known before the next fault. Twice, because a question that was
# under way already may have been answered before.
sub described_again
{
	my ($name) = @_;
	for my $time (1, 2)
	{
		my $at = $t->q('SELECT max(described_at) FROM callsync.schema_state');
		$t->q('UPDATE callsync.schema_state SET next_at = now()');
		ok($t->node->poll_query_until('postgres', "SELECT bool_and(described_at > '$at') FROM callsync.schema_state WHERE described_at IS NOT NULL"), "$name: described again, $time");
	}
	return;
}
sub settled { is($t->q("SELECT callsync.wait_until_idle('180s')"), 't', "$_[0]: settled"); return; }
sub retry { my ($schedule) = @_; $t->q("SELECT callsync.alter_destination('$_', \$j\$${\ CallsyncDelivery::json({ retry => $schedule })}\$j\$)") for @dialects; return; }
# polls, because between two tries people see the delivery under way
sub seen
{
	my ($cell, $call) = @_;
	my $fields = $cell->{fields} eq '-' ? '{}' : "{$cell->{fields}}";
	my $is = sub { my ($column, $value) = @_; return $value eq '-' ? "$column IS NULL" : "$column = '$value'"; };
	return $t->node->poll_query_until('postgres', "SELECT coalesce((SELECT " . join(' AND ', $is->('error_class', $cell->{class}), $is->('failure_kind', $cell->{kind}), $is->('status', $cell->{status}), "missing_fields = '$fields'")
		. " FROM callsync.call_sync WHERE destination = '$cell->{dialect}' AND call_id = '$call'), false)");
}

my %fine = map { my $d = $_; ($d => 0) } @dialects;
my @cells;
for my $name (do { my %s; grep { !$s{$_}++ } map { $_->{fault} } @table })
{
	my $x = $fault{$name};
	my @row = grep { $_->{fault} eq $name } @table;
	my $call = 'f' . ++$n;
	retry({ map { $_ => { base_ms => 10, cap_ms => 20, floor_ms => 1, max_attempts => 3 } } qw(transient uncertain) }) if $x->{schedule};
	$x->{arm}->($_) for @dialects;
	$t->call($call, { started_at => sprintf('2026-11-20T08:%02d:00Z', $n), ended_at => sprintf('2026-11-20T08:%02d:30Z', $n), duration_s => 30, disposition => 'completed', intent => 'roof', urgency => 'high', summary => "Fault $n.", caller => { phone => '+14155550501', name => 'Fay Fault' } });
	settled($name) unless $x->{stays};
	for my $cell (@row)
	{
		my $d = $cell->{dialect};
		my $ok = ok(seen($cell, $call), "$name, $d: class $cell->{class}, kind $cell->{kind}, status $cell->{status}, fields $cell->{fields}");
		my $is = facts($d, $call);
		diag(join ' | ', map { "$_ $is->{$_}" } qw(class kind status fields error)) unless $ok;
		# the state of a call that is tried again comes and goes, its remedy with it
		$ok &= $x->{stays} ? ok($t->node->poll_query_until('postgres', "SELECT remedy <> '' FROM callsync.call_sync WHERE destination = '$d' AND call_id = '$call'"), "$name, $d: a remedy") : 1;
		$is = facts($d, $call) if $x->{stays};
		$ok &= like($is->{remedy}, $remedy{ $cell->{remedy} }, "$name, $d: the remedy") unless $x->{stays} && $is->{remedy} eq '';
		$ok &= is(tries($d, $call), $cell->{tries}, "$name, $d: classes of the tries");
		$ok &= is(there($d, $call), $cell->{there}, "$name, $d: records while it lasts");
		$cell->{holds} = $ok;
		push @cells, $cell;
	}
	# the cause is gone
	$crm->clear_faults;
	if ($x->{undo})
	{
		$x->{undo}->($_) for @dialects;
		described_again($name);
	}
	retry($CallsyncDelivery::FAST_RETRY) if $x->{schedule};
	settled($name);
	for my $cell (@row)
	{
		$t->q("SELECT callsync.redrive('$cell->{dialect}', '{}', false)") if $cell->{mended} eq 'redrive';
		# where the CRM's description explains no refusal, a person says that it is over
		$t->q("SELECT callsync.resolve_drift(id) FROM callsync.schema_drift WHERE destination = '$cell->{dialect}' AND resolved_at IS NULL") if $cell->{mended} eq 'resolve';
		$t->q("SELECT callsync.resync(ARRAY['$call'], '$cell->{dialect}')") if $cell->{mended} =~ /^res/;
	}
	settled("$name, mended");
	for my $cell (@row)
	{
		my $is = facts($cell->{dialect}, $call);
		my $ok = is("$is->{status} $is->{kind} $is->{class} $is->{fields}", 'synced - - -', "$name, $cell->{dialect}: synced in the end, by $cell->{mended}") or diag($is->{error});
		$ok &= is(there($cell->{dialect}, $call), 1, "$name, $cell->{dialect}: there once");
		$cell->{holds} &&= $ok;
		$fine{ $cell->{dialect} }++ if $cell->{holds};
	}
}

# ---- nothing is lost, nothing is there twice ----
for my $d (@dialects)
{
	is(scalar @{ $t->calls($d) }, $n, "$d: $n calls, $n records");
	is(scalar(grep { $_->{name} eq 'Fay Fault' } @{ $t->contacts($d) }), 1, "$d: one contact");
	is($t->q("SELECT count(*) FROM callsync.call_sync WHERE destination = '$d' AND status <> 'synced'"), 0, "$d: no call is left behind");
	is($fine{$d}, scalar(keys %fault), "$d: every cell of the matrix");
}
diag(sprintf '%-19s %-11s %-20s %-10s %-8s %-14s %-10s %-6s %-8s %s', qw(fault dialect tries class kind status remedy there mended holds));
diag(sprintf '%-19s %-11s %-20s %-10s %-8s %-14s %-10s %-6s %-8s %s', @$_{qw(fault dialect tries class kind status remedy there mended)}, $_->{holds} ? 'yes' : 'NO') for @cells;
done_testing();
