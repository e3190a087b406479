# A certified OAuth server that shares no line with callsync or its sandbox: 16 workers find their token expired at the same
# moment and exactly one renews it; every way to identify a client; assertions as the library jose judges them.
# Needs the packages of this folder: .ci/proof-lane.
use strict;
use warnings;

use File::Basename qw(dirname);
use HTTP::Tiny;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

use lib dirname(__FILE__) . '/../t/lib';

use CallsyncDelivery;

plan skip_all => 'the packages are not installed (.ci/proof-lane)' unless -d dirname(__FILE__) . '/node_modules/oidc-provider';

my $ROUNDS = 10;
my ($node, $crm) = CallsyncDelivery::start('proof', sandbox => { tls => 1 }, secrets => {}, options => { verify => 'response' },
	conf => "callsync.clock_offset = 0\ncallsync.workers = 16\nmax_worker_processes = 24\n");
sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub wait_for { my ($query, $name) = @_; return ok($node->poll_query_until('postgres', $query), $name) || diag(q1('TABLE callsync.token'), q1('TABLE callsync.service_request')); }

# ---- the server ----
my $dir = $node->basedir;
my $tls = dirname($crm->ca_file);
system("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $dir/rsa.pem 2>$dir/openssl.log && openssl pkey -in $dir/rsa.pem -pubout -out $dir/rsa.pub") == 0
	or BAIL_OUT('openssl');
pipe(my $read, my $write) or die "pipe: $!";
my $pid = fork() // die "fork: $!";
if (!$pid)
{
	close $write;
	open(STDIN, '<&', $read);
	open(STDOUT, '>>', "$dir/provider.log");
	open(STDERR, '>>', "$dir/provider.log");
	exec('node', dirname(__FILE__) . '/provider.mjs', "$tls/cert.pem", "$tls/key.pem", "$dir/rsa.pub", "$dir/port.json") or POSIX::_exit(127);
}
close $read;
END { if ($pid) { my $rc = $?; kill 'TERM', $pid; waitpid $pid, 0; $? = $rc; } }
for (1 .. 9000) { last if -e "$dir/port.json"; BAIL_OUT(slurp_file("$dir/provider.log")) if waitpid($pid, 1) == $pid; Time::HiRes::sleep(0.02); }
my $issuer = JSON::PP::decode_json(slurp_file("$dir/port.json"))->{issuer};
sub control
{
	my $out = qx(curl --silent --show-error --max-time 60 --cacert $tls/cert.pem '$issuer/control/$_[0]');
	return JSON::PP::decode_json($out);
}
sub token_request { my $out = qx(curl --silent --max-time 60 --cacert $tls/cert.pem $_[0] '$issuer/token'); return JSON::PP::decode_json($out); }
sub refreshed { return control('seen')->{granted}{refresh_token} // 0; }

sub destination
{
	my ($name, $auth, %secrets) = @_;
	my $o = CallsyncDelivery::json({ base_url => $crm->tls_url, ca_file => $crm->ca_file, allow_addresses => ['127.0.0.1/32'], verify => 'response',
		limits => { burst => { rate => 10000, per_s => 1 } }, retry => $CallsyncDelivery::FAST_RETRY, override => { auth => $auth } });
	q1("SELECT callsync.create_destination('$name', 'hubspot', \$j\$$o\$j\$)");
	$node->safe_psql('postgres', "SELECT callsync.set_secret('$name', '$_', \$s\$$secrets{$_}\$s\$)") for sort keys %secrets;
	return;
}
my $calls = 0;
sub insert
{
	my ($n) = @_;
	q1("INSERT INTO calls (id, phone, name, started_at, summary) SELECT 'p' || i, '415' || lpad((5550000 + i)::text, 7, '0'), 'Caller ' || i, '2026-11-20 10:00:00+00', 'x'
		FROM generate_series($calls + 1, $calls + $n) i");
	$calls += $n;
	return;
}
my $offset = 0;
my $version = "SELECT COALESCE(max(version), 0) FROM callsync.token WHERE destination = ";
sub dead { return @{ control('seen')->{refused} }; }

# ---- expiry ----
q1("SELECT callsync.drop_destination('crm', true)");
my %rotating = (client_id => 'rotating', client_secret => 'rotating-secret');
my $first = control('consent?client=rotating')->{refresh_token};
destination('crm', { order => ['r'], r => { kind => 'oauth2_refresh', token_url => "$issuer/token", client_auth => 'body', refresh_rotates => JSON::PP::true, min_refresh_interval_s => 0 } },
	%rotating, refresh_token => $first);
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'crm'", 'a token from oidc-provider, over TLS');
is(q1("SELECT count(*) FROM callsync.worker_status WHERE state = 'running'"), '16', '16 workers');
is(refreshed(), 1, 'one exchange for it');
for my $round (1 .. $ROUNDS)
{
	# while all of them have work, their clocks jump beyond the token's half hour
	my $v = q1("$version 'crm'");
	insert(48);
	$offset += 2000;
	$node->append_conf('postgresql.conf', "callsync.clock_offset = $offset");
	$node->reload;
	insert(16);
	$node->poll_query_until('postgres', "SELECT version > $v AND state = 'valid' FROM callsync.token WHERE destination = 'crm'") or fail("round $round");
	CallsyncDelivery::idle($node, 180, "round $round: renewed, all delivered");
}
my $seen = control('seen');
is($seen->{granted}{refresh_token}, $ROUNDS + 1, "$ROUNDS expiries, $ROUNDS renewals, one for all workers");
is($seen->{most_at_once}, 1, 'never two at a time');
is_deeply([ $seen->{refused}, $seen->{revoked} ], [ [], 0 ], 'no old refresh token was used: the grant lives');
cmp_ok(q1('SELECT count(DISTINCT worker) FROM callsync.attempts'), '>', 1, 'attempts by ' . q1('SELECT count(DISTINCT worker) FROM callsync.attempts') . ' workers');

# the API does not take the token any more, and says so to everybody
my $v = q1("$version 'crm'");
$crm->tokens({ action => 'expire' });
insert(64);
wait_for("SELECT version > $v AND state = 'valid' FROM callsync.token WHERE destination = 'crm'", 'refused by the API: renewed');
CallsyncDelivery::idle($node, 180);
is(refreshed(), $ROUNDS + 2, 'once');

# tokens that live three seconds
control('lifetime?s=3');
q1("SELECT callsync.set_secret('crm', 'client_secret', 'rotating-secret')");
$v = q1("$version 'crm'");
my $now = refreshed();
until (refreshed() >= $now + 5) { insert(8); CallsyncDelivery::idle($node, 180, 'delivered over tokens of three seconds'); }
$seen = control('seen');
is_deeply([ $seen->{most_at_once}, $seen->{refused}, $seen->{revoked} ], [ 1, [], 0 ], 'the grant lives');
is(q1("SELECT status, count(*) FROM callsync.call_sync GROUP BY 1"), "synced|$calls", 'no call was lost');
is($crm->count('calls'), $calls, 'nor sent twice');

# somebody else uses a refresh token a second time: the server revokes the grant, people are told
is(token_request("-d grant_type=refresh_token -d client_id=rotating -d client_secret=rotating-secret -d refresh_token=$first")->{error}, 'invalid_grant', 'a stolen token is used');
wait_for("SELECT state = 'reauth_required' FROM callsync.token WHERE destination = 'crm'", 'reauth_required');
is(q1("SELECT count(*) FROM callsync.alerts WHERE kind = 'reauth_required' AND destination = 'crm' AND cleared_at IS NULL"), '1', 'with an alert');
control('lifetime?s=1800');
my $second = control('consent?client=rotating')->{refresh_token};
q1("SELECT callsync.set_secret('crm', 'refresh_token', '$second')");
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'crm'", 'a new consent');
q1("SELECT callsync.drop_destination('crm', true)");

# ---- how a client says who it is; our clock is hours ahead by now ----
my $before = scalar dead();
destination('body', { order => ['c'], c => { kind => 'oauth2_client_credentials', token_url => "$issuer/token", client_auth => 'body', scope => 'crm' } },
	client_id => 'by body', client_secret => 'p&ss=w rd/1');
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'body'", 'client credentials in the body, with characters that need encoding');
destination('header', { order => ['c'], c => { kind => 'oauth2_client_credentials', token_url => "$issuer/token", client_auth => 'basic', scope => 'crm' } },
	client_id => 'by:header', client_secret => 'p:ss% +w/rd');
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'header'", 'in the header');
is(scalar(dead()), $before, 'both at once');
destination('signed', { order => ['c'], c => { kind => 'oauth2_client_credentials', token_url => "$issuer/token", client_auth => 'assertion', scope => 'crm',
		jwt => { alg => 'RS256', exp_s => 120 }, secrets => [ 'client_id', 'private_key' ] } },
	client_id => 'signing', private_key => slurp_file("$dir/rsa.pem"));
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'signed'", 'private_key_jwt');
destination('bearer', { order => ['j'], j => { kind => 'oauth2_jwt_bearer', token_url => "$issuer/token", default_lifetime_s => 1800,
		jwt => { alg => 'RS256', exp_s => 180, claims => { iss => '{client_id}', sub => '{username}', aud => '{token_url}' } },
		secrets => [ 'client_id', 'client_secret', 'private_key', 'username' ] } },
	client_id => 'bearer', client_secret => 'bearer-secret', username => 'ada@example.com', private_key => slurp_file("$dir/rsa.pem"));
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'bearer'", 'JWT bearer: jose takes the assertion');
$seen = control('seen');
is(scalar @{ $seen->{assertions} }, 1, 'one, with a jti');
my @why = @{ $seen->{refused} }[ $before .. $#{ $seen->{refused} } ];
ok((grep { /jwt-bearer.*iat/ } @why) > 0, 'the first one had the time of our clock; the Date of its refusal mended that') or diag(@why);
is(q1("SELECT string_agg(destination, ' ' ORDER BY destination) FROM callsync.token WHERE state = 'valid'"), 'bearer body header signed', 'all of them');
# another key: refused, and said
system("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $dir/other.pem 2>>$dir/openssl.log") == 0 or BAIL_OUT('openssl');
q1("SELECT callsync.set_secret('bearer', 'private_key', \$s\$" . slurp_file("$dir/other.pem") . "\$s\$)");
wait_for("SELECT state = 'reauth_required' FROM callsync.token WHERE destination = 'bearer'", 'an assertion signed with another key: jose refuses it');
ok((grep { /signature verification failed/ } dead()) > 0, 'for its signature');
$node->stop;
$crm->stop;
close $write;
done_testing();
