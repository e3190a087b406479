# The six anti-patterns of CRM integrations (requirement G11): each by what it does to calls, and that it does not happen here.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

# nothing is found by looking every now and then: a look an hour
my ($node, $crm) = CallsyncDelivery::start('patterns', conf => "callsync.naptime = '1h'\n", options => { timeout_ms => 1500 });
sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub status { return q1("SELECT status FROM callsync.call_sync WHERE call_id = '$_[0]'"); }
sub synced { ok($node->poll_query_until('postgres', "SELECT status = 'synced' FROM callsync.call_sync WHERE call_id = '$_[0]'"), $_[1]); return; }

subtest 'timeout without retry' => sub {
	$crm->fault({ action => 'hang', match => { path => '/calls/' }, count => 1 });
	CallsyncDelivery::call($node, 'slow', phone => '4155558001');
	synced('slow', 'tried again after its deadline');
	is(q1("SELECT count(*) FROM callsync.attempts WHERE outcome = 'unknown'"), '1', 'the first try is told as unknown');
	is($crm->count('calls'), 1, 'once');
};

subtest 'polling only' => sub {
	$crm->wait_records('calls', 1);
	CallsyncDelivery::call($node, 'pushed', phone => '4155558002');
	synced('pushed', 'a commit wakes the worker, which would look once an hour');
};

subtest 'synchronous call' => sub {
	# nobody who writes a call waits for the CRM, whatever it does
	$crm->fault({ action => 'hang', count => -1 });
	q1("SET statement_timeout = '20s'; INSERT INTO calls (id, phone, name, started_at, summary) SELECT 'sync' || i, '4155558003', 'C', now(), 'x' FROM generate_series(1, 50) i");
	is(q1("SELECT count(*) FROM calls WHERE id LIKE 'sync%'"), '50', 'committed while the CRM hangs');
	is(q1("SELECT count(*) FROM callsync.call_sync WHERE call_id LIKE 'sync%' AND status = 'synced'"), '0', 'and has answered nothing');
	is(q1("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (callsync.worker_pids()) AND state = 'idle in transaction'"), '0', 'no transaction is open meanwhile');
	$crm->clear_faults;
	q1("SELECT callsync.resume('crm')");
	CallsyncDelivery::idle($node, 90);
	is(q1("SELECT status, count(*) FROM callsync.call_sync WHERE call_id LIKE 'sync%' GROUP BY 1"), 'synced|50', 'delivered when it is back');
};

subtest 'no idempotency' => sub {
	# the same call again and again, from every side
	CallsyncDelivery::call($node, 'again', phone => '4155558004', summary => 'v0');
	q1("UPDATE calls SET summary = 'v$_' WHERE id = 'again'") for 1 .. 5;
	q1("SELECT callsync.resync(ARRAY['again'])") for 1 .. 3;
	$crm->fault({ action => 'drop_after', match => { path => '/calls/' }, count => 2 });
	CallsyncDelivery::idle($node);
	q1("SELECT callsync.resync(ARRAY['again'])");
	CallsyncDelivery::idle($node);
	is(status('again'), 'synced', 'synced');
	is(scalar @{ $crm->records('calls', property => 'callsync_key', value => 'phones/again/call') }, 1, 'one record');
	is(q1("SELECT count(DISTINCT idempotency_key) FROM callsync.deliveries WHERE call_id = 'again' AND step = 'call'"), '1', 'under one key');
};

subtest 'schema drift' => sub {
	$crm->schema({ action => 'rename_field', object => 'calls', field => 'hs_call_title', to => 'title_of_call' });
	CallsyncDelivery::call($node, 'drift', phone => '4155558005');
	CallsyncDelivery::idle($node);
	isnt(status('drift'), 'synced', 'it is not called synced');
	like(q1("SELECT string_agg(field, ' ') FROM callsync.schema_drift"), qr/hs_call_title/, 'the field that is gone is named');
	cmp_ok(q1("SELECT count(*) FROM callsync.alerts WHERE cleared_at IS NULL"), '>=', 1, 'people are told');
	$crm->schema({ action => 'rename_field', object => 'calls', field => 'title_of_call', to => 'hs_call_title' });
};

subtest 'unbounded retry' => sub {
	q1(q(SELECT callsync.alter_destination('crm', '{"retry": {"transient": {"base_ms": 20, "cap_ms": 50, "floor_ms": 10, "max_attempts": 3}}, "breaker_failures": 1000}')));
	$crm->clear_requests;
	$crm->fault({ action => 'status', status => 500, match => { body => 'hopeless' }, count => -1 });
	CallsyncDelivery::call($node, 'hopeless', phone => '4155558006', summary => 'hopeless');
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.dead_letters WHERE call_id = 'hopeless' AND step = 'call'"), 'given up after its bound');
	is(q1("SELECT attempts FROM callsync.dead_letters WHERE call_id = 'hopeless' AND step = 'call'"), '3', 'of three tries');
	is(scalar @{ $crm->requests(body => 'hopeless', method => 'POST') }, 3, 'as the CRM counts them');
	$crm->clear_faults;
};
done_testing();
