# The transport alone: what each accident on the wire is called, whether the request
# may have reached the receiver, bounds, address filter, TLS.
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';

use IO::Socket::INET;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncSandbox;
use RawServer;

my $json = JSON::PP->new->canonical->allow_nonref;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_connections = 20');
$node->start;
$node->safe_psql('postgres', <<'SQL');
LOAD 'callsync';
CREATE FUNCTION probe(jsonb, int DEFAULT 8) RETURNS jsonb LANGUAGE c STRICT AS '$libdir/callsync', 'callsync_http_probe';
SQL
my $server = RawServer->start;

sub probe_all
{
	my ($requests, $concurrency) = @_;
	my $text = $json->encode($requests);
	return $json->decode($node->safe_psql('postgres',
		"SET callsync.name_threshold = 0.5; SELECT probe(\$json\$$text\$json\$, " . ($concurrency // 8) . ")"));
}

sub probe
{
	my (%request) = @_;
	$request{url} //= $server->url($request{path});
	$request{allow} //= ['127.0.0.1'];
	return probe_all([ \%request ])->[0];
}

sub outcome
{
	my ($answer) = @_;
	return join ' ', $answer->{transport}, $answer->{status}, $answer->{may_have_sent} ? 'sent' : 'unsent';
}

# ---- what arrives ----
my $a = probe(path => '/ok');
is(outcome($a), 'ok 200 sent', 'an answer');
is("$a->{body} $a->{ip} $a->{timed} $a->{ordered}", 'ok 1 127.0.0.1 1 1', 'body, address, times');
$a = probe(path => '/echo', method => 'PATCH', body => '{"ä":1}', headers => { 'X-A' => 'b c', 'X-Empty' => '', 'Content-Type' => 'application/json' });
like($a->{body}, qr{^PATCH /echo HTTP/1\.1\r\n}, 'method');
$a = probe(path => '/echo', method => 'POST', body => '', headers => { 'X-Empty' => '' });
like($a->{body}, qr/^content-length: 0\r\n/im, 'an empty body is not none');
$a = probe(path => '/echo', method => 'DELETE', headers => { 'A' => 'b', 'U' => '' });
like($a->{body}, qr{^DELETE .*\r\nUser-Agent: callsync/\d}s, 'user agent');
unlike($a->{body}, qr/content-length|expect/i, 'no body, no Expect');
is(outcome(probe(path => '/nobody', method => 'HEAD')), 'ok 204 sent', 'HEAD');
$a = probe(path => '/redirect');
is(outcome($a) . " $a->{location}", 'ok 302 sent /ok', 'a redirect is an answer, it is not followed');
$a = probe(path => '/continue');
is(outcome($a) . " $a->{body} $a->{second_test}", 'ok 201 sent hi two', '100 Continue is skipped, headers of the final answer');
is(probe(path => '/gzip')->{body}, 'packed', 'gzip');
$a = probe(url => "http://localhost:" . $server->port . "/ok", allow => ['localhost']);
is(outcome($a), 'ok 200 sent', 'a name goes through the resolver thread');

# ---- accidents ----
is(outcome(probe(path => '/hang', timeout_ms => 300)), 'timeout_after_send 0 sent', 'no answer in time');
is(outcome(probe(path => '/drop')), 'reset 0 sent', 'closed without an answer');
is(outcome(probe(path => '/reset')), 'reset 0 sent', 'reset');
$a = probe(path => '/truncated');
is(outcome($a) . " $a->{body}", 'truncated 200 sent 0123456789', 'half an answer');
is(outcome(probe(path => '/chunk-cut')), 'truncated 200 sent', 'half a chunk');
is(outcome(probe(path => '/garbage')), 'bad_answer 0 sent', 'no HTTP');
is(outcome(probe(path => '/badgzip')), 'bad_answer 200 sent', 'broken encoding');

# ---- bounds ----
$a = probe(path => '/big?5000', max_body => 4096);
is(outcome($a), 'too_large 200 sent', 'Content-Length over the cap');
$a = probe(path => '/endless', max_body => 100_000);
is(outcome($a) . " $a->{body_len}", 'too_large 200 sent 100000', 'an endless body: the beginning is kept');
$a = probe(path => '/bomb');
is(outcome($a) . " $a->{body_len}", 'too_large 200 sent 1048576', 'a bomb of gzip stops at callsync.max_body_bytes');
like($a->{error}, qr/^the answer is longer than 1048576 bytes$/, 'and says so');
is(outcome(probe(path => '/bighead')), 'too_large 200 sent', 'headers without end');
is(outcome(probe(path => '/big?4096', max_body => 4096)), 'ok 200 sent', 'exactly the cap');

# ---- never arrives ----
{
	my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
	my $port = $closed->sockport;
	close $closed;
	is(outcome(probe(url => "http://127.0.0.1:$port/")), 'connect_failed 0 unsent', 'nobody listens');
}
is(outcome(probe(url => 'http://' . ('a' x 70) . '.test/')), 'resolve_failed 0 unsent', 'a name that cannot be');
is(outcome(probe(url => 'ftp://127.0.0.1/')), 'bad_request 0 unsent', 'another protocol');
is(outcome(probe(url => 'file:///etc/passwd')), 'bad_request 0 unsent', 'a file');
is(outcome(probe(url => 'http://user:pw@127.0.0.1/')), 'bad_request 0 unsent', 'a user in the URL');
is(outcome(probe(url => $server->url("/a b"))), 'bad_request 0 unsent', 'a blank in the URL');
is(outcome(probe(url => $server->url("/x\r\nX-Evil: 1"))), 'bad_request 0 unsent', 'a line break in the URL');
is(outcome(probe(path => '/ok', headers => { 'X-A' => "b\r\nX-Evil: 1" })), 'bad_request 0 unsent', 'a line break in a header');
is(outcome(probe(path => '/ok', headers => { "X-A:b" => 'c' })), 'bad_request 0 unsent', 'a colon in the name of a header');
is(outcome(probe(path => '/ok', method => 'GET /x')), 'bad_request 0 unsent', 'a blank in the method');
is(outcome(probe(url => '')), 'bad_request 0 unsent', 'no URL');
is(outcome(probe(path => '/hang', cancel_after_ms => 200)), 'cancelled 0 sent', 'taken back');

# ---- the address filter ----
for my $host ('127.0.0.1', 'localhost', '127.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', '0.0.0.0')
{
	$a = probe(url => "http://$host:" . $server->port . '/filtered', allow => ['10.0.0.0/8']);
	is(outcome($a), 'refused_address 0 unsent', "filter: $host");
}
like($a->{error}, qr/^0\.0\.0\.0 \(unspecified\) needs an entry in allow_addresses$/, 'and says which');
is(outcome(probe(path => '/filtered', allow => [])), 'bad_request 0 unsent', 'plain http without an allow list');
is(outcome(probe(url => 'https://127.0.0.1:' . $server->port . '/filtered', allow => [])),
	'refused_address 0 unsent', 'https to an inner address');
is(outcome(probe(path => '/filtered', allow => ['https://127.0.0.1'])),
	'refused_address 0 unsent', 'plain http where only https is allowed');
is(outcome(probe(path => '/filtered', allow => [ '127.0.0.1:' . ($server->port + 1) ])),
	'refused_address 0 unsent', 'another port');
is($server->seen('/filtered'), 0, 'nothing of that arrived');

# a connection that another destination opened is no way round the filter
my $answers = probe_all([
	{ url => $server->url('/ok'), allow => ['127.0.0.1'] },
	{ url => $server->url('/stolen'), allow => ['10.0.0.0/8'], after => 0 } ]);
is(outcome($answers->[1]), 'refused_address 0 unsent', 'a kept-alive connection is checked, too');
is($server->seen('/stolen'), 0, 'nothing of that arrived');

# ---- kept-alive connections ----
$answers = probe_all([
	{ url => $server->url('/ok'), allow => ['127.0.0.1'] },
	map { { url => $server->url('/ok'), allow => ['127.0.0.1'], after => $_ - 1 } } 1 .. 5 ]);
is(join(' ', map { $_->{body} } @$answers), 'ok 1 ok 2 ok 3 ok 4 ok 5 ok 6', 'one connection for six requests');
is(join('', map { $_->{reused} ? 1 : 0 } @$answers), '011111', 'and it is said');

# libcurl would send again by itself what a kept-alive connection swallowed
$answers = probe_all([
	{ url => $server->url('/ok'), allow => ['127.0.0.1'] },
	{ url => $server->url('/second-drops'), method => 'POST', body => 'x', allow => ['127.0.0.1'], after => 0 } ]);
is(outcome($answers->[1]), 'reset 0 sent', 'a swallowed request is not repeated');
is($answers->[1]{error}, 'the connection ended without an answer', 'and says why');
is($server->seen('/second-drops'), 1, 'it arrived once');
$answers = probe_all([
	{ url => $server->url('/ok'), allow => ['127.0.0.1'] },
	{ url => $server->url('/second-drops'), repeatable => JSON::PP::true, allow => ['127.0.0.1'], after => 0 } ]);
is(outcome($answers->[1]) . " $answers->[1]{body}", 'ok 200 sent first 1', 'a repeatable one is');
$answers = probe_all([
	{ url => $server->url('/close'), allow => ['127.0.0.1'] },
	{ url => $server->url('/ok'), method => 'POST', body => 'x', allow => ['127.0.0.1'], after => 0 } ]);
is(outcome($answers->[1]), 'ok 200 sent', 'an orderly close costs nothing');

# ---- many at once ----
$answers = probe_all([ map { { url => $server->url('/big?' . ($_ * 100)), allow => ['127.0.0.1'] } } 1 .. 200 ], 16);
is(scalar(grep { $answers->[ $_ - 1 ]{body_len} == $_ * 100 } 1 .. 200), 200, '200 requests, 16 at a time');
$answers = probe_all([
	(map { { url => $server->url('/hang'), timeout_ms => 500, allow => ['127.0.0.1'] } } 1 .. 3),
	map { { url => $server->url('/ok'), allow => ['127.0.0.1'] } } 1 .. 20 ], 32);
is(join(' ', map { outcome($answers->[$_]) } 0, 3, 22), 'timeout_after_send 0 sent ok 200 sent ok 200 sent',
	'those that hang do not hold up others');

# an ERROR in the middle leaves the session usable
my ($rc, $out, $err) = $node->psql('postgres', <<SQL, on_error_stop => 0);
SET statement_timeout = '300ms';
SELECT probe('[{"url":"@{[ $server->url('/hang') ]}","allow":["127.0.0.1"]}]');
RESET statement_timeout;
SELECT probe('[{"url":"@{[ $server->url('/ok') ]}","allow":["127.0.0.1"]}]') -> 0 ->> 'transport';
SQL
like($err, qr/canceling statement due to statement timeout/, 'an ERROR during a transfer');
is($out, 'ok', 'the next one works');

# ---- TLS ----
SKIP:
{
	skip 'no node', 5 unless CallsyncSandbox::available();
	my $sandbox = CallsyncSandbox->start(tls => 1);
	my $url = $sandbox->tls_url . '/nothing-here';
	is(outcome(probe(url => $url)), 'tls_failed 0 unsent', 'an unknown authority');
	$a = probe(url => $url, ca_file => $sandbox->ca_file);
	is($a->{transport}, 'ok', 'a known authority');
	is(outcome(probe(url => $url, ca_file => '/nonexistent.pem')), 'tls_failed 0 unsent', 'no such file');
	is(outcome(probe(url => $url, ca_file => $sandbox->ca_file, allow => [])), 'refused_address 0 unsent',
		'TLS is no way round the filter');
	$a = probe(url => 'https://127.0.0.1:' . $server->port . '/', ca_file => $sandbox->ca_file, connect_timeout_ms => 300);
	is(outcome($a), 'timeout_before_send 0 unsent', 'the handshake takes too long') or diag($a->{error});
	$sandbox->stop;
}

$server->stop;
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|segmentation|WARNING/i, 'no accident in the log');
done_testing();
