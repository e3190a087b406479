# A server with callsync and a sandbox CRM, wired together: the start of every delivery test.
#
#   my ($node, $crm) = CallsyncDelivery::start('name', conf => "...", options => {...});
#   CallsyncDelivery::call($node, 'c1', phone => '...', ...);
#   CallsyncDelivery::idle($node);
package CallsyncDelivery;

use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncSandbox;

my $JSON = JSON::PP->new->canonical->utf8(0);

# Retries that a test can wait for.
our $FAST_RETRY = { map { $_ => { base_ms => 50, cap_ms => 200, floor_ms => 10 } } qw(transient throttled auth uncertain gone duplicate) };

sub json { return $JSON->encode($_[0]); }

# Options: conf (appended to postgresql.conf), options (of the destination), connector, preload (default 1),
# path (behind the sandbox's URL), initdb (its options), secrets ({key => value}), sandbox (options of the sandbox), no_start
sub start
{
	my ($name, %o) = @_;
	plan(skip_all => 'no node >= 18 to run the sandbox CRM') unless CallsyncSandbox::available();
	my $connector = $o{connector} // 'hubspot';
	my $crm = CallsyncSandbox->start(dialects => [$connector], %{ $o{sandbox} // {} });
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => $o{initdb} // []);
	my $key = $node->basedir . '/callsync.key';
	PostgreSQL::Test::Utils::append_to_file($key, "0123456789abcdef0123456789abcdef0123456789abcdef\n");
	chmod 0600, $key;
	$node->append_conf('postgresql.conf', "callsync.key_file = '$key'\ncallsync.naptime = '200ms'\nrestart_after_crash = on\n"
		. "autovacuum_naptime = 1min\n" . ($o{conf} // ''));
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'callsync'\ncallsync.databases = 'postgres'\n") if $o{preload} // 1;
	$node->start;
	my $options = { base_url => $crm->url . ($o{path} // ''), allow_addresses => ['127.0.0.1/32'], region => 'US', retry => $FAST_RETRY,
		limits => { burst => { rate => 10000, per_s => 1 } }, %{ $o{options} // {} } };
	# what the sandbox enforces is set apart from what this test is about
	$crm->config({ limits => 'off' }) unless $o{limits};
	$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION callsync CASCADE;
CREATE TABLE calls (id text PRIMARY KEY, phone text, name text, email text, postal_code text, started_at timestamptz, ended_at timestamptz,
	duration int, disposition text, summary text, direction text, task jsonb, fields jsonb);
SELECT callsync.create_source('phones', options => '{"region": "US"}');
SELECT callsync.create_destination('crm', '$connector', \$j\$${\ json($options)}\$j\$);
SQL
	my $secrets = $o{secrets} // ($connector eq 'hubspot' ? { bearer_token => 'sandbox-token' } : {});
	$node->safe_psql('postgres', "SELECT callsync.set_secret('crm', '$_', '$secrets->{$_}')") for sort keys %$secrets;
	$node->safe_psql('postgres', <<'SQL');
SELECT callsync.attach('phones', 'calls', '{"call_id": "id", "caller.phone": "phone", "caller.name": "name", "caller.email": "email",
	"caller.postal_code": "postal_code", "started_at": "started_at", "ended_at": "ended_at", "duration_s": "duration",
	"disposition": "disposition", "summary": "summary", "direction": "direction", "follow_up_task": "task", "fields": "fields"}');
SQL
	ok($node->poll_query_until('postgres', "SELECT callsync.wait_until_running('10s')"), 'workers run') if ($o{preload} // 1) && !$o{no_wait};
	return ($node, $crm);
}

# Inserts a call; later arguments are columns.
sub call
{
	my ($node, $id, %c) = @_;
	my %row = (id => $id, phone => '(415) 555-2671', name => 'Ada Lovelace', started_at => '2026-11-20 10:00:00+00', ended_at => '2026-11-20 10:03:00+00',
		duration => 180, disposition => 'completed', summary => 'Wants a quote for a boiler.', direction => 'inbound', %c);
	my @names = sort grep { defined $row{$_} } keys %row;
	my $values = join(', ', map { "'" . ($row{$_} =~ s/'/''/gr) . "'" } @names);
	$node->safe_psql('postgres', sprintf('INSERT INTO calls (%s) VALUES (%s)', join(', ', @names), $values));
	return;
}

# Waits until nothing is open; shows what is when it does not end.
sub idle
{
	my ($node, $seconds, $name) = @_;
	my $is = $node->safe_psql('postgres', 'SELECT callsync.wait_until_idle($$' . ($seconds // 60) . 's$$)');
	ok($is eq 't', $name // 'everything settled')
		or diag($node->safe_psql('postgres', 'SELECT * FROM callsync.call_sync WHERE status NOT IN ($$synced$$) LIMIT 5'),
		"\n", $node->safe_psql('postgres', 'SELECT id, call_id, step, state, attempts, error_class, last_error FROM callsync.deliveries WHERE settled_at IS NULL ORDER BY id LIMIT 10'),
		"\n", $node->safe_psql('postgres', 'SELECT * FROM callsync.destination_status'),
		"\n", substr(PostgreSQL::Test::Utils::slurp_file($node->logfile), -3000));
	return;
}

sub q1 { my ($node, $sql) = @_; return $node->safe_psql('postgres', $sql); }

1;
