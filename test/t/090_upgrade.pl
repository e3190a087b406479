# An installation that was updated is the same as a new one: every released install script (test/upgrade/)
# is installed, updated by the scripts of sql/upgrade/, and its catalog compared, column order, grants, comments
# and what a dump takes along included.
use strict;
use warnings;

use File::Copy;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->start;

chomp(my $share = `pg_config --sharedir`);
my $folder = "$share/extension";
my ($version) = slurp_file('callsync.control') =~ /^default_version = '(.*)'/m;
my @mine;

END { unlink @mine; }

# Text of everything that belongs to the extension, without what differs by chance.
sub catalog
{
	my ($db) = @_;
	my ($out, $err) = run_command([ 'pg_dump', '--schema-only', '--binary-upgrade', '-d', $node->connstr($db) ]);
	die "pg_dump: $err" if $out eq '';
	my @lines = grep { !/^(--.*|SELECT pg_catalog\.(binary_upgrade|set_config)\w*.*|SET .*|\\(un)?restrict .*|\s*)$/ } split /\n/, $out;
	# column attributes are set by attribute number and OID: names are enough
	@lines = grep { !/^(UPDATE pg_catalog\.pg_class SET relfrozenxid|WHERE oid = )/ } @lines;
	s/'0'::(pg_catalog\.)?xid|'\d+'::pg_catalog\.(xid|oid)/N/g for @lines;
	my $more = $node->safe_psql($db, q{
		SELECT 'acl ' || pg_describe_object(classid, objid, 0), a.grantor::regrole, a.grantee::regrole, a.privilege_type, a.is_grantable
		FROM pg_depend d
		CROSS JOIN LATERAL aclexplode(CASE classid
			WHEN 'pg_proc'::regclass THEN (SELECT coalesce(proacl, acldefault('f', proowner)) FROM pg_proc WHERE oid = objid)
			WHEN 'pg_class'::regclass THEN (SELECT coalesce(relacl, acldefault('r', relowner)) FROM pg_class WHERE oid = objid)
			WHEN 'pg_type'::regclass THEN (SELECT coalesce(typacl, acldefault('T', typowner)) FROM pg_type WHERE oid = objid) END) a
		WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'callsync') AND deptype = 'e'
		ORDER BY 1, 2, 3, 4;
		SELECT 'comment ' || pg_describe_object(c.classoid, c.objoid, c.objsubid), c.description
		FROM pg_description c JOIN pg_depend d ON d.classid = c.classoid AND d.objid = c.objoid
		WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'callsync') AND deptype = 'e'
		ORDER BY 1, 2;
		SELECT 'dumped ' || t::regclass, c FROM pg_extension, unnest(extconfig, extcondition) AS u (t, c) WHERE extname = 'callsync' ORDER BY 1;
		SELECT 'member ' || pg_describe_object(classid, objid, 0) FROM pg_depend
		WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'callsync') AND deptype = 'e'
		ORDER BY 1;
		SELECT 'column ' || attrelid::regclass, attname, format_type(atttypid, atttypmod), row_number() OVER (PARTITION BY attrelid ORDER BY attnum)
		FROM pg_attribute JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = attrelid
		WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'callsync') AND deptype = 'e'
			AND attnum > 0 AND NOT attisdropped
		ORDER BY 1, 4});
	# rows that the script brings along are part of what is installed
	my $rows = $node->safe_psql($db, q{SELECT 'connector', name, md5(document::text) FROM callsync.connector ORDER BY 2});
	# pg_dump orders what has no dependency by OID: the lines as a set, the columns are compared above in order
	return join("\n", sort(@lines), split(/\n/, $more), split(/\n/, $rows)) . "\n";
}

sub install
{
	my ($db, $from, @statements) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	# functions that later versions of the library do not have any more
	$node->safe_psql($db, "SET check_function_bodies = off; CREATE EXTENSION callsync VERSION '$from' CASCADE");
	$node->safe_psql($db, $_) for @statements;
	return;
}

sub put
{
	my ($name, $text) = @_;
	push @mine, "$folder/$name";
	open my $out, '>', "$folder/$name" or die "$folder/$name: $!";
	print $out $text;
	close $out;
	return;
}

# How far two catalogs differ, as text; the empty text where they are the same.
sub difference
{
	my ($left, $right) = @_;
	my (%count, @out);
	$count{$_}++ for split /\n/, $left;
	$count{$_}-- for split /\n/, $right;
	for (sort grep { $count{$_} } keys %count) { push @out, ($count{$_} > 0 ? '- ' : '+ ') . $_; }
	return join("\n", @out[ 0 .. ($#out < 60 ? $#out : 60) ]);
}

install('fresh', $version);
my $fresh = catalog('fresh');
cmp_ok(length $fresh, '>', 50_000, 'the catalog was read');

# the comparison itself: the same script by way of an update is the same, anything else is noticed
my $script = slurp_file("$folder/callsync--$version.sql");
put('callsync--0.0.1.sql', $script);
put("callsync--0.0.1--$version.sql", "-- nothing to do\n");
install('same', '0.0.1', "ALTER EXTENSION callsync UPDATE");
is(difference($fresh, catalog('same')), '', 'an update without changes is no change');
put("callsync--0.0.1--$version.sql", "CREATE FUNCTION callsync.stray() RETURNS int LANGUAGE sql AS 'SELECT 1';\n");
install('stray', '0.0.1', "ALTER EXTENSION callsync UPDATE");
like(difference($fresh, catalog('stray')), qr/stray/, 'a function too many is noticed');
put("callsync--0.0.1--$version.sql", "ALTER TABLE callsync.source ADD COLUMN too_much pg_catalog.int4; REVOKE ALL ON callsync.destination FROM callsync_worker;\n");
install('columns', '0.0.1', "ALTER EXTENSION callsync UPDATE");
like(difference($fresh, catalog('columns')), qr/too_much/, 'a column too many is noticed');
like(difference($fresh, catalog('columns')), qr/^- acl table callsync.destination.*callsync_worker/m, 'a grant too few is noticed');

for my $released (sort glob 'test/upgrade/callsync--*.sql')
{
	my ($from) = $released =~ /callsync--([\d.]+)\.sql$/ or die "$released is no install script";
	next if $from eq $version;
	put("callsync--$from.sql", slurp_file($released));
	(my $db = "from_$from") =~ tr/./_/;
	install($db, $from, "SELECT callsync.create_source('kept')", "ALTER EXTENSION callsync UPDATE");
	is(difference($fresh, catalog($db)), '', "updated from $from is the same as new");
	is($node->safe_psql($db, "SELECT count(*) FROM callsync.source WHERE name = 'kept'"), '1', "updated from $from keeps rows");
}
$node->stop;
done_testing();
