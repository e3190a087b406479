# A transaction that stays open while several workers plan thousands of calls: what it drew early is delivered when it commits, and
# meanwhile the workers remember a bounded number of gaps, however many there are.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('holes', conf => "callsync.workers = 2\nmax_worker_processes = 12\nmax_prepared_transactions = 2\n",
	connector => 'webhook', path => '/hook/calls', secrets => {}, sandbox => { log_bodies => 0 });
sub q1 { return CallsyncDelivery::q1($node, @_); }
$crm->config({ secrets => [], dedup => 1, store => 1 });
ok($node->poll_query_until('postgres', "SELECT count(*) = 2 FROM callsync.worker_status WHERE state = 'running'"), 'two workers');

my $row = "INSERT INTO calls (id, phone, name, started_at, summary) VALUES";
my $early = $node->background_psql('postgres');
$early->query_safe("BEGIN; $row ('early-1', '4155550001', 'Early', now(), 'x')");
q1("BEGIN; $row ('prepared', '4155550002', 'Prepared', now(), 'x'); PREPARE TRANSACTION 'p'");
# every statement a transaction of its own, every third is given up
my $rows = 2400;
my $script = join("\n", map { $_ % 3 == 0 ? "BEGIN; $row ('r$_', '4155550003', 'R', now(), 'x'); ROLLBACK;" : "$row ('c$_', '4155550004', 'C', now(), 'x');" } 1 .. $rows);
$early->query_safe("$row ('early-2', '4155550001', 'Early', now(), 'x')");
$node->safe_psql('postgres', $script);
$early->query_safe("$row ('early-3', '4155550001', 'Early', now(), 'x')");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM callsync.outbox'), 'planned, past the open transactions');
ok($node->poll_query_until('postgres', 'SELECT bool_and(holes BETWEEN 1 AND 513) FROM callsync.worker_status'), 'the gaps are remembered, in a bounded list');
is(q1('SELECT count(*) FROM callsync.call'), $rows * 2 / 3, 'what is committed is planned');
$early->query_safe('COMMIT');
$early->quit;
ok($node->poll_query_until('postgres', "SELECT count(*) = 3 FROM callsync.call WHERE call_id LIKE 'early%'"), 'what was drawn early and committed late is found');
q1("COMMIT PREPARED 'p'");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.call WHERE call_id = 'prepared'"), 'and what was prepared');
CallsyncDelivery::idle($node, 90);
is(q1("SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|' . ($rows * 2 / 3 + 4), 'all delivered');
is($crm->count('hooks'), $rows * 2 / 3 + 4, 'once each');
# any activity: no transaction is left that could fill a gap
q1("$row ('last', '4155550005', 'Last', now(), 'x')");
CallsyncDelivery::idle($node);
ok($node->poll_query_until('postgres', 'SELECT bool_and(holes = 0) FROM callsync.worker_status'), 'the list is empty again');
done_testing();
