# The seeds' scripted scenarios, on every CRM dialect at once: SC-1 (ten calls), SC-2 (ten checks of a pilot hour), SC-6
# (five outcomes). Prints one row per dialect with 25 results, and what the CRM holds in the end.
use strict;
use warnings;

use JSON::PP ();
use Test::More;

use CallsyncDialects;

my $t = CallsyncDialects->start('scenarios', oauth => 1);
my $crm = $t->crm;
my @dialects = $t->dialects;
my %cell;      # {dialect}{check} = 1 or 0
my @checks;    # in the order of the table

# one result per dialect; the sub gets the dialect and dies or returns false where it does not hold
sub check
{
	my ($id, $what, $holds) = @_;
	push @checks, $id;
	for my $d (@dialects)
	{
		my $ok = eval { $holds->($d) };
		my $why = $@;
		$cell{$d}{$id} = $ok ? 1 : 0;
		ok($ok, "$id $d: $what") or diag($why);
	}
	return;
}
sub settle { my ($seconds) = @_; is($t->q("SELECT callsync.wait_until_idle('${\($seconds // 120)}s')"), 't', 'settled'); return; }
sub of_call { my ($d, $call, $list) = @_; return grep { defined $_->{call_id} && $_->{call_id} eq $call } @$list; }
# fields that are not in the CRM as they were sent; skipped: "unverified" is what the CRM does not show
sub wrong_fields { my ($d, $like) = @_; return $t->q("SELECT count(*) FROM callsync.field_writes WHERE destination = '$d' AND call_id LIKE '$like' AND status IN ('altered', 'missing', 'rejected')"); }
sub synced_once
{
	my ($d, $call, $contact) = @_;
	die "status " . $t->status($d, $call) if $t->status($d, $call) ne 'synced';
	my @made = of_call($d, $call, $t->calls($d));
	die scalar(@made) . " activities" if @made != 1;
	die "at contact " . ($made[0]{contact} // 'none') if ($made[0]{contact} // '') ne $contact;
	die "wrong fields" if wrong_fields($d, $call);
	return 1;
}

my %known = map { $_ => $t->add_contact($_, name => 'Jordan Smith', phone => '+14155550101', email => 'jordan@example.com') } @dialects;
my %deal = map { $_ => $t->add_deal($_) } @dialects;
$crm->flush_index(dialect => $_) for @dialects;
my $minute = 0;
sub document
{
	my (%o) = @_;
	$minute++;
	return { started_at => sprintf('2026-11-20T09:%02d:00Z', $minute), ended_at => sprintf('2026-11-20T09:%02d:40Z', $minute), duration_s => 40, disposition => 'completed', dialled_number => '+14155550100',
		intent => 'roof repair', summary => "Call number $minute.", caller => { phone => '+14155550101', name => 'Jordan Smith' }, %o };
}

# ---- SC-1: ten calls, the last a burst of three ----
$t->call("sc1-$_", document()) for 1 .. 4;
settle();
$t->call("sc1-$_", document(caller => { phone => "+1415555020$_", name => 'Jordan Smith', email => 'jordan@example.com' })) for 5 .. 7;
settle();
# eight: the API is down; nine: throttled
$crm->down(dialect => $_, how => 'refuse') for @dialects;
$t->call('sc1-8', document());
for my $d (@dialects)
{
	ok($t->node->poll_query_until('postgres', "SELECT count(*) > 0 FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.destination = '$d' AND d.call_id = 'sc1-8' AND a.outcome <> 'ok'"), "$d is tried while it is down");
	isnt($t->status($d, 'sc1-8'), 'synced', "$d: the call waits");
}
$crm->up(dialect => $_) for @dialects;
settle();
$crm->fault({ dialect => $_, action => 'throttle', retry_after => 1, count => 2 }) for @dialects;
$t->call('sc1-9', document());
settle();
$t->call("sc1-10$_", document(caller => { phone => '+14155550101', name => 'Jordan Smith' })) for qw(a b c);
settle();
for my $n (1 .. 9)
{
	check("1.$n", $n < 5 ? 'known number' : $n < 8 ? 'unknown number, known e-mail' : $n == 8 ? 'API down' : 'throttled', sub { my ($d) = @_; return synced_once($d, "sc1-$n", $known{$d}); });
}
check('1.10', 'three at once', sub { my ($d) = @_; return synced_once($d, 'sc1-10a', $known{$d}) && synced_once($d, 'sc1-10b', $known{$d}) && synced_once($d, 'sc1-10c', $known{$d}); });
for my $d (@dialects)
{
	is(scalar(grep { $_->{name} eq 'Jordan Smith' } @{ $t->contacts($d) }), 1, "SC-1 $d: one contact");
	is(scalar(grep { ($_->{call_id} // '') =~ /^sc1-/ } @{ $t->calls($d) }), 12, "SC-1 $d: twelve activities");
}

# ---- SC-2: a pilot hour ----
my %before = map { my $d = $_; ($d => scalar @{ $t->calls($d) }) } @dialects;
my %pilot = map { $_ => $t->add_contact($_, name => 'Robin Pilot', phone => '+14155550301') } @dialects;
$crm->flush_index(dialect => $_) for @dialects;
check('2.1', 'context before the first word', sub {
	my ($d) = @_;
	my $context = $t->q("SELECT callsync.caller_context('+14155550301', 'US', '$d')");
	return $context =~ /Robin/ && $context =~ /\Q$pilot{$d}\E/ || die $context; });
$t->call('sc2-book', document(caller => { phone => '(415) 555-0301', name => 'Robin Pilot', email => 'robin@example.com' }, appointment => { action => 'book', service => 'Inspection', start => '2026-11-25T14:00:00Z', end => '2026-11-25T15:00:00Z' },
	follow_up_task => { action => 'call_back', assigned_to => 'ben', due_at => '2026-11-24T09:00:00Z', priority => 'high', subject => 'Bring the ladder' }));
settle();
check('2.2', 'the calendar is written', sub { my ($d) = @_; my @m = of_call($d, 'sc2-book', $t->meetings($d)); return @m == 1 && $m[0]{start} =~ /^2026-11-25T14:00/ && $m[0]{minutes} == 60 && ($m[0]{contact} // '') eq $pilot{$d}; });
check('2.3', 'the activity is appended, once', sub { my ($d) = @_; return synced_once($d, 'sc2-book', $pilot{$d}) && @{ $t->calls($d) } == $before{$d} + 1; });
check('2.4', 'the e-mail address is in its field', sub { my ($d) = @_; my ($c) = grep { $_->{id} eq $pilot{$d} } @{ $t->contacts($d) }; return "@{ $c->{emails} }" eq 'robin@example.com' || die "emails: @{ $c->{emails} }"; });
check('2.5', 'the task has its owner', sub { my ($d) = @_; my @k = grep { $_->{subject} eq 'Bring the ladder' } @{ $t->tasks($d) }; return @k == 1 && $k[0]{owner} eq $t->owner($d) || die 'owner ' . ($k[0]{owner} // 'none'); });
$t->call('sc2-other', document(caller => { phone => '+14155550399', name => 'Robin Pilot', email => 'robin@example.com' }));
settle();
check('2.6', 'unknown number, known e-mail: matched', sub { my ($d) = @_; return synced_once($d, 'sc2-other', $pilot{$d}); });
check('2.7', 'the other number is kept beside the first', sub {
	my ($d) = @_;
	my @c = grep { $_->{name} eq 'Robin Pilot' } @{ $t->contacts($d) };
	my %have = map { s/\D//gr => 1 } @{ $c[0]{phones} };
	return @c == 1 && $have{14155550301} && $have{14155550399} || die scalar(@c) . " contacts, phones @{ $c[0]{phones} }"; });
$crm->tokens({ dialect => $_, action => 'revoke' }) for @dialects;
$t->call('sc2-revoked', document(caller => { phone => '+14155550301', name => 'Robin Pilot' }));
for my $d (@dialects)
{
	ok($t->node->poll_query_until('postgres', "SELECT token_state = 'reauth_required' FROM callsync.destination_status WHERE destination = '$d'"), "$d: the connection is called dead")
		or diag($t->q('SELECT * FROM callsync.destination_status'));
}
check('2.9', 'the failure is visible', sub {
	my ($d) = @_;
	my ($status, $alerts) = split /\|/, $t->q("SELECT status, (SELECT count(*) FROM callsync.alerts WHERE cleared_at IS NULL AND destination = '$d') FROM callsync.call_sync WHERE destination = '$d' AND call_id = 'sc2-revoked'");
	return $status ne 'synced' && $alerts > 0 || die "$status, $alerts alerts"; });
for my $d (@dialects)
{
	$crm->tokens({ dialect => $d, action => 'restore' });
	$crm->tokens({ dialect => $d, action => 'issue', refresh_token => 'fresh' });
	$t->q("SELECT callsync.set_secret('$d', 'refresh_token', 'fresh')");
}
settle();
check('2.8', 'tried again after the new consent', sub { my ($d) = @_; return synced_once($d, 'sc2-revoked', $pilot{$d}); });
$t->q("SELECT callsync.resync(ARRAY['sc2-revoked'], '$_')") for @dialects;
settle();
check('2.10', 'synced again by hand, nothing twice', sub { my ($d) = @_; return synced_once($d, 'sc2-revoked', $pilot{$d}); });

# ---- SC-6: five outcomes ----
my %quiet = map { my $d = $_; ($d => $t->add_contact($d, name => 'Casey Outcome', phone => '+14155550401', email => 'casey@example.com')) } @dialects;
$crm->flush_index(dialect => $_) for @dialects;
my %was = map { my $d = $_; my ($c) = grep { $_->{id} eq $quiet{$d} } @{ $t->contacts($d) }; ($d => JSON::PP->new->canonical->encode($c)) } @dialects;
my %caller = (caller => { phone => '+14155550401', name => 'Casey Outcome' });
$t->call('sc6-completed', document(%caller, summary => 'Asked about the gutter.'));
$t->call('sc6-transferred', document(%caller, disposition => 'transferred', escalation => { reason => 'wants a person', to => 'front desk' }), 'call.transferred');
$t->call('sc6-hungup', document(%caller, disposition => undef, duration_s => 4));
$t->call('sc6-failed', { %{ document(%caller) }, disposition => undef, ended_at => undef, duration_s => undef, summary => undef, end_reason => 'sip_error' }, 'call.failed');
$t->call('sc6-dtmf', document(%caller, dtmf => '4471'));
settle();
my %expect = (completed => qr/Asked about the gutter/, transferred => qr/wants a person/, hungup => qr/NO_DISPOSITION/, failed => qr/FAILED/, dtmf => qr/4471/);
for my $outcome (qw(completed transferred hungup failed dtmf))
{
	check("6.$outcome", 'fields, contact, nothing else', sub {
		my ($d) = @_;
		synced_once($d, "sc6-$outcome", $quiet{$d});
		my ($made) = of_call($d, "sc6-$outcome", $t->calls($d));
		my $all = join("\n", map { ref $made->{raw}{$_} ? () : $made->{raw}{$_} // () } sort keys %{ $made->{raw} });
		die "not in the record: $all" unless $all =~ $expect{$outcome};
		my ($c) = grep { $_->{id} eq $quiet{$d} } @{ $t->contacts($d) };
		return JSON::PP->new->canonical->encode($c) eq $was{$d} || die 'the contact was changed'; });
}

# ---- the table ----
is(scalar @checks, 25, 'ten calls, ten checks, five outcomes');
my @lines = (sprintf('%-11s %s', '', join(' ', map { sprintf '%-4s', substr($_, 0, 4) } @checks)));
for my $d (@dialects)
{
	my $lost = $t->q("SELECT count(*) FROM callsync.call_sync WHERE destination = '$d' AND status NOT IN ('synced', 'excluded')");
	my $calls = $t->q("SELECT count(*) FROM callsync.call");
	my $made = scalar @{ $t->calls($d) };
	push @lines, sprintf('%-11s %s  %d of %d; contacts %d, activities %d, wrong fields %d, lost calls %d', $d, join(' ', map { sprintf '%-4s', $cell{$d}{$_} ? '+' : '-' } @checks),
		scalar(grep { $cell{$d}{$_} } @checks), scalar @checks, scalar @{ $t->contacts($d) }, $made, wrong_fields($d, '%'), $lost + ($calls - $made > 0 ? $calls - $made : 0));
	is($made, $calls, "$d: an activity for every call");
	is($lost, 0, "$d: no call is lost");
}
note('scenarios SC-1, SC-2, SC-6');
diag($_) for @lines;
done_testing();
