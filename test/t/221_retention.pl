# History ends: bodies after callsync.keep_requests, deliveries and attempts after callsync.keep_history, by the worker, while calls go on.
# What somebody still has to act on stays and can be sent. Days pass by callsync.clock_offset.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('retention', conf => "callsync.keep_requests = '14d'\ncallsync.keep_history = '30d'\n");
sub q1 { return CallsyncDelivery::q1($node, @_); }
sub days
{
	$node->append_conf('postgresql.conf', 'callsync.clock_offset = ' . $_[0] * 86400 . "\n");
	$node->reload;
	return;
}

CallsyncDelivery::call($node, "c$_", phone => "415555400$_") for 1 .. 5;
CallsyncDelivery::idle($node);
# one that the CRM refuses for good
$crm->fault({ action => 'status', status => 400, match => { path => '/calls/' }, count => -1 });
CallsyncDelivery::call($node, 'dead', phone => '4155554009');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.dead_letters"), 'one dead letter');
$crm->clear_faults;
CallsyncDelivery::idle($node);
my $day = q1("SELECT DISTINCT day FROM callsync.delivery");
(my $tag = $day) =~ s/-//g;
my $attempts = q1('SELECT count(*) FROM callsync.attempts');
is(q1('SELECT count(*) > 0 FROM callsync.requests WHERE request IS NOT NULL AND response IS NOT NULL'), 't', 'bodies are kept for a while');
is(q1("SELECT callsync.prune_history('14 days', '30 days') IS NULL"), 't', 'nothing is too old');

days(16);
ok($node->poll_query_until('postgres', "SELECT bodies_gone_at IS NOT NULL FROM callsync.history_day WHERE day = '$day'"), 'after two weeks the worker removes bodies');
is(q1('SELECT count(*) FROM callsync.requests WHERE request IS NOT NULL OR response IS NOT NULL OR headers IS NOT NULL OR response_headers IS NOT NULL'), '0', 'none is left');
is(q1('SELECT count(*) FROM callsync.attempts'), $attempts, 'the attempts themselves are');
is(q1('SELECT count(*) FROM callsync.attempts WHERE finished_at IS NULL OR outcome IS NULL OR http_status IS NULL'), '0', 'with time, outcome and status');
is(q1("SELECT jsonb_array_length(callsync.preview('c1', 'crm') -> 'requests') > 0"), 't', 'preview() still tells what was sent when');

# new work in the meantime
CallsyncDelivery::call($node, 'later', phone => '4155554010');
CallsyncDelivery::idle($node);
is(q1("SELECT status FROM callsync.call_sync WHERE call_id = 'later'"), 'synced', 'calls go on');

days(45);
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM callsync.delivery d WHERE d.settled_at < now() - interval '-1 day' AND d.call_id <> 'dead'"),
	'after a month deliveries go');
ok($node->poll_query_until('postgres', "SELECT thinned_at IS NOT NULL FROM callsync.history_day WHERE day = '$day'"), 'the day is through');
is(q1("SELECT string_agg(DISTINCT call_id || ' ' || state, ', ') FROM callsync.delivery"), 'dead dead', 'but for the dead letter');
is(q1("SELECT count(*) > 0 FROM callsync.attempts"), 't', 'with its attempts');
is(q1("SELECT count(*) FROM callsync.attempt a WHERE NOT EXISTS (SELECT 1 FROM callsync.delivery d WHERE d.id = a.delivery_id)"), '0', 'and no others');
is(q1("SELECT count(*) FROM callsync.call_sync"), '7', 'what became of each call is known');
is(q1("SELECT count(*) FROM callsync.dead_letters"), '1', 'the dead letter is there');

# a reader in the way holds nobody up
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN; SELECT count(*) FROM callsync.deliveries');
is(q1("SELECT matched, redriven FROM callsync.redrive('crm', '{}', false)"), '1|1', 'redrive() of what is older than all history');
CallsyncDelivery::idle($node);
is($crm->count('calls'), 7, 'delivered');
q1("SELECT callsync.resync(ARRAY['dead'])");
CallsyncDelivery::idle($node);
is(q1("SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|7', 'resync() sends the steps that needed it');
is($crm->count('calls'), 7, 'once');
is(q1("SELECT callsync.prune_history('14 days', '30 days', now() + interval '50 days')"), 'busy', 'a reader: tried again later');
$reader->query_safe('COMMIT');
$reader->quit;
days(48);
ok($node->poll_query_until('postgres', "SELECT to_regclass('callsync.delivery_$tag') IS NULL AND to_regclass('callsync.attempt_$tag') IS NULL AND to_regclass('callsync.attempt_end_$tag') IS NULL"),
	'nothing is open: the day is dropped');
is(q1("SELECT count(*) FROM callsync.call_sync WHERE call_id = 'dead'"), '1', 'its state stays');

# a newer version of a call whose history is gone
days(0);
q1("UPDATE calls SET summary = 'much later' WHERE id = 'c1'");
CallsyncDelivery::idle($node);
is(scalar @{ $crm->records('calls', property => 'callsync_key', value => 'phones/c1/call') }, 1, 'updates the same record');
like($crm->records('calls', property => 'callsync_key', value => 'phones/c1/call')->[0]{properties}{hs_call_body}, qr/much later/, 'with what is new');
is(q1("SELECT callsync.prune_history(NULL, NULL) IS NULL AND callsync.prune_history('1 day', NULL, now() + interval '10 years') IS NOT NULL AND
	count(*) > 0 FROM callsync.delivery"), 't', 'for ever is possible');
done_testing();
