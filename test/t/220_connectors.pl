# Each connector, a few calls end to end: contact, call, task, appointment (made, moved, cancelled), deal, note; nothing
# twice, also when an answer is lost.
use strict;
use warnings;

use JSON::PP ();
use Test::More;

use CallsyncDialects;

my $t = CallsyncDialects->start('connectors');
my $crm = $t->crm;

sub all_synced
{
	my ($name, @calls) = @_;
	my $list = join(', ', map { "'$_'" } @calls);
	is($t->q("SELECT destination || ' ' || call_id || ' ' || status || coalesce(' ' || last_error, '') FROM callsync.call_sync WHERE call_id IN ($list) AND status NOT IN ('synced', 'excluded') ORDER BY 1"),
		'', "$name: synced everywhere")
		or diag($t->q("SELECT destination, call_id, step, state, error_class, last_error FROM callsync.deliveries WHERE state <> 'confirmed' ORDER BY id"), "\n",
		$t->q("SELECT object, field, sent, stored, status, reason FROM callsync.field_writes WHERE status NOT IN ('confirmed') LIMIT 20"));
	return;
}

my %deal = map { $_ => $t->add_deal($_) } $t->dialects;
my %ticket = map { $_ => $t->add_ticket($_) } $t->dialects;

# ---- a new caller with everything ----
my %full = (caller => { phone => '(415) 555-2671', name => 'Ada Lovelace', email => 'Ada@Example.com ', postal_code => '94105' }, dialled_number => '+14155550100',
	started_at => '2026-11-20T10:00:00Z', ended_at => '2026-11-20T10:03:05Z', duration_s => 185, disposition => 'booked', intent => 'roof repair', urgency => 'high',
	language => 'es', summary => 'Quiere una reparación del techo <mañana> & "pronto".', recording_url => 'https://rec.example.com/1', answers => { 'How many rooms?' => '4' });
$t->call('c1', { %full,
	follow_up_task => { action => 'call_back', due_at => '2026-11-23T09:30:00Z', priority => 'high', subject => 'Send a quote' },
	appointment => { action => 'book', service => 'Inspection', start => '2026-11-25T14:00:00Z', end => '2026-11-25T14:45:00Z' } });
$t->idle;
all_synced('a new caller', 'c1');
for my $d ($t->dialects)
{
	my $contacts = $t->contacts($d);
	is(scalar @$contacts, 1, "$d: one contact");
	my $c = $contacts->[0];
	is($c->{name}, 'Ada Lovelace', "$d: name");
	is("@{ $c->{phones} }", '+14155552671', "$d: phone");
	is("@{ $c->{emails} }", 'ada@example.com', "$d: e-mail");
	my $calls = $t->calls($d);
	is(scalar @$calls, 1, "$d: one call");
	is($calls->[0]{contact}, $c->{id}, "$d: at the contact");
	like($calls->[0]{text}, qr/Quiere una reparación del techo/, "$d: what was said");
	my $tasks = $t->tasks($d);
	is(scalar @$tasks, 1, "$d: one task");
	is($tasks->[0]{subject}, 'Send a quote', "$d: its subject");
	like($tasks->[0]{due}, qr/^2026-11-23/, "$d: its due date");
	my $meetings = $t->meetings($d);
	is(scalar @$meetings, 1, "$d: one meeting");
	like($meetings->[0]{start}, qr/^2026-11-25T14:00/, "$d: when");
	is($meetings->[0]{minutes}, 45, "$d: how long");
}
is($t->q("SELECT string_agg(DISTINCT confirmation, ' ') FROM callsync.deliveries WHERE step IN ('contact', 'call', 'task', 'appointment')"), 'read_back', 'read back');
is($t->q("SELECT string_agg(destination || '.' || object || '.' || field || ' ' || status || ' ' || coalesce(reason, ''), ', ') FROM callsync.field_writes WHERE status NOT IN ('confirmed')"), '', 'every field as it was sent');

is($t->q("SELECT string_agg(destination || ' ' || call_id || ' ' || step || '.' || field || ' ' || rule || ': ' || message, ', ') FROM callsync.validation_result WHERE NOT ok"), '', 'nothing was left out');

# ---- a late event: the same records, edited ----
$t->call('c1', { transcript_url => 'https://rec.example.com/1.txt' }, 'transcription.complete');
$t->idle;
all_synced('a late event', 'c1');
for my $d ($t->dialects)
{
	my $calls = $t->calls($d);
	is(scalar @$calls, 1, "$d: still one call");
	like($calls->[0]{text}, qr{https://rec\.example\.com/1\.txt}, "$d: with the transcript's address");
	is($calls->[0]{state}, 1, "$d: completed again") if exists $calls->[0]{state};
	is(scalar @{ $t->tasks($d) }, 1, "$d: still one task");
	is(scalar @{ $t->meetings($d) }, 1, "$d: still one meeting");
}
is($t->q("SELECT count(*) FROM callsync.dead_letters"), 0, 'nothing is left behind');

# ---- the same caller again: appointment moved, deal advanced, comment; then cancelled ----
for my $d ($t->dialects)
{
	my $id = $t->record_id($d, 'c1', 'appointment');
	$t->call("move-$d", { %full, type => "for_$d", summary => 'Moves the appointment.', appointment => { action => 'reschedule', service => 'Inspection', start => '2026-11-26T16:00:00Z', end => '2026-11-26T17:00:00Z', external_id => $id },
		opportunity => { id => $deal{$d}, stage => $t->kind($d)->{stages}{after}, amount => 4200 }, ticket => { id => $ticket{$d}, comment => 'Asked about the warranty.' } });
	$t->idle;
	all_synced("$d: moved", "move-$d");
	my $meetings = $t->meetings($d);
	is(scalar @$meetings, 1, "$d: the same meeting");
	like($meetings->[0]{start}, qr/^2026-11-26T16:00/, "$d: at another time");
	is($meetings->[0]{minutes}, 60, "$d: and longer");
	is($t->stage($d, $deal{$d}), $t->kind($d)->{stages}{after}, "$d: the deal is at another stage");
	is(scalar @{ $t->calls($d) }, 2, "$d: a second call");
	is(scalar @{ $t->contacts($d) }, 1, "$d: of the same contact");
	like($t->notes($d)->[0]{text} // '', qr/Asked about the warranty/, "$d: the comment") if $t->kind($d)->{notes};
	$t->call("cancel-$d", { %full, type => "for_$d", summary => 'Cancels.', appointment => { action => 'cancel', service => 'Inspection', start => '2026-11-26T16:00:00Z', external_id => $id } });
	$t->idle;
	all_synced("$d: cancelled", "cancel-$d");
	$meetings = $t->meetings($d);
	is(join(' ', map { $_->{cancelled} } @$meetings), '1', "$d: the meeting is marked cancelled");
}

# ---- lost answers of creates: looked up before anything is sent again ----
for my $d ($t->dialects)
{
	$crm->fault({ dialect => $d, action => 'drop_after', match => { method => 'POST', op => 'create|insert|upsert|batch' }, count => 4 });
}
$t->call('lost', { %full, caller => { phone => '(415) 555-2699', name => 'Bob Lost' }, follow_up_task => { action => 'email', due_at => '2026-11-24T08:00:00Z', subject => 'Lost and found' } });
$t->idle(90);
all_synced('lost answers', 'lost');
for my $d ($t->dialects)
{
	is(scalar(grep { $_->{name} eq 'Bob Lost' } @{ $t->contacts($d) }), 1, "$d: one contact though the answer was lost");
	is(scalar(grep { $_->{call_id} eq 'lost' } @{ $t->calls($d) }), 1, "$d: one call");
	is(scalar(grep { $_->{subject} eq 'Lost and found' } @{ $t->tasks($d) }), 1, "$d: one task");
}
done_testing();
