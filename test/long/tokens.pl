# A thousand renewals that are cut off by the death of the server: never a token that is dead in silence. See CallsyncTokenKills.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;
use CallsyncTokenKills;

my ($node, $crm) = CallsyncDelivery::start('tokens', secrets => {},
	conf => "callsync.workers = 4\nmax_worker_processes = 24\nlog_statement = none\nlog_min_messages = log\n");
my $dir = $node->basedir;
CallsyncTokenKills::run($node, $crm, cut => $ENV{TOKEN_CUTS} // 1000, destinations => $ENV{TOKEN_DESTINATIONS} // 8, secret => sub {
	my ($owner, $key, $value) = @_;
	unlink "$dir/secret";
	append_to_file("$dir/secret", $value);
	chmod 0600, "$dir/secret";
	return $node->safe_psql('postgres', "SELECT callsync.set_secret_file('$owner', '$key', '$dir/secret')");
});
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|segmentation/i, 'no accident in the log');
$crm->stop;
done_testing();
