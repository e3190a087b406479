# doc/connectors.md as a new user goes through it: the document of a made-up CRM is taken from the page, every statement of the
# chapter is run as it stands there, and what the CRM gets is what the page says. Then the mistakes that a new user makes.
use strict;
use warnings;

use File::Basename qw(dirname);
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my $JSON = JSON::PP->new->canonical->utf8(0);
my ($chapter) = slurp_file(dirname(__FILE__) . '/../../doc/connectors.md') =~ /^## Adding a CRM\n(.*?)^## /ms;
my ($document) = $chapter =~ /^```json\n(.*?)^```/ms;
my @blocks = $chapter =~ /^```sql\n(.*?)^```/msg;
my ($gets) = $chapter =~ /^```\n(POST .*?)^```/ms;
ok($document && @blocks == 2 && $gets, 'the page has a document, two blocks of statements, and what comes of them');

my ($node, $crm) = CallsyncDelivery::start('guide', connector => 'webhook', path => '/hook/x');
$crm->config({ styles => { pebble => 'pebble' } });
CallsyncDelivery::q1($node, "SELECT callsync.set_route('crm', '*', '[]'); SELECT callsync.drop_destination('crm')");

# statements as they are, in the folder where the document is; the token's file is the only path that is ours
my $dir = $node->basedir . '/guide';
mkdir $dir or die $!;
append_to_file("$dir/pebble.json", $document);
append_to_file("$dir/pebble.token", "pebble-token\n");
chmod 0600, "$dir/pebble.token";
sub page
{
	my ($sql) = @_;
	$sql =~ s{/etc/callsync/pebble\.token}{$dir/pebble.token};
	$sql =~ s{cat pebble\.json}{cat $dir/pebble.json};
	append_to_file("$dir/page.sql", '');
	open my $f, '>', "$dir/page.sql" or die $!;
	print $f $sql;
	close $f;
	my ($out, $err);
	my $ok = IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', "$dir/page.sql" ], '>', \$out, '2>', \$err);
	ok($ok, 'the statements run') or diag($err);
	is($err, '', 'and say nothing else');
	return $out;
}
my $out = page($blocks[0]);
like($out, qr/^pebble\n/, 'register_connector names it');
unlike($out, qr/^f\|/m, 'all checks hold');
like($out, qr/^1$/m, 'map version 1');
# where Pebble really is
my $url = $crm->url . '/hook/pebble/v1';
CallsyncDelivery::q1($node, qq{SELECT callsync.alter_destination('crm', '{"base_url": "$url", "allow_addresses": ["127.0.0.1/32"]}')});
$out = page("SET search_path = callsync, public;\n" . $blocks[1]);
like($out, qr/^\(accepted,\d+,c-1,\)$/m, 'the call is taken') or diag($out);
my ($preview) = $out =~ /^(\{\n.*^\})/ms;
my $shown = $JSON->decode($preview);
my %wanted = map { /^POST (\S+)\s+(\{.*\})$/ ? ($1 => $JSON->decode($2)) : () } split /\n/, $gets;
is_deeply([ map { my $r = $_; $r->{url} =~ m{(/people|/activities)$} ? "$1" : $r->{url} } @{ $shown->{requests} } ], [ '/people', '/activities' ], 'preview: two requests');
my %without = %{ $wanted{'/activities'} };
delete $without{person_id};
is_deeply($JSON->decode($shown->{requests}[0]{body}), $wanted{'/people'}, 'preview: the person');
is_deeply($JSON->decode($shown->{requests}[1]{body}), \%without, 'preview: the activity, without what Pebble has not given yet');

CallsyncDelivery::q1($node, "SELECT callsync.resume('crm')");
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT step, state, record_id FROM callsync.deliveries WHERE destination = 'crm' ORDER BY id"), "contact|confirmed|p-1\ncall|confirmed|a-1", 'both steps are confirmed, with the ids that Pebble gave');
my %got = map { $_->{url} =~ m{/hook/pebble/v1(/\w+)$} ? ($1 => $_) : () } grep { $_->{method} eq 'POST' } @{ $crm->requests };
is_deeply($got{$_}{json}, $wanted{$_}, "what Pebble gets: $_") for sort keys %wanted;
my ($key) = $gets =~ /Idempotency-Key: (\S+)/;
is($got{'/activities'}{headers}{'idempotency-key'}, $key, 'with its key');
# the same person again, by the mirror; and a lost answer, found by the key
CallsyncDelivery::q1($node, q{SELECT callsync.ingest('front', convert_to('{"call_id": "c-2", "event_type": "call.ended", "caller": {"phone": "+12025550143", "name": "Jordan Smith"}, "started_at": "2026-06-12T15:42:00Z", "duration_s": 5}', 'UTF8'))});
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT record_id FROM callsync.deliveries WHERE call_id = 'c-2' AND step = 'contact'"), 'p-1', 'a second call: the same person');
$crm->fault({ action => 'drop_after', match => { method => 'POST', path => '/people$' }, count => 1 });
my $options = CallsyncDelivery::json({ retry => $CallsyncDelivery::FAST_RETRY, override => { ops => { 'contact.find_by_key' => { consistency => 'strong' } } } });
CallsyncDelivery::q1($node, "SELECT callsync.alter_destination('crm', '$options')");
CallsyncDelivery::q1($node, q{SELECT callsync.ingest('front', convert_to('{"call_id": "c-3", "event_type": "call.ended", "caller": {"phone": "+12025550177", "name": "Robin Lost"}, "started_at": "2026-06-12T15:42:00Z", "duration_s": 5}', 'UTF8'))});
CallsyncDelivery::idle($node);
is(CallsyncDelivery::q1($node, "SELECT record_id, attempts FROM callsync.deliveries WHERE call_id = 'c-3' AND step = 'contact'"), 'p-2|1', 'the answer to a create was lost: found by its key, not made twice');

# ---- mistakes: refused with the place and a way out, or found by check_connector ----
my @refused = (
	# change of the document, the message, detail or hint
	[ 'a filter that does not exist', sub { $_[0]{ops}{'contact.find_by_phone'}{body}{phone} = '{find.phone|e146}' }, qr{/ops/contact\.find_by_phone.*e146.*Filters are .*xml}s ],
	[ 'a key that does not exist', sub { $_[0]{ops}{'call.create'}{idempotant} = 'header' }, qr{/ops/call\.create.*idempotant}s ],
	[ 'a step with an operation that does not exist', sub { $_[0]{steps}{call}{ops} = ['call.make'] }, qr{/steps/call.*call\.make.*call\.create}s ],
	[ 'a step after one that does not exist', sub { $_[0]{steps}{call}{after} = ['person'] }, qr{/steps/call.*person.*Steps here: .*contact}s ],
	[ 'a map that does not exist', sub { $_[0]{steps}{call}{map} = 'activity' }, qr{/steps/call.*activity.*Maps here: .*call}s ],
	[ 'an object that does not exist', sub { $_[0]{ops}{'call.create'}{object} = 'activity' }, qr{/ops/call\.create.*activity.*Objects here: .*contact}s ],
	[ 'a look-up that does not exist', sub { $_[0]{ops}{'contact.create'}{guard} = 'contact.find' }, qr{/ops/contact\.create.*contact\.find.*contact\.find_by_key}s ],
	[ 'a class that does not exist', sub { $_[0]{rules}[0]{class} = 'unauthorised' }, qr/rules.*unauthorised/s ],
	[ 'a credential kind that does not exist', sub { $_[0]{auth}{kind} = 'bearer' }, qr/auth.*bearer/s ],
	[ 'no version', sub { delete $_[0]{version} }, qr/version/ ],
	[ 'plain http', sub { $_[0]{base}{url} = 'http://api.pebble.example/v1' }, qr/base.*https/s ],
);
for my $m (@refused)
{
	my ($name, $change, $like) = @$m;
	my $copy = $JSON->decode($document);
	$change->($copy);
	my $text = $JSON->encode($copy);
	my ($rc, $o, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT callsync.register_connector(\$j\$$text\$j\$)");
	isnt($rc, 0, "$name: refused");
	like($err, $like, "$name: says where");
	like($err, qr/22023/, "$name: SQLSTATE");
}
my @found = (
	[ 'a create without protection', sub { delete $_[0]{ops}{'call.create'}{idempotent} }, qr/call\.create/ ],
	[ 'a rule that no answer reaches', sub { push @{ $_[0]{rules} }, { status => 404, class => 'config' } }, qr/rule 7/ ],
	[ 'a create that does not say where the id is', sub { delete $_[0]{ops}{'contact.create'}{id} }, qr/contact\.create/ ],
	[ 'a body that needs what is not there', sub { $_[0]{ops}{'call.create'}{body}{owner} = '{owner_id}' }, qr/call\.create/ ],
);
for my $m (@found)
{
	my ($name, $change, $like) = @$m;
	my $copy = $JSON->decode($document);
	$copy->{name} = 'pebble_wrong';
	$change->($copy);
	my $text = $JSON->encode($copy);
	my ($rc, $o, $err) = $node->psql('postgres', "SELECT callsync.register_connector(\$j\$$text\$j\$)");
	$o = $rc == 0 ? CallsyncDelivery::q1($node, "SELECT string_agg(what || ': ' || detail, '; ') FROM callsync.check_connector('pebble_wrong') WHERE NOT ok") : $err;
	like($o, $like, "$name: found") or diag($o);
	like($o, qr/.{20}/, "$name: in words");
}
done_testing();
