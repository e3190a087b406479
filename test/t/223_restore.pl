# A database with work pending moves: by pg_dump into a new cluster, by the promotion of a standby. Everything is delivered once: what was
# delivered before is known there, what was captured, planned, waiting for a retry or in doubt goes on. The dump's cluster sends nothing before adopt().
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('origin', conf => "wal_level = replica\nmax_wal_senders = 4\nhot_standby = on\n");
sub on { my ($n, $sql) = @_; return $n->safe_psql('postgres', $sql); }
sub statuses { return on($_[0], "SELECT string_agg(status || ' ' || n, ', ' ORDER BY status) FROM (SELECT status, count(*) AS n FROM callsync.call_sync GROUP BY 1) x"); }

# done; an answer lost; waiting for a retry; planned behind them; captured only
CallsyncDelivery::call($node, "done$_", phone => "415555600$_") for 1 .. 5;
CallsyncDelivery::idle($node);
on($node, "SELECT callsync.alter_destination('crm', '{\"retry\": {\"transient\": {\"base_ms\": 3600000, \"floor_ms\": 3600000, \"cap_ms\": 3600000}, \"uncertain\": {\"base_ms\": 3600000, \"floor_ms\": 3600000, \"cap_ms\": 3600000}}}')");
$crm->fault({ action => 'drop_after', match => { path => '/contacts/' }, count => 1 });
CallsyncDelivery::call($node, 'doubt', phone => '4155556010');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.call_id = 'doubt' AND d.step = 'contact' AND a.outcome = 'unknown'"),
	'the answer to a contact was lost');
$crm->fault({ action => 'status', status => 503, count => 1, match => { method => 'POST' } });
CallsyncDelivery::call($node, 'retry', phone => '4155556011');
ok($node->poll_query_until('postgres', "SELECT status = 'waiting_retry' FROM callsync.call_sync WHERE call_id = 'retry'"), 'one waits for a retry');
on($node, "SELECT callsync.pause('crm')");
CallsyncDelivery::call($node, "planned$_", phone => "415555602$_") for 1 .. 3;
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM callsync.outbox'), 'some are planned');
on($node, 'SELECT callsync.stop()');
CallsyncDelivery::call($node, "captured$_", phone => "415555603$_") for 1 .. 3;
# an update of one that is delivered, and of one that is only planned
on($node, "UPDATE calls SET summary = 'changed' WHERE id IN ('done1', 'planned1')");
$crm->clear_faults;
my $requests = scalar @{ $crm->call_requests };

# a new cluster with the same key
my $dump = $node->basedir . '/dump';
command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
my $key = $new->basedir . '/callsync.key';
append_to_file($key, slurp_file($node->basedir . '/callsync.key'));
chmod 0600, $key;
$new->append_conf('postgresql.conf', "callsync.key_file = '$key'\ncallsync.naptime = '200ms'\nshared_preload_libraries = 'callsync'\ncallsync.databases = 'postgres'\nautovacuum_naptime = 1min\n");
$new->start;
command_ok([ 'pg_restore', '-d', $new->connstr('postgres'), '--exit-on-error', $dump ], 'pg_restore');
ok($new->poll_query_until('postgres', "SELECT is_copy AND state = 'running' FROM callsync.worker_status WHERE worker = 0"), 'it runs, and knows that it is a copy');
is(on($new, "SELECT bool_and(paused) FROM callsync.destination"), 't', 'nothing may be sent from it');
CallsyncDelivery::call($new, 'new', phone => '4155556040');
is(on($new, 'SELECT count(*) > 0 FROM callsync.outbox'), 't', 'calls are captured there meanwhile');
is(scalar @{ $crm->call_requests }, $requests, 'nothing was sent');

# the original is gone for good
$node->stop;
on($new, 'SELECT callsync.adopt()');
on($new, "SELECT callsync.alter_destination('crm', '{\"retry\": null}')");
on($new, "SELECT callsync.resume('crm')");
# what waited for the retry of the old schedule is an hour away
$new->append_conf('postgresql.conf', "callsync.clock_offset = 7300\n");
$new->reload;
CallsyncDelivery::idle($new, 120, 'after adopt() everything is delivered');
is(statuses($new), 'synced 14', 'all of it');
is($crm->count('calls'), 14, 'once');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'no call twice');
is_deeply($crm->duplicates('contacts', 'phone'), [], 'no caller twice');
my %body = map { $_->{properties}{callsync_key} => $_->{properties}{hs_call_body} } @{ $crm->records('calls') };
like($body{"phones/$_/call"}, qr/changed/, "$_ as of its last version") for qw(done1 planned1);
is(on($new, "SELECT count(*) FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.call_id LIKE 'done%' AND d.call_id <> 'done1' AND a.started_at > (SELECT recorded_at FROM callsync.installation)"),
	'0', 'what was delivered before is not sent again');

# ---- a standby of the new one takes over, in the middle of it ----
$new->append_conf('postgresql.conf', "wal_level = replica\nmax_wal_senders = 4\n");
$new->restart;
$new->backup('standby');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($new, 'standby', has_streaming => 1);
$standby->start;
ok($new->poll_query_until('postgres', "SELECT callsync.wait_until_running('10s')"), 'the primary works');
$crm->fault({ action => 'hang', count => -1 });
CallsyncDelivery::call($new, "moved$_", phone => "415555605$_") for 1 .. 4;
ok($new->poll_query_until('postgres', "SELECT count(*) > 0 FROM callsync.deliveries WHERE state = 'sending'"), 'requests are under way');
CallsyncDelivery::call($new, 'unplanned', phone => '4155556060');
$new->wait_for_catchup($standby);
$new->stop('immediate');
$crm->clear_faults;
$standby->promote;
CallsyncDelivery::idle($standby, 120, 'the promoted standby goes on by itself');
is(statuses($standby), 'synced 19', 'all synced');
is($crm->count('calls'), 19, 'once each');
is_deeply($crm->duplicates('calls', 'callsync_key'), [], 'no call twice');
is_deeply($crm->duplicates('contacts', 'phone'), [], 'no caller twice');
is(on($standby, 'SELECT count(*) FROM callsync.alerts WHERE kind = $$copy$$ AND cleared_at IS NULL'), '0', 'and is no copy');
done_testing();
