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
CallsyncDelivery::call($node, 'c1', name => "Zo\x{c3}\x{ab} \"Quote\" O'Hara", summary => "Line one\nl\x{c3}\x{ad}nea dos <b>",
	task => '{"action": "call_back", "due_at": "2026-11-21T09:00:00Z"}');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM callsync.sync_state"), 'planned');
is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync"), 'paused', 'call_sync says so');
my $before = $json->decode(CallsyncDelivery::q1($node, "SELECT callsync.preview('c1', 'crm')"));
is(scalar @{ $crm->requests }, 0, 'nothing was sent');
is(join(' ', map { "$_->{step}:" . ($_->{sent} ? 1 : 0) } @{ $before->{requests} }), 'contact:0 call:0 call_contact:0 task:0 task_contact:0', 'every step is shown');
is($before->{requests}[0]{headers}{Authorization}, '***', 'the credential is masked');
like($before->{requests}[2]{url}, qr/\{\{call\.id\}\}.*\{\{contact\.id\}\}/, 'ids that are not known yet are marked');

CallsyncDelivery::q1($node, "SELECT callsync.resume('crm')");
CallsyncDelivery::idle($node);
my $after = $json->decode(CallsyncDelivery::q1($node, "SELECT callsync.preview('c1', 'crm', 'phones')"));
is(join(' ', map { "$_->{step}:" . ($_->{sent} ? 1 : 0) } @{ $after->{requests} }), 'contact:1 call:1 call_contact:1 task:1 task_contact:1', 'now all were sent');
my %sent = map { $_->{method} . ' ' . $_->{url} => $_ } @{ $crm->requests };
my %ids = map { split /\|/ } split /\n/, CallsyncDelivery::q1($node, "SELECT step, record_id FROM callsync.deliveries WHERE record_id IS NOT NULL");
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
