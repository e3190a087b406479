# OAuth: one renewal at a time over 16 workers, rotation, accidents around the
# exchange, dead and restored credentials, assertions, credentials nowhere in sight.
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';

use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncCrash;
use CallsyncSandbox;

plan skip_all => 'no node' unless CallsyncSandbox::available();

my $json = JSON::PP->new->canonical;
my $hubspot = CallsyncSandbox->start(dialects => ['hubspot']);
my $salesforce = CallsyncSandbox->start(dialects => ['salesforce']);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $dir = $node->basedir;
append_to_file("$dir/callsync.key", ('key ' x 10) . "\n");
chmod 0600, "$dir/callsync.key";
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'callsync'
restart_after_crash = on
callsync.databases = 'postgres'
callsync.workers = 16
callsync.naptime = '100ms'
callsync.key_file = '$dir/callsync.key'
max_worker_processes = 24
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION callsync CASCADE');
is($node->safe_psql('postgres', "SELECT callsync.wait_until_running('60s')"), 't', '16 workers');

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub wait_for { my ($query, $name) = @_; return ok($node->poll_query_until('postgres', $query), $name); }

sub secret
{
	my ($owner, $key, $value) = @_;
	unlink "$dir/secret";
	append_to_file("$dir/secret", $value);
	chmod 0600, "$dir/secret";
	return sql("SELECT callsync.set_secret_file('$owner', '$key', '$dir/secret')");
}

sub destination
{
	my ($name, $url, $auth, %secrets) = @_;
	my $options = $json->encode({ base_url => $url, allow_addresses => ['127.0.0.1'], override => { auth => $auth } });
	my $sql = "SELECT callsync.create_destination('$name', 'hubspot', \$o\$$options\$o\$);";
	sql($sql);
	secret($name, $_, $secrets{$_}) for sort keys %secrets;
	return;
}

sub requests_of
{
	my ($sandbox) = @_;
	my $answer = $sandbox->requests(op => 'token');
	return ref $answer eq 'HASH' ? @{ $answer->{requests} } : @$answer;
}

my $state = "SELECT state FROM callsync.token WHERE destination = ";
my $version = "SELECT COALESCE(max(version), 0) FROM callsync.token WHERE destination = ";
my %client = (client_id => 'sandbox-client', client_secret => 'sandbox-secret');

# ---- one renewal at a time ----
$hubspot->config({ tokens => { mode => 'strict', lifetime_ms => 2000, rotate => JSON::PP::true } });
destination('hs', $hubspot->url, { oauth => { min_refresh_interval_s => 0, refresh_early_s => 0 } },
	%client, refresh_token => 'sandbox-refresh');
wait_for("SELECT count(*) >= 6 FROM callsync.service_request WHERE kind = 'token' AND destination = 'hs' AND outcome = 'ok' AND http_status = 200",
	'the token is renewed again and again, before it expires');
is($hubspot->tokens->{refreshes} - sql("SELECT count(*) FROM callsync.service_request WHERE kind = 'token' AND destination = 'hs'") <= 0 ? 1 : 0,
	1, 'no exchange without a record');
is(sql("SELECT count(*) FROM callsync.service_request WHERE kind = 'token' AND destination = 'hs' AND http_status <> 200"), '0',
	'no refresh token was used twice: the family lives');
ok(sql("SELECT count(DISTINCT worker) > 0 FROM callsync.service_request") eq 't', 'the record names the worker');
is(sql(<<'SQL'), '0', 'no two exchanges at the same time');
SELECT count(*) FROM callsync.service_request a JOIN callsync.service_request b
	ON a.kind = 'token' AND b.kind = 'token' AND a.destination = b.destination AND a.request_id < b.request_id
	AND b.started_at < COALESCE(a.finished_at, 'infinity') AND a.started_at < COALESCE(b.finished_at, 'infinity')
SQL
is(sql("SELECT token_state, token_expires_at > now(), token_refreshed_at <= now() FROM callsync.destination_state WHERE destination = 'hs'"),
	'valid|t|t', 'destination_state shows state and expiry');

# ---- what people see when it dies ----
$hubspot->config({ tokens => { lifetime_ms => 1000 } });
$hubspot->fault({ action => 'status', status => 400, body => { error => 'invalid_grant' }, match => { op => 'token' }, count => -1 });
wait_for("SELECT state = 'reauth_required' FROM callsync.token WHERE destination = 'hs'", 'refused: reauth_required');
is(sql("SELECT token_state FROM callsync.destination_state WHERE destination = 'hs'"), 'reauth_required', 'destination_state says so');
is(sql("SELECT severity, destination, count(*) FROM callsync.alert WHERE kind = 'reauth_required' AND cleared_at IS NULL GROUP BY 1, 2"),
	'critical|hs|1', 'one alert');
my $tries = sql("SELECT failures FROM callsync.token WHERE destination = 'hs'");
is($tries, '1', 'no storm of tries');
is(sql("SELECT t.next_try_at - max(r.finished_at) FROM callsync.token t JOIN callsync.service_request r ON r.destination = t.destination AND r.http_status = 400
	WHERE t.destination = 'hs' GROUP BY t.next_try_at"), '00:01:00', 'the next one in a minute');

# what is learned of fields meanwhile does not make the credential better
sql("INSERT INTO callsync.schema_field (destination, object, field, definition) VALUES ('hs', 'none', 'none', '{}')");
is(sql("SELECT t.generation = d.generation FROM callsync.token t JOIN callsync.destination d ON d.name = t.destination WHERE d.name = 'hs'"), 't', 'no other try for that');

# restored an hour later, by itself: it is looked after
$hubspot->clear_faults;
$node->append_conf('postgresql.conf', 'callsync.clock_offset = 3600');
$node->reload;
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'hs'", 'restored: it is noticed');
is(sql("SELECT count(*) FROM callsync.alert WHERE kind = 'reauth_required' AND cleared_at IS NULL"), '0', 'the alert is cleared');

# dead for good: a new credential is used at once
$hubspot->tokens({ action => 'revoke' });
wait_for("SELECT state = 'reauth_required' FROM callsync.token WHERE destination = 'hs'", 'revoked again');
$hubspot->tokens({ action => 'issue', refresh_token => 'second-consent' });
secret('hs', 'refresh_token', 'second-consent');
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'hs'", 'a new credential is used at once');

# ---- accidents that pass ----
$hubspot->config({ tokens => { lifetime_ms => 2000, keep_old => JSON::PP::true } });
for my $fault (
	[ { action => 'status', status => 500 }, 'HTTP 500' ],
	[ { action => 'drop_before' }, 'reset' ],
	[ { action => 'drop_after' }, 'reset' ],
	[ { action => 'html200' }, 'HTTP 200' ],
	[ { action => 'cut_json' }, 'HTTP 200' ],
	[ { action => 'truncate', missing => 10 }, 'truncated' ],
	[ { action => 'status', status => 400, body => { error => 'temporarily_unavailable', error_description => 'come back, Bearer second-consent abc' } },
		'HTTP 400, temporarily_unavailable' ])
{
	my ($rule, $says) = @$fault;
	my $before = sql("SELECT COALESCE(max(request_id), 0) FROM callsync.service_request");
	my $v = sql("$version 'hs'");
	$hubspot->fault({ %$rule, match => { op => 'token' }, count => 1 });
	wait_for("SELECT count(*) > 0 FROM callsync.service_request WHERE kind = 'token' AND request_id > $before AND message IS NOT NULL",
		"accident: $rule->{action}");
	like(sql("SELECT message FROM callsync.service_request WHERE kind = 'token' AND request_id > $before AND message IS NOT NULL ORDER BY request_id LIMIT 1"),
		qr/\Q$says\E/, 'is recorded');
	wait_for("SELECT version > $v AND state = 'valid' FROM callsync.token WHERE destination = 'hs'", 'and passes');
}
is(sql("SELECT count(*) FROM callsync.service_request WHERE message ~ 'second[-]consent'"), '0', 'a message never shows a credential');

# Retry-After
$hubspot->fault({ action => 'status', status => 429, retry_after => 2, match => { op => 'token' }, count => 1 });
my $before = sql("SELECT max(request_id) FROM callsync.service_request");
wait_for("SELECT count(*) > 0 FROM callsync.service_request WHERE kind = 'token' AND request_id > $before AND http_status = 429", 'throttled');
wait_for("SELECT count(*) > 0 FROM callsync.service_request WHERE kind = 'token' AND request_id > $before AND http_status = 200", 'renewed');
is(sql(<<"SQL"), 't', 'Retry-After is obeyed');
SELECT (SELECT min(started_at) FROM callsync.service_request WHERE kind = 'token' AND request_id > $before AND http_status = 200)
	>= (SELECT finished_at FROM callsync.service_request WHERE kind = 'token' AND request_id > $before AND http_status = 429) + interval '1.9 s'
SQL

# down for a while: tried again with growing distance, an alert, and up again
$hubspot->down;
wait_for("SELECT count(*) = 1 FROM callsync.alert WHERE kind = 'token_failing' AND destination = 'hs' AND cleared_at IS NULL", 'an alert when it goes on');
is(sql("SELECT token_state FROM callsync.destination_state WHERE destination = 'hs'"), 'failing', 'destination_state says failing');
$hubspot->up;
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'hs'", 'up again');

# paused: nothing is sent
sql("UPDATE callsync.destination SET paused = true, generation = generation + 1 WHERE name = 'hs'");
wait_for("SELECT expires_at < now() + interval '1 hour' FROM callsync.token WHERE destination = 'hs'", 'paused: not renewed');
sql("UPDATE callsync.destination SET paused = false, generation = generation + 1 WHERE name = 'hs'");
my $v = sql("$version 'hs'");
wait_for("SELECT version > $v FROM callsync.token WHERE destination = 'hs'", 'resumed: renewed');
sql("SELECT callsync.drop_destination('hs', true)");
is(sql("SELECT count(*) FROM callsync.secret WHERE owner = 'hs'"), '0', 'its secrets are gone with it');

# from here on the server rotates and forgives nothing
sql("LOAD 'callsync'; ALTER SYSTEM SET callsync.workers = 3; ");
sql("SELECT pg_reload_conf()");
$hubspot->config({ tokens => { lifetime_ms => 1000, keep_old => JSON::PP::false } });
# ---- something of the destination changes while a renewal is under way ----
# Seen: the answer could not be read any more, its refresh token was lost, and with it the consent.
$hubspot->tokens({ action => 'issue', refresh_token => 'change-0' });
$hubspot->fault({ action => 'delay', ms => 1500, match => { op => 'token' }, count => -1 });
destination('change', $hubspot->url, { oauth => { min_refresh_interval_s => 0 } }, %client, refresh_token => 'change-0');
my $begun = "SELECT count(*) FROM callsync.service_request WHERE kind = 'token' AND destination = 'change' AND url <> ''";
wait_for("SELECT ($begun) = 1", 'a renewal is under way');
sql("SELECT callsync.alter_destination('change', '{\"lead_source\": \"other\"}')");
wait_for("SELECT count(*) >= 1 FROM callsync.service_request WHERE kind = 'token' AND destination = 'change' AND http_status = 200", 'answered after the destination has changed');
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'change'", 'and taken');
secret('change', 'client_secret', 'sandbox-secret');
wait_for("SELECT ($begun) >= 2", 'another one, because a secret was given anew');
secret('change', 'client_id', 'sandbox-client');
wait_for("SELECT state = 'valid' AND started_by IS NULL FROM callsync.token WHERE destination = 'change'", 'there is a token after a secret changed meanwhile');
is(sql("SELECT string_agg(DISTINCT http_status::text, ' ') FROM callsync.service_request WHERE kind = 'token' AND destination = 'change' AND url <> ''"), '200',
	'no refresh token was sent a second time');
sql("SELECT callsync.drop_destination('change', true)");
$hubspot->clear_faults;

# ---- the server dies while a token is renewed (a thousand times: .ci/long-token) ----
$hubspot->tokens({ action => 'issue', refresh_token => 'crash-0' });
destination('crash', $hubspot->url, { oauth => { min_refresh_interval_s => 0, refresh_early_s => 0 } },
	%client, refresh_token => 'crash-0');
$hubspot->fault({ action => 'delay', ms => 60, match => { op => 'token' }, count => -1 });
my %ended = (valid => 0, reauth_required => 0);
for my $i (1 .. ($ENV{CALLSYNC_TOKEN_KILLS} // 30))
{
	# somewhere in the exchange, another place each time
	wait_for("SELECT started_by IS NOT NULL FROM callsync.token WHERE destination = 'crash'", "kill $i: a renewal is under way");
	my ($pid) = sql("SELECT started_by FROM callsync.token WHERE destination = 'crash'") =~ /pid (\d+)/;
	select(undef, undef, undef, ($i % 10) * 0.01);
	CallsyncCrash::kill9($node, $pid);
	# either it goes on, or a person is told: nothing in between
	$v = sql("$version 'crash'");
	wait_for("SELECT state = 'reauth_required' OR (state = 'valid' AND version > $v) FROM callsync.token WHERE destination = 'crash'",
		"kill $i: decided");
	my $end = sql("$state 'crash'");
	$ended{$end}++;
	next if $end eq 'valid';
	is(sql("SELECT count(*) FROM callsync.alert WHERE kind = 'reauth_required' AND destination = 'crash' AND cleared_at IS NULL"), '1',
		"kill $i: the lost pair is reported");
	$hubspot->tokens({ action => 'issue', refresh_token => "crash-$i" });
	secret('crash', 'refresh_token', "crash-$i");
	wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'crash'", "kill $i: mended");
}
note("after the kills: $ended{valid} went on, $ended{reauth_required} needed a person");
ok($ended{valid} + $ended{reauth_required} > 0, 'every kill ended in a state that people see');
$hubspot->clear_faults;
sql("SELECT callsync.drop_destination('crash', true)");

# ---- other ways to authenticate ----
destination('cc', $hubspot->url, {
	order => ['cc'], cc => { kind => 'oauth2_client_credentials', token_url => '{base}/oauth/v3/token', client_auth => 'body',
		scope => 'a {client_id}', extra_params => { audience => '{token_url}' } } }, %client);
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'cc'", 'client credentials');
my ($request) = grep { $_->{body} =~ /client_credentials/ } requests_of($hubspot);
is($request->{body}, 'grant_type=client_credentials&scope=a%20sandbox-client&audience='
	. (($hubspot->url . '/oauth/v3/token') =~ s/([^\w.~-])/sprintf('%%%02X', ord $1)/egr)
	. '&client_id=sandbox-client&client_secret=sandbox-secret', 'the body');
sql("SELECT callsync.drop_destination('cc', true)");

my $key = "$dir/rsa.pem";
system_or_bail('openssl', 'genpkey', '-quiet', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', $key)
	if system("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $key 2>/dev/null") != 0;
system_or_bail('openssl', 'pkey', '-in', $key, '-pubout', '-out', "$dir/rsa.pub");
$salesforce->config({ jwt_public_key => slurp_file("$dir/rsa.pub"), jwt_audiences => ['https://login.example.com'] });
my $users = $salesforce->records('User');
my $username = $users->[0]{properties}{Username};
my %jwt = (kind => 'oauth2_jwt_bearer', token_url => '{base}/services/oauth2/token', default_lifetime_s => 3600,
	jwt => { alg => 'RS256', exp_s => 180, claims => { iss => '{client_id}', sub => '{username}', aud => 'https://login.example.com' } },
	secrets => [ 'client_id', 'private_key', 'username' ]);
destination('sf', $salesforce->url, { order => ['jwt'], jwt => \%jwt },
	client_id => 'sandbox-client', username => $username, private_key => slurp_file($key));
# our clock runs an hour ahead by now (clock_offset): the first assertion is refused, its answer's Date mends it
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'sf'", 'JWT bearer, with a clock that is an hour off');
my @assertions = map { $_->{body} =~ /assertion=([^&]+)/ ? $1 : () } requests_of($salesforce);
cmp_ok(scalar @assertions, '>=', 2, 'the assertion was made anew with the server\'s time');
my ($head, $claims, $signature) = split /\./, $assertions[-1];
append_to_file("$dir/signed", "$head.$claims");
append_to_file("$dir/signature", decode_base64url($signature));
command_ok([ 'openssl', 'dgst', '-sha256', '-verify', "$dir/rsa.pub", '-signature', "$dir/signature", "$dir/signed" ],
	'openssl verifies the assertion');
my $decoded = $json->decode(decode_base64url($claims));
is("$decoded->{iss} $decoded->{sub} $decoded->{aud}", "sandbox-client $username https://login.example.com", 'claims');
cmp_ok(abs($decoded->{exp} - time - 180), '<', 60, 'it expires soon');
# Basic, where the client's secret goes into the header
destination('basic', $salesforce->url, {
	order => ['r'], r => { kind => 'oauth2_refresh', token_url => '{base}/services/oauth2/token', client_auth => 'basic' } },
	%client, refresh_token => 'sandbox-refresh');
wait_for("SELECT state = 'valid' FROM callsync.token WHERE destination = 'basic'", 'refresh with Basic');
($request) = grep { $_->{body} =~ /refresh_token/ } requests_of($salesforce);
is($request->{body}, 'grant_type=refresh_token&refresh_token=sandbox-refresh', 'no credential of the client in the body');
# a key that is none
secret('sf', 'private_key', 'no key');
wait_for("SELECT error ~ 'cannot be used to sign' FROM callsync.token WHERE destination = 'sf'", 'a key that is none');

# ---- nowhere in sight ----
my @tokens = map { $_->{reply} ? ($json->decode($_->{reply})->{access_token} // ()) : () } grep { ($_->{status} // 0) == 200 } requests_of($salesforce);
$node->stop;
my $log = slurp_file($node->logfile);
my @leaks = grep { index($log, $_) >= 0 } @tokens, 'sandbox-secret', 'second-consent', 'PRIVATE KEY';
# set_secret_file() names files only; sandbox-refresh is in no statement either
is("@leaks", '', 'the log holds no token, no client secret, no key');
ok(@tokens > 0, '(tokens to look for: ' . scalar(@tokens) . ')');
unlike($log, qr/PANIC|TRAP|segmentation/i, 'no accident in the log');
$hubspot->stop;
$salesforce->stop;
done_testing();
