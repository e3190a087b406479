# The front doors of doc/front-door as they stand there: psql alone, Debian's webhook, nginx in front of it. Real
# requests, among them those that the defaults of these programs would lose. webhook and nginx are looked for on the
# PATH (or in CALLSYNC_WEBHOOK, CALLSYNC_NGINX); what is not installed is skipped, and said so.
use strict;
use warnings;

use Cwd ();
use HTTP::Tiny;
use IO::Socket::INET;
use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

use CallsyncHooks;

my $node = PostgreSQL::Test::Cluster->new('door');
$node->init;
append_to_file($node->basedir . '/callsync.key', "0123456789abcdef0123456789abcdef0123456789abcdef\n");
chmod 0600, $node->basedir . '/callsync.key';
$node->append_conf('postgresql.conf', "callsync.key_file = '" . $node->basedir . "/callsync.key'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION callsync CASCADE');
@ENV{qw(PGHOST PGPORT PGDATABASE)} = ($node->host, $node->port, 'postgres');

my $script = Cwd::abs_path('doc/front-door/ingest-hook');
my %kind = (front => 'generic', retell => 'retell', twilio => 'twilio', synthflow => 'synthflow', std => 'standard_webhooks');
my $url = 'https://hooks.example.com/hooks/twilio?tenant=1';
my $key = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
for my $source (sort keys %kind)
{
	$node->safe_psql('postgres', "SELECT callsync.create_source('$source', '$kind{$source}'); SELECT callsync.set_secret('$source', 'signing_secret', '$key')");
}
my $calls = 0;
my %body = (
	front => sub { qq({"call_id":"g$_[0]","event_type":"call_ended","summary":"Zo\xc3\xab"}) },
	retell => sub { qq({"event":"call_ended","call":{"call_id":"r$_[0]","from_number":"+14155550123"}}) },
	twilio => sub { "CallSid=CA$_[0]&CallStatus=completed&To=%2B14155550199&CallerName=J%C3%B6rg+O" },
	synthflow => sub { qq({"status":"completed","call":{"call_id":"s$_[0]"}}) },
	std => sub { qq({"call_id":"w$_[0]","event_type":"call_ended"}\n) });

sub signed
{
	my ($source, $body) = @_;
	local $CallsyncHooks::url = $url;
	my ($headers) = CallsyncHooks::sign($kind{$source}, $body, $key, time());
	return { 'Content-Type' => 'application/json', %$headers };
}

sub stored
{
	my ($source) = @_;
	return $node->safe_psql('postgres', "SELECT outcome, body_bytes FROM callsync.event WHERE source = '$source' ORDER BY id DESC LIMIT 1");
}

# The same requests through each door; $send->(source, headers, body) gives [accepted by the door?, its text].
sub try_door
{
	my ($door, $send) = @_;
	for my $source (sort keys %kind)
	{
		my $body = $body{$source}->(++$calls);
		my $headers = signed($source, $body);
		my $got = $send->($source, $headers, $body);
		is("$got->[0] $got->[1]", '1 accepted', "$door, $source: accepted");
		is(stored($source), 'accepted|' . length $body, "$door, $source: stored before the answer, every byte");
		like($send->($source, $headers, $body)->[1], qr/^duplicate/, "$door, $source: again");
	}
	my $body = $body{front}->(++$calls);
	my $got = $send->('front', { 'Content-Type' => 'application/json', 'X-Signature' => 'sha256=' . '0' x 64 }, $body);
	is("$got->[0] $got->[1]", '0 rejected bad signature', "$door: a bad signature is an error to the sender");
	$body = qq({"call_id":"big$calls","transcript":") . 'x' x 1_500_000 . '"}';
	$got = $send->('front', signed('front', $body), $body);
	is("$got->[0] $got->[1]", '1 accepted', "$door: 1.5 MB");
	is(stored('front'), 'accepted|' . length $body, "$door: all of it");
	$body = qq({"call_id":"cut$calls","tr);
	$got = $send->('front', signed('front', $body), $body);
	like("$got->[0] $got->[1]", qr/^1 quarantined not JSON/, "$door: what is no JSON is kept, and the sender need not come again");
	# the database is away: the sender hears of it, and comes again
	$body = $body{front}->(++$calls);
	my $headers = signed('front', $body);
	$node->stop('fast');
	is($send->('front', $headers, $body)->[0], 0, "$door: no database, no success");
	$node->start;
	$got = $send->('front', $headers, $body);
	is("$got->[0] $got->[1]", '1 accepted', "$door: when the sender comes again it is new");
}

# ---- psql alone ----
my $dir = $node->basedir;
try_door('psql', sub {
	my ($source, $headers, $body) = @_;
	unlink "$dir/body", "$dir/headers";
	append_to_file("$dir/body", $body);
	append_to_file("$dir/headers", JSON::PP->new->encode($headers));
	local @ENV{qw(HOOK_BODY HOOK_HEADERS)} = ("$dir/body", "$dir/headers");
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ $script, $source, $url ], '<', \undef, '>', \$out, '2>', \$err);
	chomp $out;
	return [ $ok ? 1 : 0, $out ];
});

# ---- webhook, and nginx in front ----
sub program
{
	my ($variable, $name) = @_;
	return $ENV{$variable} if defined $ENV{$variable};
	for my $folder (split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/bin')
	{
		return "$folder/$name" if -x "$folder/$name";
	}
	return undef;
}

my @running;
END { $_->kill_kill for @running; }
sub wait_for_port
{
	my ($port, $what) = @_;
	for my $try (1 .. 600)
	{
		return 1 if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp');
		Time::HiRes::sleep(0.1);
	}
	die "$what does not listen";
}

sub by_http
{
	my ($base) = @_;
	my $http = HTTP::Tiny->new(timeout => 60);
	return sub {
		my ($source, $headers, $body) = @_;
		# names as they are: an underscore is part of some
		my $answer = $http->request('POST', "$base/hooks/$source", { headers => $headers, content => $body });
		(my $text = $answer->{content}) =~ s/\n.*//s;
		return [ $answer->{success} ? 1 : 0, $text ];
	};
}

SKIP:
{
	my $webhook = program('CALLSYNC_WEBHOOK', 'webhook');
	diag('SKIPPED webhook and nginx: no webhook on the PATH') unless defined $webhook;
	skip 'webhook is not installed', 1 unless defined $webhook;
	my $hooks = JSON::PP->new->decode(slurp_file('doc/front-door/hooks.json'));
	my @mine;
	for my $source (sort keys %kind)
	{
		my $hook = JSON::PP->new->decode(JSON::PP->new->encode($hooks->[0]));
		$hook->{id} = $source;
		$hook->{'execute-command'} = $script;
		$hook->{'pass-arguments-to-command'}[0]{name} = $source;
		$hook->{'pass-arguments-to-command'}[1]{name} = $url;
		push @mine, $hook;
	}
	append_to_file("$dir/hooks.json", JSON::PP->new->encode(\@mine));
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	push @running, IPC::Run::start([ $webhook, '-hooks', "$dir/hooks.json", '-ip', '127.0.0.1', '-port', $port ], '<', \undef, '>', "$dir/webhook.log", '2>', "$dir/webhook.err");
	wait_for_port($port, 'webhook');
	try_door('webhook', by_http("http://127.0.0.1:$port"));

	my $nginx = program('CALLSYNC_NGINX', 'nginx');
	diag('SKIPPED nginx: not on the PATH') unless defined $nginx;
	skip 'nginx is not installed', 1 unless defined $nginx;
	my $listen = PostgreSQL::Test::Cluster::get_free_port();
	my $conf = slurp_file('doc/front-door/nginx.conf');
	$conf =~ s/listen 443 ssl;/listen 127.0.0.1:$listen;/ or die;
	$conf =~ s/^\s*ssl_\w+ .*\n//mg;
	$conf =~ s/127\.0\.0\.1:9000/127.0.0.1:$port/ or die;
	my $temporary = join(' ', map { "${_}_temp_path $dir/nginx-$_;" } qw(client_body proxy fastcgi uwsgi scgi));
	$conf =~ s/^http \{/http {\naccess_log off; $temporary/m or die;
	append_to_file("$dir/nginx.conf", "daemon off; master_process off; pid $dir/nginx.pid; error_log $dir/nginx.log;\n$conf");
	push @running, IPC::Run::start([ $nginx, '-p', $dir, '-c', "$dir/nginx.conf" ], '<', \undef, '>', "$dir/nginx.out", '2>', "$dir/nginx.err");
	wait_for_port($listen, 'nginx');
	try_door('nginx', by_http("http://127.0.0.1:$listen"));
}
done_testing();
