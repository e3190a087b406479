# The webhook connector: mapped JSON, signed; the same message id on every try, another for the next version of a
# call; a receiver that wants no more is left alone.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my $secret = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
my ($node, $crm) = CallsyncDelivery::start('webhook', connector => 'webhook', path => '/hook/calls', secrets => { signing_secret => $secret });
$crm->config({ secrets => [$secret], dedup => 1, store => 1 });

CallsyncDelivery::call($node, 'c1');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, records FROM callsync.call_sync"), 'synced|{}', 'synced');
is(CallsyncDelivery::q1($node, "SELECT state, confirmation FROM callsync.deliveries"), 'confirmed|response', 'by the answer: there is nothing to read back');
my ($first) = @{ $crm->requests };
is($first->{status}, 200, 'the signature is good');
is($first->{json}{data}{call_id}, 'c1', 'structured data');
is($first->{json}{data}{caller_phone}, '+14155552671', 'mapped');
is(CallsyncDelivery::q1($node, "SELECT DISTINCT status FROM callsync.field_writes"), 'unverified', 'fields are not called confirmed');

# lost answer, then 500: the same id each time
$crm->clear_requests;
$crm->fault({ action => 'drop_after', count => 1 });
$crm->fault({ action => 'status', status => 500, count => 1, after => 1 });
CallsyncDelivery::call($node, 'c2');
CallsyncDelivery::idle($node);
my @tries = @{ $crm->requests };
cmp_ok(scalar @tries, '>=', 3, 'three tries');
my %ids = map { $_->{headers}{'webhook-id'} => 1 } @tries;
is(scalar keys %ids, 1, 'one webhook-id');
is($crm->count('hooks'), 2, 'the receiver took each message once');
is(CallsyncDelivery::q1($node, "SELECT string_agg(outcome, ' ' ORDER BY n) FROM callsync.attempts WHERE delivery_id = (SELECT max(id) FROM callsync.deliveries)"),
	'unknown refused ok', 'attempts tell what happened');

# a newer version is another message
CallsyncDelivery::q1($node, "UPDATE calls SET summary = 'changed' WHERE id = 'c2'");
CallsyncDelivery::idle($node);
is($crm->count('hooks'), 3, 'the update is taken');
# key rotation: two signatures
CallsyncDelivery::q1($node, "SELECT callsync.set_secret('crm', 'signing_secret_next', 'whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=')");
$crm->config({ secrets => ['whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA='] });
CallsyncDelivery::call($node, 'c3');
CallsyncDelivery::idle($node);
is($crm->count('hooks'), 4, 'signed with both keys while they change');
unlike(CallsyncDelivery::q1($node, 'SELECT string_agg(r::text, $$ $$) FROM callsync.requests r'), qr/v1,/, 'no signature is kept');

# 410: no more
$crm->fault({ action => 'status', status => 410, count => 1 });
CallsyncDelivery::call($node, 'c4');
ok($node->poll_query_until('postgres', "SELECT paused FROM callsync.destination_status"), 'a receiver that is gone is not asked again');
like(CallsyncDelivery::q1($node, "SELECT message FROM callsync.alerts WHERE kind = 'destination_disabled'"), qr/410/, 'people are told');
CallsyncDelivery::call($node, 'c5');
CallsyncDelivery::q1($node, "SELECT callsync.resume('crm'); SELECT callsync.redrive('crm', '{}', false)");
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|5', 'resume() and redrive() deliver the rest');
done_testing();
