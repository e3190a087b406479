# Who called, seen at the CRM: new and known callers (SC-7 items 1 to 4), the matching side of the one-hour pilot
# (SC-2), callers that could be two people and what a reviewer says of them.
use strict;
use warnings;

use JSON::PP ();
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('matching', options => { thresholds => { match => 0.9, review => 0.2 } });

sub q1 { return CallsyncDelivery::q1($node, @_) }
sub call { return CallsyncDelivery::call($node, @_) }
sub idle { return CallsyncDelivery::idle($node, 60, $_[0]) }
sub contact { my ($id) = @_; my ($r) = grep { $_->{id} eq $id } @{ $crm->records('contacts') }; return $r ? $r->{properties} : {}; }
sub contact_of { return q1("SELECT contact_record_id FROM callsync.call_sync WHERE call_id = '$_[0]'") }
sub decision { return q1("SELECT match_decision FROM callsync.call_sync WHERE call_id = '$_[0]'") }

# A contact that people made in the CRM and that the mirror has.
sub known
{
	my (%p) = @_;
	my $r = $crm->add_record('contacts', { map { $_ => $p{$_} } grep { $_ ne 'flags' } keys %p });
	my %c = (first_name => $p{firstname}, last_name => $p{lastname}, email => $p{email}, phone => $p{phone}, postal_code => $p{zip}, flags => $p{flags});
	my @names = sort grep { defined $c{$_} } keys %c;
	q1(sprintf("INSERT INTO callsync.contact (destination, contact_id, %s) VALUES ('crm', '%s', %s)", join(', ', @names), $r->{id}, join(', ', map { "'$c{$_}'" } @names)));
	return $r->{id};
}

# ---- SC-7 ----
call('new-full', phone => '(415) 555-2801', name => 'Nora Newman', email => 'nora.newman@example.com', postal_code => '94110');
call('new-partial', phone => '(415) 555-2802', name => undef, email => undef);
my $by_phone = known(firstname => 'Paul', lastname => 'Phone', phone => '+14155552803', email => 'paul@example.com');
my $by_email = known(firstname => 'Emma', lastname => 'Mail', email => 'emma.mail@example.com', phone => '+12065550142');
call('by-phone', phone => '(415) 555-2803', name => 'Paul Phone');
call('by-email', phone => '(415) 555-2804', name => 'Emma Mail', email => 'emma dot mail at example dot com');
idle('SC-7, items 1 to 4');
my $new = contact(contact_of('new-full'));
is_deeply([ @$new{qw(firstname lastname email phone zip)} ], [ 'Nora', 'Newman', 'nora.newman@example.com', '+14155552801', '94110' ], '1: new caller with everything told');
my $partial = contact(contact_of('new-partial'));
is($partial->{phone}, '+14155552802', '2: new caller who tells nothing');
is(scalar(grep { defined $partial->{$_} && $partial->{$_} ne '' } qw(firstname lastname email zip)), 0, '2: what is not known stays null');
is(contact_of('by-phone'), $by_phone, '3: known by the phone');
is(contact_of('by-email'), $by_email, '4: known by the e-mail, as it was heard');
is($crm->count('contacts'), 4, 'nobody was made twice');
is(contact($by_email)->{phone}, '+12065550142', 'the number on file stays');
is(contact($by_email)->{mobilephone}, '+14155552804', 'and the new one is kept beside it');
is($crm->count('calls'), 4, 'a call log for each');
is(decision('new-full') . ' ' . decision('by-phone') . ' ' . decision('by-email'), 'new match match', 'decisions are told');
is(q1(<<'SQL'), 0, 'prior and weights make the total of every decision');
SELECT count(*) FROM callsync.match_decision d WHERE abs(d.prior + coalesce((SELECT sum((e ->> 'weight')::float8) FROM jsonb_array_elements(d.evidence) e), 0) - d.total) > 1e-9
SQL

# ---- SC-2: the minutes from 10 to 45 ----
my $pilot = known(firstname => 'Pia', lastname => 'Pilot', phone => '+14155552811', flags => '{"vip": true}');
q1("INSERT INTO callsync.related_record (destination, object, record_id, contact_id, title, status, happened_at, is_open) VALUES
	('crm', 'opportunity', 'o1', '$pilot', 'Heat pump', 'proposal', NULL, true), ('crm', 'note', 'n1', '$pilot', 'Prefers mornings', NULL, '2026-11-01Z', false)");
my $context = JSON::PP->new->decode(q1("SELECT callsync.caller_context('415-555-2811', 'US', 'crm')"));
is($context->{status} . ' ' . $context->{contact}{name} . ' ' . $context->{open_opportunities}[0]{title} . ' ' . $context->{last_touchpoint}{what} . ' ' . ($context->{vip} ? 'vip' : ''),
	'known Pia Pilot Heat pump Prefers mornings vip', 'the receptionist knows who calls, before it speaks');
call('pilot-1', phone => '(415) 555-2811', name => 'Pia Pilot', email => 'pia.new@example.com',
	task => '{"action": "call_back", "subject": "Confirm", "due_at": "2026-11-21T09:00:00Z", "assigned_to": "owner-1"}');
idle('known number, new e-mail');
is(contact_of('pilot-1'), $pilot, 'the contact is hers');
is(contact($pilot)->{email}, 'pia.new@example.com', 'the new e-mail is in its field');
is(scalar(grep { ($_->{properties}{callsync_call_id} // '') eq 'pilot-1' } @{ $crm->records('calls') }), 1, 'one activity');
is(scalar(@{ $crm->records('tasks') }), 1, 'one task');
call('pilot-2', phone => '(415) 555-2819', name => 'Pia', email => 'pia.new@example.com');
call('pilot-3', phone => '(415) 555-2818', name => 'Somebody Else', email => 'nobody.yet@example.com');
idle('unknown number, known e-mail; unknown both');
is(contact_of('pilot-2'), $pilot, 'unknown number, known e-mail: matched by what the last call taught');
is(contact($pilot)->{mobilephone}, '+14155552819', 'the number is kept');
is(decision('pilot-3'), 'new', 'unknown in both: a new contact');
is($crm->count('contacts'), 6, 'and nobody twice');
$context = JSON::PP->new->decode(q1("SELECT callsync.caller_context('415-555-2819', 'US', 'crm')"));
is("$context->{status} $context->{contact}{contact_id} $context->{calls}", "known $pilot 2", 'her second number knows her, and both calls');

# ---- a line that two share: written new and flagged; a person says who it was ----
my $tom = known(firstname => 'Tom', lastname => 'Twins', phone => '+14155552821');
my $tim = known(firstname => 'Tim', lastname => 'Twins', phone => '+14155552821');
call('twins', phone => '(415) 555-2821', name => 'Twins');
idle('one line, two contacts');
is(decision('twins'), 'review', 'it is not decided');
isnt(contact_of('twins'), $_, 'and not given to one of them') for $tom, $tim;
is(q1("SELECT jsonb_array_length(candidates) || ' ' || reason FROM callsync.review_queue WHERE call_id = 'twins'"), '2 ambiguous', 'it waits in review_queue with both candidates');
is(q1("SELECT count(*) FROM callsync.review_queue"), 1, 'and it alone');
my $before = contact_of('twins');
q1("SELECT callsync.review(review_id, 'same', '$tim') FROM callsync.review_queue WHERE call_id = 'twins'");
ok($node->poll_query_until('postgres', "SELECT contact_record_id = '$tim' FROM callsync.call_sync WHERE call_id = 'twins'"), 'the verdict is applied');
idle('planned again');
is(q1("SELECT decision || ' ' || contact_id || ' ' || probability FROM callsync.match_decision WHERE call_id = 'twins' ORDER BY id DESC LIMIT 1"), "match $tim 1", 'and stands as the decision');
is(q1("SELECT count(*) FROM callsync.review_queue"), 0, 'nothing waits any more');
my ($log) = grep { ($_->{properties}{callsync_call_id} // '') eq 'twins' } @{ $crm->records('calls') };
ok((grep { $_->{from} eq "calls/$log->{id}" && $_->{to} eq "contacts/$tim" } @{ $crm->links }), 'the activity is linked to him')
	or diag(JSON::PP->new->canonical->encode($crm->links));
# callsync merges and deletes nothing in the CRM: what was written for the call meanwhile is listed
is(q1("SELECT contact_id || ' ' || other_id || ' ' || probability || ' ' || remedy FROM callsync.duplicate_candidates WHERE explanation LIKE 'written for call twins of %'"),
	"$tim $before 1 In the CRM, merge contact $before into $tim, or delete it: its activities were moved.", 'the contact written before the verdict is listed to be merged')
	or diag(q1("SELECT * FROM callsync.contact_link") . "\n" . q1('SELECT destination, contact_id, other_id, explanation FROM callsync.duplicate_candidates'));
q1("UPDATE calls SET summary = 'corrected' WHERE id = 'twins'");
idle('a later version of the call');
is(contact_of('twins'), $tim, 'a later version stays with him');
is(q1("SELECT count(*) FROM callsync.review_queue"), 0, 'and does not ask again');
is(q1("SELECT count(*) FROM callsync.duplicate_candidates WHERE other_id = '$before'"), 1, 'the surplus contact is listed once');
q1("DELETE FROM callsync.contact WHERE contact_id = '$before'");
is(q1("SELECT count(*) FROM callsync.duplicate_candidates WHERE other_id = '$before'"), 0, 'and no more when the CRM, and with it the mirror, has it no longer');

# ---- hold: nothing is written before a person has said who it is ----
q1(q{SELECT callsync.alter_destination('crm', '{"on_ambiguous": "hold"}')});
known(firstname => $_, lastname => 'Both', phone => '+14155552831') for qw(Bea Bill);
my $records = $crm->count('contacts');
call('held', phone => '(415) 555-2831', name => 'Both', summary => 'held back');
ok($node->poll_query_until('postgres', "SELECT status = 'review' FROM callsync.call_sync WHERE call_id = 'held'"), 'held for review');
is($crm->count('contacts'), $records, 'no contact was made');
q1("SELECT callsync.review(review_id, 'new') FROM callsync.review_queue WHERE call_id = 'held'");
ok($node->poll_query_until('postgres', "SELECT status = 'synced' FROM callsync.call_sync WHERE call_id = 'held'"), 'nobody on file, says the reviewer: written');
is($crm->count('contacts'), $records + 1, 'as a new contact');
is(q1("SELECT sum(reviewed) FROM callsync.match_accuracy WHERE destination = 'crm'"), 2, 'verdicts measure the matching')
	or diag(q1("SELECT * FROM callsync.match_accuracy"));

done_testing();
