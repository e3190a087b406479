# forget(): after it, a dump of the database holds nothing of the person, in no table; others keep what is theirs.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('forget');

sub q1 { return CallsyncDelivery::q1($node, @_) }
# every row of every table of the extension as text: the user's own table is not ours
sub traces
{
	my ($what) = @_;
	my @tables = split /\n/, q1("SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'callsync'::regnamespace AND c.relkind = 'r'");
	my $text = $what =~ /^\d+$/ ? "regexp_replace(x::text, '[^0-9]', '', 'g')" : 'x::text';
	return q1("SET bytea_output = 'escape'; SELECT string_agg(t, ', ') FROM ("
		. join(' UNION ALL ', map { "SELECT '$_' WHERE EXISTS (SELECT 1 FROM $_ x WHERE $text ILIKE '%$what%')" } @tables) . ') h(t)');
}

# one request carries both people; the other one stays
q1("SELECT callsync.pause('crm')");
CallsyncDelivery::call($node, 'zoe-1', phone => '(415) 555-2671', name => 'Zoe Zabriskie', email => 'zoe@canary.example', summary => 'Zabriskie wants a boiler.');
CallsyncDelivery::call($node, 'zoe-2', phone => '(415) 555-9999', name => 'Zoe Zabriskie', email => 'ZOE@canary.example', summary => 'Zabriskie again.');
CallsyncDelivery::call($node, 'otto', phone => '(415) 555-3000', name => 'Otto Other', email => 'otto@example.com');
q1("SELECT callsync.resume('crm')");
CallsyncDelivery::idle($node, 60);
q1("SELECT callsync.create_source('hook', 'generic')");
q1(q{SELECT status FROM callsync.ingest('hook', '{"event_type": "call.ended", "caller": {"phone": "+1 (415) 555-2671", "name": "Zabriskie"}}')});
CallsyncDelivery::idle($node, 60);
isnt(traces('zabriskie'), '', 'before: she is all over the place: ' . traces('zabriskie'));
like(traces('zabriskie'), qr/callsync\.event/, 'in what arrived');

my ($calls, $events, $deliveries, $attempts, $contacts) = split /\|/, q1("SELECT calls, events, deliveries, attempts, contacts FROM callsync.forget('+14155552671', 'zoe\@canary.example')");
is($calls, 2, 'both calls');
cmp_ok($events, '>=', 3, 'their events, and the one that was put aside');
cmp_ok($deliveries, '>=', 6, 'deliveries');
cmp_ok($attempts, '>=', 6, 'attempts');
cmp_ok($contacts, '>=', 1, 'her contact in the mirror');
is(traces('zabriskie'), '', 'after: no table holds her name');
is(traces('canary.example'), '', 'nor her address');
is(traces('4155552671'), '', 'nor her number');
is(q1("SELECT string_agg(call_id, ',') FROM callsync.call"), 'otto', 'others keep their calls');
is(q1("SELECT status FROM callsync.call_sync WHERE call_id = 'otto'"), 'synced', 'and their state');
cmp_ok(q1("SELECT count(*) FROM callsync.event WHERE body IS NULL AND reason LIKE '%forgotten'"), '>=', 3, 'that something arrived is still known');
is(q1("SELECT detail ->> 'calls' FROM callsync.audit_log WHERE action = 'forget'"), '2', 'and that it was erased');

# the path is forget()'s alone
my ($rc, $out, $err) = $node->psql('postgres', "CREATE ROLE mallory; GRANT UPDATE ON callsync.event TO mallory; GRANT USAGE ON SCHEMA callsync TO mallory; GRANT SELECT ON callsync.event TO mallory; SET ROLE mallory; SET callsync.forgetting = on; UPDATE callsync.event SET body = NULL");
like($err, qr/cannot update rows of callsync\.event/, 'the setting alone opens nothing');

# she calls again: a new person to this database
CallsyncDelivery::call($node, 'zoe-3', phone => '(415) 555-2671', name => 'Zoe Zabriskie', email => 'zoe@canary.example');
CallsyncDelivery::idle($node, 60);
like(q1("SELECT status FROM callsync.call_sync WHERE call_id = 'zoe-3'"), qr/^(synced|partial)$/, 'a later call is taken');
is($crm->count('contacts'), 2, 'and meets her record in the CRM by its key');

($rc, $out, $err) = $node->psql('postgres', 'SELECT callsync.forget()');
like($err, qr/a phone number or an e-mail address is needed/, 'nobody named');
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.forget('anonymous')");
like($err, qr/names no line.*HINT/s, 'no number');
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.forget(email => 'nobody')");
like($err, qr/is no e-mail address/, 'no address');
is(q1("SELECT calls FROM callsync.forget('+4930123456')"), 0, 'somebody nobody knows');

done_testing();
