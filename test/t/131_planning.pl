# From captured rows to deliveries, seen at the CRM: capture by reference, an update after the call, a
# change that says nothing new, routes, rows that were there before, resync, a second destination.
use strict;
use warnings;

use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('planning');

sub q1 { return CallsyncDelivery::q1($node, @_) }
sub call { return CallsyncDelivery::call($node, @_) }
sub idle { return CallsyncDelivery::idle($node, 60, $_[0]) }

sub stored
{
	my ($object, $key) = @_;
	my ($record) = grep { ($_->{properties}{callsync_key} // '') eq $key } @{ $crm->records($object) };
	return $record ? $record->{properties} : {};
}

# ---- by reference: the worker reads the row, as it is then ----
q1(<<'SQL');
CREATE TABLE ref_calls (a int, b text, id text, phone text, name text, summary text, ended timestamp, secret text, PRIMARY KEY (a, b));
SELECT callsync.create_source('refs', options => '{"region": "US", "timezone": "Europe/Berlin"}');
SELECT callsync.attach('refs', 'ref_calls', '{"call_id": "id", "caller.phone": "phone", "caller.name": "name", "summary": "summary", "ended_at": "ended"}', 'reference');
INSERT INTO ref_calls VALUES (1, 'x"y''z', 'r1', '(415) 555-2701', 'Rita Reference', 'by reference', '2026-11-20 11:03:00', 'not mapped');
INSERT INTO ref_calls VALUES (2, 'gone', 'r2', '(415) 555-2702', 'Gone', 'deleted at once', NULL, NULL);
DELETE FROM ref_calls WHERE a = 2;
SQL
idle('captured by reference');
is(q1("SELECT document #>> '{caller,name}' FROM callsync.call WHERE call_id = 'r1'"), 'Rita Reference', 'the row was read');
is(q1("SELECT ended_at AT TIME ZONE 'UTC' FROM callsync.call WHERE call_id = 'r1'"), '2026-11-20 10:03:00', 'in the zone of the source');
is(stored('calls', 'refs/r1/call')->{hs_call_body}, 'by reference', 'and stands in the CRM');
is(q1("SELECT count(*) FROM callsync.event WHERE source = 'refs' AND body IS NOT NULL"), 0, 'no value of it is in the log');
unlike(q1("SELECT string_agg(to_jsonb(d)::text, ' ') FROM callsync.delivery d"), qr/not mapped/, 'nor what is not mapped anywhere');

# ---- an update after the call: the same record ----
call('u1', phone => '(415) 555-2711', name => 'Una Update', summary => 'first');
idle('first version');
q1("UPDATE calls SET summary = 'corrected' WHERE id = 'u1'");
idle('second version');
is(stored('calls', 'phones/u1/call')->{hs_call_body}, 'corrected', 'the update reached the record');
is(scalar(grep { ($_->{properties}{callsync_call_id} // '') eq 'u1' } @{ $crm->records('calls') }), 1, 'the same one');
is(q1("SELECT version FROM callsync.call WHERE call_id = 'u1'"), 2, 'version 2 of the call');

# ---- two rows of one call are one call ----
q1("ALTER TABLE calls DROP CONSTRAINT calls_pkey");
call('u1', phone => '(415) 555-2711', name => 'Una Update', summary => 'corrected', disposition => 'booked');
idle('second row');
is(q1("SELECT count(*) FROM callsync.call WHERE call_id = 'u1'"), 1, 'two rows of a call are one call');
is(scalar(grep { ($_->{properties}{callsync_call_id} // '') eq 'u1' } @{ $crm->records('calls') }), 1, 'and one record');

# ---- what says nothing new sends nothing ----
my $requests = scalar @{ $crm->call_requests };
q1("UPDATE calls SET summary = summary || '!' WHERE id = 'u1'; UPDATE calls SET summary = 'corrected' WHERE id = 'u1'");
idle('back and forth');
q1("SELECT callsync.resync(ARRAY['u1'], 'crm')");
idle('resync');
cmp_ok(scalar @{ $crm->call_requests }, '>', $requests, 'resync sends what is unchanged');
is(stored('calls', 'phones/u1/call')->{hs_call_body}, 'corrected', 'to the same record');
is(scalar(grep { ($_->{properties}{callsync_call_id} // '') eq 'u1' } @{ $crm->records('calls') }), 1, 'without a second one');

# ---- routes ----
q1(q{SELECT callsync.set_route('crm', 'spam', '[]')});
q1("ALTER TABLE calls ADD kind text; SELECT callsync.detach('calls')");
q1(q{SELECT callsync.attach('phones', 'calls', '{"call_id": "id", "type": "kind", "caller.phone": "phone", "caller.name": "name", "summary": "summary", "started_at": "started_at"}')});
call('s1', kind => 'spam', phone => '(415) 555-2721');
call('s2', kind => 'sales', phone => '(415) 555-2722', name => 'Sam Sales');
idle('routed');
is(q1("SELECT string_agg(call_id || ' ' || status, ', ' ORDER BY call_id) FROM callsync.call_sync WHERE call_id IN ('s1', 's2')"),
	's1 excluded, s2 synced', 'a route without steps excludes the call, and says so');

# ---- rows that were there before ----
q1(<<'SQL');
CREATE TABLE old_calls (id text, started timestamptz, phone text, name text);
INSERT INTO old_calls SELECT 'o' || i, '2026-03-01'::timestamptz + i * interval '1 day', '41555527' || (30 + i), 'Old ' || i FROM generate_series(1, 5) i;
SELECT callsync.create_source('old', options => '{"region": "US"}');
SELECT callsync.attach('old', 'old_calls', '{"call_id": "id", "started_at": "started", "caller.phone": "phone", "caller.name": "name"}');
SELECT callsync.backfill('old', '2026-03-02', '2026-03-05', dry_run => false);
SQL
idle('backfill');
is(q1("SELECT string_agg(call_id, ',' ORDER BY call_id) FROM callsync.call_sync WHERE source = 'old' AND status = 'synced'"), 'o1,o2,o3', 'backfill delivers rows that were there before');

# ---- a second destination, and a map of its own ----
my $crm2 = CallsyncSandbox->start(dialects => ['hubspot']);
q1(sprintf(q{SELECT callsync.create_destination('crm2', 'hubspot', '{"base_url": "%s", "allow_addresses": ["127.0.0.1/32"], "region": "US"}')}, $crm2->url));
q1("SELECT callsync.set_secret('crm2', 'bearer_token', 'sandbox-token')");
q1(q{SELECT callsync.publish_map('crm2', '{"call": {"hs_call_title": {"from": "caller.name"}}}', 'Ann Analyst')});
call('two', phone => '(415) 555-2741', name => 'Tia Twice');
idle('two destinations');
is(q1("SELECT string_agg(destination || ' ' || status || ' ' || map_version, ', ' ORDER BY destination) FROM callsync.call_sync WHERE call_id = 'two'"),
	'crm synced 0, crm2 synced 1', 'one call at two destinations, each by its own map');
my ($second) = grep { ($_->{properties}{callsync_call_id} // '') eq 'two' } @{ $crm2->records('calls') };
is($second->{properties}{hs_call_title}, 'Tia Twice', 'as the map says');
is(q1("SELECT count(*) FROM callsync.call_sync WHERE destination = 'crm2'"), 1, 'a new destination does not get the past by itself');
$crm2->stop;

done_testing();
