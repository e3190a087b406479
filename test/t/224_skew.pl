# A CRM whose clock is an hour ahead or behind says when to come back as a date: it is taken by the CRM's own clock, so that nobody waits for
# an hour and nobody comes back at once.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('skew');

for my $hours (1, -1)
{
	my $id = $hours > 0 ? 'ahead' : 'behind';
	# the whole of its time: the Date header and the date it names
	$crm->clock({ advance_ms => ($hours > 0 ? 1 : -2) * 3600000 });
	$crm->clear_requests;
	$crm->fault({ action => 'throttle', retry_after => 3, form => 'date', match => { path => '/contacts/batch/upsert' }, count => 1 });
	CallsyncDelivery::call($node, $id, phone => $hours > 0 ? '4155559101' : '4155559102');
	CallsyncDelivery::idle($node, 60, "$id: it comes back within the minute");
	is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = '$id'"), 'synced', "$id: synced");
	my ($refused) = @{ $crm->requests(status => 429) };
	ok($refused, "$id: it was refused once");
	my $early = CallsyncDelivery::q1($node, "SELECT count(*) FROM callsync.requests r, (SELECT max(finished_at) AS at FROM callsync.requests WHERE http_status = 429) t
		WHERE r.kind = 'send' AND r.started_at > t.at AND r.started_at < t.at + interval '1 second'");
	is($early, '0', "$id: and not asked again at once");
	ok($node->poll_query_until('postgres', "SELECT abs(extract(epoch FROM clock_skew) - $hours * 3600) < 60 FROM callsync.destination_status"), "$id: the skew is shown");
}
done_testing();
