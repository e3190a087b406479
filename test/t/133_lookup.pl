# "lookup": the CRM is asked for a caller whom the mirror does not know, once, before a contact is made; what it
# answers lands in the mirror and goes through the match decision.
use strict;
use warnings;

use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('lookup', options => { lookup => 'mirror_then_remote' });

sub q1 { return CallsyncDelivery::q1($node, @_) }
sub finds { my (%o) = @_; return scalar grep { $_->{method} eq 'GET' || $_->{op} eq 'search' } @{ $crm->requests(path => '/objects/.*/contacts', %o) } }
sub state_of { my ($id) = @_; return q1("SELECT status || ' ' || coalesce(match_decision, '-') FROM callsync.call_sync WHERE call_id = '$id'"); }
sub contact_of { my ($id) = @_; return q1("SELECT contact_record_id FROM callsync.call_sync WHERE call_id = '$id'"); }
my $since = 0;
sub mark { my $r = $crm->requests; $since = @$r ? $r->[-1]{seq} : 0; return; }

# Ann is known by her phone, Bea by e-mail, Carl by name and postal code; the mirror is empty
my ($ann, $bea, $carl) = map { $_->{id} } @{ $crm->add_records('contacts', [
	{ firstname => 'Ann', lastname => 'Archer', phone => '(415) 555-2801', email => 'ann@example.com' },
	{ firstname => 'Bea', lastname => 'Baker', phone => '(415) 555-2899', email => 'bea@example.com' },
	{ firstname => 'Carl', lastname => 'Cooper', zip => '94110', phone => '+14155552877' } ]) };
$crm->flush_index;

CallsyncDelivery::call($node, 'ann', phone => '(415) 555-2801', name => 'Ann Archer', email => undef);
CallsyncDelivery::idle($node, 60);
is(state_of('ann'), 'synced match', 'by phone: matched');
is(contact_of('ann'), $ann, 'to her record');
is(finds(), 1, 'one look-up');
is(q1("SELECT first_name || ' ' || phone || ' ' || email FROM callsync.contact WHERE contact_id = '$ann'"), 'Ann (415) 555-2801 ann@example.com', 'the mirror has her now');
is(q1("SELECT kind || ' ' || outcome FROM callsync.requests r JOIN callsync.deliveries d ON d.id = r.delivery_id WHERE d.call_id = 'ann' AND d.step = 'lookup'"),
	'find ok', 'the exchange is on record');
is(q1("SELECT count(*) FROM callsync.match_decision WHERE call_id = 'ann'"), 1, 'one decision, taken after the answer');

mark();
CallsyncDelivery::call($node, 'ann-2', phone => '415-555-2801', name => 'Ann Archer');
CallsyncDelivery::idle($node, 60);
is(contact_of('ann-2'), $ann, 'her next call');
is(finds(since => $since), 0, 'asks nobody');

mark();
CallsyncDelivery::call($node, 'bea', phone => '(415) 555-2802', name => 'Bea Baker', email => 'BEA@example.com');
CallsyncDelivery::idle($node, 60);
is(state_of('bea') . ' ' . contact_of('bea'), "synced match $bea", 'another number, the known address: matched by e-mail');
is(finds(since => $since), 1, 'with one look-up for all identifiers');

mark();
CallsyncDelivery::call($node, 'dan', phone => '(415) 555-2803', name => 'Dan Dorn', email => 'dan@example.com');
CallsyncDelivery::idle($node, 60);
is(state_of('dan'), 'synced new', 'unknown there too: new');
is($crm->count('contacts'), 4, 'and made');
is(finds(since => $since), 1, 'after one look-up');
# a later version of the call, which has its decision
$node->safe_psql('postgres', "UPDATE calls SET summary = 'Called about a boiler and a tap.' WHERE id = 'dan'");
CallsyncDelivery::idle($node, 60);
is(finds(since => $since), 1, 'a later version of the call does not ask again');
is($crm->count('contacts'), 4, 'nor makes another contact');

# many first calls of one person, whom nobody knows, in two spellings: one question, one contact
mark();
q1("INSERT INTO calls (id, phone, name, started_at) SELECT 'many-' || i, CASE WHEN i % 2 = 0 THEN '(415) 555-2804' ELSE '+14155552804' END, 'Max Many', '2026-11-20 10:00:00+00' FROM generate_series(1, 40) i");
CallsyncDelivery::idle($node, 180);
is(q1("SELECT count(*) FROM callsync.call_sync WHERE call_id LIKE 'many-%' AND status = 'synced'"), 40, 'forty first calls of one caller');
is(finds(since => $since), 1, 'asked once');
is($crm->count('contacts'), 5, 'one contact for all');
is(q1("SELECT count(DISTINCT contact_record_id) FROM callsync.call_sync WHERE call_id LIKE 'many-%'"), 1, 'whom all calls have');

# nobody to be found by: nobody is asked
mark();
CallsyncDelivery::call($node, 'anon', phone => 'anonymous', name => undef);
CallsyncDelivery::idle($node, 60);
is(finds(since => $since), 0, 'a withheld number is not looked up');

# trouble: throttled, then a lost permission
$crm->fault({ match => { method => 'POST', path => '/contacts/search' }, action => 'status', status => 500, count => 2 });
CallsyncDelivery::call($node, 'eve', phone => '(415) 555-2804', name => 'Eve Early');
CallsyncDelivery::idle($node, 60);
is(state_of('eve'), 'synced new', 'errors that pass are sat out');
is(q1("SELECT attempts FROM callsync.deliveries WHERE call_id = 'eve' AND step = 'lookup'"), 3, 'by the retry schedule');
$crm->fault({ match => { method => 'POST', path => '/contacts/search' }, action => 'status', status => 403, count => 1 });
CallsyncDelivery::call($node, 'fay', phone => '(415) 555-2805', name => 'Fay Frost');
CallsyncDelivery::idle($node, 60);
is(state_of('fay'), 'failed -', 'one that does not is shown, and no contact is made unseen');
is(q1("SELECT step || ' ' || error_class || ' ' || (remedy <> '')::text FROM callsync.dead_letters WHERE call_id = 'fay'"), 'lookup config true', 'as a dead letter with a remedy');
is(q1("SELECT redriven FROM callsync.redrive('crm', '{}', false)"), 1, 'mended: sent again');
CallsyncDelivery::idle($node, 60);
is(state_of('fay'), 'synced new', 'and the call goes its way');

# without the search for everything: phone, then e-mail, then name and postal code
q1(q{SELECT callsync.alter_destination('crm', '{"override": {"ops": {"contact.find": null}}}')});
q1("DELETE FROM callsync.contact WHERE contact_id IN ('$bea', '$carl')");
mark();
CallsyncDelivery::call($node, 'bea-2', phone => '(415) 555-2806', name => 'Bea Baker', email => 'bea@example.com');
CallsyncDelivery::idle($node, 60);
is(contact_of('bea-2'), $bea, 'one identifier after the other');
is(finds(since => $since), 2, 'until somebody is found');
mark();
CallsyncDelivery::call($node, 'carl', phone => '(415) 555-2807', name => 'Carl Cooper', email => 'carl@example.com', postal_code => '94110');
CallsyncDelivery::idle($node, 60);
is(finds(since => $since), 3, 'each of them once');
ok(q1("SELECT count(*) FROM callsync.contact WHERE contact_id = '$carl'") == 1, 'the one found by name is in the mirror');

# remote: the mirror is not enough
q1(q{SELECT callsync.alter_destination('crm', '{"lookup": "remote", "override": {}}')});
mark();
# (with an address, so that no answer of a moment ago is the answer to this question as well)
CallsyncDelivery::call($node, 'ann-3', phone => '(415) 555-2801', name => 'Ann Archer', email => 'ann.archer\@example.com');
CallsyncDelivery::idle($node, 60);
is(contact_of('ann-3') . ' ' . finds(since => $since), "$ann 1", '"remote" asks for a caller that the mirror knows, too');

# two first calls of one unknown caller at once
$node->safe_psql('postgres', q{INSERT INTO calls (id, phone, name, started_at, ended_at, duration)
	SELECT 'twin-' || g, '(415) 555-2810', 'Gus Grant', now(), now(), 1 FROM generate_series(1, 5) g});
CallsyncDelivery::idle($node, 60);
is(scalar @{ $crm->records('contacts', property => 'phone', value => '+14155552810') }, 1, 'five first calls at once make one contact');
is(q1("SELECT count(*) FROM callsync.call_sync WHERE call_id LIKE 'twin-%' AND status = 'synced'"), 5, 'and are all synced');

done_testing();
