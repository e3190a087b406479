# Secrets: canaries nowhere but in memory, key file rules, change of the key, and
# the copy guard that knows an installation by its key.
use strict;
use warnings;

use File::Find;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $by_file = 'CANARY-file-8f2e61';
my $by_call = 'CANARY-call-77ab03';
my $by_parameter = 'CANARY-bind-0c19d4';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $key_file = $node->basedir . '/callsync.key';
my $secret_file = $node->basedir . '/secret.txt';
my $key = 'first key: 0123456789abcdefghijklmnopqrstuvwxyz';
append_to_file($key_file, "# keys of this installation\n\n  $key  \n");
chmod 0600, $key_file;
append_to_file($secret_file, "$by_file\r\n");
chmod 0600, $secret_file;
$node->append_conf('postgresql.conf', <<"CONF");
wal_level = replica
shared_preload_libraries = 'pg_stat_statements'
log_min_messages = debug5
log_statement = none
log_duration = off
callsync.key_file = '$key_file'
callsync.naptime = '100ms'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_stat_statements;
-- pgcrypto lives somewhere else, and a thief stands on the search_path
CREATE SCHEMA elsewhere;
CREATE EXTENSION pgcrypto SCHEMA elsewhere;
CREATE EXTENSION callsync;
CREATE TABLE stolen (what text);
CREATE FUNCTION public.pgp_sym_encrypt_bytea(bytea, text, text) RETURNS bytea LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO public.stolen VALUES ($2), (convert_from($1, 'SQL_ASCII')); RETURN $1; END $$;
CREATE FUNCTION public.pgp_sym_decrypt_bytea(bytea, text) RETURNS bytea LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO public.stolen VALUES ($2); RETURN $1; END $$;
INSERT INTO callsync.source (name, kind) VALUES ('canary', 'generic'), ('other', 'generic');
CREATE FUNCTION secret_get(text, text) RETURNS text LANGUAGE c STRICT AS '$libdir/callsync', 'callsync_secret_probe';
SQL

sub get
{
	my ($key, $owner) = @_;
	return $node->safe_psql('postgres', "SELECT secret_get('" . ($owner // 'canary') . "', '$key')");
}

# a session that stays, for pg_stat_activity; the log settings are those of a worst case
my ($rc, $out, $err) = $node->psql('postgres', <<SQL);
SET log_min_duration_statement = 0;
SELECT callsync.set_secret_file('canary', 'signing_secret', '$secret_file');
SQL
is($err, '', 'set_secret_file: no warning');
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.set_secret('canary', 'api_key', '$by_call')");
is($err, '', 'set_secret: no warning where nothing is logged');
$node->safe_psql('postgres', <<SQL);
PREPARE p(text) AS SELECT callsync.set_secret('canary', 'password', \$1);
\\o /dev/null
EXECUTE p('$by_parameter');
SQL
is(get('signing_secret'), $by_file, 'what was in the file, without its line end');
is(get('api_key') . ' ' . get('password'), "$by_call $by_parameter", 'what was given');
is(get('username'), '', 'NULL where there is none');
is($node->safe_psql('postgres', 'SELECT count(*) FROM stolen'), '0', 'the functions are not found by search_path');

# errors that do not come from us: the STATEMENT line must not show it
($rc, $out, $err) = $node->psql('postgres', <<SQL);
BEGIN;
LOCK TABLE callsync.source;
\\! psql -X -d "port=@{[ $node->port ]} host=@{[ $node->host ]} dbname=postgres options='-c lock_timeout=100ms'" -c "SELECT callsync.set_secret('canary', 'client_secret', '$by_call')" 2>&1
SQL
like($out, qr/canceling statement due to lock timeout/, 'an error in the middle of set_secret');
unlike($out . $err, qr/CANARY/, 'does not show the value');

# pg_dump, data files, WAL, log, statistics, views
$node->safe_psql('postgres', 'CHECKPOINT');
my $dump = $node->basedir . '/dump.sql';
command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
my $text = slurp_file($dump);
like($text, qr/COPY callsync.secret .*signing_secret/s, 'the dump holds the row');
unlike($text, qr/CANARY/, 'but no secret');
unlike($text, qr/\Q$key\E/, 'and not the key');
is( $node->safe_psql('postgres', <<'SQL'), '0', 'pg_stat_statements');
SELECT count(*) FROM pg_stat_statements WHERE query ~ 'CANA[R]Y'
SQL
my @views = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'callsync' AND c.relkind IN ('r', 'v', 'p') ORDER BY 1
SQL
my @hits = grep { $node->safe_psql('postgres', "SELECT count(*) FROM $_ t WHERE t::text ~ 'CANA[R]Y'") ne '0' } @views;
is("@hits", '', 'no table or view of ' . scalar(@views) . ' shows it');
$node->stop;
my @files;
find({ no_chdir => 1, wanted => sub {
	return unless -f $_ && -r $_;
	my $content = slurp_file($_);
	push @files, $_ if $content =~ /CANARY-/ || index($content, $key) >= 0;
} }, $node->data_dir);
is("@files", '', 'data files and WAL');
my @lines = grep { /CANARY/ } split /\n/, slurp_file($node->logfile);
is(join("\n", @lines), '', 'the log at debug5');
$node->start;

# a row that is moved to another owner is no secret of that one
$node->safe_psql('postgres',
	"INSERT INTO callsync.secret SELECT 'other', key, value, key_id FROM callsync.secret WHERE key = 'api_key'");
($rc, $out, $err) = $node->psql('postgres', "SELECT secret_get('other', 'api_key')");
like($err, qr/secret "api_key" of "other" was made for something else/, 'a moved row');

# the key file: who may read it, what is in it
sub try_key
{
	my ($mode, $content) = @_;
	unlink $key_file;
	append_to_file($key_file, $content) if defined $content;
	chmod $mode, $key_file if defined $content;
	my ($rc, $out, $err) = $node->psql('postgres', "SELECT secret_get('canary', 'api_key')");
	return $rc == 0 ? $out : $err;
}
like(try_key(0644, "$key\n"), qr/accessible to other users.*DETAIL:  Its mode is 0644.*HINT:  chmod 600/s, 'readable by others');
like(try_key(0640, "$key\n"), qr/accessible to other users/, 'readable by the group');
like(try_key(0600, ''), qr/holds no key/, 'empty');
like(try_key(0600, "# nothing\n"), qr/holds no key/, 'comments only');
like(try_key(0600, "short\n"), qr/line 1 of the file of callsync.key_file is too short.*DETAIL:  A key has at least 32 characters/s, 'too short');
like(try_key(0600, undef), qr/could not open the file of callsync.key_file: No such file/, 'missing');
like(try_key(0600, 'another key ' x 5), qr/secret "api_key" of "canary" cannot be decrypted.*DETAIL:  It is encrypted by key [0-9a-f]{16}, which/s,
	'another key');
is(try_key(0600, ('another key ' x 5) . "\n$key\n"), $by_call, 'as an old key it still decrypts');
{
	rename $key_file, "$key_file.d";
	mkdir $key_file;
	($rc, $out, $err) = $node->psql('postgres', "SELECT secret_get('canary', 'api_key')");
	like($err, qr/is no regular file/, 'a directory');
	rmdir $key_file;
	rename "$key_file.d", $key_file;
}

# change of the key
$node->safe_psql('postgres', "DELETE FROM callsync.secret WHERE owner = 'other'");
is($node->safe_psql('postgres', 'SELECT callsync.reencrypt_secrets()'), '3', 're-encrypted');
is($node->safe_psql('postgres', 'SELECT callsync.reencrypt_secrets()'), '0', 'nothing left to do');
is(try_key(0600, 'another key ' x 5), $by_call, 'the old key is not needed any more');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT key_id) FROM callsync.secret_status'), '1', 'one key');

# a warning where the file is not private
chmod 0644, $secret_file;
($rc, $out, $err) = $node->psql('postgres', "SELECT callsync.set_secret_file('canary', 'signing_secret', '$secret_file')");
like($err, qr/WARNING:  file ".*secret.txt" is accessible to other users/, 'a secret file for everybody');

# removed with its owner
$node->safe_psql('postgres', "DELETE FROM callsync.source WHERE name = 'canary'");
is($node->safe_psql('postgres', 'SELECT count(*) FROM callsync.secret'), '0', 'secrets go with their owner');

$node->stop;
done_testing();
