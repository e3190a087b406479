# The Perl client of the sandbox does what its head comment says.
use strict;
use warnings;
use CallsyncSandbox;
use HTTP::Tiny;
use JSON::PP;
use Test::More;

plan skip_all => 'node >= 18 is needed for the sandbox CRM' unless CallsyncSandbox->available;

my $sb = CallsyncSandbox->start(dialects => [ 'hubspot', 'webhook' ], tls => 1, journal => 1);
my $http = HTTP::Tiny->new(default_headers => { Authorization => 'Bearer x', 'Content-Type' => 'application/json' });
my $create = sub {
	my ($properties) = @_;
	return $http->post($sb->url . '/crm/v3/objects/contacts', { content => encode_json({ properties => $properties, associations => [] }) });
};

is($create->({ email => 'One@Example.com' })->{status}, 201, 'a contact is created');
is($sb->records('contacts')->[0]{properties}{email}, 'one@example.com', 'and stored in lower case');
$sb->fault({ action => 'status', status => 503, match => { path => '/contacts' } });
is($create->({ email => 'two@example.com' })->{status}, 503, 'a fault hits once');
is($create->({ email => 'two@example.com' })->{status}, 201, 'and is spent');
is($sb->wait_requests(count => 2, method => 'POST', status => 201), 2, 'waiting for requests');
is_deeply([ map { $_->{status} } @{ $sb->requests(path => '/contacts') } ], [ 201, 503, 201 ], 'the request log');
is($sb->requests(limit => 1)->[0]{json}{properties}{email}, 'two@example.com', 'bodies are kept');
is_deeply($sb->duplicates('contacts', 'email'), [], 'no duplicates');

$sb->down;
like($create->({ email => 'three@example.com' })->{content}, qr/refused/i, 'down means refused');
$sb->up;
is($create->({ email => 'three@example.com' })->{status}, 201, 'up again on the same port');

my $url = $sb->url;
$sb->kill9;
$sb->restart;
is($sb->url, $url, 'restarted on the same port');
is($sb->count('contacts'), 3, 'records outlive kill -9 with a journal');
ok(-s $sb->ca_file, 'a certificate was made');
eval { $sb->fault({ action => 'nonsense' }) };
like($@, qr/unknown action "nonsense"; known: /, 'mistakes come back as messages');

my $pid = $sb->pid;
$sb->stop;
ok(!kill(0, $pid), 'stopped');
done_testing();
