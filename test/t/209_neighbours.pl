# A destination that hangs does not slow its neighbour; one whose credential was revoked keeps its queue and
# goes on by itself when it is good again; a dry run sends nothing and shows everything; pause and resume.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('neighbours', options => { timeout_ms => 1000 });
my $other = CallsyncSandbox->start(dialects => ['hubspot']);
$other->config({ limits => 'off' });
my $options = CallsyncDelivery::json({ base_url => $other->url, allow_addresses => ['127.0.0.1/32'], region => 'US', retry => $CallsyncDelivery::FAST_RETRY,
	limits => { burst => { rate => 10000, per_s => 1 } } });
CallsyncDelivery::q1($node, "SELECT callsync.create_destination('other', 'hubspot', '$options'); SELECT callsync.set_secret('other', 'bearer_token', 'pat-1')");

# ---- one hangs ----
$crm->fault({ action => 'hang', count => -1 });
$node->safe_psql('postgres', <<'SQL');
INSERT INTO calls (id, phone, name, started_at, summary)
SELECT 'n' || i, '415' || lpad((5550000 + i)::text, 7, '0'), 'Caller ' || i, '2026-11-20 10:00:00+00', 'x' FROM generate_series(1, 100) i;
SQL
ok($node->poll_query_until('postgres', "SELECT count(*) = 100 FROM callsync.call_sync WHERE destination = 'other' AND status = 'synced'"), 'the neighbour gets all');
is($other->count('calls'), 100, 'it has them');
ok($node->poll_query_until('postgres', "SELECT breaker <> 'closed' FROM callsync.destination_status WHERE destination = 'crm'"), 'the one that hangs is left alone');
is(CallsyncDelivery::q1($node, "SELECT breaker FROM callsync.destination_status WHERE destination = 'other'"), 'closed', 'the neighbour is not');
$crm->clear_faults;
CallsyncDelivery::idle($node, 90);
is(CallsyncDelivery::q1($node, "SELECT destination, status, count(*) FROM callsync.call_sync GROUP BY 1, 2 ORDER BY 1"), "crm|synced|100\nother|synced|100", 'all arrive');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'once each');

# ---- credential revoked ----
$other->config({ tokens => { mode => 'strict', static_tokens => ['pat-1'] } });
$other->tokens({ action => 'revoke' });
CallsyncDelivery::call($node, 'a1');
ok($node->poll_query_until('postgres', "SELECT last_error_class = 'auth' FROM callsync.destination_status WHERE destination = 'other'"), 'refused credential is seen');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.alerts WHERE kind = 'auth' AND cleared_at IS NULL"), 'people are told');
ok($node->poll_query_until('postgres', "SELECT status = 'synced' FROM callsync.call_sync WHERE call_id = 'a1' AND destination = 'crm'"), 'the neighbour does not notice');
my $tries = scalar @{ $other->requests(status => 401, bodies => 0) };
cmp_ok($tries, '<=', 10, "no flood of refused requests ($tries)");
is(CallsyncDelivery::q1($node, "SELECT status, error_class FROM callsync.call_sync WHERE call_id = 'a1' AND destination = 'other'"), 'waiting_retry|auth', 'the call waits');
$other->config({ tokens => { mode => 'strict', static_tokens => ['pat-2'] } });
CallsyncDelivery::q1($node, "SELECT callsync.set_secret('other', 'bearer_token', 'pat-2')");
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = 'a1' AND destination = 'other'"), 'synced', 'a new credential, and it goes on at once');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM callsync.alerts WHERE kind = 'auth' AND cleared_at IS NULL"), 'the alert is cleared');

# ---- pause, dry run ----
CallsyncDelivery::q1($node, "SELECT callsync.pause('other')");
$other->clear_requests;
CallsyncDelivery::call($node, 'd1');
CallsyncDelivery::idle($node, 30, 'idle does not wait for a paused destination');
is(CallsyncDelivery::q1($node, "SELECT destination, status FROM callsync.call_sync WHERE call_id = 'd1' ORDER BY 1"), "crm|synced\nother|paused", 'paused');
is(scalar @{ $other->call_requests }, 0, 'nothing was sent');
CallsyncDelivery::q1($node, q{SELECT callsync.alter_destination('other', '{"dry_run": true}'); SELECT callsync.resume('other')});
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = 'd1' AND destination = 'other'"), 'excluded', 'a dry run delivers nothing');
is(scalar @{ $other->call_requests }, 0, 'and sends nothing');
like(CallsyncDelivery::q1($node, "SELECT string_agg(outcome || ' ' || request, ' ') FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.call_id = 'd1' AND d.destination = 'other'"),
	qr/dry_run .*boiler/s, 'but shows what it would have sent');
CallsyncDelivery::q1($node, q{SELECT callsync.alter_destination('other', '{"dry_run": false}'); SELECT callsync.resync(ARRAY['d1'], 'other')});
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = 'd1' AND destination = 'other'"), 'synced', 'afterwards resync() delivers');
is(CallsyncDelivery::q1($node, "SELECT string_agg(DISTINCT action, ' ' ORDER BY action) FROM callsync.audit_log WHERE object = 'other'"),
	'alter_destination create_destination pause resume resync set_secret', 'what people did is recorded');
done_testing();
