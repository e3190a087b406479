# Canaries: every kind of credential, given in both ways, and the tokens that were obtained with them, are
# looked for in all places where something could have been written. Also while the destination itself repeats
# them in its answers. What set_secret_file() took is nowhere, whatever the settings; for set_secret() a warning
# names the setting by which the log has it, and it is nowhere else.
use strict;
use warnings;

use File::Find;
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncSandbox;

plan skip_all => 'no node' unless CallsyncSandbox::available();
my $json = JSON::PP->new->canonical;
my $crm = CallsyncSandbox->start(dialects => [ 'hubspot', 'webhook' ]);
my %at = (hubspot => { dialect => 'hubspot' }, webhook => { dialect => 'webhook' });
$crm->config({ %{ $at{$_} }, limits => 'off' }) for keys %at;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $dir = $node->basedir;
append_to_file("$dir/callsync.key", my $key = "canary of the key file: 0123456789abcdefghijklmnop\n");
chomp $key;
chmod 0600, "$dir/callsync.key";
# the worst case that a server can be set to
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pg_stat_statements, callsync'
pg_stat_statements.track = all
wal_level = logical
log_min_messages = debug5
log_min_error_statement = debug5
log_min_duration_statement = 0
log_statement = all
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
debug_print_plan = on
debug_print_rewritten = on
track_activity_query_size = 65536
callsync.databases = 'postgres'
callsync.key_file = '$dir/callsync.key'
callsync.naptime = '100ms'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION callsync CASCADE;
CREATE TABLE calls (id text PRIMARY KEY, phone text, name text, started_at timestamptz);
SELECT callsync.create_source('phones', options => '{"region": "US"}');
SELECT callsync.create_source('hook', 'generic');
SELECT callsync.attach('phones', 'calls', '{"call_id": "id", "caller.phone": "phone", "caller.name": "name", "started_at": "started_at"}');
SQL
ok($node->poll_query_until('postgres', "SELECT callsync.wait_until_running('10s')"), 'a worker runs');

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub wait_for { my ($query, $name) = @_; return ok($node->poll_query_until('postgres', $query), $name); }

# Where does one of these texts stand? Everything but the log.
sub hits
{
	my (@canaries) = @_;
	my $any = join '|', map { quotemeta } @canaries;
	my @found;
	# spelled out the search would find itself
	my $array = 'ARRAY[' . join(', ', map { "convert_from(decode('" . unpack('H*', $_) . "', 'hex'), 'UTF8')" } @canaries) . ']';
	my $like = "EXISTS (SELECT FROM unnest($array) c WHERE strpos(t::text, c) > 0)";
	my @relations = split /\n/, sql(<<'SQL');
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (n.nspname = 'callsync' AND c.relkind IN ('r', 'v', 'm') OR c.oid IN (to_regclass('pg_stat_statements'), 'pg_stat_activity'::regclass))
ORDER BY 1
SQL
	my $queries = join('', map { "SELECT '$_: ' || left(min(substr(t::text, greatest(strpos(t::text, c) - 80, 1), 200)), 300) FROM $_ t, unnest($array) c"
		. " WHERE strpos(t::text, c) > 0 HAVING count(*) > 0;\n" } @relations);
	# bytea columns show as hexadecimal digits: look into them as well
	my $bytes = 'ARRAY[' . join(', ', map { "decode('" . unpack('H*', $_) . "', 'hex')" } @canaries) . ']';
	for my $c (split /\n/, sql(<<'SQL'))
SELECT format('%I.%I %I', n.nspname, c.relname, a.attname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = 'callsync' AND c.relkind IN ('r', 'v') AND a.atttypid = 'bytea'::regtype AND NOT a.attisdropped ORDER BY 1
SQL
	{
		my ($r, $column) = split ' ', $c;
		$queries .= "SELECT 'bytes of $r.$column' WHERE EXISTS (SELECT FROM $r t, unnest($bytes) c WHERE position(c IN t.$column) > 0);\n";
	}
	# no error is in the way, and none shows anything
	my ($rc, $out, $err) = $node->psql('postgres', $queries, on_error_stop => 0);
	push @found, $out if $out ne '';
	push @found, "errors: $err" if $err ne '';
	push @found, map { "preview of $_" } grep { sql("SELECT callsync.preview(split_part('$_', '/', 1), split_part('$_', '/', 2), 'phones')") =~ /$any/ }
		split /\n/, sql("SELECT call_id || '/' || destination FROM callsync.call_sync WHERE source = 'phones'");
	for my $d (split /\n/, sql('SELECT name FROM callsync.destination'))
	{
		push @found, "map of $d" if sql("SELECT callsync.map_document('$d')") =~ /$any/;
	}
	my $dump = "$dir/dump.sql";
	unlink $dump;
	IPC::Run::run([ 'pg_dumpall', '-f', $dump, '-d', $node->connstr('postgres') ]) or push @found, 'pg_dumpall failed';
	my $text = slurp_file($dump);
	push @found, 'pg_dumpall' if $text =~ /$any/ || index($text, $key) >= 0;
	push @found, 'no dump of the secrets' unless $text =~ /^COPY callsync\.secret /m;
	return @found;
}

# Files of the server: data, WAL, statistics, what is left of a plan. Only while it is down.
sub file_hits
{
	my (@canaries) = @_;
	my $any = join '|', map { quotemeta } @canaries, $key;
	my @found;
	find({ no_chdir => 1, wanted => sub {
		push @found, $_ if -f $_ && -r $_ && slurp_file($_) =~ /$any/;
	} }, $node->data_dir);
	return @found;
}

sub log_lines
{
	my (@canaries) = @_;
	my $any = join '|', map { quotemeta } @canaries, $key;
	return grep { /$any/ } split /\n/, slurp_file($node->logfile);
}

# ---- everything by file ----
my %given;
sub by_file
{
	my ($owner, $secret, $value) = @_;
	$given{"$owner $secret"} = $value;
	unlink "$dir/secret";
	append_to_file("$dir/secret", "$value\n");
	chmod 0600, "$dir/secret";
	my ($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.set_secret_file('$owner', '$secret', '$dir/secret')");
	is("$rc $err", '0 ', "$secret of $owner: taken, no warning");
	unlink "$dir/secret";
	return;
}
sub destination
{
	my ($name, $connector, $url, %o) = @_;
	my $options = $json->encode({ base_url => $url, allow_addresses => ['127.0.0.1'], region => 'US', verify => 'response', limits => { batch => 1 },
		retry => { map { $_ => { base_ms => 50, cap_ms => 200, floor_ms => 10, max_attempts => 3 } } qw(transient throttled auth uncertain) }, %o });
	sql("SELECT callsync.create_destination('$name', '$connector', \$j\$$options\$j\$)");
	return;
}
my ($hs, $wh) = ($crm->url('hubspot'), $crm->url('webhook'));
destination('oauth', 'hubspot', $hs, override => { auth => { order => ['oauth'], oauth => { refresh_early_s => 0, min_refresh_interval_s => 0 } } });
destination('bearer', 'hubspot', $hs);
destination('basic', 'webhook', "$wh/hook/basic", override => { auth => { order => ['basic'] } });
destination('apikey', 'webhook', "$wh/hook/key", override => { auth => { order => ['key'] } });
destination('url', 'webhook', "$wh/hook/none", override => { auth => { order => ['u'], u => { kind => 'url_secret' } } });
destination('signed', 'webhook', "$wh/hook/signed");
my $refresh = 'CANARY-refresh-55aa01';
$crm->tokens({ %{ $at{hubspot} }, action => 'issue', refresh_token => $refresh });
$crm->config({ %{ $at{hubspot} }, tokens => { client_id => 'CANARY-client-41cc', client_secret => 'CANARY-clientsecret-90de', lifetime_ms => 3000, rotate => JSON::PP::true } });
by_file('oauth', 'client_id', 'CANARY-client-41cc');
by_file('oauth', 'client_secret', 'CANARY-clientsecret-90de');
by_file('oauth', 'refresh_token', $refresh);
by_file('bearer', 'bearer_token', 'CANARY-bearer-8842ef');
by_file('basic', 'username', 'CANARY-user-0303aa');
by_file('basic', 'password', 'CANARY-password-19aacd');
by_file('apikey', 'api_key', 'CANARY-apikey-66b0');
by_file('url', 'url_secret', "$wh/hook/CANARY-url-712f");
by_file('signed', 'signing_secret', my $signing = 'whsec_' . encode_base64('CANARY-signing-0123456789abcdef', ''));
by_file('hook', 'signing_secret', my $inbound = 'CANARY-inbound-0123456789abcdef');
# a private key goes wrong on its way to be one, and shows nothing either
destination('jwt', 'hubspot', $hs, override => { auth => { order => ['j'], j => { kind => 'oauth2_jwt_bearer', token_url => '{base}/oauth/v3/token',
	secrets => [ 'client_id', 'private_key' ], jwt => { alg => 'RS256', exp_s => 60, claims => { iss => '{client_id}' } } } } });
by_file('jwt', 'client_id', 'CANARY-jwt-client-5150');
by_file('jwt', 'private_key', "-----BEGIN PRIVATE KEY-----\nCANARY+private/77aa\n-----END PRIVATE KEY-----");

# ---- a day's work: answers good and bad, and destinations that say what they were sent ----
for my $d (sort keys %at)
{
	# the plainest text that an error message can be
	$crm->fault({ %{ $at{$d} }, match => { header => { 'x-api-key' => 'CANARY' } }, action => 'status', status => 400, count => 1,
		body => { message => 'no such key: CANARY-apikey-66b0' } });
	$crm->fault({ %{ $at{$d} }, match => { header => { authorization => 'Bearer CANARY' } }, action => 'status', status => 401, count => 2,
		body => { status => 'error', message => 'The token CANARY-bearer-8842ef has expired.', category => 'EXPIRED_AUTHENTICATION', you => ['CANARY-bearer-8842ef'] },
		headers => { 'X-Echo' => 'CANARY-bearer-8842ef', 'WWW-Authenticate' => 'Bearer error_description="CANARY-bearer-8842ef"' } });
	$crm->fault({ %{ $at{$d} }, match => { path => 'CANARY-url' }, action => 'status', status => 404, count => 1,
		body => { message => "Cannot POST /hook/CANARY-url-712f, that is $wh/hook/CANARY-url-712f" } });
	$crm->fault({ %{ $at{$d} }, match => { header => { authorization => 'Basic' } }, action => 'status', status => 500, count => 1,
		body => { message => 'user CANARY-user-0303aa with CANARY-password-19aacd, or ' . encode_base64('CANARY-user-0303aa:CANARY-password-19aacd', '') } });
}
$crm->fault({ %{ $at{hubspot} }, match => { op => 'token', body => 'CANARY-refresh' }, action => 'status', status => 503, count => 1,
	body => { error => 'temporarily_unavailable', error_description => "$refresh of CANARY-client-41cc / CANARY-clientsecret-90de" } });
sql("INSERT INTO calls SELECT 'c' || i, '41555501' || lpad(i::text, 2, '0'), 'Caller ' || i, '2026-11-20 10:00:00+00' FROM generate_series(1, 8) i");
# what arrives may bring a credential of its own
sql(<<'SQL');
SELECT callsync.ingest('hook', convert_to('{"event_type": "call_completed", "timestamp": "2026-11-20T10:00:00Z", "call_id": "w1", "auth": {"token": "' || 'CANARY-' || 'body-4f4f'
	|| '"}, "note": "' || 'CANARY-inbound-' || '0123456789abcdef"}', 'UTF8'), jsonb_build_object('Authorization', 'Bearer ' || 'CANARY-' || 'header-5e5e'))
SQL
wait_for("SELECT version >= 3 FROM callsync.token WHERE destination = 'oauth' AND state = 'valid'", 'access tokens come and go');
wait_for("SELECT count(*) >= 8 * 6 FROM callsync.call_sync WHERE source = 'phones' AND destination <> 'jwt' AND status IN ('synced', 'failed')",
	'everything was tried') or diag(sql("SELECT destination, status, count(*), max(last_error) FROM callsync.call_sync GROUP BY 1, 2"));
wait_for("SELECT error ~ 'cannot be used' FROM callsync.token WHERE destination = 'jwt'", 'the private key is refused');
sql("SELECT callsync.pause(name) FROM callsync.destination");
my $served = $crm->requests(limit => 100000);
my %used = map { my $r = $_; map { $_ => 1 } grep { ($r->{url} . ($r->{body} // '') . $json->encode($r->{headers})) =~ /\Q$_\E/ } values %given } @$served;
# a pair travels as one word, of an address its path; what signs does not travel
is(join(' ', grep { !$used{ $given{$_} } } sort keys %given), 'basic password basic username hook signing_secret jwt client_id jwt private_key signed signing_secret url url_secret',
	'the credentials were really sent');
is(scalar(grep { $_->{url} =~ /CANARY-url/ } @$served) > 0, 1, '... the secret address, too');
my @tokens = map { my $r = $_->{reply} ? eval { $json->decode($_->{reply}) } : undef; ref $r eq 'HASH' ? grep { defined } @$r{qw(access_token refresh_token)} : () }
	grep { ($_->{op} // '') eq 'token' } @$served;
cmp_ok(scalar @tokens, '>=', 4, 'tokens were issued (' . scalar(@tokens) . ')');
my $basic = encode_base64('CANARY-user-0303aa:CANARY-password-19aacd', '');
my @secret = (values %given, @tokens, $basic, 'CANARY-body-4f4f', 'CANARY-header-5e5e', 'CANARY+private/77aa', 'CANARY-url-712f');
is(join("\n", hits(@secret)), '', 'tables, views, previews, statistics, activity, dump: nothing');

# ---- given in a statement ----
my %in_statement = (password => 'CANARY-stmt-aa77', api_key => 'CANARY-bind-bb88');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.set_secret('hook', 'password', '$in_statement{password}')");
like($err, qr/WARNING:  the server log may hold this secret now.*DETAIL:  log_statement writes/s, 'set_secret: a warning names the setting');
for my $setting ([ 'log_min_error_statement', "log_statement = 'none'" ], [ 'log_min_duration_statement', "log_min_error_statement = 'error'" ],
	[ 'debug_print_', 'log_min_duration_statement = -1' ])
{
	my ($name, $change) = @$setting;
	$node->append_conf('postgresql.conf', $change);
	$node->reload;
	$node->poll_query_until('postgres', sprintf("SELECT current_setting('%s') = '%s'", $change =~ /^(\w+) = '?([^']+)'?$/));
	($rc, $out, $err) = $node->psql('postgres', "PREPARE p(text) AS SELECT callsync.set_secret('hook', 'api_key', \$1);\nEXECUTE p('$in_statement{api_key}')");
	like($err, qr/WARNING:  the server log may hold this secret now.*DETAIL:  $name/s, "... also $name");
}
is(join("\n", hits(@secret, values %in_statement)), '', 'but nowhere else: nothing in tables, views, statistics, activity, dump');
# with nothing that logs statements: not in the log either, errors included
my $log_until = -s $node->logfile;
$node->append_conf('postgresql.conf', "debug_print_plan = off\ndebug_print_rewritten = off");
$node->reload;
$node->poll_query_until('postgres', "SELECT current_setting('debug_print_plan') = 'off'");
my @silent = ('CANARY-quiet-cc99', 'CANARY-refused-dd00', 'CANARY-nobody-ee11');
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.set_secret('hook', 'client_secret', '$silent[0]')");
is($err, '', 'no warning where nothing is logged');
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.set_secret('hook', 'no such key', '$silent[1]')");
like($err, qr/unknown key of a secret/, 'an error');
unlike($err, qr/$silent[1]/, '... does not show it');
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.set_secret('nobody', 'api_key', '$silent[2]')");
like($err, qr/there is no source or destination/, 'another');
unlike($err, qr/$silent[2]/, '... does not show it');
is(join("\n", log_lines(@silent)), '', 'the log has none of them');
is(join("\n", hits(@silent)), '', 'nor has anything else');

# ---- on disk ----
$node->stop;
is(join("\n", log_lines(@secret)), '', 'the log at debug5 with every statement: nothing that came by file');
is(join("\n", file_hits(@secret, values %in_statement, @silent)), '', 'data files, WAL, statistics files: nothing');
isnt(join('', log_lines(values %in_statement)), '', '(what the warnings were about is there: the search finds what it looks for)');
$crm->stop;
done_testing();
