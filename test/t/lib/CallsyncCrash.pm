# kill -9 of a process of PostgreSQL: the postmaster restarts all of them. Needs
# restart_after_crash = on.
package CallsyncCrash;

use strict;
use warnings;

use PostgreSQL::Test::Utils qw(slurp_file);
use Time::HiRes qw(sleep);

sub _restarts
{
	my ($node) = @_;
	my $n = () = slurp_file($node->logfile) =~ /database system is ready to accept connections/g;
	return $n;
}

# Kills and waits until the server takes connections again. False: there was no such
# process any more, and nothing happened.
sub kill9
{
	my ($node, $pid) = @_;
	my $before = _restarts($node);
	return 0 unless $pid && kill 'KILL', $pid;
	for (1 .. 3000)
	{
		return 1 if _restarts($node) > $before;
		sleep 0.02;
	}
	die 'the server did not come back';
}

1;
