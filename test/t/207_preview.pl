# preview() shows what will be sent by the code that sends it, and afterwards what was sent, byte for byte.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('preview');
my $json = JSON::PP->new->utf8;

CallsyncDelivery::q1($node, "SELECT callsync.pause('crm')");
is(CallsyncDelivery::q1($node, 'SELECT paused, paused_reason IS NOT NULL FROM callsync.destination_status'), 't|t', 'paused');
# right after capture, in the writer's own transaction, where no worker can have planned the call
my $insert = sub { my ($id) = @_; return qq(INSERT INTO calls (id, phone, name, started_at, ended_at, duration, disposition, summary, direction, task) VALUES ('$id', '(415) 555-2671', 'Ada Lovelace',
	'2026-11-20 10:00:00+00', '2026-11-20 10:03:00+00', 180, 'completed', 'Wants a quote.', 'inbound', '{"action": "call_back", "due_at": "2026-11-21T09:00:00Z"}')); };
my @answer = split /\n/, CallsyncDelivery::q1($node, 'BEGIN; ' . $insert->('c0') . q(; SELECT callsync.preview('c0', 'crm');
	SELECT (SELECT count(*) FROM callsync.call), (SELECT count(*) FROM callsync.deliveries), (SELECT count(*) FROM callsync.sync_state), (SELECT count(*) FROM callsync.outbox); COMMIT));
my $captured = $json->decode($answer[0]);
is(JSON::PP::false, $captured->{planned}, 'captured, not planned: said so');
is(join(' ', map { "$_->{step}:" . ($_->{sent} ? 1 : 0) } @{ $captured->{requests} }), 'contact:0 call:0 call_contact:0 task:0 task_contact:0', 'and every step is shown');
is($answer[1], '0|0|0|1', 'nothing of it is kept but what was captured');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.sync_state"), 'then a worker plans it');
my $planned = $json->decode(CallsyncDelivery::q1($node, "SELECT callsync.preview('c0', 'crm')"));
# the call's trace id is drawn when it is planned
my $shown = sub { return [ map { my $r = $_; [ map { my $v = $r->{$_} // ''; $v =~ s/\b[0-9a-f]{24,32}\b/TRACE/g; $v } qw(step method url body) ] } @{ $_[0]{requests} } ]; };
is_deeply($shown->($planned), $shown->($captured), 'as it was shown');
my ($code, $stdout, $stderr) = $node->psql('postgres', 'BEGIN; ' . $insert->('c00') . q(; SET TRANSACTION READ ONLY; SELECT callsync.preview('c00', 'crm')));
like($stderr, qr/call "c00" is captured, but not planned yet.*HINT/s, 'a read-only transaction gets a reason');
($code, $stdout, $stderr) = $node->psql('postgres', 'BEGIN; ' . $insert->('c00') . q(; SELECT callsync.create_source('hooks', 'generic'); SELECT callsync.ingest('hooks', '{"call_id":"c00"}'); SELECT callsync.preview('c00', 'crm')));
like($stderr, qr/call "c00" exists in several sources/, 'several sources that captured the same call id');
CallsyncDelivery::q1($node, "SELECT callsync.resume('crm')");
CallsyncDelivery::idle($node);
CallsyncDelivery::q1($node, "SELECT callsync.pause('crm')");
$crm->reset(records => 1);

CallsyncDelivery::call($node, 'c1', phone => '(415) 555-2672', name => "Zo\x{c3}\x{ab} \"Quote\" O'Hara", summary => "Line one\nl\x{c3}\x{ad}nea dos <b>",
	task => '{"action": "call_back", "due_at": "2026-11-21T09:00:00Z"}');
ok($node->poll_query_until('postgres', "SELECT count(*) = 2 FROM callsync.sync_state"), 'planned');
is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = 'c1'"), 'paused', 'call_sync says so');
my $before = $json->decode(CallsyncDelivery::q1($node, "SELECT callsync.preview('c1', 'crm')"));
is(scalar @{ $crm->call_requests }, 0, 'nothing was sent');
is(join(' ', map { "$_->{step}:" . ($_->{sent} ? 1 : 0) } @{ $before->{requests} }), 'contact:0 call:0 call_contact:0 task:0 task_contact:0', 'every step is shown');
is($before->{requests}[0]{headers}{Authorization}, '***', 'the credential is masked');
like($before->{requests}[2]{url}, qr/\{\{call\.id\}\}.*\{\{contact\.id\}\}/, 'ids that are not known yet are marked');

CallsyncDelivery::q1($node, "SELECT callsync.resume('crm')");
CallsyncDelivery::idle($node);
my $after = $json->decode(CallsyncDelivery::q1($node, "SELECT callsync.preview('c1', 'crm', 'phones')"));
is(join(' ', map { "$_->{step}:" . ($_->{sent} ? 1 : 0) } @{ $after->{requests} }), 'contact:1 call:1 call_contact:1 task:1 task_contact:1', 'now all were sent');
my %sent = map { $_->{method} . ' ' . $_->{url} => $_ } @{ $crm->requests };
my %ids = map { split /\|/ } split /\n/, CallsyncDelivery::q1($node, "SELECT step, record_id FROM callsync.deliveries WHERE call_id = 'c1' AND record_id IS NOT NULL");
for my $i (0 .. 4)
{
	my ($b, $a) = ($before->{requests}[$i], $after->{requests}[$i]);
	(my $path = $a->{url}) =~ s{^https?://[^/]+}{};
	my $seen = $sent{"$a->{method} $path"};
	ok($seen, "$a->{step}: the CRM saw the request") or next;
	is($a->{body} // '', $seen->{body} // '', "$a->{step}: the stored body is what the CRM received");
	(my $expect = $b->{body} // '') =~ s/\{\{(\w+)\.id\}\}/$ids{$1}/g;
	(my $url = $b->{url}) =~ s/\{\{(\w+)\.id\}\}/$ids{$1}/g;
	is($expect, $a->{body} // '', "$a->{step}: the preview, with the ids filled in, was the same");
	is($url, $a->{url}, "$a->{step}: and so was its URL");
	is($a->{headers}{Authorization}, '***', "$a->{step}: no credential is stored");
	like($a->{headers}{traceparent}, qr/^00-$after->{trace_id}-[0-9a-f]{16}-01$/, "$a->{step}: the trace of the call");
	is($seen->{headers}{traceparent}, $a->{headers}{traceparent}, "$a->{step}: is on the wire");
}
unlike(CallsyncDelivery::q1($node, 'SELECT array_agg(r) FROM callsync.requests r'), qr/sandbox-token/, 'the token is in no row');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.preview('nobody', 'crm')");
like($err, qr/call "nobody" does not exist.*HINT/s, 'unknown call');
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.preview('c1', 'nowhere')");
like($err, qr/destination "nowhere" does not exist/, 'unknown destination');
done_testing();
