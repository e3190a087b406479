# Deliveries over tokens that live for two seconds, and a connection that is revoked in the middle: nothing is
# lost, nothing is doubled, people are told, and after the new authorisation it goes on by itself.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('oauth',
	secrets => { client_id => 'sandbox-client', client_secret => 'sandbox-secret', refresh_token => 'sandbox-refresh' },
	options => { override => { auth => { oauth => { refresh_early_s => 0, min_refresh_interval_s => 0 } } } });
$crm->config({ tokens => { mode => 'strict', lifetime_ms => 1_800_000, rotate => 1 } });
ok($node->poll_query_until('postgres', "SELECT state = 'valid' FROM callsync.token"), 'a token');

# A renewal is one exchange, and what it brought is what is sent from then on. Seen: the worker that had renewed went on with the old
# token, so that the API refused again and everything was renewed twice.
$crm->tokens({ action => 'issue', refresh_token => 'once' });
$crm->clear_requests;
CallsyncDelivery::q1($node, "SELECT callsync.set_secret('crm', 'refresh_token', 'once')");
ok($node->poll_query_until('postgres', "SELECT state = 'valid' FROM callsync.token"), 'a new consent');
CallsyncDelivery::call($node, 'once', phone => '4155551999');
CallsyncDelivery::idle($node);
is(scalar @{ $crm->requests(op => 'token', bodies => 0) }, 1, 'one exchange for it');
my $version = CallsyncDelivery::q1($node, 'SELECT version FROM callsync.token');
$crm->tokens({ action => 'expire' });
CallsyncDelivery::call($node, 'twice', phone => '4155551998');
CallsyncDelivery::idle($node);
ok($node->poll_query_until('postgres', "SELECT state = 'valid' AND version > $version FROM callsync.token"), 'refused by the API');
is(scalar @{ $crm->requests(op => 'token', bodies => 0) }, 2, 'one more');

# tokens that live for two seconds
$crm->config({ tokens => { lifetime_ms => 2000 } });
$crm->tokens({ action => 'expire' });
my $n = 2;
my $end = time + 6;
while (time < $end)
{
	$n++;
	CallsyncDelivery::call($node, "c$n", phone => sprintf('415555%04d', 2000 + $n));
}
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, 'SELECT status, count(*) FROM callsync.call_sync GROUP BY 1'), "synced|$n", "$n calls over tokens that expire");
cmp_ok(scalar @{ $crm->requests(op => 'token', bodies => 0, limit => 100000) }, '>=', 3, 'tokens were renewed');
is($crm->count('calls'), $n, 'one call log each');
is(CallsyncDelivery::q1($node, 'SELECT count(*) FROM callsync.dead_letters'), '0', 'no failed write');
like(CallsyncDelivery::q1($node, 'SELECT token_state FROM callsync.destination_status'), qr/./, 'the state of the token is visible');

# revoked: calls queue, people are told
$crm->tokens({ action => 'revoke' });
CallsyncDelivery::call($node, 'revoked', phone => '4155559000');
ok($node->poll_query_until('postgres', "SELECT token_state = 'reauth_required' FROM callsync.destination_status"), 'a dead connection is called that');
cmp_ok(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.alerts WHERE cleared_at IS NULL AND destination = 'crm'"), '>=', 1, 'people are told');
isnt(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = 'revoked'"), 'synced', 'the call waits');
$crm->tokens({ action => 'restore' });
$crm->tokens({ action => 'issue', refresh_token => 'fresh' });
CallsyncDelivery::q1($node, "SELECT callsync.set_secret('crm', 'refresh_token', 'fresh')");
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = 'revoked'"), 'synced', 'authorised anew, and it is delivered');
is($crm->count('calls'), $n + 1, 'once');
done_testing();
