# The crash matrix, small: kill -9 of the worker at any moment and at each point of a delivery, kill -9 of the postmaster, immediate
# stop. .ci/long-crash is the same with two hundred deaths and a hundred thousand calls.
use strict;
use warnings;

use Test::More;

use CallsyncKills;

CallsyncKills::run(name => 'kills', calls => 420, kills => 7);
done_testing();
