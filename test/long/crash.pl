# The crash matrix at full size; CRASH_CALLS, CRASH_KILLS and CRASH_WORKERS change it.
use strict;
use warnings;

use Test::More;

use CallsyncKills;

CallsyncKills::run(name => 'crash', calls => $ENV{CRASH_CALLS} || 100_000, kills => $ENV{CRASH_KILLS} || 200, workers => $ENV{CRASH_WORKERS} || 2, idle => 3600);
done_testing();
