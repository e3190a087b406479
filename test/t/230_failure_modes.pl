# The six failure modes of CRM integrations, by rank (requirement G10): each is provoked, and none does what it is known for.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;
use CallsyncHooks;

my ($node, $crm) = CallsyncDelivery::start('modes', secrets => { bearer_token => 'pat-1' });
sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub once { my ($id) = @_; return is(scalar @{ $crm->records('calls', property => 'callsync_key', value => "phones/$id/call") }, 1, "$id is there once"); }
sub status { return q1("SELECT status FROM callsync.call_sync WHERE call_id = '$_[0]'"); }

subtest 'duplicates from retries' => sub {
	# the CRM does the work and its answer is lost, at each kind of write; then it fails, and then it works
	$crm->fault([ { dialect => 'hubspot', action => 'drop_after', match => { path => '/contacts/' }, count => 2 },
		{ dialect => 'hubspot', action => 'drop_after', match => { path => '/calls/' }, count => 2 },
		{ dialect => 'hubspot', action => 'status', status => 502, match => { path => '/calls/' }, after => 2, count => 1 } ]);
	CallsyncDelivery::call($node, 'dup', phone => '4155557001', task => '{"action": "call_back", "due_at": "2026-11-23T09:00:00Z"}');
	CallsyncDelivery::idle($node);
	is(status('dup'), 'synced', 'synced');
	cmp_ok(q1("SELECT count(*) FROM callsync.attempts WHERE outcome = 'unknown'"), '>=', 2, 'answers were lost');
	once('dup');
	is($crm->count('contacts'), 1, 'one contact');
	is($crm->count('tasks'), 1, 'one task');
};

subtest 'silent loss' => sub {
	# accepted, and nothing is there
	$crm->fault({ action => 'store_nothing', object => 'calls', count => 1, match => { record => 'silent' } });
	CallsyncDelivery::call($node, 'silent', phone => '4155557002', summary => 'silent');
	CallsyncDelivery::idle($node);
	is(q1("SELECT status, failure_kind FROM callsync.call_sync WHERE call_id = 'silent'"), 'partial|silent', 'found out by reading back');
	is(q1("SELECT count(*) FROM callsync.dead_letters WHERE call_id = 'silent' AND step = 'call'"), '1', 'kept');
	q1("SELECT callsync.redrive('crm', '{\"call_id\": \"silent\"}', false)");
	CallsyncDelivery::idle($node);
	once('silent');
};

subtest 'validation reject discarded' => sub {
	$crm->fault({ action => 'reject_record', object => 'calls', match => { record => 'refused' }, count => 1, code => 'INVALID', field => 'hs_call_body', message => 'no such words here' });
	CallsyncDelivery::call($node, 'rejected', phone => '4155557003', summary => 'refused');
	CallsyncDelivery::idle($node);
	like(q1("SELECT last_error FROM callsync.dead_letters WHERE call_id = 'rejected'"), qr/no such words here/, "kept, in the CRM's own words");
	is(q1("SELECT field FROM callsync.field_writes WHERE call_id = 'rejected' AND status = 'rejected'"), 'hs_call_body', 'the field is named');
	is(status('rejected'), 'partial', 'and shown');
	cmp_ok(q1("SELECT count(*) FROM callsync.alerts WHERE kind = 'dead_letter' AND cleared_at IS NULL"), '>=', 1, 'people are told');
	q1("SELECT callsync.redrive('crm', '{\"call_id\": \"rejected\"}', false)");
	CallsyncDelivery::idle($node);
	once('rejected');
};

subtest 'token expiry mid-campaign' => sub {
	$crm->config({ tokens => { mode => 'strict', static_tokens => ['pat-1'] } });
	CallsyncDelivery::call($node, "campaign$_", phone => "415555711$_") for 1 .. 3;
	CallsyncDelivery::idle($node);
	$crm->tokens({ action => 'revoke' });
	CallsyncDelivery::call($node, "campaign$_", phone => "415555711$_") for 4 .. 6;
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.alerts WHERE kind = 'auth' AND cleared_at IS NULL"), 'people are told at once');
	is(q1("SELECT count(*) FROM callsync.dead_letters WHERE call_id LIKE 'campaign%'"), '0', 'nothing is given up');
	$crm->config({ tokens => { mode => 'strict', static_tokens => ['pat-2'] } });
	ok($node->poll_query_until('postgres', 'SELECT in_flight = 0 FROM callsync.worker_status'), 'nothing more is tried meanwhile');
	q1("SELECT callsync.set_secret('crm', 'bearer_token', 'pat-2')");
	CallsyncDelivery::idle($node);
	is(q1("SELECT status, count(*) FROM callsync.call_sync WHERE call_id LIKE 'campaign%' GROUP BY 1"), 'synced|6', 'the queue was kept');
	once("campaign$_") for 1 .. 6;
	$crm->config({ tokens => { mode => 'any' } });
};

subtest 'event ordering' => sub {
	# the last word comes first, while the CRM answers slowly
	q1(q(SELECT callsync.create_source('hooks', 'generic', '{"region": "US"}')));
	$crm->fault({ action => 'delay', ms => 100, count => 6 });
	CallsyncHooks::ingest($node, 'hooks', $_) for
		'{"call_id": "o1", "event_type": "sentiment.scored", "timestamp": "2026-11-20T10:05:00Z", "sentiment": "positive", "summary": "the last word"}',
		'{"call_id": "o1", "event_type": "call.ended", "timestamp": "2026-11-20T10:03:00Z", "disposition": "completed", "duration_s": 180, "summary": "an earlier word", "caller": {"phone": "+14155557201"}}',
		'{"call_id": "o1", "event_type": "call.started", "timestamp": "2026-11-20T10:00:00Z", "direction": "inbound", "caller": {"phone": "+14155557201"}}';
	CallsyncDelivery::idle($node);
	is(q1("SELECT document ->> 'summary', status <> 'in_progress' FROM callsync.call WHERE call_id = 'o1'"), 'the last word|t', 'the latest by event time counts, and the status does not go back');
	my $records = $crm->records('calls', property => 'callsync_key', value => 'hooks/o1/call');
	is(scalar @$records, 1, 'one call log');
	like($records->[0]{properties}{hs_call_body}, qr/the last word/, 'with the last word');
};
subtest 'rate-limit exhaustion' => sub {
	# refused for being too many, again and again
	$crm->fault({ action => 'throttle', retry_after => 1, count => 3, match => { method => 'POST' } });
	q1("INSERT INTO calls (id, phone, name, started_at, summary) SELECT 'burst' || i, '415556' || lpad(i::text, 4, '0'), 'Caller ' || i, now(), 'x' FROM generate_series(1, 150) i");
	CallsyncDelivery::idle($node, 120);
	is(q1("SELECT status, count(*) FROM callsync.call_sync WHERE call_id LIKE 'burst%' GROUP BY 1"), 'synced|150', 'queued, not dropped');
	cmp_ok(scalar @{ $crm->requests(status => 429, bodies => 0) }, '>=', 1, 'the CRM said no');
	is(q1("SELECT count(*) FROM callsync.dead_letters WHERE call_id LIKE 'burst%'"), '0', 'nothing was given up');
};

done_testing();
