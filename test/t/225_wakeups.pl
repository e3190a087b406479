# A worker that looks for work once an hour: whatever makes something ready has to wake it, or it would lie there for that hour.
# Every wait here ends by a wake-up, or not at all.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('wakeups', conf => "callsync.naptime = '1h'\nmax_prepared_transactions = 5\nlog_lock_waits = off\n");
sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub call { return CallsyncDelivery::call($node, @_); }
# looks without waking anybody
sub becomes { my ($sql, $name) = @_; ok($node->poll_query_until('postgres', $sql), $name); return; }
sub synced { my ($id, $name) = @_; becomes("SELECT status = 'synced' FROM callsync.call_sync WHERE call_id = '$id'", $name); return; }
sub insert { my ($id) = @_; return "INSERT INTO calls (id, phone, name, started_at, summary) VALUES ('$id', '4155559100', 'W', now(), 's')"; }
sub drain { CallsyncDelivery::idle($node, 180, $_[0]); return; }
# A worker has told its counts: it tells them once a second, and would see what else there is. (A count can be lost: no test.)
sub quiet
{
	$node->poll_query_until('postgres', "SELECT s.settled_well + s.settled_badly >= (SELECT count(*) FROM callsync.deliveries d WHERE d.destination = 'crm' AND d.settled_at IS NOT NULL
		AND d.state <> 'superseded') FROM callsync.destination_status s WHERE s.destination = 'crm'");
	return;
}

call('first');
synced('first', 'a commit wakes the worker');

# What is settled without a request (here: a dry run) makes the next step ready after the commit that settled it: no answer comes to go on with.
q1("SELECT callsync.alter_destination('crm', '{\"dry_run\": true}')");
call('dry', phone => '4155559001');
becomes("SELECT count(*) > 1 AND bool_and(state = 'skipped') FROM callsync.deliveries WHERE call_id = 'dry'", 'a step after one that was settled without a request');
q1("SELECT callsync.alter_destination('crm', '{\"dry_run\": false}')");

# A destination without a credential: calls wait, and what they wait for says so.
my $options = CallsyncDelivery::json({ base_url => $crm->url, allow_addresses => ['127.0.0.1/32'], region => 'US', retry => $CallsyncDelivery::FAST_RETRY });
q1("SELECT callsync.create_destination('late', 'hubspot', \$j\$$options\$j\$)");
call('no-credential', phone => '4155559002');
becomes("SELECT token_state = 'reauth_required' FROM callsync.destination_status WHERE destination = 'late'", 'a destination without a credential says so');
becomes("SELECT count(*) > 0 FROM callsync.queue WHERE destination = 'late'", 'its calls are planned');
q1("SELECT callsync.set_secret('late', 'bearer_token', 'sandbox-token')");
becomes("SELECT status = 'synced' FROM callsync.call_sync WHERE call_id = 'no-credential' AND destination = 'late'", 'set_secret() wakes the worker');
q1("SELECT callsync.alter_destination('late', '{\"paused\": true}')");
call('paused', phone => '4155559003');
becomes("SELECT status = 'paused' FROM callsync.call_sync WHERE call_id = 'paused' AND destination = 'late'", 'planned for a paused destination');
q1("SELECT callsync.alter_destination('late', '{\"paused\": false}')");
becomes("SELECT status = 'synced' FROM callsync.call_sync WHERE call_id = 'paused' AND destination = 'late'", 'so does alter_destination()');
drain('nothing is open');
q1("SELECT callsync.drop_destination('late', true)");
quiet();

# Committed by a session that did not write it.
q1('BEGIN; ' . insert('prepared') . "; PREPARE TRANSACTION 'p'");
q1("COMMIT PREPARED 'p'");
synced('prepared', 'COMMIT PREPARED wakes the worker');

# A wake-up that comes while the worker sleeps on a lock within its transaction: that sleep takes the signal away. Nothing is sent meanwhile, so
# that no answer makes it look again.
drain('nothing is open');
quiet();
q1("SELECT callsync.pause('crm')");
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE callsync.sync_state IN SHARE MODE');
q1(insert('locked-1'));
becomes('SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND pid = ANY (callsync.worker_pids())', 'the worker waits for a lock');
q1(insert('locked-2'));
$holder->query_safe('COMMIT');
$holder->quit;
becomes("SELECT count(*) = 2 FROM callsync.call_sync WHERE call_id LIKE 'locked-_' AND status = 'paused'", 'what was committed meanwhile is planned as well');
q1("SELECT callsync.resume('crm')");
synced('locked-2', 'and sent');

# A session that knows the workers of before: the new one is woken at its first commit.
my $session = $node->background_psql('postgres');
for my $i (1 .. 5)
{
	$session->query_safe(insert("known-$i"));
	$session->query_safe('SELECT callsync.stop()');
	$session->query_safe('SELECT callsync.start()');
	$session->query_safe(insert("new-$i-$_")) for 1 .. 3;
	$node->poll_query_until('postgres', "SELECT count(*) = 4 FROM callsync.call_sync WHERE (call_id = 'known-$i' OR call_id LIKE 'new-$i-_') AND status = 'synced'")
		or last;
}
$session->quit;
is(q1("SELECT count(*) FROM callsync.call_sync WHERE (call_id LIKE 'known-%' OR call_id LIKE 'new-%') AND status = 'synced'"), '20', 'a new worker is woken by sessions that knew the one before');

# And many at once, with requests in flight: every one of them has to be the last.
for my $round (1 .. 5)
{
	my @sessions = map { my $s = $node->background_psql('postgres'); $s } 1 .. 2;
	$sessions[$_]->query_safe(insert("round-$round-$_")) for 0 .. 1;
	call("round-$round-2", phone => sprintf('415555%04d', 9200 + $round));
	$_->quit for @sessions;
	$node->poll_query_until('postgres', "SELECT count(*) = 3 FROM callsync.call_sync WHERE call_id LIKE 'round-$round-_' AND status = 'synced'") or last;
}
is(q1("SELECT count(*) FROM callsync.call_sync WHERE call_id LIKE 'round-%' AND status = 'synced'"), '15', 'three at a time, again and again');
done_testing();
