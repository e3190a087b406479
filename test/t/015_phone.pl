# Type phone in a living server: the parser's columns against the reference, dump and
# restore, binary COPY between databases, memory of a backend that has seen every country.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('phone');
$node->init;
$node->append_conf('postgresql.conf', "search_path = 'callsync, public'\nmax_parallel_workers_per_gather = 0\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION callsync CASCADE');

# ---- parity, through SQL ----

my @columns = qw(result country_code nsn national_number italian_leading_zero leading_zeros extension e164 national
  international rfc3966 possible is_valid type region_code country_code_source carrier_code short_possible short_valid
  short_cost emergency);

sub parity
{
	my ($file, $least) = @_;
	my $columns = join(', ', map { qq("$_" text) } 'raw', 'region', @columns);
	my $differ = join(' OR ', map { qq(r."$_" IS DISTINCT FROM p."$_"::text) } @columns);
	$differ =~ s/p\."(italian_leading_zero|is_valid|short_possible|short_valid|emergency)"::text/left(p."$1"::text, 1)/g;
	$node->safe_psql('postgres', "DROP TABLE IF EXISTS public.reference; CREATE TABLE public.reference ($columns)");
	my $plain = PostgreSQL::Test::Utils::tempdir() . '/reference.tsv';
	system("gzip -dc '$file' | tail -n +2 > '$plain'") == 0 or die "gzip $file";
	$node->safe_psql('postgres', "\\copy public.reference from '$plain'");
	my $rows = $node->safe_psql('postgres', 'SELECT count(*) FROM public.reference');
	cmp_ok($rows, '>=', $least, "$file has $rows rows");
	is($node->safe_psql('postgres',
			"SELECT r.raw, r.region, p FROM public.reference r, phone_parse(r.raw, r.region) p WHERE $differ LIMIT 20"),
		'', "phone_parse gives the reference's columns: $file");
	is($node->safe_psql('postgres',
			"SELECT count(*) FROM public.reference WHERE e164 IS DISTINCT FROM try_phone(raw, region)::text AND length(e164) <= 20"),
		0, 'try_phone gives its number');
	is($node->safe_psql('postgres',
			"SELECT count(*) FROM public.reference r, try_phone(r.raw, r.region) p WHERE p IS NOT NULL AND (
				r.region_code IS DISTINCT FROM phone_region(p) OR r.type <> phone_type(p) OR r.is_valid::bool <> phone_is_valid(p)
				OR (r.possible LIKE 'IS_POSSIBLE%') <> phone_is_possible(p) OR (r.extension IS NULL AND
				(r.national <> format_phone(p, 'national') OR r.international <> format_phone(p, 'international') OR r.rfc3966 <> format_phone(p, 'rfc3966'))))"),
		0, 'a stored phone says the same as the parser did');
}

parity('test/data/phone-corpus.tsv.gz', 3000);
SKIP:
{
	my $public = '../shared/phone/parity-public.tsv.gz';
	skip "$public is absent", 4 unless -r $public;
	parity($public, 20000);
}

# ---- dump, restore, binary COPY ----

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE public.line (id int PRIMARY KEY, p phone, raw text);
INSERT INTO public.line SELECT row_number() OVER (), try_phone(raw, region), raw FROM public.reference;
INSERT INTO public.line VALUES (-1, '+0', 'no plan has it'), (-2, '+9999999999999999999', 'nor this'), (-3, NULL, NULL);
CREATE INDEX line_p ON public.line (p);
CREATE INDEX line_hash ON public.line USING hash (p);
CREATE INDEX line_raw ON public.line (try_phone(raw, 'US'));
ANALYZE public.line;
SQL
my $all = 'SELECT count(*), count(p), min(p), max(p), md5(string_agg(id || coalesce(p::text, \'-\'), \',\' ORDER BY id)) FROM public.line';
my $before = $node->safe_psql('postgres', $all);
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('postgres') ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'restore');
is($node->safe_psql('restored', $all), $before, 'restored phones are the same');
is($node->safe_psql('restored', "SET enable_seqscan = off; SELECT count(*) FROM public.line WHERE p = '+9999999999999999999'"), 1, 'and their indexes work');

my $binary = PostgreSQL::Test::Utils::tempdir() . '/line.bin';
$node->safe_psql('postgres', "\\copy public.line to '$binary' (format binary)");
$node->safe_psql('restored', "TRUNCATE public.line");
$node->safe_psql('restored', "\\copy public.line from '$binary' (format binary)");
is($node->safe_psql('restored', $all), $before, 'binary COPY into another database');

# ---- input that may fail softly ----

SKIP:
{
	skip 'pg_input_is_valid() is there from 16 on', 1 if $node->pg_version < 16;
	is($node->safe_psql('postgres', "SELECT pg_input_is_valid('+1555', 'phone'), pg_input_is_valid('1555', 'phone'), pg_input_is_valid('+12345678901234567890', 'phone'), (pg_input_error_info('x', 'phone')).sql_error_code"),
		't|f|f|22P02', 'bad input is reported without an exception');
}

# ---- memory ----

# anonymous memory of a backend before and after it has parsed, formatted and asked about
# numbers of all territories
my $growth = $node->safe_psql('postgres', <<'SQL');
SELECT count(phone_parse('0', 'US'));
CREATE FUNCTION public.anonymous_kb() RETURNS int LANGUAGE sql AS
	$$SELECT (regexp_match(pg_read_file('/proc/' || pg_backend_pid() || '/smaps_rollup', 0, 100000, true), 'Anonymous: +(\d+) kB'))[1]::int$$;
CREATE TEMP TABLE seen (at text, kb int);
SELECT count(phone_parse(raw, region)) FROM public.reference WHERE region = 'US';
SELECT count(r.raw) FROM public.reference r;
INSERT INTO seen SELECT 'before', public.anonymous_kb();
SELECT count(phone_parse(raw, region)), count(caller_id(raw, region)), count(DISTINCT region) FROM public.reference;
INSERT INTO seen SELECT 'after', public.anonymous_kb();
SELECT 'growth ' || (SELECT kb FROM seen WHERE at = 'after') - (SELECT kb FROM seen WHERE at = 'before');
SQL
SKIP:
{
	skip 'no /proc/PID/smaps_rollup', 1 unless -r '/proc/self/smaps_rollup' && $growth =~ /growth (-?\d+)/;
	cmp_ok($1, '<', 1024, "a backend that has seen all countries grew by $1 kB");
}

$node->stop;
done_testing();
