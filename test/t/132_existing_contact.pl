# The CRM knows a caller whom the mirror does not know: the answer "exists already" turns the create into an
# update of that record, whose own key, or lack of one, stays as it is.
use strict;
use warnings;

use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('existing');

sub q1 { return CallsyncDelivery::q1($node, @_) }

# one made by people, one that another installation made
$crm->add_records('contacts', [
	{ email => 'ann@example.com', firstname => 'Ann', lastname => 'Archer' },
	{ email => 'bob@example.com', firstname => 'Bob', callsync_key => 'tel:+49301234567' } ]);
CallsyncDelivery::call($node, 'ann', phone => '(415) 555-2801', name => 'Ann Archer', email => 'ann@example.com');
CallsyncDelivery::call($node, 'bob', phone => '(415) 555-2802', name => 'Bob Baker', email => 'BOB@example.com');
CallsyncDelivery::idle($node, 60);
is(q1("SELECT string_agg(call_id || ' ' || status, ', ' ORDER BY call_id) FROM callsync.call_sync"), 'ann synced, bob synced', 'both are synced');
is($crm->count('contacts'), 2, 'nobody is there twice');
my %by_email = map { $_->{properties}{email} => $_ } @{ $crm->records('contacts') };
is($by_email{'bob@example.com'}{properties}{callsync_key}, 'tel:+49301234567', 'the key of another is not overwritten');
is($by_email{'ann@example.com'}{properties}{phone}, '+14155552801', 'what the call taught is there');
is(q1("SELECT contact_record_id FROM callsync.call_sync WHERE call_id = 'ann'"), $by_email{'ann@example.com'}{id}, 'the call names the contact');
is(q1("SELECT count(*) FROM callsync.field_writes WHERE status <> 'confirmed'"), 0, 'every field is confirmed');

# the next call of the same caller finds the record by what was learned
CallsyncDelivery::call($node, 'ann-2', phone => '415-555-2801', name => 'Ann Archer');
CallsyncDelivery::idle($node, 60);
is(q1("SELECT contact_record_id FROM callsync.call_sync WHERE call_id = 'ann-2'"), $by_email{'ann@example.com'}{id}, 'the next call finds it');
is($crm->count('contacts'), 2, 'and makes no other');

done_testing();
