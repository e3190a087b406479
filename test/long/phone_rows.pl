# Ten million phones (PHONE_ROWS): the btree is built, =, ranges, ^@ and =~ use it and give
# what a scan gives; a backend that has seen every country stays small. Run by .ci/long-phone.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $rows = $ENV{PHONE_ROWS} // 10_000_000;
my $node = PostgreSQL::Test::Cluster->new('phone_rows');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
search_path = 'callsync, public'
fsync = off
shared_buffers = 512MB
maintenance_work_mem = 512MB
max_wal_size = 8GB
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION callsync CASCADE');

sub timed
{
	my ($what, $sql) = @_;
	my $start = time;
	my $result = $node->safe_psql('postgres', $sql);
	note(sprintf('%-40s %8.2f s', $what, time - $start));
	return $result;
}

# numbers of all lengths and countries, the same in every run
timed("$rows rows", <<"SQL");
CREATE TABLE public.many AS SELECT i AS id, ('+' || (ARRAY['1', '44', '49', '33', '81', '86', '91', '7', '55', '61', '234', '598'])[1 + i % 12]
	|| to_char(abs(hashint8extended(i, 1) % 10000000000), 'FM0000000000'))::phone AS p FROM generate_series(1, $rows) i;
SQL
timed('btree index', 'CREATE INDEX many_p ON public.many (p)');
timed('vacuum analyze', 'VACUUM ANALYZE public.many');
note($node->safe_psql('postgres', "SELECT pg_size_pretty(pg_table_size('public.many')) || ' table, ' || pg_size_pretty(pg_relation_size('public.many_p')) || ' index'"));

my $some = $node->safe_psql('postgres', 'SELECT p FROM public.many WHERE id = 4711');
my %queries = (
	'=' => "p = '$some'",
	'range' => "p >= '+44200' AND p < '+44201'",
	'^@' => "p ^@ '+49301'",
	'=~' => "p =~ '$some'");
for my $name (sort keys %queries)
{
	my $sql = "SELECT count(*), min(p), max(p), md5(string_agg(id::text, ',' ORDER BY id)) FROM public.many WHERE $queries{$name}";
	like($node->safe_psql('postgres', "EXPLAIN $sql"), qr/Index (Only )?Cond|Index Cond/, "$name uses the index");
	unlike($node->safe_psql('postgres', "EXPLAIN $sql"), qr/Seq Scan/, "$name does not scan");
	my $by_index = timed("$name by index", $sql);
	my $by_scan = timed("$name by scan", "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; $sql");
	is($by_index, $by_scan, "$name gives the same rows by index and by scan");
	like($by_index, qr/^[1-9]/, "$name finds something");
}
is(timed('order by index against sort', <<'SQL'), 't', 'the index has the order of the digits');
SELECT bool_and(p >= before) FROM (SELECT p, lag(p) OVER () AS before FROM (SELECT p FROM public.many ORDER BY p) o) w;
SQL
is(timed('order of text against order of phones', <<'SQL'), 0, 'which is the order of the texts');
SELECT count(*) FROM (SELECT p::text COLLATE "C" AS t, lag(p::text COLLATE "C") OVER (ORDER BY p) AS before FROM public.many WHERE id % 10 = 0) w WHERE before > t;
SQL

# memory: a backend parses, asks and formats millions of numbers of all countries
my $growth = $node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION public.anonymous_kb() RETURNS int LANGUAGE sql AS
	$$SELECT (regexp_match(pg_read_file('/proc/' || pg_backend_pid() || '/smaps_rollup', 0, 100000, true), 'Anonymous: +(\d+) kB'))[1]::int$$;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE seen (at text, kb int);
SELECT count(phone_parse(p::text, 'US')), count(id) FROM public.many WHERE id < 1000;
INSERT INTO seen SELECT 'before', public.anonymous_kb();
SELECT count((phone_parse(p::text, 'US')).e164), count(phone_region(p)), count(format_phone(p, 'national')) FROM public.many WHERE id % 10 = 0;
SELECT count(caller_id('0' || id, chr(65 + (id / 26) % 26) || chr(65 + id % 26))) FROM generate_series(1, 1000000) id;
INSERT INTO seen SELECT 'after', public.anonymous_kb();
SELECT 'growth ' || (SELECT kb FROM seen WHERE at = 'after') - (SELECT kb FROM seen WHERE at = 'before');
SQL
$growth =~ /growth (-?\d+)/;
cmp_ok($1, '<', 1024, "the backend grew by $1 kB");

$node->stop;
done_testing();
