# The server is killed again and again while tokens are being renewed at a token server that rotates refresh tokens and forgives
# nothing. Several destinations renew at once, each at another point of its exchange, so that one death cuts off several renewals.
# Whatever was cut off either goes on, or a person is told: never a token that is dead in silence.
#
#   CallsyncTokenKills::run($node, $sandbox, cut => 30, secret => sub { my ($destination, $key, $value) = @_; ... });
package CallsyncTokenKills;

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes ();

use CallsyncCrash;

# Exchanges that began and never ended.
my $cut_off = "SELECT count(*) FROM callsync.service_request WHERE kind = 'token' AND url <> '' AND finished_at IS NULL AND destination LIKE 'cut%'";

sub run
{
	my ($node, $sandbox, %o) = @_;
	my $n = $o{destinations} // 8;
	my @names = map { "cut$_" } 1 .. $n;
	my $sql = sub { return $node->safe_psql('postgres', $_[0]); };
	$sandbox->config({ tokens => { mode => 'strict', lifetime_ms => 1000, rotate => JSON::PP::true, keep_old => JSON::PP::false } });
	my $consents = 0;
	my $consent = sub {
		my $token = 'consent-' . ++$consents;
		$sandbox->tokens({ action => 'issue', refresh_token => $token });
		return $token;
	};
	my $options = JSON::PP->new->canonical->encode({ base_url => $sandbox->url, allow_addresses => ['127.0.0.1'],
		override => { auth => { oauth => { min_refresh_interval_s => 0, refresh_early_s => 0 } } } });
	for my $name (@names)
	{
		$sql->("SELECT callsync.create_destination('$name', 'hubspot', \$o\$$options\$o\$)");
		$o{secret}->($name, client_id => 'sandbox-client');
		$o{secret}->($name, client_secret => 'sandbox-secret');
		$o{secret}->($name, refresh_token => $consent->());
	}
	# one exchange is slow, another one fast: a death meets each of them elsewhere
	$sandbox->fault({ action => 'delay', ms => 1200, match => { op => 'token' }, probability => 0.6, count => -1 });
	$sandbox->fault({ action => 'delay', ms => 300, match => { op => 'token' }, count => -1 });

	my ($kills, $cut, $lost, $silent, $untold) = (0, 0, 0, 0, 0);
	my $some = int($n / 2);
	# From now on each of them is renewed, or somebody was told, and gives a new consent. Until all of them live.
	my $mend = sub {
		my $version = $sql->('SELECT COALESCE(max(version), 0) FROM callsync.token');
		my $decided = "FROM callsync.token t WHERE t.destination LIKE 'cut%' AND (t.state = 'valid' AND t.version > $version OR t.state = 'reauth_required')";
		while (1)
		{
			if (!$node->poll_query_until('postgres', "SELECT count(*) = $n $decided"))
			{
				$silent += $n - $sql->("SELECT count(*) $decided");
				diag($sql->("SELECT * FROM callsync.token WHERE destination LIKE 'cut%'"));
				return;
			}
			my @dead = split /\n/, $sql->("SELECT destination FROM callsync.token WHERE destination LIKE 'cut%' AND state = 'reauth_required'");
			return unless @dead;
			for my $name (@dead)
			{
				$lost++;
				$untold++ if $sql->("SELECT count(*) FROM callsync.alerts WHERE kind = 'reauth_required' AND destination = '$name' AND cleared_at IS NULL") ne '1';
				$o{secret}->($name, refresh_token => $consent->());
			}
		}
	};
	while ($cut < $o{cut} && $kills < 20 + $o{cut})
	{
		$node->poll_query_until('postgres', "SELECT count(*) >= $some FROM callsync.token WHERE destination LIKE 'cut%' AND started_by IS NOT NULL")
			or die 'nothing is renewed';
		Time::HiRes::sleep(($kills % 8) * 0.05);
		my $pid = $sql->('SELECT (callsync.worker_pids())[1]');
		CallsyncCrash::kill9($node, $pid) or next;
		$kills++;
		$mend->();
		$cut = $sql->($cut_off);
	}
	$mend->();
	cmp_ok($cut, '>=', $o{cut}, "$kills deaths cut off $cut renewals; $lost pairs were lost with the answer, and reported");
	is($silent, 0, 'no token died in silence');
	is($untold, 0, 'each lost pair had its alert');
	is($sql->("SELECT count(*) FROM callsync.alerts WHERE kind = 'reauth_required' AND destination LIKE 'cut%' AND cleared_at IS NULL"), '0', 'which is over with the new consent');
	$sandbox->clear_faults;
	$sql->("SELECT callsync.drop_destination('$_', true)") for @names;
	return;
}

1;
