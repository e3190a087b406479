# A writer that drew its ids early and commits late: nothing that came after it waits, and its own
# calls go out at once when it commits. Then the copy guard: another callsync.instance on the same data.
use strict;
use warnings;

use Test::More;
use Time::HiRes ();

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('late', conf => "callsync.instance = 'production'\nmax_prepared_transactions = 5\n");

sub q1 { return CallsyncDelivery::q1($node, @_) }

sub wait_for
{
	my ($query, $want, $name) = @_;
	ok($node->poll_query_until('postgres', $query, $want), $name);
	return;
}

sub insert
{
	my ($id, $phone) = @_;
	return "INSERT INTO calls (id, phone, name, started_at, ended_at, summary) VALUES ('$id', '$phone', 'Caller $id', now(), now(), 's')";
}

# an early transaction with two calls, one before and one after others drew theirs
my $early = $node->background_psql('postgres');
$early->query_safe('BEGIN');
$early->query_safe(insert('early-1', '4155552001'));
q1(insert('between', '4155552002'));
$early->query_safe(insert('early-2', '4155552003'));
# one that is prepared and one that gives up leave holes as well
q1("BEGIN; " . insert('prepared', '4155552004') . "; PREPARE TRANSACTION 'p'");
q1("BEGIN; " . insert('given-up', '4155552005') . "; ROLLBACK");

my $count = 2000;
q1("INSERT INTO calls (id, phone, name, started_at, ended_at, summary)
	SELECT 'later-' || i, '415556' || lpad((i % 500)::text, 4, '0'), 'Later ' || i % 500, now(), now(), 'later ' || i FROM generate_series(1, $count) i");
wait_for("SELECT count(*) FROM callsync.call_sync WHERE call_id LIKE 'later-%' AND status = 'synced'", $count,
	"$count later calls are delivered while an earlier writer is open");
is(q1("SELECT count(*) FROM callsync.call_sync WHERE call_id LIKE 'early%' OR call_id = 'prepared'"), 0, 'nothing is seen of what is not committed');

$early->query_safe('COMMIT');
$early->quit;
wait_for("SELECT count(*) FROM callsync.call_sync WHERE call_id LIKE 'early-%' AND status = 'synced'", 2, 'its own calls are delivered (how soon: bench/delivery)');
q1("COMMIT PREPARED 'p'");
wait_for("SELECT status FROM callsync.call_sync WHERE call_id = 'prepared'", 'synced', 'a prepared transaction is delivered after COMMIT PREPARED');
is(q1("SELECT count(*) FROM callsync.call WHERE call_id = 'given-up'"), 0, 'what was rolled back is not');

# ---- the copy guard ----
CallsyncDelivery::idle($node);
my $requests = scalar @{ $crm->call_requests };
$node->append_conf('postgresql.conf', "callsync.instance = 'staging'\n");
$node->restart;
wait_for("SELECT callsync.wait_until_running('10s')", 't', 'the worker of the copy runs');
q1(insert('of-the-copy', '4155552006'));
wait_for("SELECT count(*) FROM callsync.alerts WHERE kind = 'copy' AND cleared_at IS NULL", 1, 'an alert says that this is a copy');
wait_for("SELECT status FROM callsync.call_sync WHERE call_id = 'of-the-copy'", 'paused', 'its call waits');
is(scalar @{ $crm->call_requests }, $requests, 'a copy sends nothing');
q1('SELECT callsync.adopt()');
wait_for("SELECT status FROM callsync.call_sync WHERE call_id = 'of-the-copy'", 'synced', 'until it is adopted');
cmp_ok(scalar @{ $crm->call_requests }, '>', $requests, 'then it sends');

done_testing();
