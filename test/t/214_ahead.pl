# Requests are armed before there is a place on the wire for them. What is learned of the destination in
# between holds for them, too: they do not leave, are on record as not sent, and go when it is time.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my $secret = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
my $calls = 160;
my ($node, $crm) = CallsyncDelivery::start('ahead', connector => 'webhook', path => '/hook/calls', secrets => { signing_secret => $secret },
	options => { limits => { concurrency => 6, burst => { rate => 100000, per_s => 1 } } });
$crm->config({ secrets => [$secret], dedup => 1, store => 1, latency_ms => 25 });

# what reached it is what was sent, once each, and nothing is left open
sub agrees
{
	my ($name) = @_;
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM callsync.attempts WHERE finished_at IS NULL"), "$name: no attempt is left open");
	is(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.attempts WHERE outcome <> 'no_answer'"),
		scalar @{ $crm->call_requests }, "$name: as many requests as attempts that left");
	note("$name: " . CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.attempts WHERE outcome = 'no_answer'") . ' withdrawn so far');
	return;
}

sub insert
{
	my ($prefix) = @_;
	return $node->safe_psql('postgres', <<"SQL");
INSERT INTO calls (id, phone, name, started_at, summary)
SELECT '$prefix' || i, '415' || lpad((5550000 + i)::text, 7, '0'), 'Caller ' || i, '2026-11-20 10:00:00+00', 'x' FROM generate_series(1, $calls) i;
SQL
}

# ---- the server says "not now" ----
$crm->fault({ action => 'status', status => 429, retry_after => 1, count => 3, after => 100, match => { method => 'POST' } });
insert('a');
CallsyncDelivery::idle($node, 180);
is(CallsyncDelivery::q1($node, "SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), "synced|$calls", 'all arrive');
is($crm->count('hooks'), $calls, 'once each');
agrees('Retry-After');

# ---- it goes down and comes back ----
$crm->fault({ action => 'status', status => 503, count => 12, after => 60, match => { method => 'POST' } });
insert('b');
CallsyncDelivery::idle($node, 180);
is($crm->count('hooks'), 2 * $calls, 'all of the next arrive, once each');
agrees('breaker');

# ---- people pause it ----
insert('c');
ok($node->poll_query_until('postgres', "SELECT count(*) > 20 FROM callsync.call_sync WHERE call_id ~ '^c' AND status = 'synced'"), 'it is under way');
CallsyncDelivery::q1($node, "SELECT callsync.pause('crm')");
CallsyncDelivery::idle($node, 180, 'paused: what was on the wire is settled');
agrees('pause');
CallsyncDelivery::q1($node, "SELECT callsync.resume('crm')");
CallsyncDelivery::idle($node, 180);
is($crm->count('hooks'), 3 * $calls, 'the rest follows, once each');
agrees('resume');
is(CallsyncDelivery::q1($node, "SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|' . 3 * $calls, 'and all is synced');

# ---- the database turns out to be a copy while requests are armed ----
insert('d');
ok($node->poll_query_until('postgres', "SELECT count(*) > 20 FROM callsync.call_sync WHERE call_id ~ '^d' AND status = 'synced'"), 'under way again');
$node->append_conf('postgresql.conf', "callsync.instance = 'elsewhere'");
$node->reload;
ok($node->poll_query_until('postgres', "SELECT bool_and(is_copy) FROM callsync.worker_status WHERE state = 'running'"), 'the worker has seen it');
agrees('copy');
my $sent = scalar @{ $crm->call_requests };
$node->append_conf('postgresql.conf', "callsync.instance = ''");
is(scalar @{ $crm->call_requests }, $sent, 'nothing is sent from it');
$node->reload;
ok($node->poll_query_until('postgres', 'SELECT NOT paused FROM callsync.destination_status'), 'at home again');
CallsyncDelivery::idle($node, 180);
is($crm->count('hooks'), 4 * $calls, 'the rest follows, once each');
agrees('home');

# ---- what is stored goes out as it is, whatever it is ----
CallsyncDelivery::q1($node, "SELECT callsync.pause('crm')");
$crm->clear_requests;
CallsyncDelivery::call($node, 'odd');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.deliveries WHERE call_id = 'odd'"), 'planned');
my $odd = q({"int": 9007199254740993, "negative": -9223372036854775808, "real": 1.5, "tiny": 0.0001, "text": "\"é\\\u4e2d\ud83d\ude00\n", "empty": "", "none": null, "yes": true, "no": false, "list": [], "object": {}, "deep": [[[{"a": [1, {"b": [null]}]}]], 2]});
$node->safe_psql('postgres', "UPDATE callsync.delivery SET fields = fields || jsonb_build_object('odd', \$j\$$odd\$j\$::jsonb) WHERE call_id = 'odd'");
CallsyncDelivery::q1($node, "SELECT callsync.resume('crm')");
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT (request::jsonb -> 'data' -> 'odd') = \$j\$$odd\$j\$::jsonb FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.call_id = 'odd' AND a.outcome = 'ok'"),
	't', 'numbers, texts, empty and nested values');
done_testing();
