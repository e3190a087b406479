# test_destination(): what a worker finds out about a destination without writing anything there.
use strict;
use warnings;

use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('testdest');

sub q1 { return CallsyncDelivery::q1($node, @_) }
sub test_rows { my ($where) = @_; return q1("SELECT area, item, ok FROM callsync.test_destination('crm') WHERE $where ORDER BY 1, 2"); }

$crm->clear_requests;
is(test_rows("area IN ('worker', 'auth')"), "auth|probe|t\nworker|running|t", 'the credential is taken');
is(scalar(grep { $_->{method} ne 'GET' } @{ $crm->requests }), 0, 'only by reading');
is($crm->count('contacts') + $crm->count('calls'), 0, 'nothing is written');
is(test_rows("area = 'describe' AND item IN ('call', 'contact', 'task')"), "describe|call|t\ndescribe|contact|t\ndescribe|task|t", 'each object is described');
is(test_rows("area = 'field' AND NOT ok"), '', 'each mapped field can be written');
is(test_rows("area = 'field' AND item = 'call.hs_call_duration'"), 'field|call.hs_call_duration|t', 'field by field');
ok(q1("SELECT count(*) FROM callsync.test_destination('crm') WHERE area = 'limits' AND ok AND detail LIKE '%are free'") >= 1, 'limits');
ok(q1("SELECT count(*) FROM callsync.requests WHERE kind = 'probe' AND outcome = 'ok'") >= 1, 'the requests are on record');

$crm->schema({ action => 'remove_field', object => 'tasks', field => 'hs_task_priority' });
like(test_rows("area = 'field' AND NOT ok"), qr/^field\|task\.hs_task_priority\|f$/, 'a mapped field that is gone');

$crm->config({ tokens => { mode => 'strict', static_tokens => ['another-token'] } });
is(test_rows("area = 'auth'"), 'auth|probe|f', 'a credential that is not taken');
like(q1("SELECT detail FROM callsync.test_destination('crm') WHERE area = 'auth'"), qr/^HTTP 401/, 'with the answer');
unlike(q1("SELECT string_agg(detail, ' ') FROM callsync.test_destination('crm')"), qr/sandbox-token/, 'and without the token');
$crm->config({ tokens => { mode => 'any' } });
$crm->down(how => 'refuse');
like(q1("SELECT detail FROM callsync.test_destination('crm') WHERE area = 'auth'"), qr/^no answer/, 'nobody there');
$crm->up;

q1("SELECT callsync.pause('crm')");
is(test_rows("area = 'auth'"), 'auth|probe|t', 'also while it is paused');

q1("SELECT callsync.create_destination('none', 'hubspot', '{\"base_url\": \"http://127.0.0.1:9\", \"allow_addresses\": [\"127.0.0.1/32\"]}')");
like(q1("SELECT detail FROM callsync.test_destination('none') WHERE area = 'auth'"), qr/[Ss]ecret "\w+" is not set/, 'a secret that is missing');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT * FROM callsync.test_destination('nobody')");
like($err, qr/destination "nobody" does not exist/, 'no such destination');
($rc, $out, $err) = $node->psql('postgres', "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM callsync.test_destination('crm')");
like($err, qr/cannot run at isolation level repeatable read/, 'where it could not see the answer');
like($node->safe_psql('postgres', "BEGIN; SELECT callsync.create_destination('fresh', 'webhook', '{\"base_url\": \"https://example.invalid\"}'); SELECT detail FROM callsync.test_destination('fresh'); ROLLBACK"),
	qr/COMMIT first/, 'in the transaction that made it');
is(q1("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1129512965"), 0, 'no lock is left behind');

q1('SELECT callsync.stop()');
is(q1("SELECT area || ' ' || ok::text FROM callsync.test_destination('crm')"), 'worker false', 'without a worker: a clear answer');

done_testing();
