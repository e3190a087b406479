# Sixteen faults on five CRM dialects: failure kind, error class and remedy in every cell; nothing lost, nothing twice.
# A row of the printed matrix is a fault, a cell "class/kind" of what people see while it lasts ("-": it passed by itself).
use strict;
use warnings;

use Test::More;

use CallsyncDialects;

my $t = CallsyncDialects->start('faults', oauth => 1);
my $crm = $t->crm;
my @dialects = $t->dialects;

# the write of the call's own record, and fields of it
my %write = (hubspot => '/calls/batch/upsert', salesforce => '/sobjects/Task/', pipedrive => '/api/v2/activities', zoho => '/crm/v8/Calls$', dynamics => '/phonecalls\(');
my %method = (hubspot => 'POST', salesforce => 'PATCH', pipedrive => 'POST', zoho => 'POST', dynamics => 'PATCH');
my %object = (hubspot => 'calls', salesforce => 'Task', pipedrive => 'activities', zoho => 'Calls', dynamics => 'phonecalls');
my %field = (hubspot => 'hs_call_title', salesforce => 'Description', pipedrive => 'note', zoho => 'Description', dynamics => 'description');
my %custom = (hubspot => 'callsync_intent', salesforce => 'Callsync_Intent__c', pipedrive => 'note', zoho => 'Callsync_Intent', dynamics => 'callsync_intent');
my %required = (hubspot => { code => 'REQUIRED_FIELD', message => 'required' }, salesforce => { code => 'REQUIRED_FIELD_MISSING', message => 'Required fields are missing: [Subject]' },
	pipedrive => { message => 'Validation failed: subject: Required' }, zoho => { code => 'MANDATORY_NOT_FOUND', message => 'required field not found' },
	dynamics => { code => '0x80040203', message => "Required field 'subject' of 'phonecall' is missing" });
my %picklist = (hubspot => { code => 'INVALID_OPTION', message => 'not an option' }, salesforce => { code => 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', message => 'bad value for restricted picklist field: x' },
	pipedrive => { message => "Validation failed: subject: Invalid enum value" }, zoho => { code => 'INVALID_DATA', message => 'invalid data' },
	dynamics => { code => '0x8004431a', message => "A validation error occurred. The value '7' of 'subject' on record of type 'phonecall' is outside the valid range. Accepted Values: 1" });
my %some_field = (hubspot => 'hs_call_title', salesforce => 'Subject', pipedrive => 'subject', zoho => 'Subject', dynamics => 'subject');

sub http { my (%o) = @_; return sub { my ($d) = @_; $crm->fault({ dialect => $d, match => { method => $method{$d}, path => $write{$d} }, count => 1, %o }); }; }
sub record { my (%o) = @_; return sub { my ($d) = @_; $crm->fault({ dialect => $d, match => {}, object => $object{$d}, count => 1, %o, (exists $o{field} ? (field => $o{field}{$d}) : ()) }); }; }
# fatal, or partial where the call's contact was written
my $refused = qr/^(fatal|partial)$/;
my $late = qr/^(transient|uncertain)$/;
# arm; class of the call while it is failed, or of the attempt where it passes by itself; kind; world: undone by the sub
my @faults = (
	['200, nothing stored', record(action => 'store_nothing'), class => qr/^partial$/, kind => qr/^silent$/],
	['one field dropped', record(action => 'drop_field', field => \%field), class => qr/^partial$/, kind => qr/^partial$/],
	['field renamed', sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'rename_field', object => $object{$d}, field => $custom{$d}, to => 'renamed_by_a_person' }); }, class => qr/^partial$/, kind => qr/^partial$/, field => \%custom,
		undo => sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'rename_field', object => $object{$d}, field => 'renamed_by_a_person', to => $custom{$d} }); }],
	['permission removed', sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'remove_permission', object => $object{$d}, field => $field{$d}, mode => 'silent' }); }, class => qr/^partial$/, kind => qr/^partial$/, field => \%field,
		undo => sub { my ($d) = @_; $crm->schema({ dialect => $d, action => 'restore_permission', object => $object{$d}, field => $field{$d} }); }],
	['400 required', sub { my ($d) = @_; record(action => 'reject_record', %{ $required{$d} }, field => \%some_field)->($d); }, class => qr/^permanent$/, kind => $refused],
	['400 pick list', sub { my ($d) = @_; record(action => 'reject_record', %{ $picklist{$d} }, field => \%some_field)->($d); }, class => qr/^(permanent|partial)$/, kind => $refused],
	['401', http(action => 'status', status => 401), passes => qr/^auth$/],
	['403', http(action => 'status', status => 403), class => qr/^config$/, kind => $refused],
	['404', http(action => 'status', status => 404), class => qr/^gone$/, kind => $refused],
	['429', http(action => 'throttle', retry_after => 1), passes => qr/^throttled$/],
	['500 that stays', http(action => 'status', status => 500, count => -1), stays => 1],
	['500 that passes', http(action => 'status', status => 500), passes => $late],
	['HTML with 200', http(action => 'html200'), passes => $late],
	['cut JSON', http(action => 'cut_json'), passes => $late],
	['reply lost', http(action => 'drop_after'), passes => $late],
	['409', http(action => 'status', status => 409), named => qr/^(duplicate|partial)$/]);

my $n = 0;
my %known = map { my $d = $_; ($d => $t->add_contact($d, name => 'Fay Fault', phone => '+14155550501', email => 'fay@example.com')) } @dialects;
$crm->flush_index(dialect => $_) for @dialects;
my @matrix;

sub row_of
{
	my ($d, $call) = @_;
	my ($status, $kind, $class, $remedy, $error) = split /\|/, $t->q("SELECT status, coalesce(failure_kind, ''), coalesce(error_class, ''), coalesce(remedy, ''), coalesce(last_error, '') FROM callsync.call_sync WHERE destination = '$d' AND call_id = '$call'"), 5;
	return { status => $status, kind => $kind, class => $class, remedy => $remedy, error => $error };
}
sub classes { my ($d, $call) = @_; return $t->q("SELECT coalesce(string_agg(DISTINCT a.error_class, ','), '') FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.destination = '$d' AND d.call_id = '$call' AND a.error_class IS NOT NULL"); }
sub settled { is($t->q("SELECT callsync.wait_until_idle('120s')"), 't', "$_[0]: settled"); return; }

for my $fault (@faults)
{
	my ($name, $arm, %x) = @$fault;
	my $call = 'f' . ++$n;
	$arm->($_) for @dialects;
	$t->call($call, { started_at => sprintf('2026-11-20T08:%02d:00Z', $n), ended_at => sprintf('2026-11-20T08:%02d:30Z', $n), duration_s => 30, disposition => 'completed', intent => 'roof', summary => "Fault $n.", caller => { phone => '+14155550501', name => 'Fay Fault' } });
	my @cells;
	if ($x{stays})
	{
		for my $d (@dialects)
		{
			ok($t->node->poll_query_until('postgres', "SELECT count(*) >= 2 FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.destination = '$d' AND d.call_id = '$call' AND a.http_status = 500"), "$name, $d: tried again");
			# between two tries it is looked up, or just about to be sent: what people see comes and goes
			ok($t->node->poll_query_until('postgres', "SELECT error_class IN ('transient', 'uncertain') AND remedy <> '' AND status NOT IN ('synced', 'failed') FROM callsync.call_sync WHERE destination = '$d' AND call_id = '$call'"),
				"$name, $d: class, remedy, not called synced");
			push @cells, join(',', classes($d, $call)) . '/waits';
		}
		$crm->clear_faults;
		settled($name);
	}
	else
	{
		settled($name);
		for my $d (@dialects)
		{
			my $r = row_of($d, $call);
			if ($x{passes})
			{
				ok((grep { $_ =~ $x{passes} } split /,/, classes($d, $call)), "$name, $d: the attempt's class") or diag(classes($d, $call));
				is($r->{status}, 'synced', "$name, $d: passed by itself") or diag("$r->{class}: $r->{error}");
				push @cells, join(',', classes($d, $call)) . '/-';
			}
			elsif ($x{field} && $r->{class} eq '')
			{
				# a field that the CRM ignores and then does not show: what is there cannot be known, and is not called confirmed
				unlike($t->q("SELECT string_agg(DISTINCT status, ',') FROM callsync.field_writes WHERE destination = '$d' AND call_id = '$call' AND field = '$x{field}{$d}'"), qr/confirmed/, "$name, $d: not called confirmed");
				push @cells, 'field unverified';
			}
			elsif ($x{named})
			{
				# the record that is said to be in the way does not exist here: made after all, or left to a person
				ok((grep { $_ =~ $x{named} } $r->{class}, split(/,/, classes($d, $call))), "$name, $d: class") or diag($r->{error});
				ok($r->{status} eq 'synced' || $r->{remedy} ne '', "$name, $d: passed, or a remedy");
				push @cells, join('/', classes($d, $call) || $r->{class}, $r->{kind} || '-');
			}
			else
			{
				like($r->{class}, $x{class}, "$name, $d: class") or diag($r->{error});
				like($r->{kind}, $x{kind}, "$name, $d: kind");
				isnt($r->{remedy}, '', "$name, $d: a remedy");
				push @cells, "$r->{class}/$r->{kind}";
			}
		}
	}
	push @matrix, sprintf('%-20s %s', $name, join(' ', map { sprintf '%-22s', $_ } @cells));
	# the cause is gone: what was left behind goes on, and nothing is there twice
	$crm->clear_faults;
	if ($x{undo}) { $x{undo}->($_) for @dialects; }
	$t->q("SELECT callsync.redrive('$_', '{}', false)") for @dialects;
	settled("$name, gone");
	for my $d (@dialects)
	{
		my @made = grep { ($_->{call_id} // '') eq $call || ($_->{text} // '') =~ /Fault $n\./ || ($_->{raw}{due_time} // '') eq sprintf('08:%02d:00', $n) } @{ $t->calls($d) };
		is(scalar @made, 1, "$name, $d: there once in the end") or diag($t->q("SELECT step, state, error_class, last_error FROM callsync.deliveries WHERE destination = '$d' AND call_id = '$call'"));
	}
}
is(scalar(grep { $_->{name} eq 'Fay Fault' } @{ $t->contacts($_) }), 1, "$_: one contact") for @dialects;
diag(sprintf('%-20s %s', '', join(' ', map { sprintf '%-22s', $_ } @dialects)));
diag($_) for @matrix;
done_testing();
