# Sent is not stored: a field that the CRM drops without a word, one that it alters, and a record that it
# accepts and does not keep.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('silent');

$crm->fault({ action => 'drop_field', object => 'calls', field => 'hs_call_duration', count => 1, match => { record => 'c1' } });
CallsyncDelivery::call($node, 'c1');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, failure_kind, missing_fields FROM callsync.call_sync WHERE call_id = 'c1'"),
	'partial|partial|{call.hs_call_duration}', 'a dropped field: partial');
is(CallsyncDelivery::q1($node, "SELECT object, field, status, sent, stored FROM callsync.field_writes WHERE call_id = 'c1' AND status <> 'confirmed'"),
	'call|hs_call_duration|missing|180000|', 'field_writes names it');
is(CallsyncDelivery::q1($node, "SELECT state, confirmation FROM callsync.deliveries WHERE call_id = 'c1' AND step = 'call'"), 'partial|read_back', 'the delivery');
cmp_ok(CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.field_writes WHERE call_id = 'c1' AND status = 'confirmed'"), '>', 5, 'the other fields are confirmed');

$crm->fault({ action => 'alter_field', object => 'calls', field => 'hs_call_title', suffix => ' [edited]', count => 1, match => { record => 'c2' } });
CallsyncDelivery::call($node, 'c2');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, failure_kind FROM callsync.call_sync WHERE call_id = 'c2'"), 'partial|partial', 'an altered field: partial');
like(CallsyncDelivery::q1($node, "SELECT stored FROM callsync.field_writes WHERE call_id = 'c2' AND status = 'altered'"), qr/\[edited\]/, 'with what is stored');

$crm->fault({ action => 'store_nothing', object => 'calls', count => 1, match => { record => 'c3' } });
CallsyncDelivery::call($node, 'c3');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, failure_kind FROM callsync.call_sync WHERE call_id = 'c3'"), 'partial|silent', 'a record that is not there: silent');
is(CallsyncDelivery::q1($node, "SELECT step, error_class FROM callsync.dead_letters ORDER BY 1"), "call|partial\ncall_contact|gone", 'it can be sent again');
is(CallsyncDelivery::q1($node, "SELECT redriven FROM callsync.redrive('crm', '{}', false)"), '2', 'redrive()');
is(CallsyncDelivery::q1($node, "SELECT callsync.resync(ARRAY['c1', 'c2', 'nobody'], 'crm')"), '2', 'resync()');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT DISTINCT status, failure_kind, missing_fields FROM callsync.call_sync"), 'synced||{}', 'all well afterwards');
is($crm->count('calls'), 3, 'and nothing twice');
is($crm->count('contacts'), 1, 'one contact');

# a field that the integration may not write: accepted, ignored
$crm->schema({ action => 'remove_permission', object => 'calls', field => 'hs_call_direction', mode => 'silent' });
CallsyncDelivery::call($node, 'c4');
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT status, missing_fields FROM callsync.call_sync WHERE call_id = 'c4'"), 'partial|{call.hs_call_direction}', 'permission taken away');
done_testing();
