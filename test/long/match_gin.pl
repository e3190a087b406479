# Ten thousand queries by the index over names against the scan: the function of test/sql/match.sql, run for long.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('match_gin');
$node->init;
$node->start;
my $sql = slurp_file('test/sql/match.sql');
my ($table) = $sql =~ /^(CREATE TABLE t_name.*?ANALYZE t_name;)/ms or die 'no table';
my ($function) = $sql =~ /^(CREATE FUNCTION t_gin_differs.*?^\$f\$;)/ms or die 'no function';
$node->safe_psql('postgres', "CREATE EXTENSION callsync CASCADE; SET search_path = public, callsync; $table $function");
my $queries = $ENV{GIN_QUERIES} // 10000;
my ($asked, $hits, $differing) = split /\|/, $node->safe_psql('postgres', "SET search_path = public, callsync; SELECT * FROM t_gin_differs($queries)");
is($asked, $queries, "$queries queries");
cmp_ok($hits, '>', $queries, 'which find something');
is($differing, 0, 'the index finds what the scan finds');
done_testing();
