# Modes of a destination: real-time, batch, hybrid by stored rules, the end of a campaign, and maintenance windows. Time passes by
# callsync.clock_offset.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('modes');
sub q1 { return CallsyncDelivery::q1($node, @_); }
sub alter { return q1("SELECT callsync.alter_destination('crm', \$j\$$_[0]\$j\$)"); }
sub planned { ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM callsync.outbox'), $_[0]); return; }

my $offset = 0;
# hours pass for the workers
sub hours_pass
{
	$offset += $_[0] * 3600;
	$node->append_conf('postgresql.conf', "callsync.clock_offset = '${offset}s'\n");
	$node->reload;
	return;
}
# a time of the day that is h hours from now for the workers
sub from_now { return q1("SELECT to_char((clock_timestamp() + interval '$offset s $_[0] h') AT TIME ZONE 'UTC', 'HH24:MI')"); }

# batch: planned at once, shown with its time, sent when that comes
alter('{"mode": "batch", "schedule": {"at": "' . from_now(10) . '"}, "thresholds": {"batch_lag_s": 1800}}');
CallsyncDelivery::call($node, "b$_", phone => "415555300$_") for 1 .. 3;
planned('planned');
is(q1("SELECT status, count(*), bool_and(next_attempt_at > now() + interval '9 hours') FROM callsync.call_sync GROUP BY 1"), 'pending|3|t', 'waits for its batch, and says when that is');
is(q1("SELECT mode, next_batch_at > now() + interval '9 hours', maintenance_until IS NULL, lag >= interval '0' FROM callsync.destination_status"), 'batch|t|t|t',
	'destination_status knows the mode and the next batch');
is(q1("SELECT value < 60 FROM callsync.health WHERE metric = 'data_lag'"), 't', 'waiting for a batch is no lag');
# a newer version takes the older one's place
q1("UPDATE calls SET summary = 'version 2' WHERE id = 'b1'");
planned('the update is planned, too');
is(scalar @{ $crm->call_requests }, 0, 'nothing was sent');
hours_pass(11);
CallsyncDelivery::idle($node, 60, 'the batch goes');
is(q1("SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|3', 'synced');
is($crm->count('calls'), 3, 'once each');
is(scalar(grep { $_->{properties}{hs_call_body} =~ /version 2/ } @{ $crm->records('calls') }), 1, 'the newest version');
my @sent = @{ $crm->requests(method => 'POST', path => 'calls/batch/upsert') };
cmp_ok(scalar @sent, '<', 3, 'together');
cmp_ok(scalar @sent, '>', 0, 'by batch requests');

# somebody asks for one of them: at once
$crm->clear_requests;
q1("SELECT callsync.resync(ARRAY['b2'])");
CallsyncDelivery::idle($node, 60, 'resync() does not wait for the batch');
cmp_ok(scalar @{ $crm->call_requests }, '>', 0, 'it was sent');

# a batch that fails is noticed
$crm->fault({ action => 'status', status => 503, count => -1 });
CallsyncDelivery::call($node, 'b4', phone => '4155553004');
planned('the next one');
hours_pass(24);
ok($node->poll_query_until('postgres', "SELECT sum(attempts) > 0 FROM callsync.call_sync WHERE call_id = 'b4'"), 'tried');
hours_pass(1);
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.alerts WHERE kind = 'batch_behind' AND cleared_at IS NULL"), 'people are told that the batch is late');
$crm->clear_faults;
q1("SELECT callsync.resume('crm')");
CallsyncDelivery::idle($node, 60, 'mended');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM callsync.alerts WHERE kind = 'batch_behind' AND cleared_at IS NULL"), 'the alert is cleared');

# hybrid: short calls wait, payments do not
alter('{"mode": "hybrid", "schedule": {"at": "' . from_now(10) . '"}, "rules": [{"when": {"disposition": "payment"}, "mode": "realtime"},
	{"when": {"duration_s": {"lt": 30}}, "mode": "batch"}]}');
CallsyncDelivery::call($node, 'h1', phone => '4155553011', duration => 12);
CallsyncDelivery::call($node, 'h2', phone => '4155553012', duration => 12, disposition => 'payment');
CallsyncDelivery::call($node, 'h3', phone => '4155553013', duration => 120);
$crm->wait_records('calls', 6);
planned('all planned');
ok($node->poll_query_until('postgres', "SELECT string_agg(call_id, ' ' ORDER BY call_id) = 'h2 h3' FROM callsync.call_sync WHERE call_id LIKE 'h%' AND status = 'synced'"),
	'a payment and a long call are there at once');
is(q1("SELECT status, next_attempt_at > now() FROM callsync.call_sync WHERE call_id = 'h1'"), 'pending|t', 'the short call waits');
# it becomes a payment: what waits is overtaken
q1("UPDATE calls SET disposition = 'payment', summary = 'paid after all' WHERE id = 'h1'");
$crm->wait_records('calls', 7);
hours_pass(11);
CallsyncDelivery::idle($node, 60, 'the batch goes');
is(scalar @{ $crm->records('calls', property => 'callsync_key', value => 'phones/h1/call') }, 1, 'once');
is(q1("SELECT status FROM callsync.call_sync WHERE call_id = 'h1'"), 'synced', 'synced');
is($crm->records('calls', property => 'callsync_key', value => 'phones/h1/call')->[0]{properties}{hs_call_body} =~ /paid after all/ ? 1 : 0, 1, 'the newer version stands');

# the end of a campaign
alter('{"mode": "batch", "schedule": "campaign_end", "rules": null}');
CallsyncDelivery::call($node, 'k1', phone => '4155553021', fields => '{"campaign": "spring"}');
CallsyncDelivery::call($node, 'k2', phone => '4155553022', fields => '{"campaign": "autumn"}');
planned('planned');
my $before = $crm->count('calls');
is(q1("SELECT callsync.send_now('crm', '{\"fields\": {\"campaign\": \"spring\"}}') > 0"), 't', 'send_now() of a campaign');
$crm->wait_records('calls', $before + 1);
is(q1("SELECT status FROM callsync.call_sync WHERE call_id = 'k2'"), 'pending', 'the other campaign waits');
alter('{"mode": "realtime", "schedule": null}');
CallsyncDelivery::idle($node, 60, 'back to real-time: what waited goes');
is($crm->count('calls'), $before + 2, 'both are there');

# maintenance: nothing is sent, everything is planned
$crm->clear_requests;
my ($from, $until) = split /\|/, q1("SELECT to_char((clock_timestamp() + interval '$offset s') AT TIME ZONE 'UTC' - interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
	to_char((clock_timestamp() + interval '$offset s') AT TIME ZONE 'UTC' + interval '5 hours', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
alter(qq({"maintenance": [{"from": "$from", "until": "$until"}]}));
CallsyncDelivery::call($node, "m$_", phone => "415555303$_") for 1 .. 3;
planned('calls are captured and planned during maintenance');
q1("SELECT callsync.wake(true)");
is(q1("SELECT status, count(*) FROM callsync.call_sync WHERE call_id LIKE 'm%' GROUP BY 1"), 'pending|3', 'they wait');
is(scalar @{ $crm->call_requests }, 0, 'nothing was sent');
hours_pass(6);
CallsyncDelivery::idle($node, 60, 'after it they go');
is(q1("SELECT status, count(*) FROM callsync.call_sync WHERE call_id LIKE 'm%' GROUP BY 1"), 'synced|3', 'synced');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'nothing twice');
done_testing();
