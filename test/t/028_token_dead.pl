# A token that dies at noon and works again an hour later, in simulated time: the queue is kept, people see why,
# nothing is lost, and neither the token endpoint nor the API is stormed, while it is dead or when it is back.
use strict;
use warnings;

use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my $CALLS = 60;
my $RATE = 25;
my ($node, $crm) = CallsyncDelivery::start('dead', limits => 1,
	conf => "callsync.clock_offset = 0\n",
	secrets => { client_id => 'sandbox-client', client_secret => 'sandbox-secret', refresh_token => 'sandbox-refresh' },
	options => { verify => 'response', limits => { batch => 1, burst => { rate => $RATE, per_s => 1 } },
		override => { auth => { oauth => { min_refresh_interval_s => 0 } } } });
$crm->config({ tokens => { mode => 'strict', lifetime_ms => 1_800_000, rotate => JSON::PP::false, refresh_token => 'noon' },
	limits => { enabled => JSON::PP::true, windows => [ { name => 'TEN_SECONDLY_ROLLING', max => $RATE, ms => 1000 }, { name => 'SECONDLY', max => $RATE, ms => 1000 } ] } });

# the first renewal may have been before that: another consent, one that the sandbox can restore
$crm->tokens({ action => 'issue', refresh_token => 'noon' });
$node->safe_psql('postgres', "SELECT callsync.set_secret('crm', 'refresh_token', 'noon')");

# who listens
my ($in, $out, $err) = ("LISTEN callsync_alerts;\n\\echo listening\n", '', '');
my $listener = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err);
$listener->pump until $out =~ /listening/;

sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub wait_for { my ($query, $name) = @_; return ok($node->poll_query_until('postgres', $query), $name) || diag(q1('SELECT * FROM callsync.destination_status')); }
sub insert
{
	my ($name, $n) = @_;
	q1(<<"SQL");
INSERT INTO calls (id, phone, name, started_at, summary)
SELECT '$name' || i, '415' || lpad((5550000 + i)::text, 7, '0'), 'Caller ' || i, '2026-11-20 10:00:00+00', 'x' FROM generate_series(1, $n) i
SQL
	return;
}
my $offset = 0;
sub later
{
	my ($seconds) = @_;
	$offset += $seconds;
	$crm->clock({ advance_ms => $seconds * 1000 });
	$node->append_conf('postgresql.conf', "callsync.clock_offset = $offset");
	$node->reload;
	return;
}
sub of { my ($re, @requests) = @_; return grep { ($_->{op} // '') =~ /$re/ } @requests; }

insert('before', 5);
CallsyncDelivery::idle($node);
is(q1('SELECT token_state, queue_depth FROM callsync.destination_status'), 'valid|0', 'in the morning all is well');

# A renewal between the sandbox's new consent and ours was refused: an alert of its own, long over.
my $before = q1('SELECT coalesce(max(id), 0) FROM callsync.alert');

# ---- 12:00 ----
$crm->clear_requests;
$crm->tokens({ action => 'revoke' });
insert('noon', $CALLS);
wait_for("SELECT token_state = 'reauth_required' FROM callsync.destination_status", '12:00: the credential is dead, destination_status says so');
wait_for("SELECT queue_depth >= $CALLS FROM callsync.destination_status", 'the queue is kept');
wait_for("SELECT count(*) = $CALLS FROM callsync.call_sync WHERE call_id LIKE 'noon%' AND status IN ('pending', 'waiting_retry')", 'each call waits, none has failed');
like(q1("SELECT severity, message, remedy FROM callsync.alerts WHERE kind = 'reauth_required' AND cleared_at IS NULL"),
	qr/^critical\|Destination "crm" does not take the credential any more, its queue waits\..*\|Authorise callsync there again and store/, 'an alert for people');
# ---- the hour ----
for my $i (1 .. 12)
{
	later(300);
	$node->poll_query_until('postgres', "SELECT next_try_at > now() + interval '$offset s' FROM callsync.token") or fail("step $i: not looked at");
	insert("hour$i.", 5) if $i % 4 == 0;
}
my @requests = @{ $crm->requests(bodies => 0, limit => 100000) };
my $exchanges = of(qr/^token$/, @requests);
cmp_ok($exchanges, '>=', 2, 'it is looked after');
cmp_ok($exchanges, '<=', 20, "no storm on the token endpoint: $exchanges requests in an hour");
my $api = @requests - $exchanges;
cmp_ok($api, '<=', 16, "none on the API: $api requests in an hour, those that were under way");
is(q1("SELECT count(*) FROM callsync.alert WHERE kind = 'reauth_required' AND id > $before"), '1', 'one alert, not one per try');
is(q1('SELECT count(*) FROM callsync.dead_letters'), '0', 'nothing was given up');
cmp_ok(q1('SELECT queue_depth FROM callsync.destination_status'), '>=', $CALLS + 15, 'calls go on being taken');

# ---- 13:00 ----
$crm->clear_requests;
$crm->tokens({ action => 'restore' });
later(601);
wait_for("SELECT token_state = 'valid' FROM callsync.destination_status", '13:00: it works again, and is noticed without a person');
CallsyncDelivery::idle($node, 180);
is(q1("SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), 'synced|' . ($CALLS + 20), 'everything was delivered');
is($crm->count('calls'), $CALLS + 20, 'each call once');
@requests = @{ $crm->requests(bodies => 0, limit => 100000) };
is(scalar(grep { $_->{status} == 429 } @requests), 0, 'no storm when it is back: not one request above the limit, by the CRM\'s own count of '
	. scalar(@requests));
cmp_ok(scalar(of(qr/^token$/, @requests)), '<=', 2, 'one renewal');
is(q1("SELECT count(*) FROM callsync.alerts WHERE kind = 'reauth_required' AND cleared_at IS NULL"), '0', 'the alert is over');
$in .= "SELECT 1;\n\\q\n";
$listener->finish;
my @told = $out =~ /notification "callsync_alerts" with payload "([^\n]*)" received/g;
is(scalar(grep { /"kind": "reauth_required"/ && /"destination": "crm"/ && /"id": (\d+)/ && $1 > $before } @told), 1, 'NOTIFY: once') or diag($out);
done_testing();
